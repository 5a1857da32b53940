/**
 * Goal: a `learner` section that is wrong is refused at its place with value and fix, and one that is right has every field. Method: the demo
 * line with a section put in, one thing changed at a time.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { stringify } from "yaml";
import { parseLine, ROOT } from "./config.ts";
import { ConfigError } from "./errors.ts";

const FILE = "ops/lines/demo.yaml";
const DEMO = readFileSync(`${ROOT}${FILE}`, "utf8");

const ENVELOPE = { change_max: 0.05, drift_max: 0.5, score_slack: 0.02 };
const GOOD = { state: ".run/learner", cadence: { every_ms: 10 }, rate: 0.001, envelope: ENVELOPE };

const PROMOTION = { labels: 2000, margin: 0.02, calibration_max: 0.1, fall: 0.02, fall_labels: 1000 };

function parsed(learner: object) {
  return parseLine(`${DEMO}\n${stringify({ learner })}`, FILE).config.learner;
}

test("what is left out has a default", () => {
  const learner = parsed(GOOD);
  assert.deepEqual(learner?.schedule, { warm_steps: 0 });
  assert.deepEqual([learner?.method, learner?.loss, learner?.clip, learner?.dropout, learner?.batch, learner?.envelope.offer_ms], ["adamw", "cross_entropy", 1, undefined, 1, 1000]);
});

test("every setting of the mathematics is taken", () => {
  const schedule = { warm_steps: 100, anneal: { steps: 5000, again: true }, plateau: { cut: 0.5, patience: 5, every: 200 }, volatility: { most: 4 } };
  const learner = parsed({ ...GOOD, method: "sophia", schedule, loss: { over: 2, under: 0.5 }, decay: 0.01, clip: 0.5, dropout: 0.2, sharpness: 0.05, adversary: 0.01, batch: 32, liquidity: { most: 3 } });
  assert.deepEqual(learner?.schedule.anneal, { steps: 5000, floor: 0.01, again: true });
  assert.deepEqual(learner?.schedule.plateau, { cut: 0.5, patience: 5, every: 200, floor: 0.01 });
  assert.deepEqual(learner?.schedule.volatility, { most: 4, fast: 100, slow: 10_000 });
  assert.deepEqual(learner?.liquidity, { most: 3, fast: 100, slow: 10_000 });
  assert.deepEqual([learner?.loss, learner?.dropout, learner?.sharpness], [{ over: 2, under: 0.5 }, 0.2, 0.05]);
  for (const every_ms of [10, 50]) assert.deepEqual(parsed({ ...GOOD, cadence: { every_ms } })?.cadence, { every_ms });
  for (const cadence of ["tick", "trade"]) assert.equal(parsed({ ...GOOD, cadence })?.cadence, cadence);
});

test("shadows, replay and promotion are taken, paths made absolute; a shadow's file must be there", () => {
  const section = { ...GOOD, cadence: "tick", batch: 8, replay: {}, shadows: [{ name: "next", model: "ops/models/demo.tlm" }, { name: "other", model: "./absent.tlm" }], promotion: PROMOTION };
  const learner = parsed(section);
  assert.deepEqual(parsed({ ...GOOD, actor_critic: {} })?.actor_critic, { discount: 0.9, explore: 0.1, critic_rate: 0.001, trades: 100, cost_bps: 0 });
  assert.deepEqual(parsed({ ...GOOD, retrain: {} })?.retrain, { every_s: 21_600, labels: 20_000, each: 100, batch: 32, steps: 2_000 });
  assert.deepEqual(learner?.replay, { capacity: 4096, oversample: 100, sharpness: 0.6, correction: 1 });
  assert.deepEqual(learner?.shadows, [{ name: "next", model: `${ROOT}ops/models/demo.tlm`, member: 1 }, { name: "other", model: `${ROOT}ops/lines/absent.tlm`, member: 1 }]);
  assert.deepEqual(["all", "turns", "first"].map((members) => parsed({ ...GOOD, members })?.members), ["all", "turns", "first"]);
  assert.equal(parsed(GOOD)?.members, "all");
  assert.deepEqual(learner?.promotion, PROMOTION);
  const line = parseLine(`${DEMO}\n${stringify({ learner: section })}`, FILE);
  assert.throws(() => { line.requireFiles(); }, /learner\.shadows\[1\]\.model: no file ops\/lines\/absent\.tlm; name a file/);
});

const CASES: readonly { readonly change: object; readonly path: string; readonly says: RegExp }[] = [
  { change: { method: "adamx" }, path: "learner.method", says: /"adamx".*one of sgd, momentum, adagrad, rmsprop, adam, adamw, sophia/ },
  { change: { rate: 0 }, path: "learner.rate", says: /0 .*a number above 0, at most 1 \(learning rate\)/ },
  { change: { cadence: "often" }, path: "learner.cadence", says: /"tick", "trade" or \{ every_ms: N \}/ },
  { change: { cadence: "tick", batch: 8 }, path: "learner.batch", says: /is 8, but a step at every tick learns from one label; set it to 1/ },
  { change: { batch: 64, replay: { capacity: 32 } }, path: "learner.batch", says: /replay's capacity of 32/ },
  { change: { replay: { oversample: 0.5 } }, path: "learner.replay.oversample", says: /a number from 1/ },
  { change: { shadows: [{ name: "Big", model: "a.tlm" }] }, path: "learner.shadows[0].name", says: /lower-case letters/ },
  { change: { shadows: [{ name: "a", model: "a.tlm" }, { name: "a", model: "b.tlm" }] }, path: "learner.shadows[1].name", says: /a is listed twice/ },
  { change: { members: "second" }, path: "learner.members", says: /"second".*one of all, turns, first/ },
  { change: { shadows: [{ name: "a", model: "a.tlm", member: 2 }] }, path: "learner.shadows[0].member", says: /is 2, but the line has one model; name one of inference\.model \(1\) and inference\.ensemble \(2 and on\), or remove it/ },
  { change: { members: "first", shadows: [{ name: "a", model: "a.tlm", member: 2 }] }, path: "learner.shadows[0].member", says: /only the first member learns; remove it, or choose another learner\.members/ },
  { change: { promotion: { ...PROMOTION, margin: 0 } }, path: "learner.promotion.margin", says: /a number above 0/ },
  { change: { promotion: { ...PROMOTION, fall_labels: 5000 } }, path: "learner.promotion.fall_labels", says: /above the contest's 2000 labels/ },
  { change: { actor_critic: { discount: 1 } }, path: "learner.actor_critic.discount", says: /1 .*a number from 0 to 0\.999/ },
  { change: { actor_critic: { explore: 1 } }, path: "learner.actor_critic.explore", says: /even dice/ },
  { change: { actor_critic: { trades: 1 } }, path: "learner.actor_critic.trades", says: /a whole number from 2/ },
  { change: { actor_critic: { cost_bps: -1 } }, path: "learner.actor_critic.cost_bps", says: /basis points/ },
  { change: { actor_critic: {}, replay: {} }, path: "learner.replay", says: /the policy's own decisions as they come; remove it, or remove learner\.actor_critic/ },
  { change: { actor_critic: {}, loss: "squares" }, path: "learner.loss", says: /learns from rewards/ },
  { change: { actor_critic: {}, class_weights: [1, 2, 1] }, path: "learner.class_weights", says: /learns from rewards/ },
  { change: { retrain: { every_s: 0 } }, path: "learner.retrain.every_s", says: /a whole number from 1 to 604800 \(line time between two retrainings, seconds; 21600 is 6 hours\)/ },
  { change: { retrain: { batch: 64, labels: 32 } }, path: "learner.retrain.batch", says: /above the window's 32 labels.*raise learner\.retrain\.labels/ },
  { change: { retrain: {}, shadows: [{ name: "a", model: "a.tlm" }, { name: "retrained", model: "b.tlm" }] }, path: "learner.shadows[1].name", says: /the name of what retraining makes; give it another name/ },
  { change: { dropout: 1 }, path: "learner.dropout", says: /a number from 0 to 0\.9/ },
  { change: { liquidity: { most: 0.5 } }, path: "learner.liquidity.most", says: /0\.5 .*a number from 1 to 100/ },
  { change: { liquidity: {} }, path: "learner.liquidity.most", says: /a number from 1 to 100/ },
  { change: { liquidity: { most: 2, fast: 50, slow: 50 } }, path: "learner.liquidity.fast", says: /lower it or raise slow/ },
  { change: { dropout: 0, liquidity: { most: 2 } }, path: "learner.dropout", says: /nothing that liquidity could raise; raise it, or remove learner\.liquidity/ },
  { change: { sharpness: -1 }, path: "learner.sharpness", says: /SAM/ },
  { change: { precision: "int8" }, path: "learner.precision", says: /f32.*bf16/ },
  { change: { adversary: "much" }, path: "learner.adversary", says: /FGSM/ },
  { change: { loss: "hinge" }, path: "learner.loss", says: /"cross_entropy", "squares", or \{ over: N, under: N \}/ },
  { change: { loss: { over: 0.5, under: 2 } }, path: "learner.loss", says: /has over 0\.5 and under 2, so a move claimed in vain costs no more than one missed; raise over above under, or set loss: squares/ },
  { change: { loss: { over: 1, under: 1 } }, path: "learner.loss", says: /raise over above under/ },
  { change: { loss: "squares", class_weights: [1, 2, 1] }, path: "learner.class_weights", says: /weighs the classes of cross_entropy.*remove it/ },
  { change: { schedule: { warm_steps: -1 } }, path: "learner.schedule.warm_steps", says: /a whole number from 0/ },
  { change: { schedule: { anneal: { steps: 0 } } }, path: "learner.schedule.anneal.steps", says: /steps over which the rate falls/ },
  { change: { schedule: { plateau: { cut: 2, patience: 1, every: 1 } } }, path: "learner.schedule.plateau.cut", says: /from 0 to 1/ },
  { change: { schedule: { volatility: { most: 0.5 } } }, path: "learner.schedule.volatility.most", says: /from 1 to 1000/ },
  { change: { schedule: { volatility: { most: 2, fast: 100, slow: 100 } } }, path: "learner.schedule.volatility.fast", says: /lower it or raise slow/ },
  { change: { schedule: { cosine: 3 } }, path: "learner.schedule.cosine", says: /unknown key; known here: warm_steps, anneal, plateau, volatility/ },
  { change: { window: 10 }, path: "learner.envelope.labels_min", says: /above the evaluation's window of 10/ },
];

for (const { change, path, says } of CASES) {
  test(`${path} ${JSON.stringify(change)} is refused at its place`, () => {
    assert.throws(() => parsed({ ...GOOD, ...change }), (error: unknown) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.deepEqual([error.code, error.place.path, error.place.file], ["TL_CONFIG_VALUE", path, FILE]);
      assert.match(error.message, says);
      return true;
    });
  });
}
