/**
 * Goal: the learner takes rows as they come, publishes what its envelope allows, survives its death, and makes no garbage.
 * Method: the real agent over a real features ring, with the real addon and the shipped model, on walks that a seed determines.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { Collections } from "../../test/bench/collections.ts";
import type { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { readStanding } from "../kit/standing.ts";
import { figures, folder, LEARNER, MODEL, MODEL_HASH, play, rig, scoreOf, Walk } from "./rig.ts";

test("rows are learned from, weights are published, counted and evaluated", () => {
  const line = rig({ cadence: "tick", batch: 1 });
  const agent = line.start();
  play(line, agent, new Walk(1), 10_000);
  const { labels, steps, published, inPlace } = figures(agent);
  const [frozen, learning, persistence] = [scoreOf(agent, "frozen"), scoreOf(agent, "learning"), scoreOf(agent, "persistence")];
  assert.ok(labels > 9_000 && steps === labels && published >= 4, JSON.stringify(figures(agent)));
  assert.deepEqual([line.count("labels"), line.count("learn_steps"), line.count("published"), line.count("withheld")], [labels, steps, published, 0]);
  assert.equal(line.newest(), inPlace);
  assert.notEqual(inPlace, MODEL_HASH);
  assert.ok(learning.macroF1 > frozen.macroF1 && learning.mcc > 0.1, `the drift is in column 0: ${learning.macroF1} against ${frozen.macroF1}`);
  assert.deepEqual([learning.labels, persistence.labels], [1000, 1000]);
  assert.ok(persistence.macroF1 > 0 && learning.accuracy > 0 && learning.coverage > 0 && learning.calibration > 0);
  assert.equal(line.count("eval_labels"), 1000);
  assert.ok(line.count("f1_learning_ppm") > line.count("f1_frozen_ppm") && line.count("mcc_learning_ppm") > 1_100_000);
  assert.equal(line.count("checkpoints"), published, "each publication is in a checkpoint first");
  agent.close();
  const shown = readStanding(line.runDir);
  assert.deepEqual(shown?.models.map(({ role }) => role), ["frozen", "learning", "baseline"]);
  assert.deepEqual([shown?.in_place, shown?.models[1]?.macro_f1, shown?.models[0]?.hash], [inPlace, learning.macroF1, MODEL_HASH]);
});

test("outside the envelope: nothing is published, it is counted, and the learner goes back", () => {
  const line = rig({ envelope: { ...LEARNER.envelope, change_max: 1e-9 } });
  const agent = line.start();
  play(line, agent, new Walk(2), 6_100);
  assert.ok(line.count("withheld") >= 2);
  assert.equal(line.count("published"), 0);
  assert.equal(line.newest(), MODEL_HASH);
  assert.equal(figures(agent).inPlace, MODEL_HASH);
  agent.close();
});

test("a shadow learns and is evaluated, and the line's weights stay", () => {
  const line = rig({ publish: false });
  const agent = line.start();
  play(line, agent, new Walk(3), 6_000);
  assert.ok(scoreOf(agent, "learning").macroF1 > scoreOf(agent, "frozen").macroF1);
  assert.deepEqual([line.newest(), line.count("published")], [MODEL_HASH, 0]);
  agent.close();
});

test("a learner killed without a word goes on from its checkpoint with what the ring still holds, to the bit", () => {
  const [whole, broken] = [rig(), rig()];
  const uninterrupted = whole.start();
  play(whole, uninterrupted, new Walk(4), 8_000);
  const walk = new Walk(4);
  play(broken, broken.start(), walk, 5_300);
  assert.ok(existsSync(broken.checkpoint));
  // The first agent is left where it is, as SIGKILL leaves it: its checkpoint is some rows old.
  const second = broken.start();
  play(broken, second, walk, 2_700);
  assert.equal(figures(second).weights, figures(uninterrupted).weights);
  assert.deepEqual({ ...figures(second), checkpoints: 0 }, { ...figures(uninterrupted), checkpoints: 0 });
  assert.equal(broken.newest(), whole.newest());
});

test("the same rows give the same weights in a replay, which keeps nothing", () => {
  const weights = [1, 2].map(() => {
    const line = rig({ state: join(folder, "no-replay-writes-here") }, true);
    const agent = line.start();
    play(line, agent, new Walk(5), 5_000);
    agent.close();
    return [figures(agent).weights, figures(agent).inPlace, line.newest()];
  });
  assert.deepEqual(weights[0], weights[1]);
  assert.equal(existsSync(join(folder, "no-replay-writes-here")), false);
});

test("dropout is raised while the book is thin, shown, and goes on after a kill to the bit", () => {
  const settings = { dropout: 0.2, liquidity: { most: 3, fast: 20, slow: 1000 }, envelope: { ...LEARNER.envelope, offer_ms: 5 } };
  const [whole, broken, blind] = [rig(settings), rig(settings), rig({ dropout: 0.2 })];
  const shown = (line: typeof whole): number => readStanding(line.runDir)?.dropout_factor ?? NaN;
  const thinning = (line: typeof whole, agents: readonly { doWork(): number; summary?(): Record<string, unknown> }[]): void => {
    const walk = new Walk(11);
    for (const [nth, depth] of [100, 100, 20, 20, 100, 100].entries()) {
      walk.depth = depth;
      const agent = agents[Math.min(nth, agents.length - 1)];
      assert.ok(agent !== undefined);
      play(line, agent, walk, 1_000);
      if (line === blind) assert.equal(figures(agent).dropoutFactor, 1);
      else if (nth === 2) assert.ok(figures(agent).dropoutFactor > 1.5 && shown(line) > 1.5, `${figures(agent).dropoutFactor}, shown ${shown(line)}`);
      else assert.ok(depth === 20 || figures(agent).dropoutFactor === 1, `${figures(agent).dropoutFactor} in ${nth}`);
    }
  };
  const uninterrupted = whole.start();
  thinning(whole, [uninterrupted]);
  const other = blind.start();
  thinning(blind, [other]);
  assert.notEqual(figures(other).weights, figures(uninterrupted).weights);
  const first = broken.start();
  // Killed within the thin stretch, as SIGKILL does it; the second begins with what the ring holds.
  const second: { agent?: ReturnType<typeof broken.start> } = {};
  const late = { doWork: (): number => (second.agent ??= broken.start()).doWork(), summary: (): Record<string, unknown> => second.agent?.summary?.() ?? {} };
  thinning(broken, [first, first, first, late]);
  assert.deepEqual({ ...figures(late), checkpoints: 0 }, { ...figures(uninterrupted), checkpoints: 0 });
  assert.deepEqual([figures(late).rate, readStanding(whole.runDir)?.rate], [LEARNER.rate, LEARNER.rate].map(Math.fround));
});

test("retraining on the rolling window comes at its hour, is shown and logged, and goes on after a kill to the bit", () => {
  const settings = { cadence: { every_ms: 10 }, retrain: { every_s: 1, labels: 500, each: 50, batch: 16, steps: 300, rate: 0.01 } };
  const [whole, broken] = [rig(settings), rig(settings)];
  const uninterrupted = whole.start();
  const walks = [new Walk(12), new Walk(12)] as const;
  play(whole, uninterrupted, walks[0], 99_900);
  assert.deepEqual([figures(uninterrupted).retrained, readStanding(whole.runDir)?.retrained], [0, 0]);
  // A row is 10 us of line time: the retraining begins at row 100,000 and takes 300 rows.
  play(broken, broken.start(), walks[1], 100_150);
  play(whole, uninterrupted, walks[0], 3_000);
  // The first agent is left where it is, as SIGKILL leaves it.
  const second = broken.start();
  play(broken, second, walks[1], 2_750);
  for (const [line, agent] of [[whole, uninterrupted], [broken, second]] as const) {
    const { retrained, standings } = figures(agent);
    const own = standings.find(({ role }) => role === "retrained");
    assert.equal(retrained, 1);
    assert.ok(own?.name === "retrained" && own.score.labels === 1000 && own.score.macroF1 > scoreOf(agent, "frozen").macroF1, JSON.stringify(standings));
    const shown = readStanding(line.runDir);
    assert.deepEqual([shown?.retrained, shown?.models.find(({ role }) => role === "retrained")?.hash], [1, own.hash]);
    assert.deepEqual(line.notes.filter((text) => text.startsWith("retrained")), ["retrained on the rolling window: it answers beside the line from now on"]);
  }
  assert.deepEqual({ ...figures(second), checkpoints: 0 }, { ...figures(uninterrupted), checkpoints: 0 });
});

test("by reward: the policy comes to earn, it is shown, and it goes on after a kill to the bit", () => {
  const settings = { cadence: "tick", batch: 1, rate: 5e-4, actor_critic: { discount: 0.5, explore: 0.1, critic_rate: 1e-3, trades: 100, cost_bps: 0 } } as const;
  const [whole, broken] = [rig(settings), rig(settings)];
  const uninterrupted = whole.start();
  const walks = [new Walk(14), new Walk(14)] as const;
  const seen = Array.from({ length: 12 }, () => {
    play(whole, uninterrupted, walks[0], 1_000);
    return figures(uninterrupted).sharpe;
  });
  const { sharpe, trades } = figures(uninterrupted);
  const [learning, frozen] = [scoreOf(uninterrupted, "learning"), scoreOf(uninterrupted, "frozen")];
  // Moves overlap, so that one look at the ratio says little; its mean does.
  assert.ok(seen.reduce((sum, ratio) => sum + ratio, 0) / seen.length > 0.2, seen.join(" "));
  assert.ok(trades > 1_000 && learning.macroF1 > frozen.macroF1 + 0.15 && learning.mcc > 0.2, `${JSON.stringify([learning, frozen])} after ${trades} trades`);
  play(broken, broken.start(), walks[1], 5_300);
  // The first agent is left where it is, as SIGKILL leaves it.
  const second = broken.start();
  play(broken, second, walks[1], 6_700);
  assert.deepEqual({ ...figures(second), checkpoints: 0 }, { ...figures(uninterrupted), checkpoints: 0 });
  uninterrupted.close();
  assert.deepEqual(readStanding(whole.runDir)?.reward, { sharpe, trades });
  const labels = rig().start();
  assert.equal(figures(labels).trades, -1);
});

test("a network with a state learns from whole stretches of so many rows, 50 or 100, its state carried from one to the next", () => {
  const { columns, mean, scale, clip, classes, horizon } = native.modelRead(MODEL);
  const model = join(folder, "lstm.tlm");
  native.modelWrite(model, { ...native.modelRandom("lstm-64", 1, 5), columns, mean, scale, clip, classes, horizon, name: "lstm" });
  const learned = (steps: number): string => {
    const line = rig({ steps, batch: 1, state: join(folder, "none") }, true, model);
    const agent = line.start();
    play(line, agent, new Walk(13), 6_000);
    const { labels, weights, ...counts } = figures(agent);
    // Two instruments fill a stretch each on their own; crossed rows are no part of one.
    assert.ok(counts.steps <= labels / steps && counts.steps >= labels / steps - 2, `${counts.steps} steps of ${labels} labels`);
    assert.equal(line.count("learn_steps"), counts.steps);
    agent.close();
    return weights;
  };
  assert.notEqual(learned(50), learned(100));
  assert.equal(learned(50), learned(50));
});

test("liquidity without any dropout to raise is refused by name", () => {
  assert.throws(() => rig({ liquidity: { most: 2, fast: 1, slow: 2 } }).start(), (error: TicklineError) => error.code === "TL_CONFIG_VALUE" && /set learner\.dropout above 0/.test(error.message));
});

test("a lapped learner drops what waited, counts what it lost, and goes on", () => {
  const line = rig();
  const agent = line.start();
  const walk = new Walk(6);
  play(line, agent, walk, 2_000);
  const before = figures(agent).labels;
  for (let n = 0; n < 12_000; n++) walk.publish(line.feed);
  while (agent.doWork() > 0);
  assert.ok(line.count("lapped") > 8_000);
  assert.equal(figures(agent).gaps, 1);
  assert.ok(figures(agent).labels === before, "no label spans the hole");
  play(line, agent, walk, 1_000);
  assert.ok(figures(agent).labels > before);
  agent.close();
});

test("steps are bounded in a duty cycle, and so are rows", () => {
  const line = rig({ cadence: "tick", batch: 1, steps_per_cycle: 3 });
  const agent = line.start();
  const walk = new Walk(7);
  for (let n = 0; n < 2_000; n++) walk.publish(line.feed);
  agent.doWork();
  for (let n = 0; n < 20; n++) {
    const before = line.count("learn_steps");
    agent.doWork();
    assert.equal(line.count("learn_steps") - before, 3);
  }
  const idle = rig({ envelope: { ...LEARNER.envelope, offer_ms: 3_600_000 } });
  const other = idle.start();
  for (let n = 0; n < 2_000; n++) walk.publish(idle.feed);
  assert.equal(other.doWork(), 256);
});

test("a damaged checkpoint, and one of other settings, are refused by name", () => {
  const line = rig();
  const agent = line.start();
  play(line, agent, new Walk(8), 3_000);
  agent.close();
  const bytes = readFileSync(line.checkpoint);
  const refusal = (words: RegExp) => assert.throws(() => line.start(), (error: TicklineError) => error.code === "TL_CHECKPOINT" && words.test(error.message));
  writeFileSync(line.checkpoint, bytes.subarray(0, bytes.length - 100));
  refusal(/demo\.checkpoint: the checkpoint is damaged; remove it/);
  const other = rig({ rate: 2e-3, state: join(line.runDir, "state") });
  writeFileSync(line.checkpoint, bytes);
  assert.throws(() => other.start(), /other settings/);
  assert.ok(line.start());
});

/** Bytes that `work` left on the heap, and whether a collection hid some. */
async function garbage(work: () => void): Promise<{ bytes: number; collections: number }> {
  let bytes = 0;
  const collections = await new Collections().during(() => {
    const before = getHeapStatistics().used_heap_size;
    work();
    bytes = getHeapStatistics().used_heap_size - before;
  });
  return { bytes, collections };
}

test("a row through the learner leaves nothing on the heap: 40,000 of them less than a number each", async () => {
  const line = rig({ cadence: { every_ms: 10 }, envelope: { ...LEARNER.envelope, offer_ms: 1000 } });
  const agent = line.start();
  const walk = new Walk(9);
  for (let warm = 0; warm < 4; warm++) {
    play(line, agent, walk, 8_000);
    await sleep(100);
  }
  const { bytes, collections } = await garbage(() => play(line, agent, walk, 40_000));
  assert.ok(figures(agent).labels > 65_000 && line.count("learn_steps") >= 70);
  assert.equal(collections, 0);
  assert.ok(bytes < 40_000 * 8, `${bytes} bytes`);
  let kept: object = {};
  const seen = await garbage(() => { for (let n = 0; n < 40_000; n++) kept = { n }; });
  assert.ok(seen.bytes > 40_000 * 8 || seen.collections > 0, "the measure has teeth");
  assert.ok(kept !== undefined);
  agent.close();
});
