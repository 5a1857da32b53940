/**
 * Goal: TensorFlow.js makes of an exported model what our engine makes of it, and learns from a batch what our engine learns.
 * Method: ready-made networks with random weights, the same random rows through both; one step of gradient descent and of Adam.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { native } from "../../kit/native.ts";
import { answers, noise } from "../answers.ts";
import type { Layer } from "../layer.ts";
import { dataOf, features, randomModel, verified, type Model } from "../model.ts";
import { apart, BOUND, loadedInTf, NETWORKS, ofTf } from "../oracle-rig.ts";
import { INSTALL, loadTf, type Tf } from "../peers.ts";
import { exportKeras } from "./export.ts";
import { importKeras } from "./import.ts";
import { obey, parametersOf } from "./trained.ts";

/** Those whose layers of Keras are read as the same layers of ours when nothing says which they were. */
const READ = ["mlp", "mlp-skip", "logistic", "lstm-64", "deeplob", "stac-a", "stac-a-window", "autoencoder"];
const ANSWERS = 3;

const tf = await loadTf();
const absent = tf === undefined ? `TensorFlow.js is not installed: ${INSTALL}` : false;

for (const [name, window] of NETWORKS) {
  test(`${name}: TensorFlow.js agrees within ${BOUND}`, { skip: absent }, async () => {
    const model = randomModel(name, window, 7);
    const rows = noise((model.contract.window - 1 + ANSWERS) * model.contract.columns.length);
    const net = await loadedInTf(tf as Tf, exportKeras(model));
    const ours = answers(model, rows);
    assert.equal(ours.length, ANSWERS);
    const worst = apart(ofTf(tf as Tf, net, model, rows), ours);
    assert.ok(worst <= BOUND, `${worst}`);
    net.dispose();
  });

  test(`${name}: there and back is exact${READ.includes(name) ? ", and the same read layer by layer" : ""}`, () => {
    const model = randomModel(name, window, 8);
    const keras = exportKeras(model);
    assert.deepEqual(dataOf(importKeras(keras, "model.json")), dataOf(model));
    const bare = { ...keras, metadata: {} };
    assert.throws(() => importKeras(bare, "model.json"), /MODEL_CONTRACT: model.json.*--contract/);
    if (!READ.includes(name)) return assert.throws(() => importKeras(bare, "model.json", model.contract), /KERAS_LAYER|KERAS_FORMAT/);
    const rows = noise((model.contract.window + 1) * model.contract.columns.length);
    assert.deepEqual(answers(importKeras(bare, "model.json", model.contract), rows), answers(model, rows));
  });
}

/** One step of learning from the same batch in both; the largest difference between their weights, and how far ours moved. */
async function step(engine: Tf, model: Model, adam: boolean): Promise<{ apart: number; moved: number }> {
  const { contract: { columns, window }, shapes } = model;
  const [batch, end] = [4, shapes.at(-1) ?? { time: 0, width: 0, channels: 0 }];
  const outputs = end.time * features(end);
  const classifies = outputs === 3;
  const input = noise(batch * window * columns.length);
  const wanted = classifies ? Float32Array.from({ length: batch }, (_, at) => at % outputs) : noise(batch * outputs);
  const ours = native.NativeNetwork.of(dataOf(model)).learned(input, wanted, batch, adam, 0.01);
  const net = await loadedInTf(engine, exportKeras(model));
  const optimizer = adam ? engine.train.adam(0.01, 0.9, 0.999, 1e-8) : engine.train.sgd(0.01);
  net.compile({ optimizer, loss: classifies ? "categoricalCrossentropy" : "meanSquaredError" });
  const target = classifies ? Float32Array.from({ length: batch * outputs }, (_, at) => (wanted[Math.floor(at / outputs)] === at % outputs ? 1 : 0)) : wanted;
  await net.trainOnBatch(engine.tensor(input, window === 1 ? [batch, columns.length] : [batch, window, columns.length]), engine.tensor(target, [batch, outputs]));
  obey(engine, net, model);
  const after = parametersOf(net, model);
  net.dispose();
  const before = dataOf(model).parameters;
  assert.equal(after.length, ours.length);
  return { apart: ours.reduce((most, w, at) => Math.max(most, Math.abs(w - (after[at] as number))), 0), moved: ours.reduce((most, w, at) => Math.max(most, Math.abs(w - (before[at] as number))), 0) };
}

