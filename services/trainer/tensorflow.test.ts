/**
 * Goal: a network trained in TensorFlow.js comes back as a model that answers as well as one of our own training, and what TensorFlow.js
 * cannot build is refused by layer before any time is spent.
 * Method: made-up files whose labels follow one feature; the real trainer with either engine. Skipped where TensorFlow.js is not installed.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { INSTALL, loadTf } from "../interchange/peers.ts";
import { native } from "../kit/native.ts";
import { writeFi2010 } from "./fi2010-rig.ts";
import { train, type TrainResult } from "./main.ts";
import { settingsOf, type Settings } from "./networks.ts";
import { windowsOf } from "./tensorflow.ts";

const absent = (await loadTf()) === undefined ? `TensorFlow.js is not installed: ${INSTALL}` : false;
const folder = mkdtempSync(join(tmpdir(), "tickline-tensorflow-"));
after(() => rmSync(folder, { recursive: true }));

const data = { train: writeFi2010(join(folder, "train.txt"), 900), test: writeFi2010(join(folder, "test.txt"), 600), columns: 40, horizon: 10 };

function run(network: string, own: Partial<Settings>, engine: "tickline" | "tensorflow", losses: number[] = []): Promise<TrainResult> {
  const settings = settingsOf(network, { batch: 32, decay: 0, ...own });
  return train({ data, network, settings, seed: 1, out: join(folder, `${network}.tlm`), source: "test", engine }, ({ loss }) => losses.push(loss));
}

test("windows stay in their sequence; those of which nothing is wanted are left out", () => {
  const lessons = { classes: Uint8Array.from([255, 0, 1, 2, 255, 255, 1, 1]), starts: [0, 5, 8] };
  assert.deepEqual([...windowsOf(lessons, 1, 1)], [1, 2, 3, 6, 7]);
  assert.deepEqual([...windowsOf(lessons, 3, 1)], [0, 1, 5]);
  assert.deepEqual([...windowsOf(lessons, 2, 2)], [0, 2, 5]);
});

for (const [network, own] of [["logistic", { window: 1, epochs: 20, rate: 0.05 }], ["mlp", { window: 2, hidden: [16], epochs: 8, rate: 0.01 }], ["lstm", { hidden: [8], steps: 10, batch: 8, epochs: 20, rate: 0.02 }],
  ["bin-c-tabl", { window: 3, epochs: 3, rate: 0.01, dropout: 0 }]] as const) {
  test(`${network}: trained in either engine it finds what there is to find`, { skip: absent }, async () => {
    const losses: number[] = [];
    const theirs = await run(network, own, "tensorflow", losses);
    const ours = await run(network, own, "tickline");
    assert.ok((theirs.score?.macroF1 ?? 0) > 0.9 && (ours.score?.macroF1 ?? 0) > 0.9, `${theirs.score?.macroF1}, ours ${ours.score?.macroF1}`);
    assert.ok((losses.at(-1) ?? 1) < 0.5 * (losses[0] ?? 0), `${losses[0]} to ${losses.at(-1)}`);
    assert.equal(theirs.parameters, ours.parameters);
    assert.notEqual(theirs.hash, ours.hash);
  });
}

test("the record says what trained it", { skip: absent }, async () => {
  await run("logistic", { window: 1, epochs: 1 }, "tensorflow");
  assert.match(native.modelInfo(join(folder, "logistic.tlm")).training, /"engine": ?"tensorflow"/);
});

test("what TensorFlow.js cannot build or do is refused by name, and nothing is written", { skip: absent }, async () => {
  for (const [network, own, says] of [
    ["mlp", { adversary: 0.1 }, /--adversary is not possible/],
  ] as const) {
    rmSync(join(folder, `${network}.tlm`), { force: true });
    await assert.rejects(run(network, own, "tensorflow"), says);
    assert.ok(!existsSync(join(folder, `${network}.tlm`)));
  }
});
