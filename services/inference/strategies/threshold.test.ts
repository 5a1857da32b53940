/**
 * Goal: the threshold strategy decides by its stated rules, on both sides of each edge, and the same way every time.
 * Method: it is driven as inference drives it, a row of features and a prediction at a time, and its intents are looked at.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FEATURES_BYTES, FeaturesView, writePrefix } from "../../../schemas/generated/features.ts";
import { PREDICTION_BYTES, PredictionView } from "../../kit/prediction.ts";
import type { Intent } from "../../kit/strategy.ts";
import { strategy } from "./threshold.ts";

const instruments = [{ symbol: "TLKA", tick: 100 }, { symbol: "TLKB", tick: 1 }];
const classes = ["down", "flat", "up"];

function rig(parameters: Record<string, number> = {}) {
  const decider = strategy.create({ instruments, parameters, classes });
  const features = new FeaturesView();
  const view = new DataView(new ArrayBuffer(FEATURES_BYTES));
  writePrefix(view, 0);
  features.wrap(view, 0);
  const prediction = new PredictionView(new DataView(new ArrayBuffer(PREDICTION_BYTES)));
  const out: Intent = { side: 0, price: 0, qty: 0, confidence: 0, reason: 0 };
  const decide = (ms: number, down: number, up: number, bid = 1_000_000, ask = 1_000_100, instrument = 0): Intent | undefined => {
    features.timeNs = ms * 1e6;
    features.instrument = instrument;
    features.bid = bid;
    features.ask = ask;
    prediction.view.setUint32(16, 3, true);
    [down, 1 - down - up, up].forEach((p, i) => prediction.view.setFloat32(32 + 4 * i, p, true));
    return decider.decide(features, prediction, out) ? { ...out } : undefined;
  };
  return decide;
}

test("up buys at the ask, down sells at the bid; joining uses the own touch", () => {
  assert.deepEqual(rig()(1000, 0.25, 0.75), { side: 1, price: 1_000_100, qty: 100, confidence: 0.75, reason: 1 });
  assert.deepEqual(rig()(1000, 0.75, 0.25), { side: 2, price: 1_000_000, qty: 100, confidence: 0.75, reason: 2 });
  assert.equal(rig({ aggressive: 0 })(1000, 0.25, 0.75)?.price, 1_000_000);
  assert.equal(rig({ aggressive: 0 })(1000, 0.75, 0.25)?.price, 1_000_100);
});

test("confidence: the threshold passes, a little less does not", () => {
  assert.ok(rig({ threshold: 0.5 })(1000, 0.25, 0.5));
  assert.equal(rig({ threshold: 0.5 })(1000, 0.25, 0.499), undefined);
  assert.equal(rig()(1000, NaN, NaN), undefined);
});

test("cool-down: the instrument rests, to the nanosecond of line time; the other one does not", () => {
  const decide = rig({ cool_down_ms: 10 });
  assert.ok(decide(1000, 0.1, 0.8));
  assert.equal(decide(1009.999999, 0.1, 0.8), undefined);
  assert.ok(decide(1009, 0.1, 0.8, 100, 101, 1), "the other instrument");
  assert.ok(decide(1010, 0.1, 0.8));
});

test("spread: the widest passes, one more does not; empty and crossed books never do", () => {
  const decide = (bid: number, ask: number) => rig({ spread_max: 2 })(1000, 0.1, 0.8, bid, ask);
  assert.ok(decide(1000, 1200));
  assert.equal(decide(1000, 1201), undefined);
  for (const [bid, ask] of [[0, 100], [100, 0], [100, 100], [101, 100]] as const) assert.equal(decide(bid, ask), undefined);
});

test("parameters out of range, unknown ones and a model without directions are refused by name", () => {
  const refuse = (parameters: Record<string, number>) => () => rig(parameters);
  assert.throws(refuse({ threshold: 0.33 }), /threshold is 0.33/);
  assert.throws(refuse({ threshold: NaN }), /threshold/);
  assert.throws(refuse({ qty: 0.5 }), /qty/);
  assert.throws(refuse({ treshold: 0.5 }), /treshold is unknown/);
  assert.throws(refuse({ toString: 1 }), /toString is unknown/);
  assert.throws(() => strategy.create({ instruments, parameters: {}, classes: ["a", "b"] }), /needs down and up/);
});
