/** What the channels' ends share when they attach; nothing here runs per message. */
import { TicklineError } from "../errors.ts";
import { AT_DATA, RECORD_SEQUENCE, RECORD_SEQUENCE_HIGH } from "./layout.ts";
import type { Segment } from "./segment.ts";

/** A 64-bit sequence as two words. */
export interface Sequence {
  readonly low: number;
  readonly high: number;
}

/** The sequence after or before one. */
export function step(at: Sequence, by: 1 | -1): Sequence {
  const low = (at.low + by) | 0;
  const carry = by === 1 ? (low === 0 ? 1 : 0) : low === -1 ? -1 : 0;
  return { low, high: (at.high + carry) | 0 };
}

/** Word offset of the slot of a sequence. */
function wordOf(segment: Segment, low: number): number {
  return (AT_DATA + (low & (segment.slots - 1)) * segment.stride) >> 2;
}

/**
 * Reads the head or tail whose low half is at byte `at`, and whose number of half turns (2^31) follows it. Half turns are stored first,
 * so they may be one ahead for good when their owner died; see `load_sequence` in `crates/ring/src/slots.rs`.
 */
export function loadSequence(segment: Segment, at: number): Sequence {
  const words = segment.words;
  for (;;) {
    const turns = Atomics.load(words, (at >> 2) + 1);
    const low = Atomics.load(words, at >> 2);
    if (Atomics.load(words, (at >> 2) + 1) === turns) return { low, high: (turns - ((turns ^ (low >>> 31)) & 1)) >>> 1 };
  }
}

/** How many half turns a sequence has made: the second word of a head or tail. */
export function halfTurns(low: number, high: number): number {
  return (high << 1) | (low >>> 31);
}

/** Stores a head or tail at start-up, both words. */
export function storeSequence(segment: Segment, at: number, sequence: Sequence): void {
  Atomics.store(segment.words, (at >> 2) + 1, halfTurns(sequence.low, sequence.high));
  Atomics.store(segment.words, at >> 2, sequence.low);
}

/** First sequence from `from` on that is not committed: where a new writer goes on. */
export function firstUncommitted(segment: Segment, from: Sequence): Sequence {
  let next = from;
  for (let count = 0; count < segment.slots; count += 1) {
    const word = wordOf(segment, next.low);
    if (Atomics.load(segment.words, word + RECORD_SEQUENCE) !== next.low) break;
    if (segment.words[word + RECORD_SEQUENCE_HIGH] !== next.high) break;
    next = step(next, 1);
  }
  return next;
}

/** Ends a writer that another has replaced. */
export function fenced(path: string): never {
  throw new TicklineError("TL_SEGMENT", `segment ${path}: another writer has attached; this one must stop`);
}

/** Ends a reader that found a record which the protocol cannot produce. */
export function corrupt(path: string, at: number, sequence: number): never {
  throw new TicklineError(
    "TL_SEGMENT",
    `segment ${path}: record ${sequence >>> 0} (low half) at byte ${at} is impossible; stop the line, something else wrote to it`,
  );
}
