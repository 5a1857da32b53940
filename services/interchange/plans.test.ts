/**
 * Goal: networks of any layers in any order, not only the ready-made ones, mean the same to onnxruntime, to TensorFlow.js and here, and come
 * back from both as they went.
 * Method: random small networks from a seed, every layer in turn among up to five, stateful or over a window; random rows, a third of them with
 * a column that never moves. What can be read back without the passport answers the same. 6 networks a layer; 60 in the long mode.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TicklineError } from "../kit/errors.ts";
import { answers } from "./answers.ts";
import { exportKeras } from "./keras/export.ts";
import { importKeras } from "./keras/import.ts";
import { dataOf, type Model } from "./model.ts";
import { exportOnnx } from "./onnx/export.ts";
import { decode, encode } from "./onnx/graph.ts";
import { importOnnx } from "./onnx/import.ts";
import { apart, loadedInTf, ofOrt, ofTf } from "./oracle-rig.ts";
import { INSTALL, loadOrt, loadTf, type Ort, type Tf } from "./peers.ts";
import { Dice, KINDS, randomPlan } from "./plan-rig.ts";
import { trials } from "../../test/trials.ts";

/** Sums in another order, through up to five layers; 5e-7 was the most of 1,140 networks. */
const BOUND = 2e-6;
const EACH = trials(6, 60);

const [ort, tf] = [loadOrt(), await loadTf()];
const absent = (peer: unknown): string | false => (peer === undefined ? `the other engine is not installed: ${INSTALL}` : false);
const seeds = Array.from({ length: EACH }, (_, at) => at + 1);

function rowsOf(model: Model, seed: number): Float32Array {
  const { columns: { length: wide }, window } = model.contract;
  return new Dice(seed).numbers((window + 3) * wide).map((x, at) => (seed % 3 === 0 && at % wide === 0 ? 0.3 : x));
}

const named = (model: Model, seed: number): string => `seed ${seed}, ${model.contract.stateful ? "stateful" : `window ${model.contract.window}`}: ${model.nodes.map(({ layer }) => layer.kind).join(", ")}`;

function near(given: readonly Float32Array[], wanted: readonly Float32Array[], what: string): void {
  const worst = apart(given, wanted);
  assert.ok(worst <= BOUND, `${what}: ${worst}`);
}

/** Reads without a passport: a model that answers the same, or a refusal. */
function readBare(read: () => Model, rows: Float32Array, ours: readonly Float32Array[], what: string): boolean {
  try {
    near(answers(read(), rows), ours, `${what}, read layer by layer`);
    return true;
  } catch (error) {
    if (error instanceof TicklineError && /ONNX_|KERAS_|MODEL_LAYER: 0 nodes/.test(error.message)) return false;
    throw error;
  }
}

for (const kind of KINDS) {
  test(`${kind}, among others: onnxruntime agrees within ${BOUND}, and back it is exact`, { skip: absent(ort) }, async () => {
    for (const seed of seeds) {
      const model = randomPlan(seed, kind);
      const [rows, what, onnx] = [rowsOf(model, seed), named(model, seed), exportOnnx(model)];
      const ours = answers(model, rows);
      near(await ofOrt(ort as Ort, onnx, model, rows), ours, what);
      const back = decode(encode(onnx));
      assert.deepEqual(dataOf(importOnnx(back, "test.onnx")), dataOf(model), what);
      readBare(() => importOnnx({ ...back, metadata: new Map() }, "test.onnx", model.contract), rows, ours, what);
    }
  });

  test(`${kind}, among others: TensorFlow.js agrees within ${BOUND}, and back it is exact`, { skip: kind === "linear_attention" ? "TensorFlow.js cannot have it" : absent(tf) }, async () => {
    for (const seed of seeds) {
      const model = randomPlan(seed, kind, KINDS.filter((each) => each !== "linear_attention"));
      const [rows, what, keras] = [rowsOf(model, seed), named(model, seed), exportKeras(model)];
      const ours = answers(model, rows);
      const net = await loadedInTf(tf as Tf, keras);
      near(ofTf(tf as Tf, net, model, rows), ours, what);
      net.dispose();
      assert.deepEqual(dataOf(importKeras(keras, "model.json")), dataOf(model), what);
      readBare(() => importKeras({ ...keras, metadata: {} }, "model.json", model.contract), rows, ours, what);
    }
  });
}

test("many of them are read without a passport, too", () => {
  const plain = ["dense", "activate", "reshape", "flatten", "last", "dropout", "lstm", "gru", "conv", "pool", "batch_norm", "add", "concat"] as const;
  let read = 0;
  for (const kind of plain) {
    const model = randomPlan(3, kind, plain);
    const rows = rowsOf(model, 3);
    const ours = answers(model, rows);
    for (const bare of [() => importOnnx({ ...exportOnnx(model), metadata: new Map() }, "test.onnx", model.contract), () => importKeras({ ...exportKeras(model), metadata: {} }, "model.json", model.contract)]) {
      read += Number(readBare(bare, rows, ours, named(model, 3)));
    }
  }
  assert.ok(read >= plain.length, `${read}`);
});
