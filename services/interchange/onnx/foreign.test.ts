/**
 * Goal: graphs as PyTorch's exporter writes them, with its operators, axes, initial states and names, come in and answer as onnxruntime does.
 * Method: each graph written by hand after what `torch.onnx.export` (operator set 17) makes of Linear, LSTM, GRU and Conv1d with
 * `batch_first`, weights that are noise, the same random rows through both. Answers are compared where onnxruntime-node is installed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answers, noise } from "../answers.ts";
import { randomModel, type Contract } from "../model.ts";
import { INSTALL, loadOrt, type Ort, type OrtTensor } from "../peers.ts";
import { decode, encode, type Attribute, type OnnxModel, type OnnxNode, type OnnxTensor } from "./graph.ts";
import { importOnnx } from "./import.ts";

const ort = loadOrt();
const absent = ort === undefined ? `onnxruntime-node is not installed: ${INSTALL}` : false;
const COLUMNS = 6;
const WINDOW = 8;
const UNITS = 5;

type Step = readonly [op: string, inputs: readonly string[], output: string, attributes?: Readonly<Record<string, Attribute>>];

const own = randomModel("mlp", 1, 1).contract;

function contractOf(window: number): Contract {
  const columns = own.columns.slice(0, COLUMNS);
  return { ...own, columns, mean: new Float32Array(COLUMNS), scale: new Float32Array(COLUMNS).fill(1), clip: 100, window };
}

function weights(...dims: number[]): OnnxTensor {
  return { dims, data: noise(dims.reduce((product, size) => product * size, 1)).map((x) => x / 2) };
}

function graph(window: number, steps: readonly Step[], initializers: Readonly<Record<string, OnnxTensor>>): OnnxModel {
  const nodes = steps.map(([op, inputs, output, attributes = {}]): OnnxNode => ({ name: `/${output}/${op}`, op, domain: "", inputs: [...inputs], outputs: output.split(" "), attributes: new Map(Object.entries(attributes)) }));
  return {
    producer: "pytorch", opset: 17, name: "main_graph", doc: "", metadata: new Map(), nodes, initializers: new Map(Object.entries(initializers)),
    inputs: [{ name: "x", dims: window === 1 ? [1, COLUMNS] : [1, window, COLUMNS] }], outputs: [{ name: "y", dims: [1, 3] }],
  };
}

const linear = { alpha: { float: 1 }, beta: { float: 1 }, transB: 1 } as const;
const head = { "fc.weight": weights(3, UNITS), "fc.bias": weights(3) };
const one: OnnxTensor = { dims: [1], data: [1] };
const states = { dims: [1, 1, UNITS], data: new Float32Array(UNITS) };

/** `out, _ = self.rnn(x); return softmax(self.fc(out[:, -1]))`. */
function recurrent(op: "LSTM" | "GRU", gates: number, attributes: Readonly<Record<string, Attribute>>): OnnxModel {
  const initial = op === "LSTM" ? ["h0", "c0"] : ["h0"];
  return graph(WINDOW, [
    ["Transpose", ["x"], "t", { perm: [1, 0, 2] }],
    [op, ["t", "W", "R", "B", "", ...initial], op === "LSTM" ? "r h c" : "r h", { hidden_size: UNITS, ...attributes }],
    ["Squeeze", ["r", "axes"], "s"],
    ["Transpose", ["s"], "b", { perm: [1, 0, 2] }],
    ["Gather", ["b", "last"], "g", { axis: 1 }],
    ["Gemm", ["g", "fc.weight", "fc.bias"], "z", linear],
    ["Softmax", ["z"], "y", { axis: 1 }],
  ], {
    W: weights(1, gates * UNITS, COLUMNS), R: weights(1, gates * UNITS, UNITS), B: weights(1, 2 * gates * UNITS), axes: one, last: { dims: [], data: [-1] }, ...head,
    ...Object.fromEntries(initial.map((name) => [name, states])),
  });
}

