/** Operators read as dense layers, activations, joins and attention. */
import type { Activation, Layer } from "../layer.ts";
import { features, type Tensor } from "../model.ts";
import { transposed } from "../transpose.ts";
import type { Draft, Reading, Seen } from "./trace.ts";

/** Rows of a matrix whose row index is the word `from`, in the order of the word `to` of the same letters. */
export function reordered(reading: Reading, value: number, data: Float32Array, columns: number, from: string, to: string): Float32Array {
  if (from === to) return data;
  const sizes = [...from].map((letter) => reading.trace.size(value, letter));
  const steps = sizes.map((_, at) => sizes.slice(at + 1).reduce((product, size) => product * size, 1));
  const out = new Float32Array(data.length);
  const rows = data.length / columns;
  for (let row = 0; row < rows; row++) {
    // The place of each letter in this row, folded again in the other order.
    const place = (letter: string): number => {
      const at = from.indexOf(letter);
      return Math.floor(row / (steps[at] as number)) % (sizes[at] as number);
    };
    const moved = [...to].reduce((sum, letter) => sum * reading.trace.size(value, letter) + place(letter), 0);
    out.set(data.subarray(row * columns, (row + 1) * columns), moved * columns);
  }
  return out;
}

const letters = (word: string): string => [...word].sort().join("");

/** `x W`, x being all numbers at one time, or of all times. */
function product(reading: Reading, { value, axes }: Seen, matrix: Float32Array, taken: number, given: number, bias: Float32Array): void {
  const { trace, refuse } = reading;
  const word = axes.at(-1) ?? "";
  const { time } = trace.shape(value);
  if (trace.size(value, word) !== taken) refuse(`a matrix of ${taken} rows meets ${trace.size(value, word)} numbers`);
  const row = trace.row(value);
  let [from, order] = [value, row];
  let rest = axes.slice(0, -1);
  if (word.includes("t")) {
    order = `t${row}`;
    if (letters(word) !== letters(order)) refuse("it joins some of the numbers of all times; all of them, or all of one time, can be joined");
    from = trace.push({ kind: "flatten" }, [value], { time: 1, width: 1, channels: taken });
  } else if (letters(word) !== letters(row)) {
    if (word !== "c" && taken !== 1) refuse("it joins some of the numbers of one time; all of them or all channels of a place can be joined");
    const { width } = trace.shape(value);
    const sweep = { kernelTime: 1, kernelWidth: 1, strideTime: 1, strideWidth: 1, padding: "valid" } as const;
    const tensors = [["weight", { shape: [1, 1, taken, given], data: matrix }], ["bias", { shape: [given], data: bias }]] as const;
    const made = trace.push({ kind: "conv", outputs: given, sweep, activation: "none" }, [value], { time, width, channels: given }, tensors);
    return trace.see(reading.out, made, [...rest, "c"]);
  } else rest = rest.map((axis) => axis.replace(/[wc]/g, ""));
  const data = reordered(reading, value, matrix, given, word, order);
  const layer: Layer = { kind: "dense", outputs: given, activation: "none" };
  const times = from === value ? time : 1;
  const made = trace.push(layer, [from], { time: times, width: 1, channels: given }, [["weight", { shape: [taken, given], data }], ["bias", { shape: [given], data: bias }]]);
  trace.see(reading.out, made, [...rest, "c"]);
}

