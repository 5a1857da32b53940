/** A TensorFlow.js/Keras layers model as a model: what was exported here by its passport, anything else layer by layer. */
import { TicklineError } from "../../kit/errors.ts";
import { GATES, PADDINGS, type Activation, type Layer, type Sweep } from "../layer.ts";
import { features, verified, type Contract, type Model, type Node, type Shape, type Tensor } from "../model.ts";
import { passportOf } from "../passport.ts";
import { refuse, type KerasModel } from "./files.ts";
import { METADATA } from "./names.ts";
import { importOwn } from "./own.ts";
import { topologyOf, type KerasLayer } from "./topology.ts";

/** A value: its shape, the rank it has in Keras without the batch, and zeros that stand before it. */
interface Seen {
  readonly value: number;
  readonly rank: number;
  readonly before: number;
}

const ACTIVATIONS: Readonly<Record<string, Activation>> = { linear: "none", relu: "relu", tanh: "tanh", sigmoid: "sigmoid", softmax: "softmax", swish: "swish", silu: "swish", hard_sigmoid: "hard_sigmoid" };

/** Larger models are none of this kind; the engine takes 256 layers. */
const LAYERS_MAX = 2048;

class Reader {
  readonly nodes: { layer: Layer; inputs: readonly number[]; tensors: Map<string, Tensor> }[] = [];
  readonly shapes: Shape[];
  readonly seen = new Map<string, Seen>();
  /** How many layers (and the model's output) take each layer. */
  readonly uses = new Map<string, number>();
  readonly #keras: KerasModel;
  readonly #where: string;
  /** Saved by Keras 3 or later. */
  readonly #third: boolean;

  /** Its contract carries state from row to row. */
  readonly stateful: boolean;

  constructor(keras: KerasModel, where: string, input: Shape, stateful: boolean) {
    this.stateful = stateful;
    this.#third = /^([3-9]|\d\d)\./.test(String(keras.topology["keras_version"]));
    this.#keras = keras;
    this.#where = where;
    this.shapes = [input];
  }

  refuse(layer: KerasLayer, problem: string): never {
    throw new TicklineError("TL_MODEL", `KERAS_LAYER: ${this.#where}: layer ${layer.name} (${layer.kind}): ${problem}`);
  }

  shape(value: number): Shape {
    return this.shapes[value] as Shape;
  }

