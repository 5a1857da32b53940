// Goal: the supervisor keeps its written promises (services/supervisor/README.md) with real processes.
// Method: small node children that misbehave on request; what they did is read from files that they append to.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Health, Phase } from "../../services/supervisor/health.ts";
import type { ProcessSpec } from "../../services/supervisor/process.ts";
import { RestartWindow } from "../../services/supervisor/restart-window.ts";
import { Supervisor, type LineEvent, type Outcome } from "../../services/supervisor/supervise.ts";

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "supervise-")); });
afterEach(() => { rmSync(folder, { recursive: true }); });

class FileHealth implements Health {
  readonly restarts = new Map<string, number>();
  readonly armed: string[] = [];
  epochs = 0;
  beats = 0;
  prepare(service: string): void { for (const end of ["phase", "beat"]) rmSync(`${folder}/${service}.${end}`, { force: true }); }
  phase(service: string): Phase { return (read(`${service}.phase`) || "absent") as Phase; }
  heartbeatAgeMs(service: string): number { return performance.timeOrigin + performance.now() + this.pauseMs - Number(read(`${service}.beat`)); }
  /** Added to every heartbeat's age: a pause of the whole machine that the services have not yet beaten after. */
  pauseMs = 0;
  lastError(): string { return ""; }
  countRestart(service: string): void { this.restarts.set(service, (this.restarts.get(service) ?? 0) + 1); }
  arm(): boolean { this.armed.push("armed"); return true; }
  disarm(cause: string): void { this.armed.push(cause); }
  beat(): void { this.beats += 1; }
  newEpoch(): void { this.epochs += 1; }
}

function read(name: string): string {
  return existsSync(`${folder}/${name}`) ? readFileSync(`${folder}/${name}`, "utf8") : "";
}

interface Run { outcome: Outcome; events: LineEvent[]; health: FileHealth; order: string[] }

