/**
 * Whether one thing's p99 is above another's, from windows of latency counts that took turns. Pure.
 *
 * What is resampled is a block: a stretch of time in which each thing had its windows. Within a block the machine was one machine; what it
 * did from block to block is in the interval.
 */
import { binValue } from "../../services/kit/ring/histogram.ts";

/** Latency counts of one block by thing, `[things][bins]` as a histogram of the control block has them. */
export type Block = readonly Float64Array[];

/** A ratio with its interval. */
export interface Ratio {
  readonly value: number;
  /** Its 95 % interval, by bootstrap over blocks. */
  readonly low: number;
  readonly high: number;
  /** Blocks that it is from. */
  readonly blocks: number;
}

/** `FAIL`: the whole interval is beyond the limit; `PASS`: none of it is, nor of the control's; else it cannot be told. */
export type Verdict = "PASS" | "FAIL" | "UNDECIDED";

const RESAMPLES = 2_000;
/** Of fewer blocks a bootstrap knows too little of the tails to decide anything. */
const BLOCKS_MIN = 20;
const TAIL = 0.025;

/** Smallest latency that a share of what was counted does not exceed, ns, within 0.8 %; null when nothing was. */
export function percentile(counts: Float64Array, share: number): number | null {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return null;
  const wanted = Math.max(1, Math.ceil(total * share));
  let seen = 0;
  return binValue(counts.findIndex((count) => (seen += count) >= wanted));
}

/** Adds up the counts of some things over all blocks. */
export function pooled(blocks: readonly Block[], things: readonly number[]): Float64Array {
  const sum = new Float64Array(blocks[0]?.[0]?.length ?? 0);
  for (const counts of blocks.flatMap((block) => things.map((thing) => block[thing] as Float64Array))) {
    for (let bin = 0; bin < sum.length; bin++) sum[bin] = (sum[bin] as number) + (counts[bin] as number);
  }
  return sum;
}

/**
 * How many times as long a percentile of `thing` is as that of `others` (the mean of several), block by block: the mean of the middle half of the
 * blocks, so that a second in which the machine was elsewhere counts as one block and not as its length. With its interval: blocks are drawn with
 * replacement by dice of a fixed seed, so that the same counts give the same one. Null without a block that counted all of them.
 */
export function ratio(blocks: readonly Block[], share: number, thing: number, others: readonly number[]): Ratio | null {
  const apart = blocks.flatMap((block) => {
    const own = percentile(block[thing] as Float64Array, share);
    const theirs = others.map((other) => percentile(block[other] as Float64Array, share));
    if (own === null || own === 0 || theirs.some((other) => other === null || other === 0)) return [];
    return [Math.log(own) - mean(theirs.map((other) => Math.log(other as number)))];
  });
  if (apart.length === 0) return null;
  const dice = new Dice();
  const drawn = Array.from({ length: RESAMPLES }, () => middle(apart.map(() => apart[dice.below(apart.length)] as number))).sort((a, b) => a - b);
  const at = (part: number): number => Math.exp(drawn[Math.min(RESAMPLES - 1, Math.floor(RESAMPLES * part))] as number);
  return { value: Math.exp(middle(apart)), low: at(TAIL), high: at(1 - TAIL), blocks: apart.length };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean of the middle half: a quarter falls away at either end. */
function middle(values: readonly number[]): number {
  const quarter = values.length >> 2;
  return mean([...values].sort((a, b) => a - b).slice(quarter, values.length - quarter));
}

/**
 * Judges a ratio that is to be at most `limit`. `control` is that of two equal things, measured likewise: where it is found to differ from 1, the
 * method is off, and where its interval reaches beyond the limit, the machine is too loud to pass anything.
 */
export function verdict(measured: Ratio | null, control: Ratio | null, limit: number): Verdict {
  if (measured === null || control === null || !(measured.blocks >= BLOCKS_MIN) || !(control.low <= 1 && control.high >= 1)) return "UNDECIDED";
  if (measured.low > limit) return "FAIL";
  return measured.high <= limit && control.high <= limit && control.low >= 1 / limit ? "PASS" : "UNDECIDED";
}

/** Even dice of a fixed seed (xorshift32). */
export class Dice {
  #state = 0x9e3779b9;

  /** A whole number below `sides`. */
  below(sides: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % sides;
  }

  /** The same things in another order. */
  shuffled<T>(things: readonly T[]): T[] {
    const order = [...things];
    for (let left = order.length; left > 1; left--) {
      const at = this.below(left);
      [order[left - 1], order[at]] = [order[at] as T, order[left - 1] as T];
    }
    return order;
  }
}
