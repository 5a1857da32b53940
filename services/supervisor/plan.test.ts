// Goal: placement becomes processes in start order, and cores are pinned only when the machine can spare them.
// Method: named cases, and a property over every grouping.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decideCores } from "./cores.ts";
import { PLACED, type Placed, type Seated } from "../kit/config.ts";
import { planProcesses } from "./plan.ts";

const own: Record<Placed, { process: string }> = {
  exchange: { process: "exchange" }, execution: { process: "execution" }, risk: { process: "risk" },
  inference: { process: "inference" }, feed: { process: "feed" },
};

test("each service alone: five processes in start order", () => {
  assert.deepEqual(planProcesses(own, "configured", "none").map((group) => group.name), ["exchange", "execution", "risk", "inference", "feed"]);
});

test("fused: the venue and one process with every agent", () => {
  assert.deepEqual(planProcesses(own, "fused", "none"), [
    { name: "exchange", services: ["exchange"], beside: false },
    { name: "line", services: ["execution", "risk", "inference", "feed"], beside: false },
  ]);
});

test("processes: a fused placement is taken apart", () => {
  const fused = { ...own, risk: { process: "line" }, inference: { process: "line" }, feed: { process: "line" } };
  assert.equal(planProcesses(fused, "processes", "none").length, 5);
  assert.equal(planProcesses(fused, "configured", "none").length, 3);
});

test("every grouping keeps each service once, in start order inside its process", () => {
  const name = fc.constantFrom("a", "b", "c");
  fc.assert(fc.property(name, name, name, name, (execution, risk, inference, feed) => {
    const groups = planProcesses({ exchange: { process: "exchange" }, execution: { process: execution }, risk: { process: risk }, inference: { process: inference }, feed: { process: feed } }, "configured", "none");
    const rank = (service: Seated): number => (PLACED as readonly string[]).indexOf(service);
    assert.deepEqual(groups.flatMap((group) => group.services).toSorted((a, b) => rank(a) - rank(b)), [...PLACED]);
    for (const { services } of groups) assert.deepEqual(services, services.toSorted((a, b) => rank(a) - rank(b)));
    const firsts = groups.map((group) => rank(group.services[0] as Seated));
    assert.deepEqual(firsts, firsts.toSorted((a, b) => a - b));
  }));
});

test("the learner: last and beside the line, or in a replay with inference wherever that is", () => {
  const apart = planProcesses(own, "fused", "apart");
  assert.deepEqual(apart.at(-1), { name: "learner", services: ["learner"], beside: true });
  assert.equal(apart.filter(({ beside }) => beside).length, 1);
  assert.deepEqual(planProcesses({ ...own, learner: { process: "school" } }, "configured", "apart").at(-1)?.name, "school");
  for (const [mode, name] of [["fused", "line"], ["processes", "inference"]] as const) {
    const groups = planProcesses(own, mode, "tapped");
    assert.deepEqual(groups.find(({ services }) => services.includes("learner"))?.name, name);
    assert.ok(groups.every(({ beside }) => !beside));
  }
});

test("the recorder: first and beside the line, wherever the learner is", () => {
  for (const mode of ["configured", "fused", "processes"] as const) {
    for (const seat of ["none", "apart", "tapped"] as const) {
      const [first, ...others] = planProcesses(own, mode, seat, true);
      assert.deepEqual(first, { name: "recorder", services: ["recorder"], beside: true });
      assert.deepEqual(others, planProcesses(own, mode, seat));
    }
  }
  assert.equal(planProcesses({ ...own, recorder: { process: "scribe" } }, "fused", "none", true)[0]?.name, "scribe");
});

const groups = planProcesses(own, "configured", "none");

test("cores: pinned while one stays free, not pinned when none would", () => {
  const wanted = new Map([["feed", 1], ["risk", 2]]);
  assert.deepEqual(decideCores(groups, wanted, [0, 1, 2]).pins, wanted);
  assert.equal(decideCores(groups, wanted, [1, 2]).pins.size, 0);
});

test("cores: a core that is not allowed, or wanted twice, pins nothing and says why", () => {
  assert.match(decideCores(groups, new Map([["feed", 7]]), [0, 1, 2]).text, /feed asks for core 7/);
  assert.match(decideCores(groups, new Map([["feed", 1], ["risk", 1]]), [0, 1, 2]).text, /same core/);
  assert.match(decideCores(groups, new Map(), [0, 1]).text, /names no core.*5 processes on 2 cores/);
});
