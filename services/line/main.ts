/**
 * The process host: `node services/line/main.ts --config FILE --run-dir DIR --services feed,risk --parent PID [--core N] [--replay] [--rehearse FOLDER]`.
 * Started by the supervisor, one per process of the placement.
 */
import { writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { PerformanceObserver } from "node:perf_hooks";
import { nowNs, stamp, stampWords } from "../kit/clock.ts";
import { loadLine, placeOf, type LineConfig } from "../kit/config.ts";
import { Exit, TicklineError } from "../kit/errors.ts";
import { createLog } from "../kit/log.ts";
import { native } from "../kit/native.ts";
import type { Inlet } from "../kit/link.ts";
import { Bed } from "../kit/ring/bell.ts";
import { State } from "../kit/ring/control.ts";
import { counter } from "../kit/ring/names.ts";
import { proveShared, Segment } from "../kit/ring/segment.ts";
import { bellOf, SEGMENT } from "../kit/segments.ts";
import type { Logger } from "pino";
import type { Cast } from "./cast.ts";
import { createAgent } from "./create.ts";
import { Host, type Hosted, type HostEnvironment } from "./host.ts";
import { hostOptions, type HostOptions } from "./options.ts";
import { rehearse, type Rehearsal } from "./rehearsal.ts";
import { RungAgent } from "./rung-agent.ts";
import { assembleUnderstudy } from "./understudy.ts";
import { FLOW, Wiring, type Hostable } from "./wiring.ts";

/** How often the host looks whether its supervisor lives and whether a replay has ended. */
const LOOK_MS = 5;
const GC = counter("gc");
const ALL = ["exchange", "execution", "risk", "inference", "feed"] as const;

async function agents(wiring: Wiring, services: readonly Hostable[]): Promise<Hosted[]> {
  const hosted: Hosted[] = [];
  for (const name of [...services].reverse()) {
    const agent = await createAgent(name, wiring.context(name));
    const ringer = name === "feed" ? wiring.ringer("inference") : undefined;
    hosted.unshift({ name, agent: ringer === undefined ? agent : new RungAgent(agent, ringer), block: wiring.block(name) });
  }
  return hosted;
}

function environment(options: HostOptions, config: LineConfig, wiring: Wiring, hosted: readonly Hosted[], understudy: Cast | undefined): HostEnvironment {
  // A parked process sleeps on one bell: that of the first of its services which other processes feed.
  const sleeper = options.services.find((name) => wiring.inlets.has(name)) ?? (options.services[0] as Hostable);
  const idle = placeOf(config.placement, sleeper).idle;
  const bed = idle === "park" ? new Bed(bellOf(options.runDir, sleeper), wiring.block(sleeper)) : undefined;
  const inlets = [...wiring.inlets.values()].flat();
  // Index loops: a closure made at every rest would be garbage.
  const ready = (): boolean => {
    for (let i = 0; i < inlets.length; i++) if ((inlets[i] as Inlet).ready()) return true;
    return false;
  };
  // Asked at every rest: a session that connects again has another descriptor.
  const descriptor = (): number => {
    for (let i = 0; i < hosted.length; i++) {
      const found = (hosted[i] as Hosted).agent.descriptor?.() ?? -1;
      if (found >= 0) return found;
    }
    return -1;
  };
  return {
    stamp: stampWords,
    takeStamp: stamp,
    yieldCore: native.yieldCore,
    park: (timeout_us) => {
      bed?.sleep(ready, descriptor(), timeout_us * 1000);
    },
    defer: (next) => void setImmediate(next),
    practise: understudy === undefined ? undefined : () => understudy.step(),
  };
}

/** Ends the host when its supervisor is gone, or when a replay has been handled to its end by every service of the line. */
function look(host: Host, wiring: Wiring, { replay, parent }: HostOptions): void {
  const horizons = ALL.map((name) => wiring.control.service(name).horizon);
  const timer = setInterval(() => {
    const over = replay && horizons.every((horizon) => horizon.atLeast(0xffffffff, 0xffffffff));
    if (over || process.ppid !== parent) {
      clearInterval(timer);
      host.stop();
    }
  }, LOOK_MS);
}

function finish(host: Host, hosted: readonly Hosted[], runDir: string): void {
  const failed = host.failed;
  for (const { name, agent, block } of hosted) {
    block.setState(State.Stopping);
    if (failed === undefined) writeFileSync(`${runDir}/${name}.json`, JSON.stringify(agent.summary?.() ?? {}));
    agent.close();
    if (failed !== undefined) block.setError(failed.message);
    block.setState(failed === undefined ? State.Stopped : State.Failed);
  }
  if (failed !== undefined) process.stderr.write(`${failed.stack ?? failed.message}\n`);
  process.exit(failed === undefined ? Exit.Done : Exit.Internal);
}

/**
 * A pinned host comes before whatever else the kernel puts on its core: its workers otherwise take turns of up to 4 ms there, several a second. At
 * the highest priority they wait, at most some 240 ms, and then take what they need.
 */
function takePrecedence(log: Logger): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
  } catch {
    log.warn("the host cannot come first on its core: others may take turns of some ms there; allow it (CAP_SYS_NICE, or ulimit -e 40)");
  }
}

