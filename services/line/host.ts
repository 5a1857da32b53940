/**
 * Runs the agents of one process in one thread: a duty cycle that polls them in the order of the data flow, beats their
 * hearts from that same loop, and rests when nothing was found. Control traffic (signals, timers, GC notices) is handled
 * between slices of cycles, never inside one.
 */
import type { Agent, IdleKind } from "../kit/agent.ts";
import type { ServiceBlock } from "../kit/ring/control.ts";

/** An agent and the block that it beats. */
export interface Hosted {
  readonly name: string;
  readonly agent: Agent;
  readonly block: ServiceBlock;
}

/** What the host needs from outside: time, rest, and whether its parent still lives. */
export interface HostEnvironment {
  /** Monotonic ns, as two halves, written to `stamp[0]` (low) and `stamp[1]` (high). */
  readonly stamp: Uint32Array;
  readonly takeStamp: () => void;
  /** Gives the core away once. */
  readonly yieldCore: () => void;
  /** Sleeps until a bell rings or a descriptor is ready, at most `timeout_us`. */
  readonly park: (timeout_us: number) => void;
  /** Returns to the event loop and calls back. */
  readonly defer: (next: () => void) => void;
  /**
   * One step of practice, of 0.3-10 us, so that the host is quick when there is work; true when a round of them is complete. Taken while there
   * is nothing to do. Only for hosts that spin.
   */
  readonly practise?: (() => boolean) | undefined;
}

/** Cycles between two heartbeats while busy: at 0.3-3 us a cycle, well inside a 200 us watch. */
const BEAT_CYCLES = 16;
/**
 * A slice of cycles lasts about this long before signals and timers get their turn. That takes 50 us and more, so it waits for a lull: after this
 * long without work the next message is seldom near.
 */
const SLICE_NS = 100_000_000;
const LULL_NS = 2_000_000;
/** Without a lull a slice ends after this time. */
const SLICE_NS_MAX = 1_000_000_000;
/**
 * A host begins a round of practice when it has had nothing to do for this long, and the next one as long after it; between two steps it looks
 * for work, so that an order waits for one step at most.
 */
const PRACTICE_NS = 100_000;
/** An idle host rests at most this long, so that a missed bell costs a bounded time. */
const PARK_US_MAX = 500;

export class Host {
  readonly #hosted: readonly Hosted[];
  readonly #idle: IdleKind;
  readonly #env: HostEnvironment;
  /** The stamp's words as signed numbers: an unsigned one from 2^31 on would be boxed, a little garbage every cycle. */
  readonly #stamp: Int32Array;
  readonly #onEnd: () => void;
  /** True until an idle cycle has said since when there is nothing to do. */
  #worked = true;
  /** Low half of the time since when there is nothing to do. */
  #idleSince = 0;
  /** Low half of the time of the last step of practice in this idleness, or of its begin. */
  #practised = 0;
  /** True while a round of practice has begun and no work has come between. */
  #inRound = false;
  #stopping = false;
  #failed: Error | undefined;

  /**
   * @param hosted agents in the order of the data flow
   * @param onEnd called once, after the last cycle
   */
  constructor(hosted: readonly Hosted[], idle: IdleKind, env: HostEnvironment, onEnd: () => void) {
    this.#hosted = hosted;
    this.#idle = idle;
    this.#env = env;
    this.#stamp = new Int32Array(env.stamp.buffer, env.stamp.byteOffset, 2);
    this.#onEnd = onEnd;
  }

  /** What an agent threw, if that is why the host ended. */
  get failed(): Error | undefined {
    return this.#failed;
  }

  /** Starts cycling; returns at once. */
  start(): void {
    this.#env.defer(this.#slice);
  }

  /** Ends after the cycle in progress. */
  stop(): void {
    this.#stopping = true;
  }

  readonly #slice = (): void => {
    if (this.#stopping) return this.#onEnd();
    try {
      this.#cycles();
    } catch (error) {
      // An agent that throws has broken its own contract: nothing it holds can be trusted, so the process ends and the
      // supervisor restarts it.
      this.#failed = error as Error;
      return this.#onEnd();
    }
    this.#env.defer(this.#slice);
  };

  #cycles(): void {
    const { takeStamp } = this.#env;
    const stamp = this.#stamp;
    takeStamp();
    const startLo = stamp[0] as number;
    let untilBeat = 0;
    for (;;) {
      let work = 0;
      for (let i = 0; i < this.#hosted.length; i++) work += (this.#hosted[i] as Hosted).agent.doWork();
      if (work === 0) this.#rest();
      else this.#worked = true;
      if (--untilBeat <= 0 || work === 0) {
        untilBeat = BEAT_CYCLES;
        takeStamp();
        this.#beat();
        const idle = work === 0 ? this.#idled() : 0;
        if (idle > 0) this.#practise();
        // The low half alone: a slice is shorter than the 2.1 s that a signed difference of it holds; a negative one was longer.
        const lasted = ((stamp[0] as number) - startLo) | 0;
        if (!(lasted >= 0 && lasted < (idle >= LULL_NS ? SLICE_NS : SLICE_NS_MAX))) return;
      }
    }
  }

  #beat(): void {
    const lo = this.#stamp[0] as number;
    const hi = this.#stamp[1] as number;
    for (let i = 0; i < this.#hosted.length; i++) (this.#hosted[i] as Hosted).block.heartbeat(lo, hi);
  }

  /** How long there has been nothing to do, ns, after a cycle that found nothing; 0 in the first one. */
  #idled(): number {
    const now = this.#stamp[0] as number;
    if (this.#worked) {
      this.#worked = false;
      this.#idleSince = now;
      this.#practised = now;
      this.#inRound = false;
    }
    const idle = (now - this.#idleSince) | 0;
    // Half the low word's range has gone by: long enough.
    if (idle >= 0) return idle;
    this.#idleSince = (now - LULL_NS) | 0;
    return LULL_NS;
  }

  #practise(): void {
    const { practise } = this.#env;
    if (practise === undefined) return;
    const now = this.#stamp[0] as number;
    const since = (now - this.#practised) | 0;
    if (!this.#inRound && since >= 0 && since < PRACTICE_NS) return;
    this.#inRound = !practise();
    this.#practised = now;
  }

  #rest(): void {
    if (this.#idle === "park") this.#env.park(PARK_US_MAX);
    else if (this.#idle === "yield") this.#env.yieldCore();
  }
}
