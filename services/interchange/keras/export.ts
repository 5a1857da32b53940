/** A model as a TensorFlow.js layers model. Its numbers lie there as they lie here: time, width, channels; gates in the same order. */
import { TicklineError } from "../../kit/errors.ts";
import type { Activation, Layer, Sweep } from "../layer.ts";
import { paddingOf } from "../layer.ts";
import { features, tensorOf, type Model, type Node, type Shape, type Tensor } from "../model.ts";
import { passport } from "../passport.ts";
import type { Json, KerasModel } from "./files.ts";
import { METADATA, nameOf, structure } from "./names.ts";

/** Shapes without the batch: `flat` [features], `rows` [time, features], `image` [time, width, channels]. */
type Form = "flat" | "rows" | "image";

const sizes = ({ time, width, channels }: Shape, form: Form): number[] => (form === "flat" ? [time * width * channels] : form === "rows" ? [time, width * channels] : [time, width, channels]);

class Layers {
  readonly made: Json[] = [];
  readonly weights = new Map<string, Tensor>();
  readonly #values: { shape: Shape; names: Map<Form, string> }[] = [];
  #fresh = 0;

  value(shape: Shape, form: Form, name: string): void {
    this.#values.push({ shape, names: new Map([[form, name]]) });
  }

  shape(of: number): Shape {
    return (this.#values[of] as { shape: Shape }).shape;
  }

  /** Forms that say the same: with one time rows are flat, with one place images are rows; still they differ in rank, so they are reshaped. */
  form(of: number, form: Form): string {
    const { shape, names } = this.#values[of] as { shape: Shape; names: Map<Form, string> };
    const there = names.get(form);
    if (there !== undefined) return there;
    const [from = ""] = names.values();
    const made = this.put("Reshape", `reshape_${++this.#fresh}`, [from], { target_shape: sizes(shape, form) });
    names.set(form, made);
    return made;
  }

  put(kind: string, name: string, inputs: readonly string[], config: Json): string {
    this.made.push({ class_name: kind, name, config: { name, trainable: true, ...config }, inbound_nodes: inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])] });
    return name;
  }

  keep(layer: string, name: string, tensor: Tensor): void {
    this.weights.set(`${layer}/${name}`, tensor);
  }
}

const KERAS: Readonly<Record<Activation, string>> = { none: "linear", relu: "relu", swish: "swish", tanh: "tanh", sigmoid: "sigmoid", softmax: "softmax", leaky_relu: "linear", hard_sigmoid: "hard_sigmoid" };

interface Site {
  readonly layers: Layers;
  readonly node: Node;
  readonly name: string;
  readonly gives: Shape;
  readonly model: Model;
}

/** What follows a layer that Keras has no activation for. */
function finished({ layers, name, gives }: Site, activation: Activation, form: Form, made: string): void {
  layers.value(gives, form, activation === "leaky_relu" ? layers.put("LeakyReLU", `${name}_leaky`, [made], { alpha: 0.01 }) : made);
}

const rowForm = (shape: Shape): Form => (shape.time === 1 ? "flat" : "rows");

/** The padding of a sweep: Keras' own, or rows of zeros before a valid one. */
function padded({ layers, node, name, model }: Site, sweep: Sweep, zeros: boolean): readonly [string, string] {
  const [of = 0] = node.inputs;
  const x = layers.form(of, "image");
  const [before, after] = paddingOf(sweep, layers.shape(of).time);
  if (before + after === 0) return [x, "valid"];
  if (model.contract.stateful) refuse(node, name, "its past would be a state, which TensorFlow.js keeps for recurrent layers only");
  if (sweep.padding === "same" && sweep.kernelWidth === 1 && sweep.strideWidth === 1) return [x, "same"];
  if (!zeros) refuse(node, name, "a pool padded over time alone and wider than 1");
  return [layers.put("ZeroPadding2D", `${name}_pad`, [x], { padding: [[before, after], [0, 0]], data_format: "channels_last" }), "valid"];
}

function refuse({ layer }: Node, name: string, why: string): never {
  throw new TicklineError("TL_MODEL", `KERAS_LAYER: ${name} (${layer.kind}): ${why}; export as ONNX`);
}

function recurrent(site: Site, { units, gate }: Extract<Layer, { kind: "lstm" | "gru" }>, last: boolean): void {
  const { layers, node, name, gives, model } = site;
  const config = {
    units, activation: "tanh", recurrent_activation: gate, use_bias: true, unit_forget_bias: true, return_sequences: !last, return_state: false,
    go_backwards: false, stateful: model.contract.stateful, unroll: false, implementation: 1,
    // Weights follow; the default, an orthogonal matrix, takes seconds to make.
    recurrent_initializer: { class_name: "Zeros", config: {} },
  };
  const made = layers.put("LSTM", name, [layers.form(node.inputs[0] ?? 0, "rows")], config);
  for (const [ours, theirs] of [["kernel", "kernel"], ["recurrent", "recurrent_kernel"], ["bias", "bias"]] as const) layers.keep(name, theirs, tensorOf(node, ours));
  layers.value(last ? { ...gives, time: 1 } : gives, last ? "flat" : "rows", made);
}

