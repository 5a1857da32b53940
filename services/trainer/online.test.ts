/**
 * Goal: learning on while being tested is judged on the same rows as standing still, and a stock never seen is asked about at its own price.
 * Method: a small model of relative columns, trained and tested on real flow (skipped where the data is absent; TICKLINE_DATA, else
 * ../shared/data).
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { absent, recorded } from "../../test/data.ts";
import { evaluate, type EvaluateOptions } from "./evaluate.ts";
import { train } from "./main.ts";
import { settingsOf } from "./networks.ts";
import { FORECASTERS, HABIT, online } from "./online.ts";
import { onlinePlot } from "./plot.ts";

const [GOOG, AMZN] = [recorded("itch/GOOG.pcap.gz"), recorded("itch/AMZN.pcap.gz")];
const skip = absent(GOOG, AMZN);
const folder = mkdtempSync(join(tmpdir(), "tickline-online-"));
after(() => rmSync(folder, { recursive: true }));
const model = join(folder, "relative.tlm");
const given: EvaluateOptions = { model, capture: GOOG, symbols: undefined, labels: undefined, horizon: undefined, threshold: undefined, part: undefined };

function quiet(): void {}

before(async () => {
  if (skip !== false) return;
  const data = { capture: GOOG, symbols: ["GOOG"], columns: "relative-5+flow", labels: "smoothed", horizon: 20, flatShare: 1 / 3, split: [0.3, 0.7, 0.8], clip: 10, mirror: true } as const;
  await train({ data, network: "mlp", settings: settingsOf("mlp", { epochs: 1, window: 2, hidden: [16] }), seed: 1, out: model, source: "test" }, quiet);
});

test("the frozen model's scores are those of a plain test, and every forecaster answers the same rows", { skip }, async () => {
  const shares: number[] = [];
  const result = await online(given, HABIT, ({ share }) => shares.push(share));
  const plain = await evaluate(given);
  assert.deepEqual([result.threshold, result.part, result.classes], [plain.threshold, plain.part, plain.classes]);
  // One answers many rows at once, the other row by row: rounding may turn a handful of near ties.
  assert.ok(Math.abs(result.scores.frozen.macroF1 - plain.score.macroF1) < 0.001);
  assert.deepEqual(result.scores.persistence, plain.persistence);
  assert.equal(new Set(FORECASTERS.map((who) => result.scores[who].rows)).size, 1);
  assert.equal(result.stretches.reduce((sum, each) => sum + each.learning.rows, 0), result.scores.learning.rows);
  // The labels of the last rows come too late to be learned.
  assert.ok(result.steps > (result.scores.learning.rows - 400) / HABIT.batch && result.steps <= result.scores.learning.rows / HABIT.batch, `${result.steps}`);
  assert.notDeepEqual(result.scores.learning, result.scores.frozen);
  assert.equal(shares.at(-1), 1);
  assert.match(onlinePlot(result.stretches, FORECASTERS, "a"), /^<svg [^]*learning[^]*<\/svg>\n$/);
  assert.deepEqual(await online(given, HABIT, quiet), result, "again is the same");
});

test("a rate of next to nothing learns nothing", { skip }, async () => {
  const { scores } = await online(given, { ...HABIT, rate: 1e-8 }, quiet);
  assert.ok(Math.abs(scores.learning.macroF1 - scores.frozen.macroF1) < 0.001);
});

test("on a stock never seen the threshold moves with the price, and the whole day is tested unless said otherwise", { skip }, async () => {
  const own = await evaluate(given);
  const other = await online({ ...given, capture: AMZN, symbols: ["AMZN"], part: [0, 0.15] }, HABIT, quiet);
  // AMZN stood at 0.38 of GOOG's price that morning.
  assert.ok(Math.abs(other.threshold / own.threshold - 0.385) < 0.02, `${other.threshold} for ${own.threshold}`);
  assert.ok(other.classes.every((rows) => rows > 0.1 * other.scores.frozen.rows), `${other.classes}`);
  assert.ok(other.scores.frozen.mcc > 0.1, `${other.scores.frozen.mcc}`);
  const { threshold } = await online({ ...given, capture: AMZN, symbols: ["AMZN"], part: [0.9, 1], threshold: 50 }, HABIT, quiet);
  assert.equal(threshold, 50);
});
