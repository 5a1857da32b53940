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
  const told = "4 processes would spin on 2 cores: they yield instead";
  const { changed, wait } = decideRests(planProcesses(placement, "processes"), placement, 2);
  assert.deepEqual([changed, wait], [told, told]);
});

test("a line that sleeps as configured is not changed, and says that it sleeps; the venue's sleep does not count", () => {
  const asleep = Object.fromEntries(["execution", "risk", "inference", "feed"].map((service) => [service, { process: service, idle: "park" }]));
  for (const [mode, wait] of [["configured", "4 processes of the line sleep when idle (placement: idle: park)"], ["fused", "1 process of the line sleeps when idle (placement: idle: park)"]] as const) {
    const sleeping = { ...placement, ...asleep } as LineConfig["placement"];
    const decided = decideRests(planProcesses(sleeping, mode), sleeping, 2);
    assert.deepEqual(decided, { placement: sleeping, changed: "", wait });
  }
  assert.equal(decideRests(planProcesses(placement, "fused"), placement, 2).wait, "");
});
