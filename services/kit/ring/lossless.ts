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
  RECORD_LENGTH,
  RECORD_PAYLOAD,
  RECORD_SEQUENCE,
  RECORD_SEQUENCE_HIGH,
} from "./layout.ts";
import { Form } from "./form.ts";
import { look, publish } from "./order.ts";
import { Kind, type Segment } from "./segment.ts";
import { corrupt, fenced, firstUncommitted, halfTurns, loadSequence, storeSequence } from "./slots.ts";

// Offsets in words. V8 folds a module's own constants into the code, and loads those that it imports.
const SEQUENCE = RECORD_SEQUENCE;
const SEQUENCE_HIGH = RECORD_SEQUENCE_HIGH;
const WRITER = RECORD_EPOCH;
const LENGTH = RECORD_LENGTH;
const PAYLOAD = RECORD_PAYLOAD;
const FIRST = AT_DATA >> 2;
const HEAD_WORD = AT_HEAD >> 2;
const TAIL_WORD = AT_TAIL >> 2;
const EPOCH_WORD = AT_EPOCH >> 2;

/** Word offset of the slot of a sequence. */
function slotOf(segment: Segment, low: number): number {
  return FIRST + (low & (segment.slots - 1)) * (segment.stride >> 2);
}

/** How far a writer is with its next record: its slot has been prepared, or claimed by the sender, or neither. */
const NONE = 0;
const PREPARED = 1;
const CLAIMED = 2;

/**
 * The writing end. It prepares a slot when it has committed the one before: the next sender finds it ready, its lines already taken from
 * the reader's cache, and what is left to store in the line that the reader looks at all the while is the stamp and the commit word.
 */
export class Producer implements Outlet {
  /** The segment. */
  readonly view: DataView;
  readonly #form: Form;
  readonly #path: string;
  readonly #words: Int32Array;
  // Numbers begin as numbers, so that V8 keeps them as such and asks no more.
  readonly #slots: number = 0;
  /** Words from a slot to the next, and offset of the end of the last one. */
  readonly #stride: number = 0;
  readonly #end: number = 0;
  readonly #epoch: number = 0;
  /** Sequence of the next record, exact, and word offset of its slot. */
  #low = 0;
  #high = 0;
  #slot = 0;
  /** Low half of the sequence that the reader will read next; may be stale, never ahead of the truth. */
  #head = 0;
  #state = NONE;

  /**
   * Becomes the channel's writer, after every record committed so far; an earlier writer must be dead or closed.
   * @param template every payload begins as a copy of it: prefix, then zeros; its length is the payload's
   * @param kind kind of message, the same for all
   * @param stamp two words (low, high), 8-aligned, copied into each record at commit
   */
  constructor(segment: Segment, template: Uint8Array, kind: number, stamp: Uint32Array) {
    segment.require(Kind.Lossless, true);
    this.#form = new Form(segment, template, kind, stamp);
    this.view = segment.view;
    this.#path = segment.path;
    this.#words = segment.words;
    this.#slots = segment.slots;
    this.#stride = segment.stride >> 2;
    this.#end = FIRST + segment.slots * this.#stride;
    this.#epoch = this.#form.epoch;
    const head = loadSequence(segment, AT_HEAD);
    const next = firstUncommitted(segment, head);
    this.#head = head.low;
    this.#low = next.low;
    this.#high = next.high;
    this.#slot = slotOf(segment, next.low);
    storeSequence(segment, AT_TAIL, next);
  }

