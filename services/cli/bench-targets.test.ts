/**
 * Goal: a verdict is right on both sides of each edge, compares with the floor of its own benchmark, and is withheld where the run lacks
 * what it needs. Method: made-up rows.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Row } from "../../test/bench/row.ts";
import { isPeer, judge } from "./bench-targets.ts";

function row(bench: string, name: string, figures: Partial<Row> = {}): Row {
  return { bench, name, unit: "ns", p50: null, p99: null, p999: null, max: null, rate: null, note: "", ...figures };
}

function verdict(wanted: Row, ...others: Row[]): boolean | undefined {
  return judge([...others, wanted]).at(-1)?.passed;
}

const floor = row("ring", "rtt floor: raw flag and payload", { p50: 100 });
const rtrb = row("ring", "peer rtt rtrb", { p50: 150 });

test("a ring is judged by the floor of its own benchmark, wherever that stands", () => {
  const other = row("decode", "floor: first byte of each", { p50: 1 });
  assert.equal(verdict(row("ring", "rtt typescript lossless", { p50: 130 }), other, floor), true);
  assert.equal(verdict(row("ring", "rtt typescript lossless", { p50: 131 }), other, floor), false);
  assert.equal(verdict(row("ring", "rtt rust lossless", { p50: 120 }), floor, rtrb), true);
  assert.equal(verdict(row("ring", "rtt rust lossless", { p50: 121 }), floor, rtrb), false);
});

test("the rust ring must also be ahead of rtrb", () => {
  assert.equal(verdict(row("ring", "rtt rust lossless", { p50: 118 }), floor, { ...rtrb, p50: 117 }), false);
  assert.equal(verdict(row("ring", "rtt rust lossless", { p50: 118 }), floor, { ...rtrb, p50: 118 }), true);
});

test("without the floor, the peer or the figure there is no verdict", () => {
  assert.equal(verdict(row("ring", "rtt typescript lossless", { p50: 130 })), undefined);
  assert.equal(verdict(row("ring", "rtt rust lossless", { p50: 110 }), floor), undefined);
  assert.equal(verdict(row("gate", "gate: token, limits, budget")), undefined);
});

test("books are judged without the decoding under them", () => {
  const decode = row("book", "floor: decode", { p50: 10 });
  assert.equal(verdict(row("book", "decode + books", { p50: 90 }), decode), true);
  assert.equal(verdict(row("book", "decode + books", { p50: 91 }), decode), false);
});

test("the line is judged by p50 and p99, in whatever unit", () => {
  assert.equal(verdict(row("line", "fused, packet to order on the wire", { p50: 5000, p99: 20_000 })), true);
  assert.equal(verdict(row("line", "fused, packet to order on the wire", { p50: 5, p99: 20.1, unit: "us" })), false);
  assert.equal(verdict(row("line", "fused, packet to order on the wire", { p50: 5.1, p99: 20, unit: "us" })), false);
});

test("rates, gates and models have edges", () => {
  assert.equal(verdict(row("ring", "rate typescript lossless", { rate: 15e6 })), true);
  assert.equal(verdict(row("ring", "rate typescript lossless", { rate: 14.9e6 })), false);
  assert.equal(verdict(row("gate", "gate: token, limits, budget", { p50: 40 })), true);
  assert.equal(verdict(row("gate", "gate: token, limits, budget", { p50: 40.1 })), false);
  assert.equal(verdict(row("model", "mlp 40-64-64-64-3 f32, rust", { p50: 300.5 })), false);
});

test("learning is judged by what its benchmark can tell: undecided is neither", () => {
  const name = "tick, row to prediction: learning / none";
  assert.deepEqual((["PASS", "FAIL", "UNDECIDED"] as const).map((told) => verdict(row("learning", name, { p99: 1, verdict: told }))), [true, false, undefined]);
  assert.equal(verdict(row("learning", "hop feed: learning / none")), undefined);
});

test("floors, jitter and peers have no target; only peers are peers", () => {
  const rows = [floor, rtrb, row("gate", "floor: token read", { p50: 1 }), row("line", "jitter: reading of the clock", { p50: 1 })];
  assert.deepEqual(judge(rows).map(({ passed }) => passed), [undefined, undefined, undefined, undefined]);
  assert.deepEqual(rows.map(isPeer), [false, true, false, false]);
});
