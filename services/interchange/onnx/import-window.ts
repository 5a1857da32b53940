/** Operators read as recurrent layers, convolutions, pools and batch normalisation. */
import { paddingOf, PADDINGS, type Gate, type Sweep } from "../layer.ts";
import { features } from "../model.ts";
import { blocks, channelsLast, inverse, transposed } from "../transpose.ts";
import { GRU_GATES, LSTM_GATES } from "./export-sequence.ts";
import { reordered } from "./import-dense.ts";
import { lastOf } from "./import-shape.ts";
import type { Reading } from "./trace.ts";

/** Checks that a recurrent operator is the plain one. */
function plain(reading: Reading, gru: boolean): void {
  const { refuse, node, trace } = reading;
  if (reading.text("direction", "forward") !== "forward") refuse("only the forward direction is read: a tick cannot wait for the future");
  if (node.attributes.has("clip")) refuse("attribute clip: its sums are limited before the gates, which is not read; train and export without it");
  if (reading.int("input_forget", 0) !== 0) refuse("attribute input_forget: input and forget gate are one, which is not read");
  for (const at of gru ? [5] : [5, 6]) {
    const name = node.inputs[at];
    if (name === undefined || name === "") continue;
    const zeros = trace.known(name)?.data.every((value) => value === 0);
    const carried = trace.stateful && trace.onnx.inputs.some((input) => input.name === name);
    if (zeros !== true && !carried) refuse(`initial state ${name} must be zeros, or an input of a model whose contract is stateful`);
  }
  const lengths = reading.constant(4)?.data;
  if (lengths !== undefined && [...lengths].some((length) => length !== trace.shape(reading.seen(0).value).time)) refuse(`sequence lengths ${[...lengths].join()}; windows of one length are read`);
  if (reading.constant(7)?.data.some((value) => value !== 0) === true) refuse("peepholes (input P) are not read; train without them");
}

/** What stands for the sigmoid: attributes `activations`, `activation_alpha` (0.2 for a hard one) and `activation_beta` (0.5). */
function gateOf(reading: Reading, gru: boolean): Gate {
  const { refuse } = reading;
  const given = reading.node.attributes.get("activations");
  const names = (Array.isArray(given) ? given : ["Sigmoid", "Tanh", "Tanh"]).map((name) => String(name).toLowerCase()).slice(0, gru ? 2 : 3);
  const [first = "", ...rest] = names;
  const gate = first === "sigmoid" ? "sigmoid" : first === "hardsigmoid" ? "hard_sigmoid" : undefined;
  if (gate === undefined || rest.length !== (gru ? 1 : 2) || rest.some((name) => name !== "tanh")) return refuse(`activations ${names.join()}; Sigmoid or HardSigmoid, then Tanh, are read`);
  for (const [name, usual] of [["activation_alpha", 0.2], ["activation_beta", 0.5]] as const) {
    const list = reading.node.attributes.get(name);
    const [value] = Array.isArray(list) ? (list as readonly number[]) : [];
    if (value !== undefined && (gate !== "hard_sigmoid" || Math.abs(value - usual) > 1e-6)) refuse(`${name} ${value}; ${usual} of a HardSigmoid is read`);
  }
  return gate;
}

