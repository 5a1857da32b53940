// @hot
/**
 * Rows of features in, weights out. A row costs one native call a member that learns; what it led to comes back as bits. Nothing waits for this
 * service: it may be lapped, and then drops what waited for its future.
 */
import type { Agent } from "../kit/agent.ts";
import type { Handler, Inlet } from "../kit/link.ts";
import type { ServiceBlock } from "../kit/ring/control.ts";
import { counter } from "../kit/ring/names.ts";

/** Rows taken in one duty cycle at most, so that the heart beats. */
const BURST = 256;

/** Bits of what a row has led to, and what became of an offer; the same numbers as in `crates/addon/src/learner.rs`. */
const LABELLED = 1;
const STEPPED = 2;
const OFFER = 4;
const UNREADABLE = 16;
const RETRAINED = 32;

const LABELS = counter("labels");
const STEPS = counter("learn_steps");
const LAPPED = counter("lapped");
const MALFORMED = counter("malformed");

/** The native half (`crates/addon/src/learner.rs`). */
export interface NativeLearner {
  bind(input: ArrayBuffer): void;
  /** The function that takes a row; bits come back. */
  taker(): (at: number) => number;
  gap(): void;
}

type Taker = ReturnType<NativeLearner["taker"]>;

/** Everything the agent works with, wired by `main.ts`. */
export interface LearnerParts {
  /** Those that learn: one, or every member of an ensemble. */
  readonly members: readonly NativeLearner[];
  readonly block: ServiceBlock;
  /** Gives the receiving end of Features, given the handler. */
  readonly inlet: (handler: Handler) => Inlet;
  /** Steps in one duty cycle, of all members together, after which no further row is taken. */
  readonly stepsMax: number;
  /** Offers a member's weights, and counts and logs what became of it; now and then, off the rows' way. */
  readonly offer: (member: number) => void;
  readonly summary: () => Record<string, unknown>;
  /** Keeps everything; the last call. */
  readonly close: () => void;
}

/** The learner at work. */
export class Learner implements Agent {
  readonly summary: () => Record<string, unknown>;
  readonly #parts: LearnerParts;
  readonly #inlet: Inlet;
  readonly #rows: readonly Taker[];
  #bound: ArrayBufferLike | undefined;
  #lost = 0;
  /** Steps taken in this duty cycle. */
  #steps = 0;

  constructor(parts: LearnerParts) {
    this.#parts = parts;
    this.summary = parts.summary;
    this.#inlet = parts.inlet(this.onFeatures);
    this.#rows = parts.members.map((member) => member.taker());
    this.#bind(this.#inlet.view);
  }

  /** Takes rows until none waits, the burst is full or the steps are spent. */
  doWork(): number {
    const { stepsMax } = this.#parts;
    let taken = 0;
    this.#steps = 0;
    while (taken < BURST && this.#steps < stepsMax) {
      if (this.#inlet.poll(this.onFeatures, 1) === 0) break;
      taken++;
    }
    return taken;
  }

  /** Takes one row. */
  readonly onFeatures: Handler = (view, at) => {
    const { members, block } = this.#parts;
    if (view.buffer !== this.#bound) this.#bind(view);
    const lost = this.#inlet.lost ?? 0;
    if (lost !== this.#lost) {
      block.add(LAPPED, lost - this.#lost);
      this.#lost = lost;
      for (let i = 0; i < members.length; i++) (members[i] as NativeLearner).gap();
    }
    for (let i = 0; i < this.#rows.length; i++) this.#take(i, (this.#rows[i] as Taker)(view.byteOffset + at));
  };

  /** Counts what a row has led to. Labels and what is malformed are the row's, and so the first member's alone. */
  #take(member: number, did: number): void {
    const { block } = this.#parts;
    if (member === 0) {
      if ((did & LABELLED) !== 0) block.add(LABELS, 1);
      if ((did & UNREADABLE) !== 0) block.add(MALFORMED, 1);
    }
    if ((did & STEPPED) !== 0) {
      block.add(STEPS, 1);
      this.#steps++;
    }
    if ((did & RETRAINED) !== 0) this.#steps++;
    if ((did & OFFER) !== 0) this.#parts.offer(member);
  }

  /** Binds the memory of a link, once for its life. */
  #bind(view: DataView): void {
    for (const member of this.#parts.members) member.bind(view.buffer as ArrayBuffer);
    this.#bound = view.buffer;
  }

  close(): void {
    this.#parts.close();
  }
}
