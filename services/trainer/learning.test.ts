/**
 * Goal: the table of models that learn on sums up each seed rightly, says what `model eval --online` says, and goes on where it was broken off.
 * Method: hand-made confusions; a short comparison on real flow, broken off after its first test, beside separate runs (skipped where the
 * data is absent; TICKLINE_DATA, else ../shared/data).
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { absent, recorded } from "../../test/data.ts";
import { ROOT } from "../kit/config.ts";
import { compareLearning, learningRow, type LearningRow, type Lesson } from "./learning.ts";
import { Ledger } from "./ledger.ts";
import { train } from "./main.ts";
import { recipeOf } from "./networks.ts";
import { HABIT, habitOf, online } from "./online.ts";
import { loadPreset } from "./preset.ts";
import { shortened } from "./short-rig.ts";

const [GOOG, AMZN] = [recorded("itch/GOOG.pcap.gz"), recorded("itch/AMZN.pcap.gz")];
const skip = absent(GOOG, AMZN);
const folder = mkdtempSync(join(tmpdir(), "tickline-learning-"));
after(() => rmSync(folder, { recursive: true }));

const group = { labels: "exact", horizon: 10 } as const;
const right = (share: number): number[][] => [0, 1, 2].map((truth) => [0, 1, 2].map((answer) => (truth === answer ? share : (100 - share) / 2)));

function lesson(seed: number, frozen: number, learning: number): Lesson {
  const confusions = { frozen: right(frozen), learning: right(learning), persistence: right(40), majority: right(34) };
  return { key: `${seed}`, network: "a", symbol: "ONE", ...group, seed, steps: 3, confusions };
}

test("the gain is taken seed by seed: a spread that both share is not in it", () => {
  const row = learningRow(group, "a", { symbol: "ONE", unseen: true }, [lesson(1, 50, 52), lesson(2, 60, 62), lesson(3, 70, 72)]);
  assert.ok(Math.abs(row.macroF1.frozen.mean - 0.6) < 1e-12 && Math.abs(row.macroF1.frozen.deviation - 0.1) < 1e-12);
  assert.ok(Math.abs(row.gain.mean - 0.02) < 1e-12 && row.gain.deviation < 1e-12);
  assert.deepEqual([row.seeds, row.symbol, row.unseen, row.macroF1.persistence.deviation], [3, "ONE", true, 0]);
  assert.ok(learningRow(group, "a", row, [lesson(1, 60, 50)]).gain.mean < 0);
});

test("what a ledger keeps of them comes back beside the other runs", () => {
  const file = join(folder, "kept.json");
  const ledger = new Ledger(file);
  ledger.addLesson(lesson(7, 50, 52));
  ledger.write({ capture: "x" });
  ledger.write({ rows: [] });
  const again = new Ledger(file);
  assert.deepEqual([again.lesson("7"), again.lesson("8"), again.runs()], [lesson(7, 50, 52), undefined, []]);
});

test("the shipped comparison learns on with the ten-level model at home and a five-level one abroad", () => {
  const { online: preset } = loadPreset(join(ROOT, "ops/models/accuracy.yaml"));
  assert.deepEqual(preset?.unseen, ["AMZN"]);
  assert.deepEqual(Object.keys(preset.networks), ["ten-levels", "five-levels", "ten-levels-memory", "five-levels-memory"]);
  assert.deepEqual(preset.networks["five-levels"], { network: "bin-c-tabl", columns: "relative-5+flow", unseen: true });
  assert.deepEqual(habitOf(preset.networks["ten-levels-memory"]?.habit), { rate: 3e-4, batch: 64, memory: 2000, every: 64 });
  assert.deepEqual(habitOf(preset.networks["ten-levels"]?.habit), HABIT);
  const file = join(folder, "wrong.yaml");
  writeFileSync(file, "symbols: [GOOG]\nhorizons: [10]\nlabels: [exact]\nseeds: [1]\nnetworks:\n  mlp: {}\nonline:\n  horizons: [10]\n  labels: [exact]\n  networks: { oracle: {} }\n");
  assert.throws(() => loadPreset(file), /wrong\.yaml:\d+:\d+[^]*oracle/);
});

test("a test that was broken off repeats nothing, and says what separate commands say", { skip }, async () => {
  const [goog, amzn] = [shortened(GOOG, 0.25, join(folder, "GOOG.pcap")), shortened(AMZN, 0.25, join(folder, "AMZN.pcap"))];
  const networks = { five: { network: "logistic", columns: "relative-5+flow", unseen: true }, ten: { network: "logistic" } };
  const online_ = { horizons: [20], labels: ["exact" as const], unseen: ["AMZN"], networks };
  const preset = { ...loadPreset(join(ROOT, "ops/models/accuracy.yaml")), train: 0.8, until: 1, seeds: [1, 2], online: online_ };
  const all = async (ledger: Ledger, stop = Infinity): Promise<LearningRow[]> => {
    const rows: LearningRow[] = [];
    let done = 0;
    const report = (): void => {
      if (++done >= stop) throw new Error("broken off");
    };
    for await (const part of compareLearning({ capture: goog, unseen: amzn, preset, jobs: 1, ledger }, report)) rows.push(...part);
    return rows;
  };
  const file = join(folder, "cut.json");
  await assert.rejects(all(new Ledger(file), 1), /broken off/);
  const kept = new Ledger(file);
  const rows = await all(kept);
  assert.deepEqual(rows.map(({ network, symbol, unseen, seeds }) => [network, symbol, unseen, seeds]), [["five", "GOOG", false, 2], ["five", "AMZN", true, 2], ["ten", "GOOG", false, 2]]);
  assert.deepEqual(await all(new Ledger()), rows);
  const model = join(folder, "five.tlm");
  const { columns, mirror, settings } = recipeOf("logistic", { columns: "relative-5+flow" });
  const data = { capture: goog, symbols: ["GOOG"], columns, mirror, labels: "exact", horizon: 20, flatShare: 1 / 3, split: [0, 0.8, 1], clip: 10 } as const;
  await train({ data, network: "logistic", settings, seed: 2, out: model, source: "test" }, () => {});
  const given = { model, labels: undefined, horizon: undefined, threshold: undefined, part: undefined };
  for (const [capture, symbol, at] of [[goog, "GOOG", 0], [amzn, "AMZN", 1]] as const) {
    const { scores } = await online({ ...given, capture, symbols: [symbol] }, HABIT, () => {});
    const mean = rows[at]?.macroF1;
    const spreadOf = (who: "frozen" | "learning"): number => Math.abs(scores[who].macroF1 - (mean?.[who].mean ?? 0));
    // Two seeds: each lies as far from their mean as the deviation says.
    for (const who of ["frozen", "learning"] as const) assert.ok(Math.abs(spreadOf(who) - (mean?.[who].deviation ?? NaN) / Math.SQRT2) < 1e-9, `${symbol} ${who}`);
  }
});
