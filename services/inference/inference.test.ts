/**
 * Goal: a row becomes a Signal only when book, model and strategy are all sound; everything else is counted by reason.
 * Method: the real agent on real segments with the real addon and the shipped model; strategies written to a temporary folder.
 */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FeaturesFlag, type FeaturesView } from "../../schemas/generated/features.ts";
import type { LineConfig } from "../kit/config.ts";
import type { TicklineError } from "../kit/errors.ts";
import { hop, type CounterName } from "../kit/ring/names.ts";
import { folder, leftBehind, MODEL, rig, SCRIPTED, strategyFile } from "./rig.ts";

test("a wanted order becomes a Signal with the row's stamps, the model's answer and its own time", () => {
  const line = rig(strategyFile("scripted.ts", SCRIPTED));
  line.upstream.horizon.setNumber(777);
  line.publish((row) => {
    row.seq = 9_007_199_254_740_000;
    row.timeNs = 123_456;
    row.dueNs = 5;
    row.feedNs = 6;
    row.instrument = 1;
    row.lastPrice = 2;
    row.lastQty = 50;
    row.askQty = 96;
    for (let i = 0; i < 40; i++) row.setValue(i, i / 10);
  });
  assert.equal(line.agent.doWork(), 1);
  assert.equal(line.outlet.sent, 1);
  const signal = line.outlet.signal(0);
  assert.equal(signal.seq, 9_007_199_254_740_000);
  assert.equal(signal.timeNs, 123_456);
  assert.deepEqual([signal.dueNs, signal.feedNs, signal.instrument, signal.strategy], [5, 6, 1, 0]);
  assert.deepEqual([signal.side, signal.price, signal.qty, signal.reason], [2, 1_000_000, 50, 7]);
  assert.deepEqual([signal.bid, signal.ask, signal.lane], [1_000_000, 1_000_100, 1]);
  assert.ok(signal.predictNs > 0 && signal.signalNs >= signal.predictNs);
  const sum = signal.prediction(0) + signal.prediction(1) + signal.prediction(2);
  assert.ok(Math.abs(sum - 1) < 1e-6, `probabilities add up to ${sum}`);
  const hash = BigInt(signal.modelHashHi) * 2n ** 32n + BigInt(signal.modelHashLo);
  const digest = readFileSync(MODEL).subarray(32, 40).readBigUInt64BE();
  assert.equal(hash, digest);
  assert.equal(line.block.horizon.number(), 777);
  assert.deepEqual([line.count("predictions"), line.count("signals")], [1, 1]);
  assert.equal(line.block.histograms[hop("strategy")]?.count(), 1);
  assert.equal(line.agent.doWork(), 0);
});

test("the lane: 95 % is normal, above it is priority", () => {
  const line = rig(strategyFile("scripted.ts", SCRIPTED));
  for (const percent of [95, 96]) line.publish((row) => { row.lastPrice = 1; row.lastQty = 1; row.askQty = percent; });
  line.agent.doWork();
  assert.deepEqual([line.outlet.signal(0).lane, line.outlet.signal(1).lane], [0, 1]);
});

test("rows that must not be traded on are counted by reason and make no Signal", () => {
  const line = rig(strategyFile("scripted.ts", SCRIPTED));
  const wanting = (change: (row: FeaturesView) => void) => line.publish((row) => { row.lastPrice = 1; row.lastQty = 1; change(row); });
  const expect = (name: CounterName, change: (row: FeaturesView) => void) => {
    const before = line.count(name);
    wanting(change);
    line.agent.doWork();
    assert.equal(line.count(name), before + 1, name);
    assert.equal(line.outlet.sent, 0, name);
  };
  expect("no_signal_book", (row) => (row.flags = FeaturesFlag.BookStale));
  expect("no_signal_book", (row) => (row.flags = FeaturesFlag.Crossed));
  expect("no_signal_book", (row) => (row.flags = FeaturesFlag.OneSided));
  expect("no_signal_warming", (row) => (row.flags = FeaturesFlag.WarmingUp));
  expect("no_signal_nan", (row) => row.setValue(3, NaN));
  expect("no_signal_nan", (row) => row.setValue(39, Infinity));
  expect("no_signal_contract", (row) => (row.instrument = 2));
  expect("no_signal_strategy", (row) => (row.lastQty = 13));
  expect("no_signal_strategy", (row) => (row.lastPrice = 0));
  expect("no_signal_strategy", (row) => (row.lastPrice = 3));
  expect("no_signal_strategy", (row) => (row.bid = 0));
  expect("no_signal_strategy", (row) => (row.askQty = 101));
  wanting((row) => (row.flags = FeaturesFlag.Traded));
  line.agent.doWork();
  assert.equal(line.outlet.sent, 1, "the next sound row trades");
  const summary = line.agent.summary?.() ?? {};
  assert.equal(summary["strategyErrors"], 1);
  assert.equal(summary["firstStrategyError"], "Error: unlucky");
});

