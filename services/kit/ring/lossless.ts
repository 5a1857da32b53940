// @hot
/**
 * Lossless channel: one writer, one reader, every record exactly once in order; a full channel refuses. The protocol is that of
 * `crates/ring/src/lossless.rs`, on the same bytes.
 */
import type { Handler, Inlet, Outlet } from "../link.ts";
import {
  AT_DATA,
  AT_EPOCH,
  AT_HEAD,
  AT_TAIL,
  RECORD_EPOCH,
  RECORD_KIND,
  RECORD_LENGTH,
  RECORD_PAYLOAD,
  RECORD_SEQUENCE,
  RECORD_SEQUENCE_HIGH,
  RECORD_STAMP,
} from "./layout.ts";
import { Kind, type Segment } from "./segment.ts";
import { corrupt, fenced, firstUncommitted, loadSequence, templateDoubles } from "./slots.ts";

// An end's numbers lie in a small typed array: a field of an object is stored as a tagged value and checked at each use, which costs a
// third of a record.
const LOW = 0;
const HIGH = 1;
const HEAD = 2;
const CLAIMED = 3;
const EPOCH = 2;

/** The writing end. */
export class Producer implements Outlet {
  readonly view: DataView;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #template: Float64Array;
  readonly #stamp: Uint32Array;
  readonly #kind: number;
  readonly #bytes: number;
  readonly #stride: number;
  readonly #slots: number;
  readonly #epoch: number;
  /**
   * LOW, HIGH: sequence of the next record, exact. HEAD: low half of the sequence that the reader will read next; may be stale,
   * never ahead of the truth. CLAIMED: word offset of the claimed slot, or 0.
   */
  readonly #own = new Int32Array(4);

  /**
   * Becomes the channel's writer, after every record committed so far; an earlier writer must be dead or closed.
   * @param template every payload begins as a copy of it: prefix, then zeros; its length is the payload's
   * @param kind kind of message, the same for all
   * @param stamp two words (low, high) copied into each record at commit
   */
  constructor(segment: Segment, template: Uint8Array, kind: number, stamp: Uint32Array) {
    segment.require(Kind.Lossless, true);
    this.#segment = segment;
    this.view = segment.view;
    this.#words = segment.words;
    this.#doubles = new Float64Array(segment.buffer);
    this.#template = templateDoubles(segment, template);
    this.#stamp = stamp;
    this.#kind = kind;
    this.#bytes = template.length;
    this.#stride = segment.stride;
    this.#slots = segment.slots;
    this.#epoch = (Atomics.add(segment.words, AT_EPOCH >> 2, 1) + 1) | 0;
    const head = loadSequence(segment, AT_HEAD);
    const next = firstUncommitted(segment, head);
    this.#own[HEAD] = head.low;
    this.#own[LOW] = next.low;
    this.#own[HIGH] = next.high;
    Atomics.store(segment.words, (AT_TAIL >> 2) + 1, next.high);
    Atomics.store(segment.words, AT_TAIL >> 2, next.low);
  }