/** `x W + b` as a dense layer, with what it takes in our order. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function gemm(reading: Reading): void {
  const { refuse } = reading;
  if (reading.float("alpha", 1) !== 1 || reading.float("beta", 1) !== 1 || reading.int("transA", 0) !== 0) refuse("alpha and beta must be 1 and transA 0");
  const { dims: [rows = 0, columns = 0], data } = reading.floats(1);
  const turned = reading.int("transB", 0) === 1;
  const [taken, given] = turned ? [columns, rows] : [rows, columns];
  const bias = new Float32Array(given);
  const added = reading.constant(2) === undefined ? undefined : reading.floats(2).data;
  if (added !== undefined && added.length !== given && added.length !== 1) refuse(`a bias of ${added.length} numbers for ${given} outputs`);
  if (added !== undefined) bias.set(added.length === given ? added : bias.map(() => added[0] as number));
  product(reading, reading.seen(0), turned ? transposed(data, rows, columns) : data, taken, given, bias);
}

/** `x W` as a dense layer whose bias is zero until an Add follows; the product of shares and values as attention. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function matMul(reading: Reading): void {
  const [left, right] = [reading.trace.seen(reading.node.inputs[0]), reading.trace.seen(reading.node.inputs[1])];
  if (left?.only === "shares" && right !== undefined) return attention(reading, left, right);
  if (right !== undefined) reading.refuse("a product of two computed values; only a product with a constant matrix, or an additive attention over time, is read");
  const { dims, data } = reading.floats(1);
  if (dims.length !== 2) reading.refuse(`a constant with ${dims.length} axes; a matrix is read`);
  const [taken = 0, given = 0] = dims;
  product(reading, reading.seen(0), data, taken, given, new Float32Array(given));
}

/** `shares' x`, where shares are the softmax over time of `v . tanh(x W + b)`. */
function attention(reading: Reading, shares: Seen, of: Seen): void {
  const { trace, refuse } = reading;
  const score = trace.draft(shares.value);
  const hidden = trace.draft(score?.inputs[0] ?? 0);
  const right = score?.layer.kind === "dense" && score.layer.activation === "none" && hidden?.layer.kind === "dense" && hidden.layer.activation === "tanh" && hidden.inputs[0] === of.value;
  if (!right || shares.axes.join() !== "n,,t" || of.axes.join() !== `n,t,${trace.row(of.value)}`) refuse("not an additive attention: softmax over time of v . tanh(x W + b), times the same x");
  const { layer, tensors } = hidden as Draft;
  const units = layer.kind === "dense" ? layer.outputs : 0;
  const pick = (from: Draft, name: string): Tensor => from.tensors.get(name) as Tensor;
  const own = [["weight", pick(hidden as Draft, "weight")], ["bias", tensors.get("bias") as Tensor], ["query", { shape: [units], data: pick(score as Draft, "weight").data }]] as const;
  const made = trace.push({ kind: "attention", units }, [of.value], { time: 1, width: 1, channels: features(trace.shape(of.value)) }, own);
  trace.see(reading.out, made, ["n", "", "c"]);
}

/** The layer that an operator behind it may become part of: it has a sum of its own, nothing follows it yet and nobody else takes it. */
function open(reading: Reading, name: string | undefined, uses: number): (Draft & { layer: Extract<Layer, { activation: Activation }> }) | undefined {
  const draft = reading.trace.draft(reading.trace.seen(name)?.value ?? 0);
  const fits = draft !== undefined && (draft.layer.kind === "dense" || draft.layer.kind === "conv") && draft.layer.activation === "none";
  return fits && reading.trace.uses(name ?? "") === uses ? (draft as Draft & { layer: Extract<Layer, { activation: Activation }> }) : undefined;
}

