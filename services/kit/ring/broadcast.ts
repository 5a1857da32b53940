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
  RECORD_LENGTH,
  RECORD_PAYLOAD,
  RECORD_SEQUENCE,
  RECORD_SEQUENCE_HIGH,
} from "./layout.ts";
import { Form } from "./form.ts";
import { look, mark, publish, settle } from "./order.ts";
import { Kind, type Segment } from "./segment.ts";
import { corrupt, fenced, firstUncommitted, halfTurns, loadSequence, step, storeSequence, type Sequence } from "./slots.ts";

// Offsets in words. V8 folds a module's own constants into the code, and loads those that it imports.
const SEQUENCE = RECORD_SEQUENCE;
const SEQUENCE_HIGH = RECORD_SEQUENCE_HIGH;
const WRITER = RECORD_EPOCH;
const LENGTH = RECORD_LENGTH;
const PAYLOAD = RECORD_PAYLOAD >> 2;
const FIRST = AT_DATA >> 2;
const TAIL_WORD = AT_TAIL >> 2;
const EPOCH_WORD = AT_EPOCH >> 2;

/** The writing end. */
export class Publisher implements Outlet {
  /** The segment. */
  readonly view: DataView;
  readonly #form: Form;
  readonly #path: string;
  readonly #words: Int32Array;
  // Numbers begin as numbers, so that V8 keeps them as such and asks no more.
  /** Words from a slot to the next. */
  readonly #stride: number = 0;
  readonly #mask: number = 0;
  readonly #epoch: number = 0;
  /** Sequence of the next record, exact. */
  #low = 0;
  #high = 0;
  #claimed = false;

  /** Becomes the channel's writer, after every record committed so far. Parameters as for `Producer`. */
  constructor(segment: Segment, template: Uint8Array, kind: number, stamp: Uint32Array) {
    segment.require(Kind.Broadcast, true);
    this.#form = new Form(segment, template, kind, stamp);
    this.view = segment.view;
    this.#path = segment.path;
    this.#words = segment.words;
    this.#stride = segment.stride >> 2;
    this.#mask = segment.slots - 1;
    this.#epoch = this.#form.epoch;
    const next = firstUncommitted(segment, loadSequence(segment, AT_TAIL));
    this.#low = next.low;
    this.#high = next.high;
    storeSequence(segment, AT_TAIL, next);
  }

