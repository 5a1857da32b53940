/** Keeps the processes of a line alive: ordered start, rest-for-one restarts within an intensity, ordered stop. See README.md. */
import type { Health } from "./health.ts";
import { describeExit, LineProcess, type Exit, type ProcessSpec } from "./process.ts";
import type { RestartWindow } from "./restart-window.ts";

/** What the supervisor tells its caller as it happens. */
export type LineEvent =
  | { readonly kind: "started"; readonly process: string; readonly pid: number }
  | { readonly kind: "armed" }
  /** All run, but a person or a limit halted the line, so it stays disarmed. */
  | { readonly kind: "left-halted" }
  | { readonly kind: "died"; readonly process: string; readonly cause: string; readonly beside: boolean }
  | { readonly kind: "restarted"; readonly process: string; readonly cause: string; readonly tookMs: number; readonly beside: boolean }
  | { readonly kind: "stopped"; readonly process: string; readonly how: string }
  /** A process beside the line died too often; the line goes on without it. */
  | { readonly kind: "left-down"; readonly process: string; readonly cause: string }
  | { readonly kind: "gave-up"; readonly cause: string };

/** Time limits, in milliseconds, all from the line's configuration. */
export interface Limits {
  /** From the start of a process until all its services are ready. */
  readonly startMs: number;
  /** Oldest heartbeat of a running service. */
  readonly heartbeatMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopMs: number;
}

/** The doors of a supervisor. */
export interface SupervisorDoors {
  readonly health: Health;
  readonly window: RestartWindow;
  /** Restarts of processes beside the line, which do not count for the line. */
  readonly besideWindow: RestartWindow;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  readonly env: NodeJS.ProcessEnv;
  readonly onEvent: (event: LineEvent) => void;
  /** Each line that a process prints. */
  readonly onLine: (process: string, line: string) => void;
  /** Called when a process is up, before the next one starts; pins it where the placement says. */
  readonly onUp: (process: LineProcess) => void;
  /** True once the run shall end; looked at wherever the supervisor waits. */
  readonly stopWanted: () => boolean;
}

/** Why a run of the line ended. */
export type Outcome =
  | { readonly kind: "stopped" }
  | { readonly kind: "finished" }
  | { readonly kind: "failed-to-start"; readonly cause: string }
  | { readonly kind: "gave-up"; readonly cause: string };

const POLL_MS = 5;

/** Supervises one line, once. */
export class Supervisor {
  readonly #specs: readonly ProcessSpec[];
  readonly #limits: Limits;
  readonly #doors: SupervisorDoors;
  /** One slot per spec; undefined while that process is down. */
  readonly #processes: (LineProcess | undefined)[];
  /** When it last looked, and since when it has looked without a long pause of its own; monotonic ms. */
  #lookedMs = 0;
  #awakeSinceMs = 0;

  /** `specs` in start order. Those beside the line stand before it or after it. Nothing starts before `run`. */
  constructor(specs: readonly ProcessSpec[], limits: Limits, doors: SupervisorDoors) {
    this.#specs = specs;
    this.#limits = limits;
    this.#doors = doors;
    this.#processes = specs.map(() => undefined);
  }

  /** Starts the line, keeps it running until `stopWanted` (or until it finishes or cannot be kept up), and stops it. Never rejects for a fault of a child. */
  async run(): Promise<Outcome> {
    try {
      return await this.#keepRunning();
    } finally {
      this.#doors.health.disarm("the line is stopping", true);
      await this.#stopFrom(0);
    }
  }

