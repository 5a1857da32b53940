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

/** The same with a free batch: the initial states get their shape from the input's, as PyTorch writes it. */
function started(op: "Expand" | "ConstantOfShape"): OnnxModel {
  const plain = recurrent("LSTM", 4, {});
  const steps: readonly Step[] = [
    ["Shape", ["x"], "shape"], ["Gather", ["shape", "zeroth"], "batch", { axis: 0 }], ["Unsqueeze", ["batch", "first"], "size"],
    ["Concat", ["one", "size", "units"], "states", { axis: 0 }], ...["h0", "c0"].map((name): Step => (op === "Expand" ? [op, ["nothing", "states"], name] : [op, ["states"], name])),
  ];
  const { nodes, initializers } = graph(WINDOW, steps, { zeroth: { dims: [], data: [0] }, first: { dims: [1], data: [0] }, one, units: { dims: [1], data: [UNITS] }, nothing: { dims: [1, 1, 1], data: Float32Array.of(0) } });
  const own = new Map([...plain.initializers].filter(([name]) => name !== "h0" && name !== "c0"));
  return { ...plain, nodes: [...nodes, ...plain.nodes], initializers: new Map([...own, ...initializers]), inputs: [{ name: "x", dims: ["batch", WINDOW, COLUMNS] }], outputs: [{ name: "y", dims: ["batch", 3] }] };
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
  "the mean over time and the largest": [WINDOW, graph(WINDOW, [
    ["MatMul", ["x", "W"], "p"], ["Add", ["p", "b"], "a"], ["ReduceMean", ["a"], "m", { axes: [1], keepdims: 0 }], ["ReduceMax", ["a"], "l", { axes: [-2], keepdims: 0 }],
    ["Concat", ["m", "l"], "f", { axis: 1 }], ["Gemm", ["f", "fc.weight", "fc.bias"], "z", linear], ["Softmax", ["z"], "y", { axis: 1 }],
  ], { W: weights(COLUMNS, 4), b: weights(4), "fc.weight": weights(3, 8), "fc.bias": weights(3) })],
  GRU: [WINDOW, recurrent("GRU", 3, { linear_before_reset: 1 })],
  "GRU, the reset gate before the product": [WINDOW, recurrent("GRU", 3, {})],
  "LSTM with hard sigmoids": [WINDOW, recurrent("LSTM", 4, { activations: ["HardSigmoid", "Tanh", "Tanh"], activation_alpha: [0.2], activation_beta: [0.5] })],
  "LSTM, its zero states made of the batch": [WINDOW, started("Expand")],
  "LSTM, its zero states made of nothing": [WINDOW, started("ConstantOfShape")],
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

test("batch first inside the operator (layout 1) is the same as time first; what is limited, uneven or looks back at cells is refused", () => {
  const lstm = recurrent("LSTM", 4, {});
  const [before, operator, squeeze, after, ...rest] = lstm.nodes as [OnnxNode, OnnxNode, OnnxNode, OnnxNode, ...OnnxNode[]];
  assert.deepEqual([before.op, after.op], ["Transpose", "Transpose"]);
  const put = (change: Partial<OnnxNode>): OnnxModel => ({ ...lstm, nodes: lstm.nodes.map((node) => (node === operator ? { ...node, ...change } : node)) });
  const withAttribute = (name: string, value: Attribute): OnnxModel => put({ attributes: new Map([...operator.attributes, [name, value]]) });
  const first: OnnxModel = {
    ...lstm,
    nodes: [{ ...operator, inputs: ["x", ...operator.inputs.slice(1)], attributes: new Map([...operator.attributes, ["layout", 1]]) }, { ...squeeze, inputs: ["r", "two"], outputs: after.outputs }, ...rest],
    initializers: new Map([...lstm.initializers, ["two", { dims: [1], data: [2] }]]),
  };
  const rows = noise((WINDOW + 1) * COLUMNS);
  const read = (onnx: OnnxModel): ReturnType<typeof importOnnx> => importOnnx(onnx, "net.onnx", contractOf(WINDOW));
  assert.deepEqual(answers(read(first), rows), answers(read(lstm), rows));
  assert.throws(() => read(withAttribute("clip", { float: 3 })), /\(LSTM\): attribute clip: .*train and export without it/);
  assert.throws(() => read(withAttribute("input_forget", 1)), /\(LSTM\): attribute input_forget/);
  assert.doesNotThrow(() => read(withAttribute("input_forget", 0)));
  assert.throws(() => read(withAttribute("direction", "bidirectional")), /\(LSTM\): only the forward direction .* future/);
  const lengths = (length: number): OnnxModel => ({ ...put({ inputs: operator.inputs.map((name, at) => (at === 4 ? "lengths" : name)) }), initializers: new Map([...lstm.initializers, ["lengths", { dims: [1], data: [length] }]]) });
  assert.deepEqual(answers(read(lengths(WINDOW)), rows), answers(read(lstm), rows));
  assert.throws(() => read(lengths(WINDOW - 1)), /\(LSTM\): sequence lengths 7; windows of one length/);
  const holes: OnnxModel = { ...put({ inputs: [...operator.inputs, "P"] }), initializers: new Map([...lstm.initializers, ["P", weights(1, 3 * UNITS)]]) };
  assert.throws(() => read(holes), /\(LSTM\): peepholes \(input P\) are not read/);
});

test("what is misread easily is read as it is meant or refused", () => {
  const head = [["Gemm", ["f", "fc.weight", "fc.bias"], "z", linear], ["Softmax", ["z"], "y", { axis: 1 }]] as const satisfies readonly Step[];
  const whole = { "fc.weight": weights(3, WINDOW * COLUMNS), "fc.bias": weights(3) };
  const read = (onnx: OnnxModel): unknown => importOnnx(onnx, "net.onnx", contractOf(WINDOW));
  // Up to operator set 12 a softmax is over all axes from the given one on.
  const soft = graph(WINDOW, [["Softmax", ["x"], "s", { axis: 1 }], ["Flatten", ["s"], "f", { axis: 1 }], ...head], whole);
  assert.throws(() => read({ ...soft, opset: 12 }), /\(Softmax\): a softmax over something else than all numbers at one time/);
  // A number for each time is no bias, even where there are as many times as outputs.
  const tall = graph(WINDOW, [["MatMul", ["x", "W"], "p"], ["Add", ["p", "b"], "a"], ["Flatten", ["a"], "f", { axis: 1 }], ...head], { W: weights(COLUMNS, WINDOW), b: weights(WINDOW, 1), "fc.weight": weights(3, WINDOW * WINDOW), "fc.bias": weights(3) });
  assert.throws(() => read(tall), /\(Add\): adds a constant of sizes 8x1; one number for each of the last axis is read/);
  const twice = graph(WINDOW, [["Transpose", ["x"], "t", { perm: [0, 1, 1] }], ["Flatten", ["t"], "f", { axis: 1 }], ...head], whole);
  assert.throws(() => read(twice), /\(Transpose\): perm 0,1,1 of 3 axes/);
  const learning = graph(WINDOW, [["Flatten", ["x"], "d", { axis: 1 }], ["Dropout", ["d", "", "training"], "f"], ...head], { ...whole, training: { dims: [], data: [1] } });
  assert.throws(() => read(learning), /\(Dropout\): drops numbers while answering/);
});

test("a small file that asks for much is refused before it is made", () => {
  const head = [["Flatten", ["x"], "f", { axis: 1 }], ["Gemm", ["f", "fc.weight", "fc.bias"], "z", linear], ["Softmax", ["z"], "y", { axis: 1 }]] as const satisfies readonly Step[];
  const whole = { "fc.weight": weights(3, WINDOW * COLUMNS), "fc.bias": weights(3) };
  const read = (steps: readonly Step[], more: Readonly<Record<string, OnnxTensor>>): unknown => importOnnx(graph(WINDOW, [...steps, ...head], { ...whole, ...more }), "net.onnx", contractOf(WINDOW));
  assert.throws(() => read([["ConstantOfShape", ["big"], "c"]], { big: { dims: [2], data: [1 << 20, 1 << 20] } }), /\(ConstantOfShape\): a constant of sizes 1048576x1048576/);
  assert.throws(() => read([["Expand", ["one", "big"], "c"]], { one, big: { dims: [1], data: [2 ** 40] } }), /\(Expand\): a constant of sizes/);
  const each: OnnxTensor = { dims: [1], data: [1 << 20] };
  const many = Array.from({ length: 40 }, (_, at): Step => ["ConstantOfShape", ["each"], `c${at}`]);
  assert.throws(() => read(many, { each }), /makes more constants than a model of this kind has/);
  assert.doesNotThrow(() => read(many.slice(0, 2), { each: { dims: [1], data: [4] } }));
});
