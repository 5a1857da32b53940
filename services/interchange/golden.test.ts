/**
 * Goal: answers stay what they were when onnxruntime gave the same, on every machine and without it.
 * Method: kept answers (`golden.json`: onnxruntime-node 1.30.0 on the exported networks of `modelRandom`, seed 7, rows of `noise`) against our engine's.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { answers, noise } from "./answers.ts";
import { randomModel } from "./model.ts";

const kept = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8")) as { name: string; window: number; answers: number[][] }[];

for (const { name, window, answers: golden } of kept) {
  test(`${name}: answers are the kept ones within 1e-5`, () => {
    const model = randomModel(name, window, 7);
    const rows = noise((model.contract.window - 1 + golden.length) * model.contract.columns.length);
    const given = answers(model, rows);
    assert.equal(given.length, golden.length);
    golden.forEach((answer, nth) => answer.forEach((value, at) => assert.ok(Math.abs(value - (given[nth]?.[at] ?? NaN)) <= 1e-5, `answer ${nth}, output ${at}: ${given[nth]?.[at]}, kept ${value}`)));
  });
}
