// @hot
/** Latency histograms in shared memory, HDR layout: the same bins as `crates/ring/src/control/histogram.rs`. */

/** Number of bins: 128 of 1 ns, then 64 per doubling up to 2^40 ns. */
export const BINS = 2240;
/** Bytes of one histogram. */
export const HISTOGRAM_BYTES = 64 + BINS * 8;

const LINEAR = 128;
const TOP = 2 ** 40 - 1;
const TWO_32 = 4294967296;

const MAX = 2;
const SUM = 4;
const FIRST_BIN = 16;

/** Bin of a value in ns; what is not a number of at least 0 counts as 0, what is above 2^40 as the top. */
export function binOf(ns: number): number {
  if (!(ns >= 1)) return 0;
  if (ns < LINEAR) return ns | 0;
  const value = ns > TOP ? TOP : ns;
  if (value < 2147483648) {
    const doubling = 31 - Math.clz32(value);
    return LINEAR + ((doubling - 7) << 6) + ((value >>> (doubling - 6)) & 63);
  }
  const upper = (value / 65536) | 0;
  const doubling = 31 - Math.clz32(upper);
  return LINEAR + ((doubling + 9) << 6) + ((upper >>> (doubling - 6)) & 63);
}

/** Middle of a bin in ns, at most 0.8 % off. */
export function binValue(bin: number): number {
  if (bin < LINEAR) return bin;
  const doubling = ((bin - LINEAR) >> 6) + 7;
  const width = 2 ** (doubling - 6);
  return 2 ** doubling + (bin & 63) * width + Math.floor(width / 2);
}

/** Adds to a 64-bit word pair; single writer. `n` is a whole number from 0 to 2^53. */
export function add64(words: Int32Array, at: number, n: number): void {
  const sum = ((words[at] as number) >>> 0) + (n >>> 0);
  words[at] = sum | 0;
  const carry = Math.floor(n / TWO_32) + (sum >= TWO_32 ? 1 : 0);
  if (carry !== 0) words[at + 1] = ((words[at + 1] as number) + carry) | 0;
}

/** Reads a 64-bit word pair as a number, exact below 2^53. */
export function read64(words: Int32Array, at: number): number {
  for (;;) {
    const high = Atomics.load(words, at + 1);
    const low = Atomics.load(words, at);
    if (Atomics.load(words, at + 1) === high) return (high >>> 0) * TWO_32 + (low >>> 0);
  }
}

/** One histogram; written by one service, read by any. */
export class Histogram {
  readonly #words: Int32Array;
  readonly #at: number;

  /** @param at byte offset of the histogram */
  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at >> 2;
  }

  /** Counts a value in ns. */
  record(ns: number): void {
    const words = this.#words;
    const at = this.#at;
    const value = ns >= 0 ? Math.floor(ns) : 0;
    add64(words, at + FIRST_BIN + binOf(value) * 2, 1);
    add64(words, at, 1);
    add64(words, at + SUM, value);
    const max = ((words[at + MAX + 1] as number) >>> 0) * TWO_32 + ((words[at + MAX] as number) >>> 0);
    if (value > max) {
      words[at + MAX] = value | 0;
      words[at + MAX + 1] = Math.floor(value / TWO_32) | 0;
    }
  }

  /** Values counted. */
  count(): number {
    return read64(this.#words, this.#at);
  }

  /** Largest value in ns, exact. */
  max(): number {
    return read64(this.#words, this.#at + MAX);
  }

  /** Mean in ns; 0 without values. */
  mean(): number {
    const count = this.count();
    return count === 0 ? 0 : read64(this.#words, this.#at + SUM) / count;
  }

  /** Values in a bin. */
  bin(bin: number): number {
    return read64(this.#words, this.#at + FIRST_BIN + bin * 2);
  }

  /** Smallest value that at least `share` (0 to 1) of all do not exceed, within 0.8 %; 0 without values. Not for hot code. */
  percentile(share: number): number {
    let total = 0;
    for (let bin = 0; bin < BINS; bin += 1) total += this.bin(bin);
    const wanted = Math.min(Math.max(Math.ceil(total * share), 1), Math.max(total, 1));
    let seen = 0;
    for (let bin = 0; bin < BINS; bin += 1) {
      seen += this.bin(bin);
      if (seen >= wanted) return Math.min(binValue(bin), this.max());
    }
    return 0;
  }
}
