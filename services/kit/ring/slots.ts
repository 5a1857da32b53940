/** What the channels' ends share when they attach; nothing here runs per message. */
import { TicklineError } from "../errors.ts";
import { AT_DATA, RECORD_PAYLOAD, RECORD_SEQUENCE, RECORD_SEQUENCE_HIGH } from "./layout.ts";
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

/** The payload every claim begins with (prefix and zeros) as words; checks that it fits. */
export function templateWords(segment: Segment, template: Uint8Array): Int32Array {
  if (template.length === 0 || template.length > segment.stride - RECORD_PAYLOAD) {
    throw new TicklineError(
      "TL_SEGMENT",
      `segment ${segment.path}: a payload of ${template.length} bytes does not fit its slots of ${segment.stride - RECORD_PAYLOAD}`,
    );
  }
  const padded = new Uint8Array(Math.ceil(template.length / 4) * 4);
  padded.set(template);
  return new Int32Array(padded.buffer);
}

/**
 * The same as doubles, in whole groups of four: a slot's room for the payload is 32 bytes more or less than whole cache lines, so the
 * last group fits. Doubles move twice the bytes of words; one that is not a number need not keep its bits, so such templates are refused.
 */
export function templateDoubles(segment: Segment, template: Uint8Array): Float64Array {
  const words = templateWords(segment, template);
  const doubles = new Float64Array(Math.ceil(words.length / 8) * 4);
  new Int32Array(doubles.buffer).set(words);
  const wrong = doubles.findIndex((double) => Number.isNaN(double));
  if (wrong >= 0) {
    throw new TicklineError("TL_SEGMENT", `segment ${segment.path}: bytes ${wrong * 8} to ${wrong * 8 + 7} of the template are no number as a double; begin with a message's prefix and zeros`);
  }
  return doubles;
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