/** Runs a line of the given services and modes; `act` sees each event, may signal a process, and returns true to stop the line. */
async function run(modes: Record<string, string>, act: (event: LineEvent, events: LineEvent[]) => boolean, limits: { restarts?: number; startMs?: number; beside?: string } = {}): Promise<Run> {
  const child = new URL("child.mjs", import.meta.url).pathname;
  const specs: ProcessSpec[] = Object.entries(modes).map(([name, mode]) => ({ name, services: [name], command: process.execPath, args: [child, folder, name, mode], beside: name === limits.beside }));
  const events: LineEvent[] = [];
  const health = new FileHealth();
  let stop = false;
  const supervisor = new Supervisor(specs, { startMs: limits.startMs ?? 30_000, heartbeatMs: 2000, stopMs: 2000 }, {
    health,
    window: new RestartWindow(limits.restarts ?? 3, 60_000),
    besideWindow: new RestartWindow(1, 60_000),
    nowMs: () => performance.now(),
    env: process.env,
    onEvent: (event) => { events.push(event); if (act(event, events)) stop = true; },
    onLine: () => {},
    onUp: () => {},
    stopWanted: () => stop,
  });
  const outcome = await supervisor.run();
  for (const event of events) if (event.kind === "started") assert.equal(isAlive(event.pid), false, `${event.process} is still there`);
  return { outcome, events, health, order: read("order").trim().split("\n") };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function pidOf(events: LineEvent[], name: string): number {
  const started = events.findLast((event) => event.kind === "started" && event.process === name);
  assert(started?.kind === "started");
  return started.pid;
}

const armedCount = (events: LineEvent[]): number => events.filter((event) => event.kind === "armed").length;

test("starts in order, arms when all run, stops in reverse order and disarms first", async () => {
  const { outcome, health, order } = await run({ a: "ok", b: "ok", c: "ok" }, (event) => event.kind === "armed");
  assert.deepEqual(outcome, { kind: "stopped" });
  assert.deepEqual(order, ["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
  assert.deepEqual(health.armed, ["armed", "the line is stopping"]);
  assert.ok(health.beats > 0, "the supervisor has no heartbeat");
});

test("kill -9 of the middle process restarts it and what stands after it, and re-arms", async () => {
  const { outcome, events, health, order } = await run({ a: "ok", b: "ok", c: "ok" }, (event, sofar) => {
    if (event.kind === "armed" && armedCount(sofar) === 1) process.kill(pidOf(sofar, "b"), "SIGKILL");
    return armedCount(sofar) === 2;
  });
  assert.deepEqual(outcome, { kind: "stopped" });
  assert.deepEqual(order, ["start a", "start b", "start c", "stop c", "start b", "start c", "stop c", "stop b", "stop a"]);
  assert.deepEqual([...health.restarts], [["b", 1], ["c", 1]]);
  assert.deepEqual(health.armed, ["armed", "b was killed by SIGKILL", "armed", "the line is stopping"]);
  assert.equal(health.epochs, 2);
  const restarted = events.find((event) => event.kind === "restarted");
  assert.equal(restarted?.process, "b");
});

test("a process beside the line is restarted alone, and left down once it dies too often, while the line goes on armed", async () => {
  const { outcome, events, health, order } = await run({ a: "ok", b: "ok", l: "ok" }, (event, sofar) => {
    const up = event.kind === "armed" || (event.kind === "restarted" && event.beside);
    if (up) process.kill(pidOf(sofar, "l"), "SIGKILL");
    return event.kind === "left-down";
  }, { beside: "l" });
  assert.deepEqual(outcome, { kind: "stopped" });
  assert.deepEqual(order, ["start a", "start b", "start l", "start l", "stop b", "stop a"]);
  assert.deepEqual([...health.restarts], [["l", 1]]);
  assert.deepEqual(health.armed, ["armed", "the line is stopping"], "never disarmed for it");
  assert.equal(health.epochs, 1);
  assert.deepEqual(events.filter((event) => event.kind === "died").map((event) => event.beside), [true, true]);
});

test("a process beside the line stops and starts with what fails before it, and does not keep a finished line up", async () => {
  const { order, health } = await run({ a: "ok", b: "ok", l: "ok" }, (event, sofar) => {
    if (event.kind === "armed" && armedCount(sofar) === 1) process.kill(pidOf(sofar, "b"), "SIGKILL");
    return event.kind === "started" && event.process === "l" && armedCount(sofar) === 2;
  }, { beside: "l" });
  assert.deepEqual(order.slice(0, 7), ["start a", "start b", "start l", "stop l", "start b", "start l", "stop l"]);
  assert.equal(health.epochs, 2);
  const finished = await run({ a: "ok", b: "finishes", l: "ok" }, () => false, { beside: "l" });
  assert.deepEqual(finished.outcome, { kind: "finished" });
});

test("a process beside the line that cannot start fails the first start, as any does", async () => {
  const { outcome } = await run({ a: "ok", l: "fails" }, () => false, { beside: "l" });
  assert.deepEqual(outcome, { kind: "failed-to-start", cause: "l exited with code 1: no such instrument: TLKZ" });
});

test("a process that stands beside the line and before it starts first, stops last, and stays up while the line is restarted", async () => {
  const { outcome, order, health } = await run({ r: "ok", a: "ok", b: "ok" }, (event, sofar) => {
    if (event.kind === "armed" && armedCount(sofar) === 1) process.kill(pidOf(sofar, "a"), "SIGKILL");
    if (event.kind === "armed" && armedCount(sofar) === 2) process.kill(pidOf(sofar, "r"), "SIGKILL");
    return event.kind === "restarted" && event.beside;
  }, { beside: "r" });
  assert.deepEqual(outcome, { kind: "stopped" });
  assert.deepEqual(order, ["start r", "start a", "start b", "stop b", "start a", "start b", "start r", "stop b", "stop a", "stop r"]);
  assert.deepEqual([...health.restarts], [["a", 1], ["b", 1], ["r", 1]]);
  assert.deepEqual(health.armed, ["armed", "a was killed by SIGKILL", "armed", "the line is stopping"], "its death disarms nothing");
});

test("a line waits for what stands beside and before it, and is not started without", async () => {
  const { outcome, order } = await run({ r: "fails", a: "ok" }, () => false, { beside: "r" });
  assert.deepEqual(outcome, { kind: "failed-to-start", cause: "r exited with code 1: no such instrument: TLKZ" });
  assert.ok(!order.includes("start a"), order.join(", "));
});

test("a process that stops beating is fenced with SIGKILL and restarted", async () => {
  const { health } = await run({ a: "ok", b: "ok" }, (event, sofar) => {
    if (event.kind === "armed" && armedCount(sofar) === 1) process.kill(pidOf(sofar, "a"), "SIGSTOP");
    return armedCount(sofar) === 2;
  });
  assert.match(health.armed[1] ?? "", /^a had no heartbeat from a for 2000 ms$/);
  assert.deepEqual([...health.restarts], [["a", 1], ["b", 1]]);
});

test("a pause of the supervisor itself is no silence of the services; silence after it is", async () => {
  const health = new FileHealth();
  let clockMs = 0;
  let armed = 0;
  let pausedAt = 0;
  const died: string[] = [];
  const child = new URL("child.mjs", import.meta.url).pathname;
  const supervisor = new Supervisor([{ name: "a", services: ["a"], command: process.execPath, args: [child, folder, "a", "ok"] }], { startMs: 30_000, heartbeatMs: 1000, stopMs: 2000 }, {
    health,
    window: new RestartWindow(3, 60_000),
    besideWindow: new RestartWindow(1, 60_000),
    nowMs: () => performance.now() + clockMs,
    env: process.env,
    onEvent: (event) => {
      if (event.kind === "died") {
        died.push(`${event.cause}, ${performance.now() - pausedAt > 999 ? "awake for the timeout" : "at once"}`);
        health.pauseMs = 0;
      }
      if (event.kind !== "armed") return;
      armed += 1;
      // The whole machine stands still for an hour: clocks jump, and nobody has beaten since.
      if (armed === 1) [clockMs, health.pauseMs, pausedAt] = [3_600_000, 3_600_000, performance.now()];
    },
    onLine: () => {},
    onUp: () => {},
    stopWanted: () => armed === 2,
  });
  assert.deepEqual(await supervisor.run(), { kind: "stopped" });
  assert.deepEqual(died, ["had no heartbeat from a for 1000 ms, awake for the timeout"]);
});

test("intensity: as many restarts as allowed pass, one more gives up with the cause", async () => {
  const { outcome, events, health } = await run({ a: "ok", b: "crashes" }, () => false, { restarts: 2 });
  assert.equal(outcome.kind, "gave-up");
  assert.match((outcome as { cause: string }).cause, /b exited with code 7, and that is one restart too many/);
  assert.equal(events.filter((event) => event.kind === "restarted").length, 2);
  assert.equal(health.restarts.get("b"), 2);
  assert.equal(health.armed.at(-1), "the line is stopping");
});

test("a restart that fails counts too, and is tried again within the intensity", async () => {
  const { outcome, events } = await run({ a: "fails-again" }, (event, sofar) => {
    if (event.kind === "armed") process.kill(pidOf(sofar, "a"), "SIGKILL");
    return false;
  }, { restarts: 2 });
  assert.equal(outcome.kind, "gave-up");
  assert.equal(events.filter((event) => event.kind === "died").length, 3);
  assert.equal(events.filter((event) => event.kind === "restarted").length, 0);
});

test("a process that fails to start ends the run with its last words, and what was started is stopped", async () => {
  const { outcome, order } = await run({ a: "ok", b: "fails", c: "ok" }, () => false);
  assert.equal(outcome.kind, "failed-to-start");
  assert.match((outcome as { cause: string }).cause, /b exited with code 1: no such instrument: TLKZ/);
  assert.deepEqual(order, ["start a", "start b", "stop a"]);
});

test("a process that is never ready is named with the limit, its phase and its last words", async () => {
  const { outcome } = await run({ a: "never-ready" }, () => false, { startMs: 3000 });
  assert.match((outcome as { cause: string }).cause, /a was not ready within 3000 ms \(a: absent\): waiting for a venue/);
});

test("a program that does not exist is a failed start", async () => {
  const supervisor = new Supervisor([{ name: "a", services: ["a"], command: `${folder}/nothing-here`, args: [] }], { startMs: 1000, heartbeatMs: 2000, stopMs: 2000 }, {
    health: new FileHealth(), window: new RestartWindow(1, 1000), besideWindow: new RestartWindow(1, 1000), nowMs: () => performance.now(), env: process.env,
    onEvent: () => {}, onLine: () => {}, onUp: () => {}, stopWanted: () => false,
  });
  const outcome = await supervisor.run();
  assert.equal(outcome.kind, "failed-to-start");
  assert.match((outcome as { cause: string }).cause, /ENOENT/);
});

test("a process deaf to SIGTERM is killed after the limit and named", async () => {
  const { events } = await run({ a: "deaf" }, (event) => event.kind === "armed");
  assert.deepEqual(events.at(-1), { kind: "stopped", process: "a", how: "was killed, since it did not stop within 2000 ms" });
});

test("the last process coming to its own end finishes the line", async () => {
  const { outcome, order } = await run({ a: "ok", b: "finishes" }, () => false);
  assert.deepEqual(outcome, { kind: "finished" });
  assert.deepEqual(order, ["start a", "start b", "stop a"]);
});

test("a stop during the start ends it without starting the rest", async () => {
  const { outcome, order } = await run({ a: "ok", b: "ok", c: "ok" }, (event) => event.kind === "started" && event.process === "b");
  assert.deepEqual(outcome, { kind: "stopped" });
  assert.equal(order.includes("start c"), false);
});
