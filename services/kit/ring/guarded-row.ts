// @hot
/**
 * Rows guarded by a sequence (seqlock): word `begin` is odd while its one writer is at work, and word `end` equals it when the
 * row is whole. The TypeScript half of `crates/ring/src/plain.rs`. `begin` and `end` are places in 32-bit words.
 */
import { look, mark, publish } from "./order.ts";

/** Marks a row as being written and returns the even number to end with. Single writer. */
export function beginRow(words: Int32Array, begin: number): number {
  const next = ((look(words, begin) & ~1) + 2) | 0;
  const even = next === 0 ? 2 : next;
  // SYNC: pairs with `Plain::read_guarded`: every store to the row comes after this odd number and before the even one.
  mark(words, begin, even - 1);
  return even;
}

/** Makes what was written since `beginRow` visible as one. */
export function endRow(words: Int32Array, begin: number, end: number, even: number): void {
  publish(words, end, even);
  publish(words, begin, even);
}

/** The number a whole row carries, to compare with `rowHeld` after reading it; -1 while it is being written, 0 before the first. */
export function rowNumber(words: Int32Array, begin: number): number {
  const number = look(words, begin);
  return (number & 1) === 0 ? number : -1;
}

/** True when the row did not change since `rowNumber` returned `number`: what was read between is whole. */
export function rowHeld(words: Int32Array, begin: number, end: number, number: number): boolean {
  return number !== -1 && look(words, end) === number && look(words, begin) === number;
}

/** A word that another process writes, unsigned. */
export function sharedWord(words: Int32Array, at: number): number {
  return look(words, at) >>> 0;
}
