// @hot
/**
 * A 64-bit value in 32-bit words that only grows: the high half twice, around the low half, read in the opposite order. The same
 * as `crates/ring/src/control/cell.rs`.
 */
import { look, publish } from "./order.ts";

const HIGH = 0;
const LOW = 1;
const HIGH_AGAIN = 2;
const TRIES = 64;

export class Cell {
  /** Low half of the last `load`, as a signed word: an unsigned one from 2^31 on would be boxed wherever it is passed. */
  low = 0;
  /** High half of the last `load`, as a signed word. */
  high = 0;
  readonly #words: Int32Array;
  readonly #at: number;

  /** @param at byte offset of the cell */
  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at >> 2;
  }

  /** Stores a value not below the one before; single writer. Usually one store. */
  set(low: number, high: number): void {
    const words = this.#words;
    const at = this.#at;
    const wanted = high | 0;
    // Only this writer changes it: plain looks see what it holds, and an idle cycle publishes nothing again.
    const same = words[at + HIGH] === wanted && words[at + HIGH_AGAIN] === wanted;
    if (same && words[at + LOW] === (low | 0)) return;
    if (!same) publish(words, at + HIGH, wanted);
    publish(words, at + LOW, low | 0);
    if (!same) publish(words, at + HIGH_AGAIN, wanted);
  }

  /** Stores a whole number from 0 to 2^53. */
  setNumber(value: number): void {
    this.set(value | 0, Math.floor(value / 4294967296));
  }

  /** Reads into `low` and `high`; a lower bound when the writer stopped between its stores. */
  load(): void {
    const words = this.#words;
    const at = this.#at;
    // The plain looks are the cheap ones: a value that has not changed is still a lower bound, whatever they missed.
    if (words[at + LOW] === this.low && words[at + HIGH_AGAIN] === this.high) return;
    let high = 0;
    for (let n = 0; n < TRIES; n += 1) {
      high = look(words, at + HIGH_AGAIN);
      const low = look(words, at + LOW);
      if (look(words, at + HIGH) === high) {
        this.low = low;
        this.high = high;
        return;
      }
    }
    this.low = 0;
    this.high = high;
  }

  /** Reads as a number: exact below 2^53, else to the nearest double. */
  number(): number {
    this.load();
    return (this.high >>> 0) * 4294967296 + (this.low >>> 0);
  }

  /** Reads and tells whether the value is at least (low, high), unsigned and exact. */
  atLeast(low: number, high: number): boolean {
    this.load();
    return this.high >>> 0 > high >>> 0 || (this.high === (high | 0) && this.low >>> 0 >= low >>> 0);
  }
}