test("a full outlet holds rows back, keeps the horizon, and loses nothing", () => {
  const line = rig(strategyFile("scripted.ts", SCRIPTED));
  line.upstream.horizon.setNumber(50);
  for (let i = 1; i <= 3; i++) line.publish((row) => { row.lastPrice = 1; row.lastQty = i; });
  line.outlet.full = true;
  assert.equal(line.agent.doWork(), 0);
  assert.equal(line.block.horizon.number(), 0);
  assert.equal(line.count("ring_full"), 1);
  line.outlet.full = false;
  assert.equal(line.agent.doWork(), 3);
  assert.deepEqual([0, 1, 2].map((i) => line.outlet.signal(i).qty), [1, 2, 3]);
  assert.equal(line.block.horizon.number(), 50);
});

test("the horizon waits until a burst is drained", () => {
  const line = rig(strategyFile("scripted.ts", SCRIPTED));
  for (let i = 0; i < 100; i++) line.publish((row) => (row.lastQty = 0));
  line.upstream.horizon.setNumber(8);
  assert.equal(line.agent.doWork(), 64);
  assert.equal(line.block.horizon.number(), 0);
  assert.equal(line.agent.doWork(), 36);
  assert.equal(line.block.horizon.number(), 8);
});

function refusalOf(strategy: string, change?: (config: LineConfig["inference"]) => void): TicklineError {
  try {
    rig(strategy, change);
  } catch (error) {
    return error as TicklineError;
  }
  return assert.fail("it was accepted");
}

test("a strategy that cannot be used is refused with its file's name", () => {
  const cases: [string, string, RegExp][] = [
    ["none.ts", "export const other = 1;", /does not export a strategy/],
    ["throws.ts", "throw new Error('at load');", /cannot be loaded: at load/],
    ["syntax.ts", "export const = ;", /cannot be loaded/],
    ["shape.ts", "export const strategy = { name: 'x' };", /does not export a strategy/],
    ["refuses.ts", "export const strategy = { name: 'x', create() { throw new Error('no parameters'); } };", /cannot be created: no parameters/],
    ["empty.ts", "export const strategy = { name: 'x', create: () => ({}) };", /no decide function/],
  ];
  for (const [name, source, text] of cases) {
    const error = refusalOf(strategyFile(name, source));
    assert.equal(error.code, "TL_STRATEGY", name);
    assert.match(error.message, text);
    assert.ok(error.message.includes(name), error.message);
  }
  assert.equal(refusalOf(join(folder, "absent.ts")).code, "TL_STRATEGY");
});

test("a model that cannot be used is refused with its file's name and a precise code", () => {
  const path = join(folder, "bad.tlm");
  const refuse = (change: (bytes: Buffer) => Buffer): string => {
    copyFileSync(MODEL, path);
    writeFileSync(path, change(readFileSync(path)));
    const error = refusalOf(strategyFile("scripted.ts", SCRIPTED), (config) => (config.model = path));
    assert.equal(error.code, "TL_MODEL");
    assert.ok(error.message.includes("bad.tlm"), error.message);
    return error.message;
  };
  assert.match(refuse(() => Buffer.from("")), /^MODEL_MAGIC/);
  assert.match(refuse((bytes) => bytes.subarray(0, 1000)), /^MODEL_LENGTH/);
  assert.match(refuse((bytes) => { bytes[1000] = (bytes[1000] ?? 0) ^ 1; return bytes; }), /^MODEL_CHECKSUM/);
  assert.match(refuse((bytes) => { bytes[8] = 9; return bytes; }), /^MODEL_VERSION/);
});

test("100,000 rows allocate nothing: predicted, decided on, counted", () => {
  const line = rig(strategyFile("scripted.ts", SCRIPTED));
  const grown = leftBehind(line);
  assert.ok(Math.abs(grown) < 400_000, `${grown} bytes`);
});