  /** Byte offset in `view` of a payload that equals the template; never -1. The oldest record is gone from here on. */
  claim(): number {
    const words = this.#words;
    if (words[EPOCH_WORD] !== this.#epoch) fenced(this.#path);
    const low = this.#low;
    const slot = FIRST + (low & this.#mask) * this.#stride;
    // SYNC: pairs with the check in `Subscriber.#take`: who sees any later word sees this mark.
    mark(words, slot + SEQUENCE, ~low);
    this.#form.lay(slot, this.#high);
    this.#claimed = true;
    return (slot + PAYLOAD) << 2;
  }

  /** Publishes what was claimed; does nothing without a claim. */
  commit(): void {
    if (!this.#claimed) return;
    this.#claimed = false;
    const words = this.#words;
    const low = this.#low;
    const slot = FIRST + (low & this.#mask) * this.#stride;
    this.#form.stamp(slot);
    // SYNC: pairs with the readers' look at the commit word.
    publish(words, slot + SEQUENCE, low);
    const next = (low + 1) | 0;
    this.#low = next;
    if ((next ^ low) < 0) {
      if (next === 0) this.#high = (this.#high + 1) | 0;
      publish(words, TAIL_WORD + 1, halfTurns(next, this.#high));
    }
    publish(words, TAIL_WORD, next);
  }

  /** Which writer of the channel this is, from 1. */
  get epoch(): number {
    return this.#epoch >>> 0;
  }
}

/** Where a reader that joins late begins: the next record, the newest one there, or the oldest that leaves it an eighth of the ring before it is lapped. */
export type Join = "next" | "newest" | "oldest";

/** First sequence for a reader, given the tail. */
function joinAt(segment: Segment, join: Join): Sequence {
  const tail = firstUncommitted(segment, loadSequence(segment, AT_TAIL));
  const back = join === "next" ? 0 : join === "newest" ? 1 : segment.slots - Math.max(1, segment.slots >> 3);
  let at = tail;
  for (let n = 0; n < back && !(at.high === 0 && at.low === 1); n += 1) at = step(at, -1);
  return at;
}

/** A reading end; there may be any number. It writes nothing to the segment, so a read-only one will do. */
export class Subscriber implements Inlet {
  /** Memory of this reader that the handler sees; every payload lies at offset 0. */
  readonly view: DataView;
  /** Both memories in pieces of eight bytes, which move three times as fast as words. Not as doubles: V8 need not keep the bits of one that is no number. */
  readonly #pieces: BigInt64Array;
  readonly #copy: BigInt64Array;
  readonly #path: string;
  readonly #words: Int32Array;
  /** Words from a slot to the next. */
  readonly #stride: number = 0;
  readonly #mask: number = 0;
  readonly #payloadMax: number = 0;
  /** Pieces of a payload that are copied at most. */
  readonly #taken: number = 0;
  /** Sequence of the next record, exact. */
  #low = 0;
  #high = 0;
  /** Of the writer of the last record. */
  #epoch = 0;
  /** A word of this reader's own, to settle on. */
  readonly #settled = new Int32Array(1);
  #lost = 0;

  /** @param bytes of a payload that this reader looks at; what comes after them is not copied, and stays 0 in `view` */
  constructor(segment: Segment, join: Join, bytes = segment.payloadMax) {
    segment.require(Kind.Broadcast, false);
    this.#path = segment.path;
    this.#words = segment.words;
    this.#stride = segment.stride >> 2;
    this.#mask = segment.slots - 1;
    this.#payloadMax = segment.payloadMax;
    this.#pieces = new BigInt64Array(segment.buffer);
    this.#copy = new BigInt64Array(segment.payloadMax >> 3);
    this.#taken = Math.min((bytes + 7) >>> 3, this.#copy.length);
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
      const word = FIRST + (low & this.#mask) * this.#stride;
      // SYNC: pairs with the writer's publication of the commit word.
      const found = look(words, word + SEQUENCE);
      if (found !== low) {
        if (!this.#lapped(found)) break;
        this.#resync();
        continue;
      }
      if (!this.#take(word)) {
        this.#resync();
        continue;
      }
      this.#low = (low + 1) | 0;
      if (low === -1) this.#high = (this.#high + 1) | 0;
      handler(this.view, 0);
      handled += 1;
    }
    return handled;
  }

  /** Copies the record at a word offset; false when it was overwritten meanwhile. */
  #take(word: number): boolean {
    const words = this.#words;
    const pieces = this.#pieces;
    const copy = this.#copy;
    const length = words[word + LENGTH] as number;
    const high = words[word + SEQUENCE_HIGH] as number;
    const epoch = words[word + WRITER] as number;
    const count = Math.min((length + 7) >>> 3, this.#taken);
    const payload = (word + PAYLOAD) >> 1;
    for (let n = 0; n < count; n += 1) copy[n] = pieces[payload + n] as bigint;
    // SYNC: pairs with the mark in `Publisher.commit` and in `Slots::mark`: had a later record's word been copied, the mark would show.
    settle(this.#settled);
    if (look(words, word + SEQUENCE) !== this.#low) return false;
    if (!(length >= 0 && length <= this.#payloadMax && high === this.#high && epoch >= this.#epoch)) {
      corrupt(this.#path, word * 4, this.#low);
    }
    this.#epoch = epoch;
    return true;
  }

  /** Tells a slot that has gone ahead from one still behind; see `missed` in Rust. */
  #lapped(found: number): boolean {
    const mask = this.#mask;
    const low = this.#low;
    const sequence = (found & mask) === (low & mask) ? found : ~found;
    return ((sequence - low) | 0) > 0;
  }

  /** Goes on at the newest record and counts what was skipped. */
  #resync(): void {
    const before = this.#low;
    let newest = (look(this.#words, TAIL_WORD) - 1) | 0;
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
    const low = this.#low;
    const found = Atomics.load(this.#words, FIRST + (low & this.#mask) * this.#stride + SEQUENCE);
    return found === low || this.#lapped(found);
  }

  /** Epoch of the writer of the last record read; 0 before the first. */
  get epoch(): number {
    return this.#epoch >>> 0;
  }
}