  async #keepRunning(): Promise<Outcome> {
    const lead = this.#specs.findIndex((spec) => spec.beside !== true);
    const startFault = (await this.#startBeside(0, lead)) ?? (await this.#startFrom(0)) ?? (await this.#startBeside(lead));
    if (this.#doors.stopWanted()) return { kind: "stopped" };
    if (startFault !== undefined) return { kind: "failed-to-start", cause: `${this.#name(startFault)} ${startFault.cause}` };
    this.#arm();
    for (;;) {
      if (this.#doors.stopWanted()) return { kind: "stopped" };
      if (this.#finished()) return { kind: "finished" };
      const fault = this.#findFault();
      if (fault === undefined) {
        await this.#pause();
        continue;
      }
      if (this.#isBeside(fault)) {
        await this.#recoverBeside(fault);
        continue;
      }
      const gaveUp = await this.#recover(fault);
      if (gaveUp !== undefined) return gaveUp;
    }
  }

  /** Restarts from the faulty process on, again when the restart itself fails, until the line is up or the intensity is spent. */
  async #recover(first: Fault): Promise<Outcome | undefined> {
    const { health, window, nowMs, onEvent, stopWanted } = this.#doors;
    let fault: Fault | undefined = first;
    const beganMs = nowMs();
    while (fault !== undefined) {
      const name = this.#name(fault);
      health.disarm(`${name} ${fault.cause}`, false);
      onEvent({ kind: "died", process: name, cause: fault.cause, beside: false });
      await this.#stopFrom(fault.index, fault.index);
      if (stopWanted()) return { kind: "stopped" };
      if (!window.allow(nowMs())) {
        const cause = `${name} ${fault.cause}, and that is one restart too many`;
        onEvent({ kind: "gave-up", cause });
        return { kind: "gave-up", cause };
      }
      for (const { services } of this.#specs.slice(fault.index)) services.forEach((service) => { health.countRestart(service); });
      const again: Fault | undefined = await this.#startFrom(fault.index);
      if (again === undefined) onEvent({ kind: "restarted", process: name, cause: fault.cause, tookMs: nowMs() - beganMs, beside: false });
      fault = again;
    }
    if (!stopWanted()) this.#arm();
    const beside = await this.#startBeside(0);
    if (beside !== undefined && this.#isBeside(beside)) await this.#recoverBeside(beside);
    return undefined;
  }

  /** Restarts a process beside the line, alone: nothing is disarmed, and when it dies too often the line goes on without it. */
  async #recoverBeside(first: Fault): Promise<void> {
    const { health, besideWindow, nowMs, onEvent, stopWanted } = this.#doors;
    let fault: Fault | undefined = first;
    const beganMs = nowMs();
    // A fault of the line itself, met meanwhile, is found again by whoever called.
    while (fault !== undefined && this.#isBeside(fault)) {
      const { index, cause } = fault;
      const spec = this.#specs[index] as ProcessSpec;
      onEvent({ kind: "died", process: spec.name, cause, beside: true });
      const child = this.#processes[index];
      if (child !== undefined) await this.#stopOne(child);
      this.#processes[index] = undefined;
      if (stopWanted()) return;
      if (!besideWindow.allow(nowMs())) {
        onEvent({ kind: "left-down", process: spec.name, cause });
        return;
      }
      spec.services.forEach((service) => { health.countRestart(service); });
      fault = await this.#startOne(index);
      if (fault === undefined) onEvent({ kind: "restarted", process: spec.name, cause, tookMs: nowMs() - beganMs, beside: true });
    }
  }

  #isBeside(fault: Fault): boolean {
    return this.#specs[fault.index]?.beside === true;
  }

  /** Starts the processes beside the line that are down, of those from `from` to before `to`, one after the other; returns the first fault. */
  async #startBeside(from: number, to = this.#specs.length): Promise<Fault | undefined> {
    for (const [index, spec] of this.#specs.entries()) {
      if (spec.beside !== true || index < from || index >= to || this.#processes[index] !== undefined || this.#doors.stopWanted()) continue;
      const fault = await this.#startOne(index);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  async #startOne(index: number): Promise<Fault | undefined> {
    const { stopWanted } = this.#doors;
    const fault = await this.#spawn(index);
    return fault !== undefined || stopWanted() ? fault : this.#waitFor(index, "running");
  }

  #name(fault: Fault): string {
    return (this.#specs[fault.index] as ProcessSpec).name;
  }

  #arm(): void {
    this.#doors.onEvent({ kind: this.#doors.health.arm() ? "armed" : "left-halted" });
  }

  /** Starts the processes from `index` on, each once the one before is ready, and waits until all run. Returns the first fault; a wanted stop also ends it early. */
  async #startFrom(index: number): Promise<Fault | undefined> {
    this.#doors.health.newEpoch();
    const line = this.#specs.flatMap((spec, i) => (i < index || spec.beside === true ? [] : [i]));
    for (const i of line) {
      const fault = await this.#spawn(i);
      if (fault !== undefined || this.#doors.stopWanted()) return fault;
    }
    for (const i of line) {
      const fault = await this.#waitFor(i, "running");
      if (fault !== undefined || this.#doors.stopWanted()) return fault;
    }
    return undefined;
  }

  /** Starts a process and waits until it is ready. */
  async #spawn(i: number): Promise<Fault | undefined> {
    const { health, env, onEvent, onLine, onUp } = this.#doors;
    const spec = this.#specs[i] as ProcessSpec;
    for (const service of spec.services) health.prepare(service);
    const started = new LineProcess(spec, env, (line) => { onLine(spec.name, line); });
    this.#processes[i] = started;
    const fault = await this.#waitFor(i, "ready");
    if (fault !== undefined || this.#doors.stopWanted()) return fault;
    onUp(started);
    onEvent({ kind: "started", process: spec.name, pid: started.pid as number });
    return undefined;
  }

  /** Waits until every service of process `i` is ready (or further), resp. running; returns the first fault of any process meanwhile. */
  async #waitFor(i: number, wanted: "ready" | "running"): Promise<Fault | undefined> {
    const spec = this.#specs[i] as ProcessSpec;
    const { nowMs, stopWanted } = this.#doors;
    const deadlineMs = nowMs() + this.#limits.startMs;
    while (!this.#hasReached(spec, wanted)) {
      if (stopWanted()) return undefined;
      const fault = this.#findFault(spec.beside === true);
      if (fault !== undefined) return this.#explained(fault);
      if (this.#endedWell(this.#processes[i] as LineProcess)) return undefined;
      if (nowMs() > deadlineMs) return this.#explained({ index: i, cause: `was not ${wanted} within ${this.#limits.startMs} ms (${this.#phases(spec)})` });
      await this.#pause();
    }
    return undefined;
  }

  /** Every wait of the supervisor but that for an end. */
  #pause(): Promise<undefined> {
    this.#doors.health.beat();
    return sleep(POLL_MS);
  }

  /** Notices that this process itself was stopped for long: a suspended machine, a moved virtual one, a debugger. */
  #wake(): void {
    const nowMs = this.#doors.nowMs();
    if (nowMs - this.#lookedMs > this.#limits.heartbeatMs / 2) this.#awakeSinceMs = nowMs;
    this.#lookedMs = nowMs;
  }

  #hasReached(spec: ProcessSpec, wanted: "ready" | "running"): boolean {
    return spec.services.every((service) => {
      const phase = this.#doors.health.phase(service);
      return phase === "running" || phase === wanted;
    });
  }

  #phases(spec: ProcessSpec): string {
    return spec.services.map((service) => `${service}: ${this.#doors.health.phase(service)}`).join(", ");
  }

