/** An ONNX model as a model: what was exported here by its passport, anything else operator by operator. */
import { TicklineError } from "../../kit/errors.ts";
import { verified, type Contract, type Model, type Shape } from "../model.ts";
import { passportOf } from "../passport.ts";
import type { OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from "./graph.ts";
import { activation, add, concat, gemm, matMul, mul, softmax } from "./import-dense.ts";
import { folded } from "./import-constant.ts";
import { flatten, gather, reshape, same, slice, squeeze, transpose, unsqueeze } from "./import-shape.ts";
import { batchNorm, conv, overTime, pool, recurrent } from "./import-window.ts";
import { importOwn, METADATA } from "./own.ts";
import { Reading, Trace } from "./trace.ts";

function constant(reading: Reading): void {
  const value = reading.node.attributes.get("value");
  const one = reading.node.attributes.get("value_float");
  if (typeof value === "object" && "dims" in value) reading.trace.constant(reading.out, value as OnnxTensor);
  else if (typeof one === "object" && "float" in one) reading.trace.constant(reading.out, { dims: [], data: Float32Array.of(one.float) });
  else reading.trace.constant(reading.out, { dims: [reading.ints("value_ints")?.length ?? 0], data: [...(reading.ints("value_ints") ?? reading.refuse("its value is of a kind that is not read"))] });
}

function leaky(reading: Reading): void {
  const alpha = reading.float("alpha", Math.fround(0.01));
  if (Math.abs(alpha - 0.01) > 1e-6) reading.refuse(`alpha ${alpha}; 0.01 is read`);
  activation(reading, "leaky_relu");
}

function hard(reading: Reading): void {
  const [alpha, beta] = [reading.float("alpha", Math.fround(0.2)), reading.float("beta", 0.5)];
  if (Math.abs(alpha - 0.2) > 1e-6 || beta !== 0.5) reading.refuse(`alpha ${alpha} and beta ${beta}; 0.2 and 0.5 are read`);
  activation(reading, "hard_sigmoid");
}

/** Every operator that is read. */
const OPERATORS: ReadonlyMap<string, (reading: Reading) => void> = new Map(Object.entries({
  Constant: constant, Identity: same, Dropout: same, Gemm: gemm, MatMul: matMul, Add: add, Mul: mul, Concat: concat,
  Relu: (r: Reading) => activation(r, "relu"), Tanh: (r: Reading) => activation(r, "tanh"), Sigmoid: (r: Reading) => activation(r, "sigmoid"), LeakyRelu: leaky, HardSigmoid: hard, Softmax: softmax,
  Transpose: transpose, Squeeze: squeeze, Unsqueeze: unsqueeze, Flatten: flatten, Reshape: reshape, Gather: gather, Slice: slice,
  LSTM: (r: Reading) => recurrent(r, "lstm"), GRU: (r: Reading) => recurrent(r, "gru"), Conv: conv, BatchNormalization: batchNorm,
  ReduceMean: (r: Reading) => overTime(r, true), ReduceMax: (r: Reading) => overTime(r, false), MaxPool: (r: Reading) => pool(r, false), AveragePool: (r: Reading) => pool(r, true), GlobalMaxPool: (r: Reading) => pool(r, false), GlobalAveragePool: (r: Reading) => pool(r, true),
}));

/** The window and the order of axes of the model's input. */
function inputOf({ dims, name }: OnnxValue, columns: number, wished: number, where: string): { window: number; axes: string[] } {
  const refuse = (): never => {
    throw new TicklineError("TL_MODEL", `MODEL_CONTRACT: ${where}: input ${name} is [${dims.join()}]; the contract has ${columns} columns and a window of ${wished}: batch and columns, or batch, time and columns are read`);
  };
  const free = (size: number | string | undefined): boolean => typeof size !== "number" || size === 1;
  const time = (size: number | string | undefined): number => (typeof size === "number" ? size : wished);
  const [a, b, c, d] = dims;
  const is = (size: number | string | undefined): boolean => size === columns || typeof size !== "number";
  if (dims.length === 2 && free(a) && is(b)) return { window: 1, axes: ["n", "w"] };
  if (dims.length === 2 && free(a) && typeof b === "number" && b % columns === 0) return { window: b / columns, axes: ["n", "tw"] };
  if (dims.length === 3 && free(a) && c === columns) return { window: time(b), axes: ["n", "t", "w"] };
  if (dims.length === 3 && c === columns && free(b)) return { window: time(a), axes: ["t", "n", "w"] };
  if (dims.length === 3 && free(a) && b === columns) return { window: time(c), axes: ["n", "w", "t"] };
  if (dims.length === 4 && free(a) && b === 1 && d === columns) return { window: time(c), axes: ["n", "", "t", "w"] };
  return refuse();
}

function read(trace: Trace, node: OnnxNode): void {
  const reading = new Reading(trace, node);
  const standard = node.domain === "" || node.domain === "ai.onnx";
  if (standard && folded(reading)) return;
  const operator = standard ? OPERATORS.get(node.op) : undefined;
  if (operator === undefined) {
    const named = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
    reading.refuse(`operator ${named} is not read; those that are: ${[...OPERATORS.keys()].join(", ")}`);
  }
  operator?.(reading);
}

/** A graph that was not exported here, or was changed since. */
function importForeign(onnx: OnnxModel, where: string, contract: Contract): Model {
  const [input] = onnx.inputs;
  const [output] = onnx.outputs;
  if (input === undefined || output === undefined) throw new TicklineError("TL_MODEL", `ONNX_FORMAT: ${where}: no input or no output`);
  const { window, axes } = inputOf(input, contract.columns.length, contract.window, where);
  const shape: Shape = { time: window, width: contract.columns.length, channels: 1 };
  const trace = new Trace(onnx, where, shape, contract.stateful);
  trace.see(input.name, 0, axes);
  for (const node of onnx.nodes) read(trace, node);
  const end = trace.seen(output.name);
  if (end === undefined || end.only !== undefined || end.value === 0) throw new TicklineError("TL_MODEL", `ONNX_FORMAT: ${where}: output ${output.name} is not computed from the input`);
  return verified({ contract: { ...contract, window }, nodes: trace.nodes(end.value) });
}

/**
 * Imports a model.
 *
 * @param contract columns and scaling; needed when the model has no passport of ours, and taken instead of it when given
 * @throws TicklineError TL_MODEL: ONNX_OPERATOR naming the operator and node that cannot be read, MODEL_CONTRACT when columns are missing or differ
 */
export function importOnnx(onnx: OnnxModel, where: string, contract?: Contract): Model {
  const own = importOwn(onnx, where);
  if (own !== undefined) return contract === undefined ? own : verified({ contract: { ...contract, window: own.contract.window, stateful: own.contract.stateful }, nodes: own.nodes });
  const text = onnx.metadata.get(METADATA);
  const known = contract ?? (text === undefined ? undefined : passportOf(text, where).contract);
  if (known === undefined) throw new TicklineError("TL_MODEL", `MODEL_CONTRACT: ${where}: the model does not say which columns it takes and how they are scaled; give --contract with a model file or JSON`);
  return importForeign(onnx, where, known);
}
