/** Doorbells: a parked service sleeps on a FIFO, together with a socket; who commits rings when the sleeper has armed its flag. */
import { TicklineError } from "../errors.ts";
import { native } from "../native.ts";
import type { ServiceBlock } from "./control.ts";

/** What ended a sleep: bits. */
export const Woken = { Timeout: 0, Bell: 1, Descriptor: 2 } as const;

function refused(path: string, cause: unknown): TicklineError {
  return new TicklineError("TL_SEGMENT", `bell ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

function open(path: string, make: boolean): InstanceType<typeof native.NativeBell> {
  try {
    return make ? native.NativeBell.create(path) : native.NativeBell.open(path);
  } catch (cause) {
    throw refused(path, cause);
  }
}

/** The sleeper's end. */
export class Bed {
  readonly #bell: InstanceType<typeof native.NativeBell>;
  readonly #block: ServiceBlock;

  /** Makes the FIFO `<run dir>/<service>.bell` if it is not there. `block` is the service's own. */
  constructor(path: string, block: ServiceBlock) {
    this.#bell = open(path, true);
    this.#block = block;
  }

  /**
   * Sleeps until rung, until descriptor `fd` (-1: none) can be read, or for `timeoutNs`; not at all when `ready()` finds work after
   * the flag is armed. Returns bits of `Woken`.
   */
  sleep(ready: () => boolean, fd: number, timeoutNs: number): number {
    this.#block.armBell();
    const woken = ready() ? Woken.Bell : this.#bell.wait(fd, timeoutNs);
    this.#block.disarmBell();
    return woken;
  }
}

/** The end of those who commit for a service that may sleep. */
export class Ringer {
  readonly #bell: InstanceType<typeof native.NativeBell>;
  readonly #block: ServiceBlock;

  /** `block` is the sleeper's. */
  constructor(path: string, block: ServiceBlock) {
    this.#bell = open(path, true);
    this.#block = block;
  }

  /** Rings if the sleeper asked for it. Costs a full barrier and a load while it is awake. */
  notify(): void {
    if (this.#block.wanted()) this.#bell.ring();
  }
}
