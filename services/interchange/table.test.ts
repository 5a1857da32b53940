/**
 * Goal: the README's table of ready-made networks is what happens.
 * Method: every network of `model train` (and the benchmark's LSTM shapes) with random weights through both formats, there, back, and read
 * without what travels with it; a line made of what was found must stand in README.md word for word.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { TicklineError } from "../kit/errors.ts";
import { RECIPES } from "../trainer/networks.ts";
import { answers, noise } from "./answers.ts";
import { exportKeras } from "./keras/export.ts";
import { importKeras } from "./keras/import.ts";
import { dataOf, randomModel, type Model } from "./model.ts";
import { exportOnnx } from "./onnx/export.ts";
import { decode, encode } from "./onnx/graph.ts";
import { importOnnx } from "./onnx/import.ts";
import { apart, loadedInTf, ofOrt, ofTf } from "./oracle-rig.ts";
import { INSTALL, loadOrt, loadTf } from "./peers.ts";

/** Recipes' names, the networks of `modelRandom` that they are, and the rows that these look at. */
const NETWORKS: Readonly<Record<string, readonly [name: string, window: number]>> = {
  logistic: ["logistic", 4], mlp: ["mlp", 1], "mlp-swish-skip": ["mlp-skip", 5], lstm: ["lstm-64", 1], gru: ["gru-64", 1], "c-tabl": ["c-tabl", 10],
  "bin-c-tabl": ["bin-c-tabl", 10], "cnn-lstm-attention": ["cnn-lstm-attention-streaming", 5], "cnn-lstm-attention-window": ["cnn-lstm-attention", 12],
  deeplob: ["deeplob-streaming", 1], "deeplob-window": ["deeplob", 24], autoencoder: ["autoencoder", 1],
  "STAC LSTM_A": ["stac-a", 1], "STAC LSTM_A, window": ["stac-a-window", 50],
};
/** The bound that the table states. */
const BOUND = 1e-6;

const readme = readFileSync(new URL("README.md", import.meta.url), "utf8");
const [ort, tf] = [loadOrt(), await loadTf()];
const absent = ort === undefined || tf === undefined ? `onnxruntime-node or TensorFlow.js is not installed: ${INSTALL}` : false;

/** What answers a model gives that was read without a passport. */
function read(call: () => Model, model: Model, rows: Float32Array): string {
  try {
    const back = call();
    return apart(answers(back, rows), answers(model, rows)) === 0 ? "the same" : "other answers";
  } catch (error) {
    if (error instanceof TicklineError && /^(ONNX|KERAS)_/.test(error.message)) return "refused";
    throw error;
  }
}

const exact = (back: Model, model: Model): string => {
  assert.deepEqual(dataOf(back), dataOf(model));
  return "bit for bit";
};

const within = (worst: number): string => (worst <= BOUND ? `within ${BOUND.toExponential()}` : `apart by ${worst}`);

test("every network that can be trained stands in the table", () => {
  assert.deepEqual(Object.keys(RECIPES).filter((name) => NETWORKS[name] === undefined), []);
});

for (const [name, [made, window]] of Object.entries(NETWORKS)) {
  test(`${name}: the README's line is what happens`, { skip: absent }, async () => {
    if (ort === undefined || tf === undefined) return;
    const model = randomModel(made, window, 11);
    const rows = noise((model.contract.window + 2) * model.contract.columns.length);
    const [ours, onnx, keras] = [answers(model, rows), exportOnnx(model), exportKeras(model)];
    const bare = { ...decode(encode(onnx)), metadata: new Map<string, string>() };
    const net = await loadedInTf(tf, keras);
    const cells = [
      within(apart(await ofOrt(ort, onnx, model, rows), ours)), exact(importOnnx(decode(encode(onnx)), "test.onnx"), model), read(() => importOnnx(bare, "test.onnx", model.contract), model, rows),
      within(apart(ofTf(tf, net, model, rows), ours)), exact(importKeras(keras, "model.json"), model), read(() => importKeras({ ...keras, metadata: {} }, "model.json", model.contract), model, rows),
    ];
    net.dispose();
    const line = `| ${name} | ${cells.join(" | ")} |`;
    assert.ok(readme.includes(line), `README.md has no line ${line}`);
  });
}
