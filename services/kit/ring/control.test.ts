/**
 * Goal: the control block means the same in TypeScript and Rust, and its 64-bit values are whole.
 * Method: one language writes, the other reads; histograms are compared with the sorted values.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { native } from "../native.ts";
import { Cell } from "./cell.ts";
import { Control, State } from "./control.ts";
import { BINS, Histogram, binOf, binValue } from "./histogram.ts";
import { LAYOUT } from "./layout.ts";
import { COUNTERS, HOPS, SERVICES, counter, hop } from "./names.ts";
import { Segment, createSegment, proveShared } from "./segment.ts";

const folder = mkdtempSync("/dev/shm/tickline-test-");
after(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "control");
createSegment(path, { kind: "control" });
const segment = Segment.open(path);
const control = new Control(segment);

test("the lists of names and the layout are those of the Rust room", () => {
  const names = readFileSync(new URL("../../../crates/ring/src/names.rs", import.meta.url), "utf8");
  const list = (name: string) => {
    const body = new RegExp(`pub const ${name}: \\[&str; \\d+\\] =\\s*\\[([^\\]]*)\\]`).exec(names)?.[1] ?? "";
    return Array.from(body.matchAll(/"([^"]*)"/g), (found) => found[1]);
  };
  assert.deepEqual(list("SERVICES"), [...SERVICES]);
  assert.deepEqual(list("COUNTERS"), [...COUNTERS]);
  assert.deepEqual(list("HOPS"), [...HOPS]);
  const layout = readFileSync(new URL("../../../crates/ring/src/layout.rs", import.meta.url), "utf8");
  const text = /LAYOUT: &str = "([^"]*)"/.exec(layout)?.[1]?.replaceAll(/\\\n\s*/g, "");
  assert.equal(text, LAYOUT);
});

test("what TypeScript writes in a block, Rust reads", () => {
  const block = control.service("risk");
  assert.equal(block.begin("risk", 4321), 1);
  block.setState(State.Running);
  block.addRestart();
  block.heartbeat(0xfffffffe, 0x1234);
  block.horizon.set(0xffffffff, 0xffffffff);
  block.sent.setNumber(2 ** 40 + 5);
  block.admit.setNumber(17);
  block.progress.setNumber(0);
  block.add(counter("orders"), 4294967295);
  block.add(counter("orders"), 2);
  for (const ns of [100, 200, 300, 5_000_000_000]) block.record(hop("risk"), ns);
  block.setError("é".repeat(200));
  const seen = native.probeBlock(path, "risk");
  assert.deepEqual([seen.name, seen.state, seen.pid, seen.epoch, seen.restarts], ["risk", 3, 4321, 1, 1]);
  const heartbeat = ((0x1234n << 32n) | 0xfffffffen).toString();
  assert.deepEqual(seen.cells, [heartbeat, (2n ** 64n - 1n).toString(), String(2 ** 40 + 5), "17", "0"]);
  assert.equal(seen.counters[counter("orders")], "4294967297");
  assert.equal(seen.error, "é".repeat(126));
  const histogram = block.histograms[hop("risk")] as Histogram;
  const mine = [histogram.count(), histogram.max(), histogram.mean(), histogram.percentile(0.5), histogram.percentile(0.99)];
  assert.deepEqual(seen.histograms[hop("risk")], mine);
  assert.deepEqual(mine.slice(0, 3), [4, 5_000_000_000, 1_250_000_150]);
});

test("what Rust writes in a block, TypeScript reads", () => {
  const value = 2 ** 45 + 12345;
  native.probeWrite(path, "feed", String(value), counter("frames"), hop("feed"));
  const block = control.service("feed");
  assert.deepEqual([block.name(), block.state(), block.pid(), block.epoch()], ["feed", State.Starting, 77, 1]);
  for (const cell of [block.heartbeatNs, block.horizon, block.sent, block.admit, block.progress]) assert.equal(cell.number(), value);
  assert.equal(block.counter(counter("frames")), value);
  assert.equal(block.error(), "größer als erlaubt");
  const histogram = block.histograms[hop("feed")] as Histogram;
  assert.deepEqual([histogram.count(), histogram.max(), histogram.mean()], [1, value, value]);
  assert.equal(histogram.bin(BINS - 1), 1);
});

test("anyone disarms, the first cause stays, arming forgets it", () => {
  const line = control.line;
  assert.equal(line.armed(), false);
  line.arm();
  assert.equal(line.armed(), true);
  assert.equal(line.cause(), undefined);
  line.disarm(7, 2 ** 40 + 1, "risk: drawdown");
  line.disarm(8, 5, "later");
  assert.equal(line.armed(), false);
  assert.deepEqual(line.cause(), { code: 7, ns: 2 ** 40 + 1, text: "risk: drawdown" });
  line.arm();
  assert.equal(line.cause(), undefined);
  assert.deepEqual([line.raiseEpoch(), line.raiseEpoch(), line.epoch()], [1, 2, 2]);
});

test("a cell whose writer died between its stores shows a lower bound", () => {
  const words = new Int32Array(4);
  const cell = new Cell(words, 0);
  cell.set(0xffffffff, 4);
  words[0] = 5;
  cell.load();
  assert.deepEqual([cell.low, cell.high], [0, 4]);
  cell.set(3, 5);
  assert.equal(cell.number(), 5 * 2 ** 32 + 3);
  assert.deepEqual([cell.atLeast(3, 5), cell.atLeast(4, 5), cell.atLeast(9, 4), cell.atLeast(0, 6)], [true, false, true, false]);
});

test("bins are monotone, and their middle is within 0.8 %", () => {
  let last = 0;
  for (let ns = 0; ns < 2 ** 40; ns += 1 + Math.floor(ns / 97)) {
    const bin = binOf(ns);
    assert.ok(bin >= last && bin < BINS);
    last = bin;
    assert.equal(binOf(binValue(bin)), bin);
    assert.ok(Math.abs(binValue(bin) - ns) <= ns * 0.008);
  }
  assert.deepEqual([binOf(Number.NaN), binOf(-1), binOf(2 ** 52)], [0, 0, BINS - 1]);
});

test("percentiles agree with the sorted values", () => {
  const histogram = new Histogram(new Int32Array(5000), 0);
  const values = Array.from({ length: 5000 }, (_, n) => Math.floor(((n * 7919) % 5000) ** 2 / 3) + 50).toSorted((a, b) => a - b);
  for (const value of values) histogram.record(value);
  for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = values[Math.ceil(share * values.length) - 1] as number;
    assert.ok(Math.abs(histogram.percentile(share) - exact) <= exact * 0.009, `${share}`);
  }
});

test("the memory is shared, not copied; a foreign file and a second creation are refused with reasons", () => {
  proveShared(segment);
  assert.throws(() => createSegment(path, { kind: "control" }), { code: "TL_SEGMENT", message: /RING_EXISTS/ });
  assert.throws(() => createSegment(join(folder, "odd"), { kind: "lossless", slots: 3, payload: 8 }), { message: /slots is 3, accepted/ });
  const foreign = join(folder, "foreign");
  writeFileSync(foreign, "not a segment\n".repeat(100));
  assert.throws(() => Segment.open(foreign), { code: "TL_SEGMENT", message: /RING_HEADER: segment .*foreign: magic at byte 0/ });
  assert.throws(() => Segment.open(join(folder, "absent")), { code: "TL_SEGMENT", message: /cannot open segment .*absent/ });
});
