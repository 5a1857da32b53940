// @hot
/**
 * Broadcast channel: one writer that never waits, any number of readers; one that falls a whole ring behind is lapped, counts what
 * it lost and goes on at the newest. The protocol is that of `crates/ring/src/broadcast.rs`, on the same bytes.
 *
 * A record may be overwritten while it is read, so the reader copies it to memory of its own and validates the copy before the
 * handler sees it.
 */
import type { Handler, Inlet, Outlet } from "../link.ts";
import {
  AT_DATA,
  AT_EPOCH,
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
import { corrupt, fenced, firstUncommitted, loadSequence, step, templateWords, type Sequence } from "./slots.ts";

/** The writing end. */
export class Publisher implements Outlet {
  readonly view: DataView;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #template: Int32Array;
  readonly #stamp: Uint32Array;
  readonly #kind: number;
  readonly #bytes: number;
  readonly #stride: number;
  readonly #mask: number;
  readonly #epoch: number;
  #low: number;
  #high: number;
  /** Word offset of the claimed slot; 0 without a claim. */
  #claimed = 0;

  /** Becomes the channel's writer, after every record committed so far. Parameters as for `Producer`. */
  constructor(segment: Segment, template: Uint8Array, kind: number, stamp: Uint32Array) {
    segment.require(Kind.Broadcast, true);
    this.#segment = segment;
    this.view = segment.view;
    this.#words = segment.words;
    this.#template = templateWords(segment, template);
    this.#stamp = stamp;
    this.#kind = kind;
    this.#bytes = template.length;
    this.#stride = segment.stride;
    this.#mask = segment.slots - 1;
    this.#epoch = (Atomics.add(segment.words, AT_EPOCH >> 2, 1) + 1) | 0;
    const next = firstUncommitted(segment, loadSequence(segment, AT_TAIL));
    this.#low = next.low;
    this.#high = next.high;
    Atomics.store(segment.words, (AT_TAIL >> 2) + 1, next.high);
    Atomics.store(segment.words, AT_TAIL >> 2, next.low);
  }

  /** Byte offset in `view` of a payload that equals the template; never -1. */
  claim(): number {
    const words = this.#words;
    if (words[AT_EPOCH >> 2] !== this.#epoch) fenced(this.#segment.path);
    const low = this.#low;
    const at = AT_DATA + (low & this.#mask) * this.#stride;
    const word = at >> 2;
    // SYNC: a full barrier; pairs with the one in `Subscriber.poll`: who sees any later byte sees this mark.
    Atomics.exchange(words, word + RECORD_SEQUENCE, ~low);
    words[word + RECORD_LENGTH] = -this.#bytes;
    const template = this.#template;
    const payload = word + (RECORD_PAYLOAD >> 2);
    for (let n = 0; n < template.length; n += 1) words[payload + n] = template[n] as number;
    this.#claimed = word;
    return at + RECORD_PAYLOAD;
  }

  /** Publishes what was claimed; does nothing without a claim. */
  commit(): void {
    const word = this.#claimed;
    if (word === 0) return;
    this.#claimed = 0;
    const words = this.#words;
    words[word + RECORD_KIND] = this.#kind;
    words[word + RECORD_SEQUENCE_HIGH] = this.#high;
    words[word + RECORD_EPOCH] = this.#epoch;
    words[word + RECORD_STAMP] = this.#stamp[0] as number;
    words[word + RECORD_STAMP + 1] = this.#stamp[1] as number;
    words[word + RECORD_LENGTH] = this.#bytes;
    // SYNC: pairs with the readers' load of the commit word.
    Atomics.store(words, word + RECORD_SEQUENCE, this.#low);
    const next = (this.#low + 1) | 0;
    this.#low = next;
    if (next === 0) {
      this.#high = (this.#high + 1) | 0;
      words[(AT_TAIL >> 2) + 1] = this.#high;
    }
    Atomics.store(words, AT_TAIL >> 2, next);
  }

  /** Which writer of the channel this is, from 1. */
  get epoch(): number {
    return this.#epoch >>> 0;
  }
}

/** Where a reader that joins late begins: the next record, the newest one there, or the oldest. */
export type Join = "next" | "newest" | "oldest";

/** First sequence for a reader, given the tail. */
function joinAt(segment: Segment, join: Join): Sequence {
  const tail = firstUncommitted(segment, loadSequence(segment, AT_TAIL));
  const back = join === "next" ? 0 : join === "newest" ? 1 : segment.slots - 1;
  let at = tail;
  for (let n = 0; n < back && !(at.high === 0 && at.low === 1); n += 1) at = step(at, -1);
  return at;
}

/** A reading end; there may be any number. It writes nothing to the segment, so a read-only one will do. */
export class Subscriber implements Inlet {
  /** Memory of this reader that the handler sees; every payload lies at offset 0. */
  readonly view: DataView;
  readonly #copy: Int32Array;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  readonly #stride: number;
  readonly #mask: number;
  readonly #payloadMax: number;
  /** A word of this reader's own, for barriers. */
  readonly #barrier = new Int32Array(1);
  #low: number;
  #high: number;
  #epoch = 0;
  #lost = 0;

  constructor(segment: Segment, join: Join) {
    segment.require(Kind.Broadcast, false);
    this.#segment = segment;
    this.#words = segment.words;
    this.#stride = segment.stride;
    this.#mask = segment.slots - 1;
    this.#payloadMax = segment.payloadMax;
    this.#copy = new Int32Array(segment.payloadMax >> 2);
    this.view = new DataView(this.#copy.buffer);
    const at = joinAt(segment, join);
    this.#low = at.low;
    this.#high = at.high;
  }

  /** Hands at most `limit` records to `handler` and returns how many. Lost records are counted in `lost`. */
  poll(handler: Handler, limit: number): number {
    const words = this.#words;
    let handled = 0;
    while (handled < limit) {
      const low = this.#low;
      const at = AT_DATA + (low & this.#mask) * this.#stride;
      const word = at >> 2;
      // The plain load is the cheap look; the atomic one confirms and orders what follows.
      if (words[word + RECORD_SEQUENCE] !== low || Atomics.load(words, word + RECORD_SEQUENCE) !== low) {
        if (!this.#lapped(words[word + RECORD_SEQUENCE] as number)) break;
        this.#resync();
        continue;
      }
      if (!this.#take(word)) {
        this.#resync();
        continue;
      }
      this.#low = (low + 1) | 0;
      if (this.#low === 0) this.#high = (this.#high + 1) | 0;
      handler(this.view, 0);
      handled += 1;
    }
    return handled;
  }

  /** Copies the record at a word offset; false when it was overwritten meanwhile. */
  #take(word: number): boolean {
    const words = this.#words;
    const copy = this.#copy;
    const length = words[word + RECORD_LENGTH] as number;
    const high = words[word + RECORD_SEQUENCE_HIGH] as number;
    const epoch = words[word + RECORD_EPOCH] as number;
    const count = Math.min((length + 3) >> 2, copy.length);
    const payload = word + (RECORD_PAYLOAD >> 2);
    for (let n = 0; n < count; n += 1) copy[n] = words[payload + n] as number;
    // SYNC: a full barrier between the copy and the check; pairs with the one in `Publisher.claim` and in `Slots::begin`.
    Atomics.add(this.#barrier, 0, 1);
    if (words[word + RECORD_SEQUENCE] !== this.#low) return false;
    if (!(length >= 0 && length <= this.#payloadMax && high === this.#high && epoch >= this.#epoch)) {
      corrupt(this.#segment.path, word << 2, this.#low);
    }
    this.#epoch = epoch;
    return true;
  }

  /** Tells a slot that has gone ahead from one still behind; see `missed` in Rust. */
  #lapped(found: number): boolean {
    const mask = this.#mask;
    const sequence = (found & mask) === (this.#low & mask) ? found : ~found;
    return ((sequence - this.#low) | 0) > 0;
  }

  /** Goes on at the newest record and counts what was skipped. */
  #resync(): void {
    const words = this.#words;
    const before = this.#low;
    let newest = (Atomics.load(words, AT_TAIL >> 2) - 1) | 0;
    if (((newest - before) | 0) <= 0) newest = (before + 1) | 0;
    this.#lost += (newest - before) | 0;
    if (newest >>> 0 < before >>> 0) this.#high = (this.#high + 1) | 0;
    this.#low = newest;
  }

  /** Records lost to lapping since it joined. */
  get lost(): number {
    return this.#lost;
  }

  /** True when a record waits or the reader was lapped; for the check after arming a bell. */
  ready(): boolean {
    const at = AT_DATA + (this.#low & this.#mask) * this.#stride;
    const found = Atomics.load(this.#words, (at >> 2) + RECORD_SEQUENCE);
    return found === this.#low || this.#lapped(found);
  }

  /** Epoch of the writer of the last record read; 0 before the first. */
  get epoch(): number {
    return this.#epoch >>> 0;
  }
}
