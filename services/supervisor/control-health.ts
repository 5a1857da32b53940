/** `Health` over the control segment, and the rule of who may re-arm. */
import { existsSync } from "node:fs";
import { Cause, PERSON_ONLY } from "../kit/cause.ts";
import { nowNs, stamp, stampWords } from "../kit/clock.ts";
import { State, STATE_NAMES, type Control, type ServiceBlock } from "../kit/ring/control.ts";
import type { ServiceName } from "../kit/ring/names.ts";
import type { Health, Phase } from "./health.ts";

/** File in the run's folder while a person's halt holds. It outlives restarts, which the armed word's cause does not. */
export const HALT_FILE = "halted";

/** True while a person's halt holds for the line in `runDir`. */
export function isHalted(runDir: string): boolean {
  return existsSync(`${runDir}/${HALT_FILE}`);
}

/** The supervisor's view of a control segment that it has mapped for writing; `runDir` is where a person's halt is kept. */
export class ControlHealth implements Health {
  readonly #control: Control;
  readonly #runDir: string;
  /** The supervisor's own: its heartbeat, and the last fault of any process as its last error. A service's own error goes with its process. */
  readonly #own: ServiceBlock;
  readonly #blocks = new Map<string, ServiceBlock>();

  constructor(control: Control, runDir: string) {
    this.#control = control;
    this.#runDir = runDir;
    this.#own = control.service("supervisor");
    this.#own.begin("supervisor", process.pid);
    this.#own.setState(State.Running);
  }

  prepare(service: string): void {
    const block = this.#block(service);
    block.setState(State.Empty);
    block.heartbeat(0, 0);
    block.setError("");
  }

  phase(service: string): Phase {
    const name = STATE_NAMES[this.#block(service).state()];
    return name === "empty" ? "absent" : name;
  }

  heartbeatAgeMs(service: string): number {
    const beatNs = this.#block(service).heartbeatNs.number();
    return beatNs === 0 ? Number.POSITIVE_INFINITY : (nowNs() - beatNs) / 1e6;
  }

  lastError(service: string): string {
    return this.#block(service).error();
  }

  countRestart(service: string): void {
    this.#block(service).addRestart();
  }

  arm(): boolean {
    const { line } = this.#control;
    if (isHalted(this.#runDir) || (line.cause()?.code ?? 0) >= PERSON_ONLY) return false;
    line.arm();
    // A halt between the look and the arming: its file came first, so it is seen now.
    if (!isHalted(this.#runDir)) return true;
    line.disarm(Cause.Person, nowNs(), "halted by a person");
    return false;
  }

  disarm(cause: string, stopping: boolean): void {
    if (!stopping) this.#own.setError(cause);
    this.#control.line.disarm(stopping ? Cause.Stop : Cause.Restart, nowNs(), cause);
  }

  beat(): void {
    stamp();
    this.#own.heartbeat(stampWords[0] as number, stampWords[1] as number);
  }

  /** The line has ended. */
  end(): void {
    this.#own.setState(State.Stopped);
  }

  newEpoch(): void {
    this.#control.line.raiseEpoch();
  }

  #block(service: string): ServiceBlock {
    const known = this.#blocks.get(service);
    if (known !== undefined) return known;
    const block = this.#control.service(service as ServiceName);
    this.#blocks.set(service, block);
    return block;
  }
}
