/**
 * Windows of a line with learning and without, in turn: the learner's process is stopped and let go on (SIGSTOP, SIGCONT) while the line runs, and
 * what the line's histograms have counted meanwhile is taken apart.
 *
 * A block has two windows of each kind: learning, none, and none again as the control, in an order that the dice choose and then backwards, so that
 * what falls or rises through a block falls on all three alike. The control is what the same measurement says of two things that are equal.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { TicklineError } from "../../services/kit/errors.ts";
import type { Control } from "../../services/kit/ring/control.ts";
import { BINS, type Histogram } from "../../services/kit/ring/histogram.ts";
import { counter, hop } from "../../services/kit/ring/names.ts";
import { Dice, type Block } from "./ratio.ts";

/** How much to measure. */
export interface WindowOptions {
  readonly blocks: number;
  /** Length of a window. */
  readonly windowMs: number;
}

/** Kinds of window: their places in a block's counts. */
export const [LEARNING, NONE, CONTROL] = [0, 1, 2] as const;
const KINDS = [LEARNING, NONE, CONTROL] as const;

/** Whose histogram of which hop is taken apart: inference's tick, the whole line, and every other hop on its way, to show where a difference comes from. */
export const WATCHED = [
  ["inference", "inference"], ["execution", "line"], ["feed", "feed"], ["inference", "strategy"], ["risk", "risk"], ["execution", "gate"], ["execution", "send"],
] as const;
export type Watched = (typeof WATCHED)[number][1];

/** Latency counts by hop and block, and what the learner did in the windows with learning. */
export interface Windows {
  readonly hops: ReadonlyMap<Watched, readonly Block[]>;
  readonly steps: number;
  readonly published: number;
}

/** Nothing is counted for so long after the learner was stopped. */
const SETTLE_MS = 30;
/** A learner that goes on has at most so long to catch up with what it missed; that is not counted either. */
const CATCH_UP_MS = 2_000;
const LOOK_MS = 5;

const LABELS = counter("labels");
const STEPS = counter("learn_steps");
const PUBLISHED = counter("published");
const FEATURES = counter("features");

/**
 * Measures.
 * @throws TicklineError TL_INTERNAL when a stopped learner learns, or one that goes on does not: nothing was measured then
 */
export async function measure(control: Control, { blocks, windowMs }: WindowOptions): Promise<Windows> {
  const learner = control.service("learner");
  const dice = new Dice();
  const hops = new Map<Watched, Float64Array[][]>(WATCHED.map(([, name]) => [name, []]));
  const did = { steps: 0, published: 0 };
  try {
    for (let nth = 0; nth < blocks; nth++) {
      const order = dice.shuffled(KINDS);
      for (const [, blocks] of hops) blocks.push(KINDS.map(() => new Float64Array(BINS)));
      for (const kind of [...order, ...order.toReversed()]) {
        process.kill(learner.pid(), kind === LEARNING ? "SIGCONT" : "SIGSTOP");
        await sleep(SETTLE_MS);
        if (kind === LEARNING) await caughtUp(control);
        const [steps, published] = [learner.counter(STEPS), learner.counter(PUBLISHED)];
        const before = countsOf(control);
        await sleep(windowMs);
        const after = countsOf(control);
        [...hops.values()].forEach((blocks, at) => { addDifference(blocks[nth]?.[kind], before[at], after[at]); });
        const stepped = learner.counter(STEPS) - steps;
        if ((stepped > 0) !== (kind === LEARNING)) throw new TicklineError("TL_INTERNAL", `${stepped} steps in a window ${kind === LEARNING ? "with" : "without"} learning: this measures nothing`);
        did.steps += stepped;
        did.published += learner.counter(PUBLISHED) - published;
      }
    }
  } finally {
    process.kill(learner.pid(), "SIGCONT");
  }
  return { hops, ...did };
}

/** Waits until the learner takes rows as they come. Each row that it learns from is a label, of which fewer and fewer lack while it catches up. */
async function caughtUp(control: Control): Promise<void> {
  const behind = (): number => control.service("feed").counter(FEATURES) - control.service("learner").counter(LABELS);
  let least = behind();
  for (let waited = 0; waited < CATCH_UP_MS; waited += LOOK_MS) {
    await sleep(LOOK_MS);
    const now = behind();
    if (now >= least) return;
    least = now;
  }
}

function countsOf(control: Control): Float64Array[] {
  return WATCHED.map(([service, name]) => {
    const histogram = control.service(service).histograms[hop(name)] as Histogram;
    return Float64Array.from({ length: BINS }, (_, bin) => histogram.bin(bin));
  });
}

function addDifference(to: Float64Array | undefined, before: Float64Array | undefined, after: Float64Array | undefined): void {
  if (to === undefined || before === undefined || after === undefined) return;
  for (let bin = 0; bin < BINS; bin++) to[bin] = (to[bin] as number) + (after[bin] as number) - (before[bin] as number);
}