/** LSTM or GRU: gates in our order, weights turned, what it gives at each time or at the last. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function recurrent(reading: Reading, kind: "lstm" | "gru"): void {
  const { trace, refuse, node } = reading;
  const gru = kind === "gru";
  plain(reading, gru);
  const gate = gateOf(reading, gru);
  const { value, axes } = reading.seen(0);
  const row = trace.row(value);
  const word = axes[2] ?? "";
  const timed = trace.shape(value).time === 1 ? "" : "t";
  const batchFirst = reading.int("layout", 0) === 1;
  const [first, second] = batchFirst ? ["n", timed] : [timed, "n"];
  if (axes.length !== 3 || axes[0] !== first || axes[1] !== second || [...word].sort().join() !== [...row].sort().join()) refuse(`takes [${axes.join()}]; ${batchFirst ? "batch, time" : "time, batch"}, features are read`);
  const units = reading.int("hidden_size", reading.floats(2).dims.at(-1) ?? 0);
  const gates: readonly number[] = gru ? GRU_GATES : LSTM_GATES;
  const [order, wide, taken] = [inverse(gates), gates.length * units, features(trace.shape(value))];
  const matrix = (at: number, rows: number): Float32Array => {
    const { data } = reading.floats(at);
    if (units < 1 || data.length !== wide * rows) refuse(`input ${at} has ${data.length} numbers for ${units} units and ${rows} inputs`);
    return blocks(transposed(data, wide, rows), order, units);
  };
  const kernel = reordered(reading, value, matrix(1, taken), wide, word, row);
  const given = reading.constant(3) === undefined ? new Float32Array(2 * wide) : reading.floats(3).data;
  if (given.length !== 2 * wide) refuse(`input 3 (B) has ${given.length} numbers for ${units} units, which have ${2 * wide}`);
  const biases = blocks(given, order, units);
  const bias = gru ? { shape: [2, wide], data: biases } : { shape: [wide], data: biases.slice(0, wide).map((b, at) => b + (biases[wide + at] as number)) };
  const { time } = trace.shape(value);
  const made = trace.push(kind === "lstm" ? { kind, units, gate } : { kind, units, gate, reset: reading.int("linear_before_reset", 0) === 0 ? "before" : "after" }, [value], { time, width: 1, channels: units }, [["kernel", { shape: [taken, wide], data: kernel }], ["recurrent", { shape: [units, wide], data: matrix(2, units) }], ["bias", bias]]);
  trace.see(reading.out, made, batchFirst ? ["n", "t", "", "c"] : ["t", "", "n", "c"]);
  const state = batchFirst ? ["n", "", "c"] : ["", "n", "c"];
  const [, after = "", cell = ""] = node.outputs;
  if (after !== "" && trace.uses(after) > 0) trace.see(after, lastOf(reading, made), state);
  if (cell !== "" && trace.uses(cell) > 0) {
    if (!trace.stateful) refuse("its cell state is used; only what it gives is read");
    trace.see(cell, made, state, "carried");
  }
}

/** The image at input 0: batch, channels, then time and width in some order. */
function image(reading: Reading): { value: number; timeAt: number; widthAt: number } {
  const { trace, refuse } = reading;
  let { value, axes } = reading.seen(0);
  if (axes.length !== 3 && axes.length !== 4) refuse(`takes ${axes.length} axes; 3 or 4 are read`);
  const { width, channels } = trace.shape(value);
  if (axes[1] === "w" && channels === 1) {
    value = reading.asChannels(value);
    axes = axes.map((axis) => axis.replace("w", "c"));
  } else if (axes[1] === "" && axes.slice(2).includes("c") && width === 1) {
    value = reading.asPlaces(value);
    axes = axes.map((axis) => axis.replace("c", "w"));
  }
  const right = axes[0] === "n" && (axes[1] === "c" || axes[1] === "") && axes.slice(2).every((axis) => axis === "t" || axis === "w" || axis === "");
  if (!right) refuse(`takes [${axes.join()}]; batch, channels, time and width are read`);
  const found = axes.indexOf("t", 2);
  const widthFound = axes.indexOf("w", 2);
  const timeAt = found >= 0 ? found - 2 : widthFound === 2 ? 1 : 0;
  return { value, timeAt, widthAt: 1 - timeAt };
}

/** The operator's window over an image. */
function sweepOf(reading: Reading, kernel: readonly number[], value: number, timeAt: number): Sweep {
  const { trace, refuse } = reading;
  const count = kernel.length;
  const widthAt = 1 - timeAt;
  const strides = reading.ints("strides") ?? kernel.map(() => 1);
  if ((reading.ints("dilations") ?? []).some((step) => step !== 1)) refuse("dilations are not read");
  if (reading.int("ceil_mode", 0) !== 0) refuse("ceil_mode 1 is not read");
  const [kernelTime, kernelWidth] = [kernel[timeAt] ?? 1, kernel[widthAt] ?? 1];
  const window = { kernelTime, kernelWidth, strideTime: strides[timeAt] ?? 1, strideWidth: strides[widthAt] ?? 1 };
  const { time } = trace.shape(value);
  const auto = reading.text("auto_pad", "NOTSET");
  const pads = reading.ints("pads") ?? [];
  let beside: readonly [number, number] = [pads[timeAt] ?? 0, pads[timeAt + count] ?? 0];
  if (auto === "SAME_UPPER") {
    if (kernelWidth > 1) refuse("SAME padding over the width is not read; only time is padded");
    beside = paddingOf({ ...window, padding: "same" }, time);
  } else if (auto === "SAME_LOWER") refuse("auto_pad SAME_LOWER is not read");
  else if ((pads[widthAt] ?? 0) !== 0 || (pads[widthAt + count] ?? 0) !== 0) refuse("padding over the width is not read; only time is padded");
  const padding = PADDINGS.find((each) => paddingOf({ ...window, padding: each }, time).join() === beside.join());
  return { ...window, padding: padding ?? refuse(`padding ${beside.join()} over time; none, half on each side (same) or all before (causal) are read`) };
}

/** Times and places that a sweep gives. */
function swept(reading: Reading, sweep: Sweep, value: number): { time: number; width: number } {
  const { time, width } = reading.trace.shape(value);
  const times = sweep.padding === "valid" ? Math.floor((time - sweep.kernelTime) / sweep.strideTime) + 1 : Math.ceil(time / sweep.strideTime);
  const places = Math.floor((width - sweep.kernelWidth) / sweep.strideWidth) + 1;
  return times >= 1 && places >= 1 ? { time: times, width: places } : reading.refuse(`a window of ${sweep.kernelTime} times, ${sweep.kernelWidth} places over ${time}, ${width}`);
}

function imageAxes(count: number, timeAt: number): string[] {
  return count === 1 ? ["n", "c", timeAt === 0 ? "t" : "w"] : timeAt === 0 ? ["n", "c", "t", "w"] : ["n", "c", "w", "t"];
}

