/** Goal: the scores are the textbook's. Method: hand-computed cases and the properties every score must have. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { calibration, score, square } from "./score.ts";

test("a hand-computed matrix", () => {
  const { accuracy, macroF1, mcc, classes, rows } = score(square([5, 1, 0, 2, 6, 2, 0, 1, 3]));
  assert.equal(rows, 20);
  assert.equal(accuracy, 14 / 20);
  assert.deepEqual(classes[0], { precision: 5 / 7, recall: 5 / 6, f1: (2 * (5 / 7) * (5 / 6)) / (5 / 7 + 5 / 6) });
  const f1 = [10 / 13, 12 / 18, 6 / 9];
  assert.ok(Math.abs(macroF1 - (f1[0]! + f1[1]! + f1[2]!) / 3) < 1e-12);
  // (14 * 20 - (6*7 + 10*8 + 4*5)) / sqrt((400 - 152) (400 - 138))
  assert.ok(Math.abs(mcc - (280 - 142) / Math.sqrt(248 * 262)) < 1e-12);
});

test("a perfect classifier scores 1, a constant one has no correlation, an empty matrix scores 0", () => {
  const perfect = score(square([4, 0, 0, 0, 5, 0, 0, 0, 6]));
  assert.deepEqual([perfect.accuracy, perfect.macroF1, perfect.mcc], [1, 1, 1]);
  const constant = score(square([0, 4, 0, 0, 5, 0, 0, 6, 0]));
  assert.equal(constant.mcc, 0);
  assert.ok(Math.abs(constant.macroF1 - 0.5 / 3) < 1e-12);
  const empty = score(square([0, 0, 0, 0, 0, 0, 0, 0, 0]));
  assert.deepEqual([empty.accuracy, empty.macroF1, empty.mcc], [0, 0, 0]);
});

test("calibration is the gap between what is said and what is so, weighted by rows", () => {
  const { ece, bins } = calibration([0, 0, 0, 4, 2, 1, 6, 5.4, 6]);
  assert.deepEqual(bins[0], { rows: 0, confidence: 0, accuracy: 0 });
  assert.deepEqual(bins[1], { rows: 4, confidence: 0.5, accuracy: 0.25 });
  assert.ok(Math.abs(ece - (4 * 0.25 + 6 * (1 - 0.9)) / 10) < 1e-12);
  assert.equal(calibration([]).ece, 0);
});
