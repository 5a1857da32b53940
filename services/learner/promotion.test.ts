/**
 * Goal: shadows answer every row and never trade; the gate promotes a good one and no bad one, says so with hashes wherever it is asked, and a
 * killed learner goes on with the same decisions. Method: the real agent and segments; models made from the shipped one.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { LearnerConfig } from "../kit/learner-config.ts";
import { native } from "../kit/native.ts";
import { readStanding } from "../kit/standing.ts";
import { figures, folder, MODEL, MODEL_HASH, play, rig, scoreOf, Walk } from "./rig.ts";

/** The shipped model with some of its weights changed, in a file of its own; gives its path and hash. */
function changed(name: string, change: (weights: Float32Array, firstLayer: number) => void): { readonly model: string; readonly hash: string } {
  const data = native.modelRead(MODEL);
  const matrix = data.nodes[0]?.tensors?.find(({ shape }) => shape.length === 2);
  assert.ok(matrix !== undefined && matrix.at === 0, "the first layer's weights come first");
  change(data.parameters, matrix.shape.reduce((product, size) => product * size, 1));
  const model = join(folder, `${name}.tlm`);
  return { model, hash: native.modelWrite(model, { ...data, name }) };
}

/** It sees every feature the other way round, and the walk's tell the future just so. */
const turned = changed("turned", (weights, first) => { for (let i = 0; i < first; i++) weights[i] = -(weights[i] as number); });
/** Most of it is gone. */
const blunt = changed("blunt", (weights) => { for (let i = 0; i < weights.length; i++) weights[i] = ((i * 37) % 11 - 5) / 50; });

const GATED: Partial<LearnerConfig> = {
  rate: 1e-9,
  shadows: [{ name: "blunt", model: blunt.model, member: 1 }, { name: "turned", model: turned.model, member: 1 }],
  promotion: { labels: 2000, margin: 0.05, calibration_max: 0.9, drift_max: 10, fall: 0.05, fall_labels: 1000 },
};

test("without a gate shadows are evaluated and nothing else", () => {
  const { promotion: _, ...ungated } = GATED;
  const line = rig(ungated);
  const agent = line.start();
  play(line, agent, new Walk(1), 8_000);
  assert.ok(scoreOf(agent, "turned").macroF1 > scoreOf(agent, "frozen").macroF1 + 0.1, JSON.stringify(figures(agent).standings));
  assert.deepEqual([scoreOf(agent, "blunt").labels, scoreOf(agent, "turned").labels], [1000, 1000]);
  assert.equal(figures(agent).promoted, 0);
  assert.ok(![turned.hash, blunt.hash].includes(line.newest() ?? ""));
  agent.close();
});

test("the gate promotes the good one in one swap, never the bad one, and it is written everywhere", () => {
  const line = rig(GATED);
  const agent = line.start();
  play(line, agent, new Walk(2), 12_000);
  assert.equal(line.newest(), turned.hash);
  const { changes, promoted, rolledBack, inPlace } = figures(agent);
  assert.deepEqual([promoted, rolledBack, inPlace], [1, 0, turned.hash]);
  assert.deepEqual(changes.map(({ what, name, from, to }) => [what, name, from, to]), [["promoted", "turned", MODEL_HASH, turned.hash]]);
  assert.deepEqual(line.warnings, [`promoted turned: ${MODEL_HASH} gives way to ${turned.hash}`]);
  const shown = readStanding(line.runDir);
  assert.deepEqual([shown?.in_place, shown?.changes[0]?.to, shown?.promoted], [turned.hash, turned.hash, 1]);
  assert.deepEqual(shown?.models.map(({ role }) => role), ["frozen", "learning", "baseline", "live", "previous", "shadow", "shadow"]);
  agent.close();
});

test("a learner killed around a promotion decides as one that was not, and the line keeps what is in place", () => {
  const whole = rig(GATED);
  const uninterrupted = whole.start();
  play(whole, uninterrupted, new Walk(3), 12_000);
  for (const cut of [1_900, 5_100, 8_300]) {
    const broken = rig(GATED);
    const walk = new Walk(3);
    play(broken, broken.start(), walk, cut);
    // The first agent is left where it is, as SIGKILL leaves it.
    const inPlace = broken.newest();
    const second = broken.start();
    assert.equal(broken.newest(), inPlace);
    play(broken, second, walk, 12_000 - cut);
    assert.deepEqual({ ...figures(second), checkpoints: 0 }, { ...figures(uninterrupted), checkpoints: 0 }, `cut at ${cut}`);
    assert.equal(broken.newest(), whole.newest());
  }
});

test("every setting reaches the mathematics: each one alone changes the weights, and the same ones give the same", () => {
  const learned = (change: Partial<LearnerConfig>): string => {
    const line = rig({ ...change, state: join(folder, "none") }, true);
    const agent = line.start();
    const walk = new Walk(4);
    for (const depth of [100, 20, 100]) {
      walk.depth = depth;
      play(line, agent, walk, 1_000);
    }
    const { weights } = figures(agent);
    agent.close();
    return weights;
  };
  const plain = learned({});
  assert.equal(learned({}), plain);
  const changes: readonly Partial<LearnerConfig>[] = [
    ...(["sgd", "momentum", "adagrad", "rmsprop", "sophia"] as const).map((method) => ({ method })),
    { rate: 2e-3 }, { decay: 0.1 }, { method: "adam", decay: 0.1 }, { clip: 0.01 }, { dropout: 0.2 }, { dropout: 0.2, liquidity: { most: 3, fast: 5, slow: 200 } }, { sharpness: 0.05 }, { sharpness: 0.05, sharp_share: 0.5 }, { adversary: 0.05 },
    { loss: "squares" }, { loss: { over: 2, under: 0.5 } }, { class_weights: [2, 1, 2] }, { cadence: "trade" }, { cadence: { every_ms: 2 } }, { batch: 4 },
    { schedule: { warm_steps: 50 } }, { schedule: { warm_steps: 0, anneal: { steps: 20, floor: 0.1, again: false } } },
    { schedule: { warm_steps: 0, plateau: { cut: 0.5, patience: 0, every: 2, floor: 0.1 } } }, { schedule: { warm_steps: 0, volatility: { most: 4, fast: 20, slow: 200 } } },
    { replay: { capacity: 256, oversample: 100, sharpness: 0.6, correction: 1 } },
    ...[{}, { discount: 0.5 }, { explore: 0.2 }, { critic_rate: 1e-2 }, { trades: 20 }, { cost_bps: 5 }].map((own) => ({ actor_critic: { discount: 0.9, explore: 0.1, critic_rate: 1e-3, trades: 100, cost_bps: 0, ...own } })),
  ];
  const seen = new Map([[plain, "nothing"]]);
  for (const change of changes) {
    const weights = learned(change);
    assert.equal(seen.get(weights), undefined, `${JSON.stringify(change)} is as ${seen.get(weights)}`);
    seen.set(weights, JSON.stringify(change));
  }
});