async function run(options: HostOptions): Promise<void> {
  const { config } = loadLine(options.config);
  const { runDir, services, replay } = options;
  const log = createLog("line");
  const wiring = new Wiring({ config, runDir, local: services, replay, counterparty: "venue", log });
  proveShared(Segment.open(`${runDir}/${SEGMENT.control}`));
  for (const name of services) wiring.block(name).begin(name, process.pid);
  try {
    // The main thread alone: V8's helpers, which have started, keep off its core.
    if (options.core !== undefined) native.processPin(process.pid, options.core);
    const rehearsal: Rehearsal | undefined = options.rehearse === undefined ? undefined : { config, runDir, services, flows: options.rehearse, log };
    if (rehearsal !== undefined) await rehearse(rehearsal);
    const hosted = await agents(wiring, services);
    const idle = placeOf(config.placement, services[0] as Hostable).idle;
    // Who sleeps when idle cannot practise then; and who hosts a part of the line has no order's way to keep warm.
    const practises = rehearsal !== undefined && idle === "spin" && FLOW.every((name) => services.includes(name));
    const understudy = practises ? await assembleUnderstudy(rehearsal) : undefined;
    const host = new Host(hosted, idle, environment(options, config, wiring, hosted, understudy), () => {
      understudy?.close();
      finish(host, hosted, runDir);
    });
    // What starting and rehearsing has left behind goes now, so that a trading hour begins with an empty young generation.
    globalThis.gc?.();
    if (options.core !== undefined) takePrecedence(log);
    if (!native.processLockMemory()) log.warn("memory is not locked: the first touch of a page may cost microseconds; raise the limit (ulimit -l)");
    new PerformanceObserver((list) => {
      for (const { block } of hosted) block.add(GC, list.getEntries().length);
    }).observe({ entryTypes: ["gc"] });
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => { host.stop(); });
    for (const { block } of hosted) block.setState(State.Ready);
    nowNs();
    for (const { block } of hosted) {
      block.heartbeat(stampWords[0] as number, stampWords[1] as number);
      block.setState(State.Running);
    }
    look(host, wiring, options);
    host.start();
  } catch (error) {
    for (const name of services) {
      wiring.block(name).setError(error instanceof Error ? error.message : String(error));
      wiring.block(name).setState(State.Failed);
    }
    throw error;
  }
}

try {
  await run(hostOptions(process.argv.slice(2)));
} catch (error) {
  const known = error instanceof TicklineError;
  process.stderr.write(`${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(known ? error.exit : Exit.Internal);
}
