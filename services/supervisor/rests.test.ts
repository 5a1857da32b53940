// Goal: processes spin only where every one of them can have a core.
// Method: groups and placements by hand, on both sides of the edge.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LineConfig } from "../kit/config.ts";
import { planProcesses, type PlacementMode } from "./plan.ts";
import { decideRests } from "./rests.ts";

const spin = (process: string) => ({ process, idle: "spin" }) as const;
const placement = {
  exchange: { process: "exchange", idle: "park" }, execution: spin("line"), risk: spin("line"), inference: spin("line"), feed: spin("line"),
} as LineConfig["placement"];

function idles(mode: PlacementMode, cores: number): string[] {
  const groups = planProcesses(placement, mode);
  const { placement: decided } = decideRests(groups, placement, cores);
  return Object.values(decided).map((rest) => rest?.idle ?? "");
}

test("one spinning process keeps its core, however few there are", () => {
  assert.deepEqual(idles("fused", 1), ["park", "spin", "spin", "spin", "spin"]);
});

test("four spinning processes need five cores; with four they yield and the others are left alone", () => {
  assert.deepEqual(idles("processes", 5), ["park", "spin", "spin", "spin", "spin"]);
  assert.deepEqual(idles("processes", 4), ["park", "yield", "yield", "yield", "yield"]);
});

test("the operator is told", () => {
  assert.equal(decideRests(planProcesses(placement, "processes"), placement, 2).text, "4 processes would spin on 2 cores: they yield instead");
});