  /** The earliest faulty process in start order: ended although nobody asked, or without a heartbeat for too long. The line does not wait for what is `beside` it. */
  #findFault(beside = true): Fault | undefined {
    this.#wake();
    for (const [index, child] of this.#processes.entries()) {
      if (child === undefined || (!beside && child.spec.beside === true)) continue;
      if (child.exit !== undefined) {
        if (!this.#endedWell(child)) return { index, cause: describeExit(child.exit) };
        continue;
      }
      const stale = child.spec.services.find((service) => this.#isStale(service));
      if (stale !== undefined) return { index, cause: `had no heartbeat from ${stale} for ${this.#limits.heartbeatMs} ms` };
    }
    return undefined;
  }

  /** Without a heartbeat for the limit, all of which this process was awake: whatever stopped it may have stopped the service too. */
  #isStale(service: string): boolean {
    const { health, nowMs } = this.#doors;
    const { heartbeatMs } = this.#limits;
    return health.phase(service) === "running" && !(health.heartbeatAgeMs(service) <= heartbeatMs) && !(nowMs() - this.#awakeSinceMs <= heartbeatMs);
  }

  #endedWell(child: LineProcess): boolean {
    return child.exit?.code === 0 && child.spec.services.every((service) => this.#doors.health.phase(service) === "stopped");
  }

  /** True when the last process of the line in start order, where the data enters, came to its own end: a capture is over. */
  #finished(): boolean {
    const last = this.#processes.findLast((child) => child !== undefined && child.spec.beside !== true);
    return last !== undefined && this.#endedWell(last);
  }

  /** Adds to a fault at start what the service or its output said last. */
  async #explained(fault: Fault): Promise<Fault> {
    const child = this.#processes[fault.index] as LineProcess;
    if (child.exit !== undefined) await child.ended;
    const said = child.spec.services.map((service) => this.#doors.health.lastError(service)).filter((text) => text !== "");
    const words = said.length > 0 ? said : child.tail.slice(-5);
    return { index: fault.index, cause: words.length === 0 ? fault.cause : `${fault.cause}: ${words.join("\n  ")}` };
  }

  /** Stops the processes from the last down to `index`, each to its end before the next. The end of process `told` was an event of its own. */
  async #stopFrom(index: number, told = -1): Promise<void> {
    for (let i = this.#specs.length - 1; i >= index; i -= 1) {
      const child = this.#processes[i];
      if (child === undefined) continue;
      const how = await this.#stopOne(child);
      this.#processes[i] = undefined;
      if (i !== told) this.#doors.onEvent({ kind: "stopped", process: child.spec.name, how });
    }
  }

  async #stopOne(child: LineProcess): Promise<string> {
    if (child.exit !== undefined) return describeExit(child.exit);
    // A process without heartbeat may be stopped or stuck and would not hear SIGTERM: fence it at once.
    if (child.spec.services.some((service) => this.#isStale(service))) {
      child.signal("SIGKILL");
      await child.ended;
      return "was killed, since it had no heartbeat";
    }
    child.signal("SIGTERM");
    const exit = await endedWithin(child, this.#limits.stopMs);
    if (exit !== undefined) return describeExit(exit);
    child.signal("SIGKILL");
    await child.ended;
    return `was killed, since it did not stop within ${this.#limits.stopMs} ms`;
  }
}

interface Fault {
  readonly index: number;
  /** Completes the sentence that begins with the process's name. */
  readonly cause: string;
}

/** How the process ended, or undefined when it has not after `ms`. The timer goes with the end: it would keep this process alive. */
async function endedWithin(child: LineProcess, ms: number): Promise<Exit | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => { timer = setTimeout(resolve, ms, undefined); });
  try {
    return await Promise.race([child.ended, late]);
  } finally {
    clearTimeout(timer);
  }
}

function sleep(ms: number): Promise<undefined> {
  return new Promise((resolve) => { setTimeout(resolve, ms, undefined); });
}