/** A convolution over time and width, in whichever order the image has them. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function conv(reading: Reading): void {
  const { trace, refuse } = reading;
  if (reading.int("group", 1) !== 1) refuse("groups are not read");
  const { dims, data } = reading.floats(1);
  const { value, timeAt, widthAt } = image(reading);
  const [outputs = 0, channels = 0, ...kernel] = dims;
  if (channels !== trace.shape(value).channels) refuse(`a kernel of ${channels} channels meets ${trace.shape(value).channels}`);
  const sweep = sweepOf(reading, kernel, value, timeAt);
  const [rows, columns] = [kernel[0] ?? 1, kernel[1] ?? 1];
  // Kernels over width, then time: the two inner axes change places first.
  const turned = timeAt === 1 && kernel.length === 2 ? perPlane(data, rows, columns) : data;
  const weight = channelsLast(turned, kernel[timeAt] ?? 1, kernel[widthAt] ?? 1, channels, outputs);
  const bias = reading.constant(2) === undefined ? new Float32Array(outputs) : reading.floats(2).data;
  const gives = { ...swept(reading, sweep, value), channels: outputs };
  const made = trace.push({ kind: "conv", outputs, sweep, activation: "none" }, [value], gives, [
    ["weight", { shape: [sweep.kernelTime, sweep.kernelWidth, channels, outputs], data: weight }],
    ["bias", { shape: [outputs], data: bias }],
  ]);
  trace.see(reading.out, made, imageAxes(kernel.length, timeAt));
}

function perPlane(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let at = 0; at < data.length; at += rows * columns) out.set(transposed(data.subarray(at, at + rows * columns), rows, columns), at);
  return out;
}

/** A pool over time and width, or over everything. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function pool(reading: Reading, average: boolean): void {
  const { trace, refuse } = reading;
  const { value, timeAt } = image(reading);
  const { time, width, channels } = trace.shape(value);
  const whole = reading.node.op.startsWith("Global");
  const axes = reading.seen(0).axes.length - 2;
  const kernel = whole ? (timeAt === 0 ? [time, width] : [width, time]).slice(0, axes) : (reading.ints("kernel_shape") ?? refuse("kernel_shape is missing"));
  const sweep = sweepOf(reading, kernel, value, timeAt);
  if (sweep.padding === "causal") refuse("padding all before a pool counts as absent here and as zeros there; pad with zeros first or not at all");
  if (average && sweep.padding !== "valid" && reading.int("count_include_pad", 0) !== 0) refuse("count_include_pad 1 is not read");
  trace.see(reading.out, trace.push({ kind: "pool", average, sweep }, [value], { ...swept(reading, sweep, value), channels }), imageAxes(kernel.length, timeAt));
}

/** The mean or the largest over time, number by number. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function overTime(reading: Reading, average: boolean): void {
  const { trace, refuse } = reading;
  const { value: given, axes } = reading.seen(0);
  const [at, ...others] = (reading.ints("axes", 1) ?? []).map((axis) => reading.axis(axis, axes.length));
  const row = trace.row(given);
  if (at === undefined || others.length > 0 || axes[at] !== "t" || !axes.includes(row)) return refuse(`folds axes ${String(reading.ints("axes", 1))} of [${axes.join()}]; time alone is read`);
  const value = reading.asChannels(given);
  const { time, channels } = trace.shape(value);
  const sweep: Sweep = { kernelTime: time, kernelWidth: 1, strideTime: 1, strideWidth: 1, padding: "valid" };
  const made = trace.push({ kind: "pool", average, sweep }, [value], { time: 1, width: 1, channels });
  const kept = axes.map((axis) => (axis === row ? "c" : axis === "t" ? "" : axis));
  trace.see(reading.out, made, reading.int("keepdims", 1) === 1 ? kept : kept.filter((_, axis) => axis !== at));
}

/** Batch normalisation by channel, with its measured statistics. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function batchNorm(reading: Reading): void {
  const { trace, refuse } = reading;
  if (reading.int("training_mode", 0) !== 0) refuse("training_mode 1 normalises by the batch at hand; export the model in evaluation mode");
  const seen = reading.seen(0);
  let { value } = seen;
  let axes = seen.axes;
  if (axes[1] === "w" && trace.shape(value).channels === 1) {
    value = reading.asChannels(value);
    axes = axes.map((axis) => axis.replace("w", "c"));
  }
  const { channels } = trace.shape(value);
  const names = ["gamma", "beta", "mean", "variance"];
  const tensors = names.map((name, at): [string, { shape: number[]; data: Float32Array }] => [name, { shape: [channels], data: reading.floats(at + 1).data }]);
  if ((axes[1] !== "c" && !(axes[1] === "" && channels === 1)) || tensors.some(([, { data }]) => data.length !== channels)) refuse(`takes [${axes.join()}] with ${channels} channels; batch, channels, then the rest are read`);
  const layer = { kind: "batch_norm", epsilon: reading.float("epsilon", Math.fround(1e-5)), momentum: reading.float("momentum", Math.fround(0.9)) } as const;
  trace.see(reading.out, trace.push(layer, [value], trace.shape(value), tensors), axes);
}
