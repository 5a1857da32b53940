/** Goal: what status says about learning is what the learner wrote, whole at any width. Method: the pure table from a made-up standing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelStanding } from "../kit/standing.ts";
import { learningOf, type LearningSnapshot } from "../supervisor/learning.ts";
import { learningTable } from "./learning-table.ts";

const model = (name: string, role: ModelStanding["role"], macro_f1: number, fits = false): ModelStanding => ({
  name, role, hash: role === "baseline" ? "" : "00112233445566aa", fits, labels: 5000, macro_f1, mcc: -0.25, accuracy: 0.5, coverage: 0.125, calibration: 0.0625,
});

const LEARNING: LearningSnapshot = learningOf({ learn_steps: 1234, published: 2 }, {
  in_place: "00112233445566aa", stands_down: false, promoted: 1, retrained: 0, reward: null, contested: 700, rate: 0.00041234, dropout_factor: 1.5,
  models: [model("model file", "frozen", 0.4), model("persistence", "baseline", 0.3), model("next", "shadow", 0.45, true), model("wide", "shadow", 0.2)],
  changes: [{ time_ns: 1.5e9, what: "promoted", name: "next", from: "aa", to: "bb", labels: 5000, from_f1: 0.4, to_f1: 0.45 }],
  others: [],
});

test("every model has a row, baselines have no calibration, and who cannot be promoted is told apart", () => {
  const lines = learningTable({ learning: LEARNING }, 200);
  assert.match(lines[0] ?? "", /^learning: 1,234 steps \(the last at rate 0\.000412 and dropout x 1\.50\), 2 published, 1 promoted, 0 withheld, 0 rolled back$/);
  const row = (name: string): string => lines.find((line) => line.startsWith(name)) ?? "";
  assert.match(row("model file"), /^model file +frozen +00112233 +40\.0 +-0\.250 +50\.0 +12\.5 +6\.3$/);
  assert.match(row("persistence"), /^persistence +baseline +30\.0 +-0\.250 +50\.0 +12\.5$/);
  assert.match(row("next"), /^next +shadow +00112233 +45\.0/);
  assert.match(row("wide"), /^wide +shadow, cannot be promoted/);
  assert.ok(lines.includes("promoted next at 1.500 s: aa gave way to bb, macro-F1 40.0 against 45.0 over 5,000 labels"));
  assert.ok(lines.some((line) => /newest 5,000 labels.*700 labels into the contest/.test(line)));
});

test("every member of an ensemble that learns has a table of its own", () => {
  const { models, changes, ...rest } = LEARNING;
  const others = [{ ...rest, in_place: "ffee", stands_down: true, changes: [], models: models.slice(0, 2).map((one) => ({ ...one, macro_f1: 0.123 })) }];
  const lines = learningTable({ learning: { ...rest, models, changes, others } }, 200);
  assert.match(lines[0] ?? "", /; 2 members learn$/);
  const [first, second] = [lines.indexOf("member 1, 00112233445566aa in place"), lines.indexOf("member 2, ffee in place")];
  assert.ok(first > 0 && second > first);
  const persistence = lines.flatMap((line, at) => (line.startsWith("persistence") ? [[at, /12\.3/.test(line)]] : []));
  assert.deepEqual(persistence.map(([at, own]) => [Number(at) > second, own]), [[false, false], [true, true]]);
  assert.ok(lines.slice(second).some((line) => line.includes("publishes nothing any more")));
});

test("no learner, no lines; before the first offer it says so; narrow screens lose nothing", () => {
  assert.deepEqual(learningTable({ learning: null }, 80), []);
  assert.match(learningTable({ learning: learningOf({}) }, 200).join(" "), /^learning: 0 steps, .*not yet evaluated/);
  assert.equal(learningTable({ learning: { ...LEARNING, reward: { sharpe: 0.1234, trades: 5678 } } }, 200)[1], "by reward: Sharpe ratio 0.123 a trade over the newest trades, 5,678 would have been made");
  assert.match(learningTable({ learning: { ...LEARNING, retrained: 3 } }, 200)[0] ?? "", /0 rolled back, 3 retrained$/);
  assert.match(learningTable({ learning: { ...LEARNING, dropout_factor: 1 } }, 200)[0] ?? "", /steps \(the last at rate 0\.000412\), 2 published/);
  const narrow = learningTable({ learning: LEARNING }, 40);
  assert.ok(narrow.every((line) => line.length <= 40));
  assert.match(narrow.join(""), /persistence/);
  assert.ok(learningTable({ learning: { ...LEARNING, stands_down: true } }, 200).some((line) => line.includes("publishes nothing any more")));
});