/** Noise that keeps the rules of training: weights of halves between 0 and 1, diagonals fixed. */
function weights(name: string, shape: readonly number[]): Float32Array {
  if (["y1", "y2", "l"].includes(name)) return Float32Array.of(0.4);
  const [wide = 1] = shape;
  const data = noise(shape.reduce((product, size) => product * size, 1)).map((x) => x / 2);
  return name === "w" ? data.map((w, at) => (Math.floor(at / wide) === at % wide ? 1 / wide : w)) : data;
}

/** A chain of layers over a window of `window` rows, with the given shapes of weights, filled with noise. */
function chain(window: number, columns: number, layers: readonly (readonly [Layer, Readonly<Record<string, readonly number[]>>])[]): Model {
  const { contract } = randomModel("logistic", window, 1);
  const picked = { ...contract, columns: contract.columns.slice(0, columns), mean: contract.mean.slice(0, columns), scale: contract.scale.slice(0, columns), window };
  const nodes = layers.map(([layer, shapes], at) => {
    const tensors = Object.entries(shapes).map(([name, shape]) => [name, { shape, data: weights(name, shape) }] as const);
    return { layer, inputs: [at], tensors: new Map(tensors) };
  });
  return verified({ contract: picked, nodes });
}

const sweep = { kernelTime: 2, kernelWidth: 2, strideTime: 1, strideWidth: 2, padding: "causal" } as const;
const SMALL: readonly (readonly [string, Model])[] = [
  ["mlp", randomModel("mlp", 1, 3)],
  ["lstm", chain(6, 5, [
    [{ kind: "lstm", units: 4, gate: "sigmoid" }, { kernel: [5, 16], recurrent: [4, 16], bias: [16] }], [{ kind: "lstm", units: 3, gate: "hard_sigmoid" }, { kernel: [4, 12], recurrent: [3, 12], bias: [12] }],
    [{ kind: "last" }, {}], [{ kind: "dense", outputs: 3, activation: "softmax" }, { weight: [3, 3], bias: [3] }],
  ])],
  ["gru", chain(4, 5, [
    [{ kind: "gru", units: 4, gate: "sigmoid", reset: "after" }, { kernel: [5, 12], recurrent: [4, 12], bias: [2, 12] }], [{ kind: "gru", units: 3, gate: "hard_sigmoid", reset: "before" }, { kernel: [4, 9], recurrent: [3, 9], bias: [2, 9] }],
    [{ kind: "last" }, {}], [{ kind: "dense", outputs: 3, activation: "softmax" }, { weight: [3, 3], bias: [3] }],
  ])],
  ["bilinear", chain(5, 6, [
    [{ kind: "bin" }, { y1: [1], y2: [1], l1: [5], b1: [5], l2: [6], b2: [6] }],
    [{ kind: "bl", outputs: 4, times: 3, activation: "tanh" }, { w1: [6, 4], w2: [5, 3], bias: [3, 4] }],
    [{ kind: "tabl", outputs: 3, times: 1, activation: "softmax" }, { w1: [4, 3], w: [3, 3], l: [1], w2: [3, 1], bias: [1, 3] }],
  ])],
  ["attention", chain(5, 6, [
    [{ kind: "local_attention", keys: 3, outputs: 4, span: 3 }, { query: [6, 3], key: [6, 3], value: [6, 4] }],
    [{ kind: "attention", units: 3 }, { weight: [4, 3], bias: [3], query: [3] }],
    [{ kind: "dense", outputs: 3, activation: "softmax" }, { weight: [4, 3], bias: [3] }],
  ])],
  ["conv", chain(6, 8, [
    [{ kind: "conv", outputs: 4, sweep, activation: "leaky_relu" }, { weight: [2, 2, 1, 4], bias: [4] }],
    [{ kind: "conv", outputs: 3, sweep: { ...sweep, padding: "valid" }, activation: "tanh" }, { weight: [2, 2, 4, 3], bias: [3] }],
    [{ kind: "pool", average: false, sweep: { ...sweep, kernelTime: 3, kernelWidth: 1, strideWidth: 1, padding: "same" } }, {}],
    [{ kind: "flatten" }, {}], [{ kind: "dense", outputs: 3, activation: "softmax" }, { weight: [30, 3], bias: [3] }],
  ])],
];

for (const [name, model] of SMALL) {
  for (const adam of [false, true]) {
    test(`${name}: one step of ${adam ? "Adam" : "gradient descent"} moves the same weights as far in TensorFlow.js`, { skip: absent }, async () => {
      const { apart, moved } = await step(tf as Tf, model, adam);
      assert.ok(moved > 1e-5, `moved ${moved}`);
      assert.ok(apart < 0.001 * moved, `apart ${apart}, moved ${moved}`);
    });
  }
}
