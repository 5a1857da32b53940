/**
 * Goal: whatever is done to a model of another format, it is read as a model that the engine verified or refused with a code; nothing else is
 * thrown and nothing takes long.
 * Method: 72 small networks of every layer in both formats; bytes changed, cut, joined and left out, graphs with another operator, edge,
 * attribute or size, JSON with one value replaced. A short run of what was done 1,040,000 times at once (40,000 in the long mode).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { damage, seedsOf } from "./damage-rig.ts";
import { trials } from "../../test/trials.ts";

const COUNT = trials(800, 20_000);
/** Far beyond what a small file may cost, a pause of the collector included. */
const SLOWEST_MS = 5_000;

test("damaged models are read or refused with a code, and never anything else", () => {
  const tally = damage(COUNT, 1, seedsOf(72));
  assert.deepEqual([...tally.wrong], []);
  assert.equal(tally.tried, 2 * COUNT);
  assert.ok(tally.slowest < SLOWEST_MS, `${tally.slowest} ms`);
  assert.ok(tally.read > COUNT / 20, `only ${tally.read} were read: the damage is too coarse`);
  const codes = ["ONNX_FORMAT", "ONNX_OPERATOR", "KERAS_FORMAT", "KERAS_LAYER", "MODEL_CONTRACT"];
  for (const code of codes) assert.ok((tally.refused.get(code) ?? 0) > 0, `no ${code}`);
  for (const code of tally.refused.keys()) assert.match(code, /^(ONNX|KERAS|MODEL)_[A-Z_]+$/);
});
