/**
 * Goal: the host cycles its agents in order, beats their hearts from the work loop, rests only when idle, and ends whole.
 * Method: agents that count, under a clock and an event loop that the test steps by hand.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Agent } from "../kit/agent.ts";
import type { ServiceBlock } from "../kit/ring/control.ts";
import { Host, type HostEnvironment } from "./host.ts";

class Bench {
  readonly stamp = new Uint32Array(2);
  readonly calls: string[] = [];
  readonly deferred: (() => void)[] = [];
  beats = 0;
  rests = 0;
  ended = 0;

  environment(step_ns: number): HostEnvironment {
    return {
      stamp: this.stamp,
      takeStamp: () => void (this.stamp[0] = (this.stamp[0] as number) + step_ns),
      yieldCore: () => void this.rests++,
      park: (timeout_us) => {
        assert.ok(timeout_us > 0 && timeout_us <= 1_000);
        this.rests++;
      },
      defer: (next) => void this.deferred.push(next),
    };
  }

  agent(name: string, work: () => number): { name: string; agent: Agent; block: ServiceBlock } {
    const block = { heartbeat: () => void this.beats++ } as unknown as ServiceBlock;
    return { name, block, agent: { doWork: () => (this.calls.push(name), work()), close: () => {} } };
  }

  slice(): void {
    const next = this.deferred.shift();
    assert.ok(next);
    next();
  }
}

test("agents run in the order given, and a slice ends by time so that signals get their turn", () => {
  const bench = new Bench();
  const host = new Host([bench.agent("feed", () => 1), bench.agent("risk", () => 0)], "spin", bench.environment(1_000_000), () => void bench.ended++);
  host.start();
  bench.slice();
  assert.deepEqual(bench.calls.slice(0, 4), ["feed", "risk", "feed", "risk"]);
  assert.equal(bench.rests, 0, "work was found, so nothing rests");
  assert.ok(bench.beats >= 2 * 10, "each beat reaches every block");
  assert.equal(bench.deferred.length, 1, "the next slice is scheduled");
});

for (const idle of ["park", "yield", "spin"] as const) {
  test(`an idle host ${idle === "spin" ? "never rests" : "rests every cycle"} (${idle}) and still beats`, () => {
    const bench = new Bench();
    const host = new Host([bench.agent("feed", () => 0)], idle, bench.environment(1_000_000), () => void bench.ended++);
    host.start();
    bench.slice();
    assert.equal(bench.rests, idle === "spin" ? 0 : bench.calls.length);
    assert.equal(bench.beats, bench.calls.length);
  });
}

test("a host practises in rounds, a step a cycle, each after 100 us without work, and never while there is work", () => {
  const step_ns = 1_000;
  const round = 5;
  for (const [found, expected] of [[0, 100_000_000 / (100_000 + (round - 1) * step_ns)], [1, 0]] as const) {
    const bench = new Bench();
    const practised: number[] = [];
    const environment = { ...bench.environment(step_ns), practise: () => practised.push(bench.stamp[0] as number) % round === 0 };
    new Host([bench.agent("feed", () => found)], "spin", environment, () => {}).start();
    bench.slice();
    assert.ok(Math.abs(practised.length / round - expected) <= expected / 20, `${practised.length} steps`);
    practised.forEach((now, n) => {
      const since = now - (practised[n - 1] ?? 0);
      assert.ok(n % round === 0 ? since >= 100_000 : since === step_ns, `step ${n} comes ${since} ns after the one before`);
    });
  }
});

test("work that comes in a round of practice puts the rest of it off for 100 us", () => {
  const bench = new Bench();
  const practised: number[] = [];
  const worked: number[] = [];
  // Work follows each step of a round that never ends.
  const feed = bench.agent("feed", () => (practised.length > worked.length ? worked.push(bench.stamp[0] as number) : 0));
  const environment = { ...bench.environment(1_000), practise: () => (practised.push(bench.stamp[0] as number), false) };
  new Host([feed], "spin", environment, () => {}).start();
  bench.slice();
  assert.ok(practised.length > 500, `${practised.length} steps`);
  worked.slice(0, -1).forEach((at, n) => assert.ok((practised[n + 1] as number) - at >= 100_000));
});

test("a slice of 100 ms ends in a lull of 2 ms; without one it lasts a second", () => {
  const step_ns = 10_000;
  // Work comes every so many cycles; an idle cycle takes two stamps' time at most.
  for (const [every, least_ms, most_ms] of [[10_000, 100, 104], [20, 1000, 1001]] as const) {
    const bench = new Bench();
    let cycle = 0;
    new Host([bench.agent("feed", () => (++cycle % every === 0 ? 1 : 0))], "spin", bench.environment(step_ns), () => {}).start();
    bench.slice();
    const lasted_ms = (bench.stamp[0] as number) / 1e6;
    assert.ok(lasted_ms >= least_ms && lasted_ms <= most_ms, `${every}: ${lasted_ms} ms`);
  }
});

test("stop ends between slices, once, and nothing runs after it", () => {
  const bench = new Bench();
  const host = new Host([bench.agent("feed", () => 1)], "spin", bench.environment(5_000_000), () => void bench.ended++);
  host.start();
  bench.slice();
  const calls = bench.calls.length;
  host.stop();
  bench.slice();
  assert.equal(bench.calls.length, calls);
  assert.equal(bench.ended, 1);
  assert.equal(bench.deferred.length, 0);
  assert.equal(host.failed, undefined);
});

test("an agent that throws ends the host with its error; no agent runs again", () => {
  const bench = new Bench();
  const host = new Host(
    [bench.agent("feed", () => { throw new Error("torn"); }), bench.agent("risk", () => 1)],
    "spin", bench.environment(1), () => void bench.ended++,
  );
  host.start();
  bench.slice();
  assert.equal(host.failed?.message, "torn");
  assert.deepEqual(bench.calls, ["feed"]);
  assert.equal(bench.ended, 1);
  assert.equal(bench.deferred.length, 0);
});

test("heartbeats come from the work loop: a long cycle delays them", () => {
  const bench = new Bench();
  let cycles = 0;
  const host = new Host([bench.agent("feed", () => (cycles++, 1))], "spin", bench.environment(1_100_000_000), () => {});
  host.start();
  bench.slice();
  assert.equal(bench.beats, 1);
  assert.equal(cycles, 1);
});