function put(site: Site): void {
  const { layers, node, name, gives, model } = site;
  const { layer, inputs: [of = 0] } = node;
  const shape = layers.shape(of);
  switch (layer.kind) {
    case "dense": {
      const form = rowForm(shape);
      const made = layers.put("Dense", name, [layers.form(of, form)], { units: layer.outputs, activation: KERAS[layer.activation], use_bias: true });
      layers.keep(name, "kernel", tensorOf(node, "weight"));
      layers.keep(name, "bias", tensorOf(node, "bias"));
      return finished(site, layer.activation, form, made);
    }
    case "activate": {
      const form = rowForm(shape);
      const x = layers.form(of, form);
      return finished(site, layer.activation, form, layer.activation === "leaky_relu" ? x : layers.put("Activation", name, [x], { activation: KERAS[layer.activation] }));
    }
    case "add": return layers.value(gives, rowForm(shape), layers.put("Add", name, node.inputs.map((each) => layers.form(each, rowForm(shape))), {}));
    case "concat": return layers.value(gives, "image", layers.put("Concatenate", name, node.inputs.map((each) => layers.form(each, "image")), { axis: -1 }));
    case "reshape": return layers.value(gives, rowForm(shape), layers.form(of, rowForm(shape)));
    case "dropout": return layers.value(gives, rowForm(shape), layers.put("Dropout", name, [layers.form(of, rowForm(shape))], { rate: layer.rate }));
    case "flatten": return layers.value(gives, "flat", layers.form(of, "flat"));
    case "last": {
      if (shape.time === 1) return layers.value(gives, "flat", layers.form(of, "flat"));
      return layers.value(gives, "image", layers.put("Cropping2D", name, [layers.form(of, "image")], { cropping: [[shape.time - 1, 0], [0, 0]], data_format: "channels_last" }));
    }
    case "lstm": {
      const takers = model.nodes.filter(({ inputs }) => inputs.includes(model.nodes.indexOf(node) + 1));
      return recurrent(site, layer, shape.time > 1 && takers.length > 0 && takers.every((taker) => taker.layer.kind === "last"));
    }
    case "conv": {
      const [x, padding] = padded(site, layer.sweep, true);
      const config = { filters: layer.outputs, kernel_size: [layer.sweep.kernelTime, layer.sweep.kernelWidth], strides: [layer.sweep.strideTime, layer.sweep.strideWidth], padding, data_format: "channels_last", activation: layer.activation === "softmax" ? "linear" : KERAS[layer.activation], use_bias: true };
      const made = layers.put("Conv2D", name, [x], config);
      layers.keep(name, "kernel", tensorOf(node, "weight"));
      layers.keep(name, "bias", tensorOf(node, "bias"));
      if (layer.activation !== "softmax") return finished(site, layer.activation, "image", made);
      const rows = layers.put("Reshape", `${name}_rows`, [made], { target_shape: [gives.time, features(gives)] });
      return layers.value(gives, "rows", layers.put("Activation", `${name}_softmax`, [rows], { activation: "softmax" }));
    }
    case "pool": {
      const [x, padding] = padded(site, layer.sweep, layer.sweep.padding === "causal");
      const config = { pool_size: [layer.sweep.kernelTime, layer.sweep.kernelWidth], strides: [layer.sweep.strideTime, layer.sweep.strideWidth], padding, data_format: "channels_last" };
      return layers.value(gives, "image", layers.put(layer.average ? "AveragePooling2D" : "MaxPooling2D", name, [x], config));
    }
    case "batch_norm": {
      const form: Form = shape.width === 1 ? rowForm(shape) : "image";
      const made = layers.put("BatchNormalization", name, [layers.form(of, form)], { axis: -1, momentum: layer.momentum, epsilon: layer.epsilon, center: true, scale: true });
      for (const [ours, theirs] of [["gamma", "gamma"], ["beta", "beta"], ["mean", "moving_mean"], ["variance", "moving_variance"]] as const) layers.keep(name, theirs, tensorOf(node, ours));
      return layers.value(gives, form, made);
    }
    case "gru": return refuse(node, name, "TensorFlow.js has no GRU whose reset gate follows the recurrent product");
    default: return refuse(node, name, "TensorFlow.js has no such layer");
  }
}

/**
 * Exports a model. A stateful one takes one row of one stream at a time: batch 1.
 *
 * @throws TicklineError TL_MODEL (KERAS_LAYER) naming the first layer that TensorFlow.js does not have
 */
export function exportKeras(model: Model): KerasModel {
  const { contract: { window, columns, stateful, name }, nodes, shapes } = model;
  const layers = new Layers();
  const batch = stateful ? 1 : null;
  const form: Form = window === 1 ? "flat" : "rows";
  const input = layers.put("InputLayer", "input", [], { batch_input_shape: form === "flat" ? [batch, columns.length] : [batch, window, columns.length], dtype: "float32", sparse: false });
  layers.value(shapes[0] as Shape, form, input);
  nodes.forEach((node, at) => put({ layers, node, name: nameOf(node, at), gives: shapes[at + 1] as Shape, model }));
  const end = layers.shape(nodes.length);
  const output = layers.form(nodes.length, rowForm(end));
  const config = { name: "tickline", layers: layers.made, input_layers: [["input", 0, 0]], output_layers: [[output, 0, 0]] };
  const topology = { class_name: "Model", config, keras_version: "tfjs-layers 4.22.0", backend: "tensor_flow.js" };
  return { topology, weights: layers.weights, metadata: { [METADATA]: { ...passport(model), structure: structure(topology) }, name } };
}