/** A bias of the product before it, or the sum of two values. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function add(reading: Reading): void {
  const { trace, node, refuse } = reading;
  const [left, right] = [trace.seen(node.inputs[0]), trace.seen(node.inputs[1])];
  if (left !== undefined && right !== undefined) {
    const [a, b] = [reading.seen(0), reading.seen(1)];
    if (a.axes.join() !== b.axes.join()) refuse(`adds [${a.axes.join()}] and [${b.axes.join()}], which differ in their axes`);
    return trace.see(reading.out, trace.push({ kind: "add" }, [a.value, b.value], trace.shape(a.value)), a.axes);
  }
  const at = left === undefined ? 1 : 0;
  const { value, axes } = reading.seen(at);
  const { dims, data } = reading.floats(1 - at);
  if (dims.slice(0, -1).some((size) => size !== 1)) refuse(`adds a constant of sizes ${dims.join("x")}; one number for each of the last axis is read`);
  const draft = open(reading, node.inputs[at], 1);
  const bias = draft?.tensors.get("bias");
  if (draft === undefined || bias === undefined || axes.at(-1) !== trace.row(value) || data.length !== bias.data.length) {
    return refuse("adds a constant that is not the bias of a product before it");
  }
  draft.tensors.set("bias", { shape: bias.shape, data: bias.data.map((b, i) => b + (data[i] as number)) });
  trace.see(reading.out, value, axes);
}

/** An activation becomes part of the layer before it, else a layer of its own. */
export function activation(reading: Reading, activation: Activation): void {
  const { trace, node } = reading;
  const { value, axes } = reading.seen(0);
  const draft = open(reading, node.inputs[0], 1);
  if (draft !== undefined && !(activation === "softmax" && draft.layer.kind === "conv")) {
    draft.layer = { ...draft.layer, activation };
    return trace.see(reading.out, value, axes);
  }
  trace.see(reading.out, trace.push({ kind: "activate", activation }, [value], trace.shape(value)), axes);
}

/** Softmax at one time as an activation; over time as the shares of an attention. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function softmax(reading: Reading): void {
  const { trace, refuse } = reading;
  const { value, axes } = reading.seen(0);
  const since13 = trace.onnx.opset >= 13;
  const at = reading.axis(reading.int("axis", since13 ? -1 : 1), axes.length);
  // Up to operator set 12 a softmax is over all axes from the given one on.
  const word = since13 ? (axes[at] ?? "") : axes.slice(at).join("");
  if (word === "t" && features(trace.shape(value)) === 1) return trace.see(reading.out, value, axes, "shares");
  if (letters(word) !== letters(trace.row(value))) refuse("a softmax over something else than all numbers at one time");
  activation(reading, "softmax");
}

/** `x sigmoid(x)`; no other product is read. */
export function mul(reading: Reading): void {
  const { trace, node, refuse } = reading;
  for (const [one, other] of [[0, 1], [1, 0]] as const) {
    const [x, gate] = [trace.seen(node.inputs[one]), trace.seen(node.inputs[other])];
    const draft = trace.draft(gate?.value ?? 0);
    if (x === undefined || draft?.layer.kind !== "activate" || draft.layer.activation !== "sigmoid" || draft.inputs[0] !== x.value) continue;
    const before = open(reading, node.inputs[one], 2);
    if (before !== undefined) {
      before.layer = { ...before.layer, activation: "swish" };
      return trace.see(reading.out, x.value, x.axes);
    }
    return trace.see(reading.out, trace.push({ kind: "activate", activation: "swish" }, [x.value], trace.shape(x.value)), x.axes);
  }
  refuse("a product other than x sigmoid(x)");
}

/** Channels behind one another. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function concat(reading: Reading): void {
  const { trace, node, refuse } = reading;
  const parts = node.inputs.map((_, at) => reading.seen(at));
  const [first] = parts as [Seen, ...Seen[]];
  const at = reading.axis(reading.int("axis", 1), first.axes.length);
  const plain = (axes: readonly string[]): string => axes.map((axis, place) => (place === at ? "" : axis)).join();
  const shapes = parts.map(({ value }) => trace.shape(value));
  const alike = parts.every(({ axes }, i) => plain(axes) === plain(first.axes) && (axes[at] === "c" || trace.size(parts[i]?.value ?? 0, axes[at] ?? "") === 1));
  if (!alike) refuse("joins something else than channels");
  const channels = shapes.reduce((sum, shape) => sum + shape.channels, 0);
  const made = trace.push({ kind: "concat" }, parts.map(({ value }) => value), { ...trace.shape(first.value), channels });
  trace.see(reading.out, made, first.axes.map((axis, place) => (place === at ? "c" : axis)));
}
