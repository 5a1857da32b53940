/**
 * Goal: a verdict on two p99s is right as often as its interval says, sees a slow-down that is there, none that is not, and says so when it cannot
 * tell. Method: made-up windows of latencies whose true ratio is known, many times over.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BINS, binOf } from "../../services/kit/ring/histogram.ts";
import { Dice, pooled, ratio, verdict, type Block, type Ratio } from "./ratio.ts";

const [THING, OTHER, CONTROL] = [0, 1, 2];

/** Latencies with a long tail (700 ns and up), 1,000 a window; `slower` times as long for the thing. Now and then a whole block is bad. */
function blocks(dice: Dice, count: number, slower: number, loud = 0.1): Block[] {
  return Array.from({ length: count }, () => {
    const machine = dice.below(20) === 0 ? 50 : 1 + dice.below(100) / 1000;
    return [slower, 1, 1].map((times) => {
      const counts = new Float64Array(BINS);
      const mood = machine * Math.exp(((dice.below(2001) - 1000) / 1000) * loud);
      for (let nth = 0; nth < 1_000; nth++) {
        const bin = binOf((700 * mood * times) / ((1 + dice.below(10_000)) / 10_000) ** 0.5);
        counts[bin] = (counts[bin] as number) + 1;
      }
      return counts;
    });
  });
}

const judged = (all: readonly Block[]): readonly [Ratio, Ratio] => {
  const [measured, control] = [ratio(all, 0.99, THING, [OTHER, CONTROL]), ratio(all, 0.99, CONTROL, [OTHER])];
  assert.ok(measured !== null && control !== null);
  return [measured, control];
};

test("the interval holds the true ratio some nineteen times in twenty, bad blocks or not", () => {
  const dice = new Dice();
  for (const slower of [1, 1.2]) {
    const held = Array.from({ length: 60 }, () => judged(blocks(dice, 30, slower))[0]).filter(({ low, high }) => low <= slower && slower <= high).length;
    assert.ok(held >= 50, `${held} of 60`);
  }
});

test("a tenth more is told from the limit, nothing more passes, and few loud blocks tell nothing", () => {
  const dice = new Dice();
  const told = (count: number, slower: number, loud: number): string => verdict(...judged(blocks(dice, count, slower, loud)), 1.05);
  assert.deepEqual([told(80, 1.15, 0.1), told(400, 1, 0.1), told(20, 1, 0.6), told(20, 1.1, 0.6), told(19, 3, 0.1)], ["FAIL", "PASS", "UNDECIDED", "UNDECIDED", "UNDECIDED"]);
});

test("each edge of a verdict, and what cannot be judged", () => {
  const [equal, quiet] = [{ value: 1, low: 0.98, high: 1.02, blocks: 20 }, { value: 1, low: 0.99, high: 1.05, blocks: 20 }];
  const of = (low: number, high: number): Ratio => ({ value: (low + high) / 2, low, high, blocks: 20 });
  assert.equal(verdict(of(0.9, 1.05), quiet, 1.05), "PASS");
  assert.equal(verdict(of(0.9, 1.0501), equal, 1.05), "UNDECIDED");
  assert.equal(verdict(of(1.05, 1.2), equal, 1.05), "UNDECIDED");
  assert.equal(verdict(of(1.0501, 1.2), equal, 1.05), "FAIL");
  assert.equal(verdict(of(0.9, 1), of(0.9, 1.0501), 1.05), "UNDECIDED", "a control beyond the limit passes nothing");
  assert.equal(verdict(of(1.2, 1.3), of(1.001, 1.01), 1.05), "UNDECIDED", "a control that is not equal to itself");
  assert.equal(verdict(null, equal, 1.05), "UNDECIDED");
  assert.equal(ratio([[new Float64Array(BINS), new Float64Array(BINS)]], 0.99, 0, [1]), null);
  assert.equal(pooled([], [0]).length, 0);
});

test("the same counts give the same interval", () => {
  const all = blocks(new Dice(), 10, 1.02);
  assert.deepEqual(judged(all), judged(all));
});
