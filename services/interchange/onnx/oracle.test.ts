/**
 * Goal: what onnxruntime makes of an exported model is what our engine makes of the model, and the way back loses nothing.
 * Method: every ready-made network with random weights; the same random rows through both, states given back row by row.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answers, noise } from "../answers.ts";
import { dataOf, randomModel } from "../model.ts";
import { apart, BOUND, NETWORKS, ofOrt } from "../oracle-rig.ts";
import { INSTALL, loadOrt, type Ort } from "../peers.ts";
import { exportOnnx } from "./export.ts";
import { decode, encode } from "./graph.ts";
import { importOnnx } from "./import.ts";

/** Answers compared of each. */
const ANSWERS = 4;

const ort = loadOrt();
const absent = ort === undefined ? `onnxruntime-node is not installed: ${INSTALL}` : false;

for (const [name, window] of NETWORKS) {
  test(`${name}: onnxruntime agrees within ${BOUND}`, { skip: absent }, async () => {
    const model = randomModel(name, window, 7);
    const rows = noise((model.contract.window - 1 + ANSWERS) * model.contract.columns.length);
    const [expected, given] = [answers(model, rows), await ofOrt(ort as Ort, exportOnnx(model), model, rows)];
    assert.equal(given.length, ANSWERS);
    const worst = apart(given, expected);
    assert.ok(worst <= BOUND, `${worst}`);
  });

  test(`${name}: there and back is exact, contract included`, () => {
    const plain = randomModel(name, window, 8);
    const numbers = (size: number): Float32Array => noise(plain.contract.columns.length).map((x) => size + x / 3);
    const contract = { ...plain.contract, mean: numbers(0), scale: numbers(2), clip: Math.fround(4.7), horizon: 50, training: "text", seed: 2n ** 63n + 1n };
    const back = importOnnx(decode(encode(exportOnnx({ ...plain, contract }))), "test.onnx");
    assert.deepEqual(dataOf(back), dataOf({ ...plain, contract }));
  });
}

for (const [name, window] of NETWORKS.filter(([each]) => !/tabl|streaming/.test(each))) {
  test(`${name}: read operator by operator, without its passport, it answers the same`, () => {
    const model = randomModel(name, window, 9);
    const onnx = { ...decode(encode(exportOnnx(model))), metadata: new Map<string, string>() };
    assert.throws(() => importOnnx(onnx, "test.onnx"), /MODEL_CONTRACT: test.onnx.*--contract/);
    const back = importOnnx(onnx, "test.onnx", model.contract);
    const rows = noise((model.contract.window + 1) * model.contract.columns.length);
    assert.deepEqual(answers(back, rows), answers(model, rows));
  });
}

test("weights that another tool changed are taken; another graph is not taken for the one exported", () => {
  const onnx = exportOnnx(randomModel("mlp", 1, 1));
  const weight = onnx.initializers.get("1.dense.weight");
  assert.ok(weight?.data instanceof Float32Array);
  weight.data[3] = 42;
  assert.equal(importOnnx(onnx, "test.onnx").nodes[0]?.tensors.get("weight")?.data[3], 42);
  const other = { ...onnx, nodes: onnx.nodes.map((node) => (node.op === "Relu" ? { ...node, op: "Tanh" } : node)) };
  const read = importOnnx(other, "test.onnx").nodes.map(({ layer }) => layer);
  assert.ok(read.some((layer) => "activation" in layer && layer.activation === "tanh"));
});