  /** Byte offset in `view` of a payload that equals the template, or -1 when the reader has freed no slot. */
  claim(): number {
    if (this.#words[EPOCH_WORD] !== this.#epoch) fenced(this.#path);
    if (this.#state !== PREPARED && !this.#prepare()) return -1;
    this.#state = CLAIMED;
    return ((this.#slot << 2) + PAYLOAD) | 0;
  }

  /** Lays the form into the next slot; false when the reader has not freed it, or another writer has attached. */
  #prepare(): boolean {
    const words = this.#words;
    const low = this.#low;
    if (((low - this.#head) | 0) >= this.#slots) {
      // SYNC: pairs with the reader's store of the head.
      const head = look(words, HEAD_WORD);
      this.#head = head;
      if (((low - head) | 0) >= this.#slots) return false;
    }
    if (words[EPOCH_WORD] !== this.#epoch) return false;
    this.#form.lay(this.#slot, this.#high);
    return true;
  }

  /** Publishes what was claimed; does nothing without a claim. */
  commit(): void {
    if (this.#state !== CLAIMED) return;
    const words = this.#words;
    const low = this.#low;
    const slot = this.#slot;
    this.#form.stamp(slot);
    // SYNC: pairs with the reader's look at the commit word.
    publish(words, (slot + SEQUENCE) | 0, low);
    const after = (slot + this.#stride) | 0;
    this.#slot = after === this.#end ? FIRST : after;
    const next = (low + 1) | 0;
    this.#low = next;
    if ((next ^ low) < 0) {
      if (next === 0) this.#high = (this.#high + 1) | 0;
      publish(words, TAIL_WORD + 1, halfTurns(next, this.#high));
    }
    publish(words, TAIL_WORD, next);
    this.#state = this.#prepare() ? PREPARED : NONE;
  }

  /** Which writer of the channel this is, from 1. */
  get epoch(): number {
    return this.#epoch >>> 0;
  }
}

/** The reading end. */
export class Consumer implements Inlet {
  /** The segment. */
  readonly view: DataView;
  readonly #path: string;
  readonly #words: Int32Array;
  /** Largest payload in bytes. */
  readonly #room: number = 0;
  /** Words from a slot to the next, and offset of the end of the last one. */
  readonly #stride: number = 0;
  readonly #end: number = 0;
  /** Sequence of the next record, exact, and word offset of its slot. */
  #low = 0;
  #high = 0;
  #slot = 0;
  /** Of the writer of the last record. */
  #epoch = 0;

  /**
   * Becomes the channel's reader, at the first record that no reader has finished. Records handled in a `poll` that never returned
   * (the process died in it) are delivered again.
   */
  constructor(segment: Segment) {
    segment.require(Kind.Lossless, true);
    this.view = segment.view;
    this.#path = segment.path;
    this.#words = segment.words;
    this.#room = segment.payloadMax;
    this.#stride = segment.stride >> 2;
    this.#end = FIRST + segment.slots * this.#stride;
    const head = loadSequence(segment, AT_HEAD);
    this.#low = head.low;
    this.#high = head.high;
    this.#slot = slotOf(segment, head.low);
  }

  /** Hands at most `limit` records to `handler` and returns how many; their slots are freed when it returns. */
  poll(handler: Handler, limit: number): number {
    const words = this.#words;
    const begin = this.#low;
    let slot = this.#slot;
    // SYNC: pairs with the writer's publication of the commit word.
    if (look(words, (slot + SEQUENCE) | 0) !== begin || limit < 1) return 0;
    let low = begin;
    let high = this.#high;
    let handled = 0;
    do {
      const length = words[(slot + LENGTH) | 0] as number;
      const epoch = words[(slot + WRITER) | 0] as number;
      if (!(length >= 0 && length <= this.#room && words[(slot + SEQUENCE_HIGH) | 0] === high && epoch >= this.#epoch)) {
        corrupt(this.#path, slot * 4, low);
      }
      this.#epoch = epoch;
      handler(this.view, ((slot << 2) + PAYLOAD) | 0);
      slot = (slot + this.#stride) | 0;
      if (slot === this.#end) slot = FIRST;
      low = (low + 1) | 0;
      if (low === 0) high = (high + 1) | 0;
      handled = (handled + 1) | 0;
      // SYNC: as above.
    } while (handled < limit && look(words, (slot + SEQUENCE) | 0) === low);
    this.#low = low;
    this.#high = high;
    this.#slot = slot;
    if ((low ^ begin) < 0) publish(words, HEAD_WORD + 1, halfTurns(low, high));
    // SYNC: pairs with the writer's look at the head.
    publish(words, HEAD_WORD, low);
    return handled;
  }

  /** True when a record waits; for the check after arming a bell. */
  ready(): boolean {
    return Atomics.load(this.#words, this.#slot + SEQUENCE) === this.#low;
  }

  /** Epoch of the writer of the last record read; 0 before the first. */
  get epoch(): number {
    return this.#epoch >>> 0;
  }

  /** Low half of the sequence of the next record. */
  get nextLow(): number {
    return this.#low >>> 0;
  }
}