  push(layer: Layer, inputs: readonly number[], gives: Shape, tensors: readonly (readonly [string, Tensor])[] = []): number {
    if (this.nodes.length >= LAYERS_MAX) refuse(this.#where, `more than ${LAYERS_MAX} layers`);
    this.nodes.push({ layer, inputs, tensors: new Map(tensors) });
    this.shapes.push(gives);
    return this.nodes.length;
  }

  /** The value that a layer takes. */
  taken(layer: KerasLayer, at = 0, padded = false): Seen {
    const seen = this.seen.get(layer.inputs[at] ?? "");
    if (seen === undefined) return this.refuse(layer, `takes ${layer.inputs[at] ?? "nothing"}, which is not there`);
    if (seen.before > 0 && !padded) this.refuse(layer, "stands behind a padding; only a convolution or pool of that size may");
    return seen;
  }

  /** A weight of a layer: names are `layer/[cell/]weight[:0]`. */
  weight(layer: KerasLayer, name: string, shape: readonly number[]): Tensor {
    for (const [full, tensor] of this.#keras.weights) {
      const parts = full.replace(/:\d+$/, "").split("/");
      if (parts.at(-1) !== name || !parts.slice(0, -1).includes(layer.name)) continue;
      const count = shape.reduce((product, size) => product * size, 1);
      if (tensor.data.length !== count) this.refuse(layer, `weight ${full} is ${tensor.shape.join("x")} where the layer needs ${shape.join("x")}`);
      return { shape, data: tensor.data };
    }
    return this.refuse(layer, `weight ${name} is missing`);
  }

  bias(layer: KerasLayer, shape: readonly number[]): Tensor {
    if (layer.config["use_bias"] !== false) return this.weight(layer, "bias", shape);
    return { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
  }

  activation(layer: KerasLayer, name: string, fallback = "linear"): Activation {
    const given = layer.config[name] ?? fallback;
    if (given === "hard_sigmoid" && this.#third) this.refuse(layer, `${name} hard_sigmoid of Keras 3, x / 6 + 0.5; that of Keras 2 and TensorFlow.js, 0.2 x + 0.5, is read`);
    return ACTIVATIONS[String(given)] ?? this.refuse(layer, `${name} ${String(given)}; ${Object.keys(ACTIVATIONS).join(", ")} are read`);
  }

  number(layer: KerasLayer, name: string, fallback?: number): number {
    const value = layer.config[name] ?? fallback;
    return typeof value === "number" ? value : this.refuse(layer, `${name} must be a number`);
  }

  /** A list of whole numbers. */
  numbers(layer: KerasLayer, name: string): readonly number[] {
    const value = layer.config[name];
    return Array.isArray(value) && value.every(Number.isSafeInteger) ? (value as number[]) : this.refuse(layer, `${name} must be a list of whole numbers`);
  }

  pair(layer: KerasLayer, name: string, fallback: readonly number[]): readonly [number, number] {
    const value = layer.config[name] ?? fallback;
    const [a, b = 1] = Array.isArray(value) ? (value as number[]) : [value as number];
    return typeof a === "number" && typeof b === "number" ? [a, b] : this.refuse(layer, `${name} must be one or two numbers`);
  }

  /** All numbers at one time as channels. */
  asChannels(value: number): number {
    const { time, width, channels } = this.shape(value);
    if (width === 1) return value;
    return this.push({ kind: "reshape", width: 1, channels: width * channels }, [value], { time, width: 1, channels: width * channels });
  }
}

type Read = (reader: Reader, layer: KerasLayer) => Seen;

const plain = (value: number, rank: number): Seen => ({ value, rank, before: 0 });
/** Rank of rows: none of time where there is one time only and Keras never saw the axis. */
const same: Read = (reader, layer) => reader.taken(layer);

const dense: Read = (reader, layer) => {
  const { value, rank } = reader.taken(layer);
  const { time, width, channels } = reader.shape(value);
  const outputs = reader.number(layer, "units");
  const taken = rank === 3 ? channels : width * channels;
  const tensors = [["weight", reader.weight(layer, "kernel", [taken, outputs])], ["bias", reader.bias(layer, [outputs])]] as const;
  const activation = reader.activation(layer, "activation");
  if (rank < 3 || width === 1) return plain(reader.push({ kind: "dense", outputs, activation }, [value], { time, width: 1, channels: outputs }, tensors), rank);
  if (activation === "softmax") reader.refuse(layer, "a softmax at each place; one over all numbers of a time is read");
  const sweep: Sweep = { kernelTime: 1, kernelWidth: 1, strideTime: 1, strideWidth: 1, padding: "valid" };
  const kernel = { ...tensors[0][1], shape: [1, 1, taken, outputs] };
  return plain(reader.push({ kind: "conv", outputs, sweep, activation }, [value], { time, width, channels: outputs }, [["weight", kernel], tensors[1]]), rank);
};

const recurrent = (kind: "lstm" | "gru"): Read => (reader, layer) => {
  const { value, rank } = reader.taken(layer);
  const shape = reader.shape(value);
  if (rank !== 2) reader.refuse(layer, `takes ${rank} axes beside the batch; time and features are read`);
  if (layer.config["stateful"] === true && !reader.stateful) reader.refuse(layer, "is stateful, and the contract is of windows; give a contract with stateful: true");
  if (layer.config["go_backwards"] === true) reader.refuse(layer, "goes backwards: a tick cannot wait for the future");
  const gate = GATES.find((each) => each === reader.activation(layer, "recurrent_activation"));
  if (reader.activation(layer, "activation", "tanh") !== "tanh" || gate === undefined) {
    return reader.refuse(layer, `activations ${String(layer.config["activation"])}, ${String(layer.config["recurrent_activation"])}; tanh and ${GATES.join(" or ")} are read`);
  }
  const units = reader.number(layer, "units");
  const wide = (kind === "lstm" ? 4 : 3) * units;
  const reset = layer.config["reset_after"] === true ? "after" : "before";
  // A gate before the product leaves one sum, and that one bias; ours has two, the second zero.
  const single = (): Tensor => ({ shape: [2, wide], data: Float32Array.from([...reader.bias(layer, [wide]).data, ...new Float32Array(wide)]) });
  const tensors = [
    ["kernel", reader.weight(layer, "kernel", [features(shape), wide])], ["recurrent", reader.weight(layer, "recurrent_kernel", [units, wide])],
    ["bias", kind === "lstm" ? reader.bias(layer, [wide]) : reset === "after" ? reader.bias(layer, [2, wide]) : single()],
  ] as const;
  const made = reader.push(kind === "lstm" ? { kind, units, gate } : { kind, units, gate, reset }, [value], { time: shape.time, width: 1, channels: units }, tensors);
  if (layer.config["return_sequences"] === true) return plain(made, 2);
  return plain(shape.time === 1 ? made : reader.push({ kind: "last" }, [made], { time: 1, width: 1, channels: units }), 1);
};

/** The window of a convolution or pool, whose one- and two-dimensional forms differ in their axes. */
function sweepOf(reader: Reader, layer: KerasLayer, size: string, seen: Seen, flat: boolean): Sweep {
  const [kernelTime, kernelWidth] = reader.pair(layer, size, [2, flat ? 1 : 2]);
  const [strideTime, strideWidth] = reader.pair(layer, "strides", size === "pool_size" ? [kernelTime, kernelWidth] : [1, 1]);
  const format = layer.config["data_format"];
  if (format !== undefined && format !== null && format !== "channels_last") reader.refuse(layer, `data_format ${String(format)}; channels_last is read`);
  if (reader.pair(layer, "dilation_rate", [1, 1]).some((step) => step !== 1)) reader.refuse(layer, "dilations are not read");
  if (reader.number(layer, "groups", 1) !== 1) reader.refuse(layer, "groups are not read");
  const padding = PADDINGS.find((each) => each === layer.config["padding"]) ?? reader.refuse(layer, `padding ${String(layer.config["padding"])}; ${PADDINGS.join(", ")} are read`);
  if (padding !== "valid" && (kernelWidth > 1 || strideWidth > 1)) reader.refuse(layer, "padding over the width is not read; only time is padded");
  if (seen.before > 0 && (padding !== "valid" || seen.before !== kernelTime - 1)) reader.refuse(layer, `${seen.before} rows of zeros before a window of ${kernelTime}; ${kernelTime - 1} make a causal one`);
  return { kernelTime, kernelWidth, strideTime, strideWidth, padding: seen.before > 0 ? "causal" : padding };
}

function swept(reader: Reader, layer: KerasLayer, sweep: Sweep, { time, width }: Shape): { time: number; width: number } {
  const times = sweep.padding === "valid" ? Math.floor((time - sweep.kernelTime) / sweep.strideTime) + 1 : Math.ceil(time / sweep.strideTime);
  const places = Math.floor((width - sweep.kernelWidth) / sweep.strideWidth) + 1;
  return times >= 1 && places >= 1 ? { time: times, width: places } : reader.refuse(layer, `a window of ${sweep.kernelTime} times, ${sweep.kernelWidth} places over ${time}, ${width}`);
}

const conv = (flat: boolean): Read => (reader, layer) => {
  const seen = reader.taken(layer, 0, true);
  if (seen.rank !== (flat ? 2 : 3)) reader.refuse(layer, `takes ${seen.rank} axes beside the batch; ${flat ? "time and channels" : "time, width and channels"} are read`);
  const value = flat ? reader.asChannels(seen.value) : seen.value;
  const shape = reader.shape(value);
  const outputs = reader.number(layer, "filters");
  const sweep = sweepOf(reader, layer, "kernel_size", seen, flat);
  const weight = reader.weight(layer, "kernel", [sweep.kernelTime, sweep.kernelWidth, shape.channels, outputs]);
  const activation = reader.activation(layer, "activation");
  const gives = { ...swept(reader, layer, sweep, shape), channels: outputs };
  if (activation === "softmax" && gives.width > 1) reader.refuse(layer, "a softmax at each place; one over all numbers of a time is read");
  return plain(reader.push({ kind: "conv", outputs, sweep, activation }, [value], gives, [["weight", weight], ["bias", reader.bias(layer, [outputs])]]), seen.rank);
};

const pool = (average: boolean, flat: boolean): Read => (reader, layer) => {
  const seen = reader.taken(layer, 0, true);
  if (seen.rank !== (flat ? 2 : 3)) reader.refuse(layer, `takes ${seen.rank} axes beside the batch`);
  const value = flat ? reader.asChannels(seen.value) : seen.value;
  const sweep = sweepOf(reader, layer, "pool_size", seen, flat);
  const gives = { ...swept(reader, layer, sweep, reader.shape(value)), channels: reader.shape(value).channels };
  return plain(reader.push({ kind: "pool", average, sweep }, [value], gives), seen.rank);
};

const activate = (of: (reader: Reader, layer: KerasLayer) => Activation): Read => (reader, layer) => {
  const { value, rank } = reader.taken(layer);
  const activation = of(reader, layer);
  const shape = reader.shape(value);
  if (activation === "softmax" && rank === 3 && shape.width > 1) reader.refuse(layer, "a softmax at each place; one over all numbers of a time is read");
  const before = reader.nodes[value - 1];
  const own = before !== undefined && (before.layer.kind === "dense" || before.layer.kind === "conv") && before.layer.activation === "none";
  if (own && reader.uses.get(layer.inputs[0] ?? "") === 1) {
    before.layer = { ...before.layer, activation } as Layer;
    return plain(value, rank);
  }
  return plain(reader.push({ kind: "activate", activation }, [value], shape), rank);
};

function leaky(reader: Reader, layer: KerasLayer): Activation {
  const slope = reader.number(layer, "alpha", reader.number(layer, "negative_slope", 0.3));
  return Math.abs(slope - 0.01) < 1e-6 ? "leaky_relu" : reader.refuse(layer, `slope ${slope}; 0.01 is read`);
}

function relu(reader: Reader, layer: KerasLayer): Activation {
  const plainOne = (layer.config["max_value"] ?? null) === null && reader.number(layer, "threshold", 0) === 0 && reader.number(layer, "negative_slope", 0) === 0;
  return plainOne ? "relu" : reader.refuse(layer, "a limit, threshold or slope is not read");
}

const batchNorm: Read = (reader, layer) => {
  const { value: given, rank } = reader.taken(layer);
  const axis = layer.config["axis"];
  const [at] = Array.isArray(axis) ? (axis as readonly unknown[]) : [axis];
  if (at !== undefined && at !== -1 && at !== rank) reader.refuse(layer, `axis ${String(at)}; the last one is read`);
  const value = rank === 3 ? given : reader.asChannels(given);
  const shape = reader.shape(value);
  const size = [shape.channels];
  const filled = (name: string, wanted: string, x: number): readonly [string, Tensor] => [name, layer.config[wanted] === false ? { shape: size, data: new Float32Array(shape.channels).fill(x) } : reader.weight(layer, name, size)];
  const tensors = [filled("gamma", "scale", 1), filled("beta", "center", 0), ["mean", reader.weight(layer, "moving_mean", size)], ["variance", reader.weight(layer, "moving_variance", size)]] as const;
  return plain(reader.push({ kind: "batch_norm", epsilon: reader.number(layer, "epsilon", 1e-3), momentum: reader.number(layer, "momentum", 0.99) }, [value], shape, tensors), rank);
};

const join = (kind: "add" | "concat"): Read => (reader, layer) => {
  const parts = layer.inputs.map((_, at) => reader.taken(layer, at));
  const { rank } = parts[0] ?? reader.refuse(layer, "takes nothing");
  const axis = reader.number(layer, "axis", -1);
  if (kind === "concat" && axis !== -1 && axis !== rank) reader.refuse(layer, `axis ${axis}; the last one is read`);
  const values = parts.map(({ value }) => (kind === "concat" && rank < 3 ? reader.asChannels(value) : value));
  const shapes = values.map((value) => reader.shape(value));
  const channels = kind === "add" ? (shapes[0]?.channels ?? 0) : shapes.reduce((sum, shape) => sum + shape.channels, 0);
  return plain(reader.push({ kind }, values, { ...(shapes[0] as Shape), channels }), rank);
};

const flatten: Read = (reader, layer) => {
  const { value } = reader.taken(layer);
  const { time, width, channels } = reader.shape(value);
  if (time === 1) return plain(value, 1);
  return plain(reader.push({ kind: "flatten" }, [value], { time: 1, width: 1, channels: time * width * channels }), 1);
};

const reshape: Read = (reader, layer) => {
  const { value } = reader.taken(layer);
  const shape = reader.shape(value);
  const all = shape.time * features(shape);
  const target = reader.numbers(layer, "target_shape");
  const rest = target.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  const sizes = target.map((size) => (size === -1 ? all / rest : size));
  const [first = 0, second = 0, third = 1] = sizes;
  if (sizes.length === 1 && first === all) return flatten(reader, layer);
  if (sizes.length < 2 || sizes.length > 3 || first !== shape.time || first * second * third !== all) reader.refuse(layer, `[${target.join()}] of ${shape.time} times; times must stay as they are`);
  if (sizes.length === 2 || (second === shape.width && third === shape.channels)) return plain(value, sizes.length);
  return plain(reader.push({ kind: "reshape", width: second, channels: third }, [value], { time: first, width: second, channels: third }), 3);
};

/** All times folded into one, channel by channel. */
const whole = (average: boolean): Read => (reader, layer) => {
  const { value: given, rank } = reader.taken(layer);
  if (rank !== 2) reader.refuse(layer, `takes ${rank} axes beside the batch; time and channels are read`);
  const value = reader.asChannels(given);
  const { time, channels } = reader.shape(value);
  const sweep: Sweep = { kernelTime: time, kernelWidth: 1, strideTime: 1, strideWidth: 1, padding: "valid" };
  return plain(reader.push({ kind: "pool", average, sweep }, [value], { time: 1, width: 1, channels }), 1);
};

const zeros: Read = (reader, layer) => {
  const { value, rank } = reader.taken(layer);
  const padding = layer.config["padding"];
  // One number for both axes, one an axis, or one for each side of each.
  const both = Array.isArray(padding) ? (padding as readonly unknown[]) : [padding, padding];
  const [time = [], width = []] = both.map((each) => (Array.isArray(each) ? (each as readonly unknown[]) : [each, each]));
  const [before, after] = time;
  if (typeof before !== "number" || !(Number.isSafeInteger(before) && before >= 0) || after !== 0 || width.some((size) => size !== 0)) return reader.refuse(layer, "only rows of zeros before the first time are read");
  return { value, rank, before };
};

const crop: Read = (reader, layer) => {
  const { value, rank } = reader.taken(layer);
  const shape = reader.shape(value);
  if (JSON.stringify(layer.config["cropping"]) !== JSON.stringify([[shape.time - 1, 0], [0, 0]])) reader.refuse(layer, "leaves something else than the last time");
  return plain(reader.push({ kind: "last" }, [value], { ...shape, time: 1 }), rank);
};

const dropout: Read = (reader, layer) => {
  const { value, rank } = reader.taken(layer);
  return plain(reader.push({ kind: "dropout", rate: reader.number(layer, "rate") }, [value], reader.shape(value)), rank);
};

/** Layers whose refusal says what to do instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map(Object.entries({
  Bidirectional: "half of it reads from the last time to the first, and a tick cannot wait for the future; use its layer forwards",
  TimeDistributed: "use its layer itself: a Dense works on each time by itself, a Conv1D of size 1 as well",
  Masking: "every row counts here, there is nothing to leave out; train on windows that are full",
  Embedding: "takes classes in place of numbers; columns are numbers here",
  SimpleRNN: "has no gates; train an LSTM or GRU", RNN: "is made of cells; use LSTM or GRU", ConvLSTM2D: "use Conv1D before an LSTM",
  SeparableConv1D: "use Conv1D, which can be the product of both kernels", SeparableConv2D: "use Conv2D, which can be the product of both kernels",
  DepthwiseConv1D: "use Conv1D, with zeros between channels", DepthwiseConv2D: "use Conv2D, with zeros between channels",
  Conv2DTranspose: "makes times that were not there; only what a tick has seen can be read", UpSampling2D: "makes times that were not there",
  LayerNormalization: "normalises by the row at hand; use BatchNormalization", MultiHeadAttention: "is quadratic over time; export its model as ONNX to see which part is read, or train an additive attention here",
  Multiply: "only sums and joins of computed values are read", Subtract: "only sums and joins of computed values are read", Dot: "only sums and joins of computed values are read",
  Permute: "turns time and columns; the same as one Dense over a Flatten where weights are to be learned anew",
  ELU: "use relu, leaky relu (0.01), swish, tanh, sigmoid or hard sigmoid", PReLU: "its slopes are learned; use LeakyReLU of 0.01", ThresholdedReLU: "use ReLU",
}));

/** Every layer that is read. */
const LAYERS: ReadonlyMap<string, Read> = new Map(Object.entries({
  Dense: dense, LSTM: recurrent("lstm"), GRU: recurrent("gru"), Conv1D: conv(true), Conv2D: conv(false), MaxPooling1D: pool(false, true), MaxPooling2D: pool(false, false),
  AveragePooling1D: pool(true, true), AveragePooling2D: pool(true, false), GlobalAveragePooling1D: whole(true), GlobalMaxPooling1D: whole(false), BatchNormalization: batchNorm, Add: join("add"), Concatenate: join("concat"),
  Activation: activate((reader, layer) => reader.activation(layer, "activation")), ReLU: activate(relu), LeakyReLU: activate(leaky), Softmax: activate(() => "softmax"),
  Flatten: flatten, Reshape: reshape, ZeroPadding2D: zeros, Cropping2D: crop, Dropout: dropout, ActivityRegularization: same,
}));

/** The window and rank of the model's input. */
function inputOf(layer: KerasLayer | undefined, columns: number, wished: number, where: string): { window: number; rank: number } {
  const shape = layer?.config["batch_input_shape"] ?? layer?.config["batch_shape"];
  const known = Array.isArray(shape) && shape.every((size) => size === null || Number.isSafeInteger(size));
  const [, ...sizes] = known ? (shape as (number | null)[]) : [];
  const [first, second, third] = sizes;
  const window = first ?? wished;
  if (sizes.length === 1 && first === columns) return { window: 1, rank: 1 };
  if (sizes.length === 2 && second === columns) return { window, rank: 2 };
  if (sizes.length === 3 && second === columns && third === 1) return { window, rank: 3 };
  throw new TicklineError("TL_MODEL", `MODEL_CONTRACT: ${where}: input [batch,${sizes.join()}]; the contract has ${columns} columns: [batch, columns], [batch, time, columns] or [batch, time, columns, 1] are read`);
}

function unread(reader: Reader, layer: KerasLayer): never {
  const instead = INSTEAD.get(layer.kind);
  return reader.refuse(layer, `a layer that is not read${instead === undefined ? "" : ` (${instead})`}; those that are: ${[...LAYERS.keys()].join(", ")}`);
}

function importForeign(keras: KerasModel, where: string, contract: Contract): Model {
  const { layers, output } = topologyOf(keras.topology, where);
  const [input, ...others] = layers.filter(({ kind }) => kind === "InputLayer");
  if (others.length > 0) refuse(where, "more than one input; one is read");
  const { window, rank } = inputOf(input, contract.columns.length, contract.window, where);
  const reader = new Reader(keras, where, { time: window, width: contract.columns.length, channels: 1 }, contract.stateful);
  for (const name of [output, ...layers.flatMap(({ inputs }) => inputs)]) reader.uses.set(name, (reader.uses.get(name) ?? 0) + 1);
  for (const layer of layers) {
    if (layer === input) reader.seen.set(layer.name, plain(0, rank));
    else reader.seen.set(layer.name, (LAYERS.get(layer.kind) ?? unread(reader, layer))(reader, layer));
  }
  const end = reader.seen.get(output)?.value ?? 0;
  if (end !== reader.nodes.length) refuse(where, "layers stand behind the output");
  const nodes: Node[] = reader.nodes;
  return verified({ contract: { ...contract, window }, nodes });
}

/**
 * Imports a model.
 *
 * @param contract columns and scaling; needed when the model has no passport of ours, and taken instead of it when given
 * @throws TicklineError TL_MODEL: KERAS_LAYER naming the layer that cannot be read, KERAS_FORMAT, MODEL_CONTRACT
 */
export function importKeras(keras: KerasModel, where: string, contract?: Contract): Model {
  const own = importOwn(keras, where);
  if (own !== undefined) return contract === undefined ? own : verified({ contract: { ...contract, window: own.contract.window, stateful: own.contract.stateful }, nodes: own.nodes });
  const kept = keras.metadata[METADATA];
  const known = contract ?? (kept === undefined ? undefined : passportOf(JSON.stringify(kept), where).contract);
  if (known === undefined) throw new TicklineError("TL_MODEL", `MODEL_CONTRACT: ${where}: the model does not say which columns it takes and how they are scaled; give --contract with a model file or JSON`);
  return importForeign(keras, where, known);
}