  /** Byte offset in `view` of a payload that equals the template, or -1 when the reader has freed no slot. */
  claim(): number {
    const words = this.#words;
    const own = this.#own;
    const low = own[LOW] as number;
    if (((low - (own[HEAD] as number)) | 0) >= this.#slots) {
      // SYNC: pairs with the reader's store of the head.
      const head = Atomics.load(words, AT_HEAD >> 2);
      own[HEAD] = head;
      if (((low - head) | 0) >= this.#slots) return -1;
    }
    if (words[AT_EPOCH >> 2] !== this.#epoch) fenced(this.#segment.path);
    const at = AT_DATA + (low & (this.#slots - 1)) * this.#stride;
    const word = at >> 2;
    words[word + RECORD_SEQUENCE] = ~low;
    words[word + RECORD_LENGTH] = -this.#bytes;
    const template = this.#template;
    const doubles = this.#doubles;
    const payload = (at + RECORD_PAYLOAD) >> 3;
    for (let n = 0; n < template.length; n += 4) {
      doubles[payload + n] = template[n] as number;
      doubles[payload + n + 1] = template[n + 1] as number;
      doubles[payload + n + 2] = template[n + 2] as number;
      doubles[payload + n + 3] = template[n + 3] as number;
    }
    own[CLAIMED] = word;
    return at + RECORD_PAYLOAD;
  }

  /** Publishes what was claimed; does nothing without a claim. */
  commit(): void {
    const own = this.#own;
    const word = own[CLAIMED] as number;
    if (word === 0) return;
    own[CLAIMED] = 0;
    const words = this.#words;
    const low = own[LOW] as number;
    words[word + RECORD_KIND] = this.#kind;
    words[word + RECORD_SEQUENCE_HIGH] = own[HIGH] as number;
    words[word + RECORD_EPOCH] = this.#epoch;
    words[word + RECORD_STAMP] = this.#stamp[0] as number;
    words[word + RECORD_STAMP + 1] = this.#stamp[1] as number;
    words[word + RECORD_LENGTH] = this.#bytes;
    // SYNC: pairs with the reader's load of the commit word.
    Atomics.store(words, word + RECORD_SEQUENCE, low);
    const next = (low + 1) | 0;
    own[LOW] = next;
    if (next === 0) {
      own[HIGH] = ((own[HIGH] as number) + 1) | 0;
      words[(AT_TAIL >> 2) + 1] = own[HIGH] as number;
    }
    words[AT_TAIL >> 2] = next;
  }

  /** Which writer of the channel this is, from 1. */
  get epoch(): number {
    return this.#epoch >>> 0;
  }
}

/** The reading end. */
export class Consumer implements Inlet {
  readonly view: DataView;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #stride: number;
  readonly #mask: number;
  readonly #payloadMax: number;
  /** LOW, HIGH: sequence of the next record, exact. EPOCH: of the writer of the last one. */
  readonly #own = new Int32Array(3);

  /**
   * Becomes the channel's reader, at the first record that no reader has finished. Records handled in a `poll` that never returned
   * (the process died in it) are delivered again.
   */
  constructor(segment: Segment) {
    segment.require(Kind.Lossless, true);
    this.#segment = segment;
    this.view = segment.view;
    this.#words = segment.words;
    this.#stride = segment.stride;
    this.#mask = segment.slots - 1;
    this.#payloadMax = segment.payloadMax;
    const head = loadSequence(segment, AT_HEAD);
    this.#own[LOW] = head.low;
    this.#own[HIGH] = head.high;
  }

  /** Hands at most `limit` records to `handler` and returns how many; their slots are freed when it returns. */
  poll(handler: Handler, limit: number): number {
    const words = this.#words;
    const own = this.#own;
    const begin = own[LOW] as number;
    let low = begin;
    let handled = 0;
    while (handled < limit) {
      const at = AT_DATA + (low & this.#mask) * this.#stride;
      const word = at >> 2;
      // The plain load is the cheap look; the atomic one confirms and orders what follows.
      if (words[word + RECORD_SEQUENCE] !== low) break;
      // SYNC: pairs with the writer's store of the commit word.
      if (Atomics.load(words, word + RECORD_SEQUENCE) !== low) break;
      const length = words[word + RECORD_LENGTH] as number;
      const epoch = words[word + RECORD_EPOCH] as number;
      if (!(length >= 0 && length <= this.#payloadMax && words[word + RECORD_SEQUENCE_HIGH] === own[HIGH] && epoch >= (own[EPOCH] as number))) {
        corrupt(this.#segment.path, at, low);
      }
      own[EPOCH] = epoch;
      handler(this.view, at + RECORD_PAYLOAD);
      low = (low + 1) | 0;
      if (low === 0) own[HIGH] = ((own[HIGH] as number) + 1) | 0;
      handled += 1;
    }
    if (handled > 0) {
      own[LOW] = low;
      if (low >>> 0 < begin >>> 0) words[(AT_HEAD >> 2) + 1] = own[HIGH] as number;
      // SYNC: pairs with the writer's load of the head.
      Atomics.store(words, AT_HEAD >> 2, low);
    }
    return handled;
  }

  /** True when a record waits; for the check after arming a bell. */
  ready(): boolean {
    const low = this.#own[LOW] as number;
    const at = AT_DATA + (low & this.#mask) * this.#stride;
    return Atomics.load(this.#words, (at >> 2) + RECORD_SEQUENCE) === low;
  }

  /** Epoch of the writer of the last record read; 0 before the first. */
  get epoch(): number {
    return (this.#own[EPOCH] as number) >>> 0;
  }

  /** Low half of the sequence of the next record. */
  get nextLow(): number {
    return (this.#own[LOW] as number) >>> 0;
  }
}
