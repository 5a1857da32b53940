// @hot
/** Frames to features: one native call moves a burst from the source to the features ring. */
import type { Agent } from "../kit/agent.ts";
import type { Cell } from "../kit/ring/cell.ts";

/** The native half (`crates/addon/src/feed.rs`): arbitration, books, features, ring. */
export interface NativeFeed {
  /** `admitLow` and `admitHigh` are the halves as signed words. */
  readonly poll: (budget: number, admitLow: number, admitHigh: number) => number;
  readonly descriptor: number;
  summary(): string;
}

/**
 * Frames a duty cycle moves at most. In replay one: every service of the line sees a frame's row before the next frame is
 * released, so that one thread and four processes do the same. Live, a burst is drained and consumers catch up from the ring.
 */
export const BUDGET_REPLAY = 1;
export const BUDGET_LIVE = 64;

/** All bits set: no limit. */
const NEVER = -1;

/** The feed's agent: a duty cycle is one native poll, and its result the frames moved. What native code refuses ends the agent. */
export class FeedAgent implements Agent {
  readonly summary: () => Record<string, unknown>;
  readonly #native: NativeFeed;
  readonly #poll: NativeFeed["poll"];
  readonly #admit: Cell | undefined;
  readonly #budget: number;
  readonly #armed: () => boolean;
  #begun = false;

  /**
   * @param admit in replay, the line time up to which frames may be released; live there is none
   * @param armed whether the line may trade: a replay begins only then, so that its first order is not a matter of timing
   */
  constructor(native: NativeFeed, admit: Cell | undefined, armed: () => boolean, summary: () => Record<string, unknown>) {
    this.summary = summary;
    this.#native = native;
    this.#poll = native.poll;
    this.#admit = admit;
    this.#armed = armed;
    this.#budget = admit === undefined ? BUDGET_LIVE : BUDGET_REPLAY;
  }

  doWork(): number {
    const admit = this.#admit;
    if (admit === undefined) return this.#poll(this.#budget, NEVER, NEVER);
    if (!this.#begun) {
      if (!this.#armed()) return 0;
      this.#begun = true;
    }
    admit.load();
    return this.#poll(this.#budget, admit.low, admit.high);
  }

  descriptor(): number {
    return this.#native.descriptor;
  }

  close(): void {}
}