const GRAPHS: Readonly<Record<string, readonly [number, OnnxModel]>> = {
  "Linear, ReLU, Linear": [1, graph(1, [
    ["Gemm", ["x", "fc1.weight", "fc1.bias"], "a", linear], ["Relu", ["a"], "b"], ["Gemm", ["b", "fc.weight", "fc.bias"], "z", linear], ["Softmax", ["z"], "y", { axis: -1 }],
  ], { "fc1.weight": weights(UNITS, COLUMNS), "fc1.bias": weights(UNITS), ...head })],
  "SiLU and a skip connection": [1, graph(1, [
    ["Gemm", ["x", "fc1.weight", "fc1.bias"], "a", linear], ["Sigmoid", ["a"], "s"], ["Mul", ["a", "s"], "b"],
    ["Gemm", ["b", "fc2.weight", "fc2.bias"], "c", linear], ["Add", ["c", "b"], "d"], ["Gemm", ["d", "fc.weight", "fc.bias"], "z", linear], ["Softmax", ["z"], "y", { axis: 1 }],
  ], { "fc1.weight": weights(UNITS, COLUMNS), "fc1.bias": weights(UNITS), "fc2.weight": weights(UNITS, UNITS), "fc2.bias": weights(UNITS), ...head })],
  LSTM: [WINDOW, recurrent("LSTM", 4, {})],
  GRU: [WINDOW, recurrent("GRU", 3, { linear_before_reset: 1 })],
  "Conv1d, BatchNorm1d, MaxPool1d": [WINDOW, graph(WINDOW, [
    ["Transpose", ["x"], "t", { perm: [0, 2, 1] }],
    ["Conv", ["t", "conv.weight", "conv.bias"], "a", { dilations: [1], group: 1, kernel_shape: [3], pads: [0, 0], strides: [1] }],
    ["BatchNormalization", ["a", "bn.weight", "bn.bias", "bn.mean", "bn.var"], "b", { epsilon: { float: 1e-5 }, momentum: { float: 0.9 } }],
    ["Relu", ["b"], "c"],
    ["MaxPool", ["c"], "d", { ceil_mode: 0, kernel_shape: [2], pads: [0, 0], strides: [2] }],
    ["Flatten", ["d"], "f", { axis: 1 }],
    ["Gemm", ["f", "fc.weight", "fc.bias"], "z", linear],
    ["Softmax", ["z"], "y", { axis: 1 }],
  ], { "conv.weight": weights(4, COLUMNS, 3), "conv.bias": weights(4), "bn.weight": weights(4), "bn.bias": weights(4), "bn.mean": weights(4), "bn.var": { dims: [4], data: noise(4).map((x) => 1 + x / 2) }, "fc.weight": weights(3, 12), "fc.bias": weights(3) })],
};

async function theirs(runtime: Ort, onnx: OnnxModel, window: number, rows: Float32Array): Promise<Float32Array[]> {
  const session = await runtime.InferenceSession.create(encode(onnx), { intraOpNumThreads: 1 });
  const given: Float32Array[] = [];
  for (let row = window; row <= rows.length / COLUMNS; row++) {
    const x = new runtime.Tensor("float32", rows.slice((row - window) * COLUMNS, row * COLUMNS), window === 1 ? [1, COLUMNS] : [1, window, COLUMNS]);
    given.push(((await session.run({ x }))["y"] as OrtTensor).data);
  }
  await session.release();
  return given;
}

for (const [name, [window, onnx]] of Object.entries(GRAPHS)) {
  test(`${name}, as PyTorch writes it, comes in and answers alike`, { skip: absent }, async () => {
    const rows = noise((window + 2) * COLUMNS);
    const ours = answers(importOnnx(decode(encode(onnx)), "torch.onnx", contractOf(window)), rows);
    const expected = await theirs(ort as Ort, onnx, window, rows);
    assert.deepEqual([ours.length, expected.length], [3, 3]);
    ours.forEach((answer, nth) => answer.forEach((value, at) => assert.ok(Math.abs(value - (expected[nth]?.[at] ?? NaN)) < 1e-5, `answer ${nth}, ${at}: ${value}, theirs ${expected[nth]?.[at]}`)));
  });
}

test("initial states that are not zero are refused by node; a free number of times is the contract's window", () => {
  const lstm = recurrent("LSTM", 4, {});
  const started = { ...lstm, initializers: new Map([...lstm.initializers, ["h0", { ...states, data: new Float32Array(UNITS).fill(0.5) }]]) };
  assert.throws(() => importOnnx(started, "torch.onnx", contractOf(WINDOW)), /ONNX_OPERATOR: torch\.onnx: node \/r h c\/LSTM \(LSTM\): .*initial/);
  const free = { ...lstm, inputs: [{ name: "x", dims: ["batch", "time", COLUMNS] }] };
  const rows = noise((WINDOW + 1) * COLUMNS);
  const [fixed, taken] = [lstm, free].map((each) => importOnnx(each, "torch.onnx", contractOf(WINDOW)));
  assert.ok(fixed !== undefined && taken !== undefined);
  assert.deepEqual(answers(taken, rows), answers(fixed, rows));
  assert.equal(taken.contract.window, WINDOW);
});
