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
import { look, publish } from "./order.ts";
import { Kind, type Segment } from "./segment.ts";
import { corrupt, fenced, firstUncommitted, halfTurns, loadSequence, storeSequence, type Sequence } from "./slots.ts";
import { Stage } from "./stage.ts";

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

// An end's numbers lie in a small typed array: a field of an object is stored as a tagged value and checked at each use, which costs a
// third of a record.
const LOW = 0;
const HIGH = 1;
/** Word offset of the next record's slot. */
const SLOT = 2;
/** Words from a slot to the next, and offset of the end of the last one. */
const STRIDE = 3;
const END = 4;
const EPOCH = 5;
const HEAD = 6;
const CLAIMED = 7;
const SLOTS = 8;
const ROOM = 6;

/** Sets where an end goes on. */
function place(own: Int32Array, segment: Segment, at: Sequence): void {
  own[LOW] = at.low;
  own[HIGH] = at.high;
  own[STRIDE] = segment.stride >> 2;
  own[END] = FIRST + segment.slots * (segment.stride >> 2);
  own[SLOT] = FIRST + (at.low & (segment.slots - 1)) * (segment.stride >> 2);
}

/** The writing end. */
export class Producer implements Outlet {
  /** The writer's own memory; a claimed payload lies at offset 0. */
  readonly view: DataView;
  readonly #stage: Stage;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  /**
   * LOW, HIGH: sequence of the next record, exact. EPOCH: which writer this is. HEAD: low half of the sequence that the reader will
   * read next; may be stale, never ahead of the truth. CLAIMED: 1 between claim and commit. SLOTS: how many there are.
   */
  readonly #own = new Int32Array(9);

  /**
   * Becomes the channel's writer, after every record committed so far; an earlier writer must be dead or closed.
   * @param template every payload begins as a copy of it: prefix, then zeros; its length is the payload's
   * @param kind kind of message, the same for all
   * @param stamp two words (low, high) copied into each record at commit
   */
  constructor(segment: Segment, template: Uint8Array, kind: number, stamp: Uint32Array) {
    segment.require(Kind.Lossless, true);
    this.#stage = new Stage(segment, template, kind, stamp);
    this.view = this.#stage.view;
    this.#segment = segment;
    this.#words = segment.words;
    const own = this.#own;
    own[EPOCH] = Atomics.add(segment.words, EPOCH_WORD, 1) + 1;
    const head = loadSequence(segment, AT_HEAD);
    const next = firstUncommitted(segment, head);
    own[HEAD] = head.low;
    own[SLOTS] = segment.slots;
    place(own, segment, next);
    storeSequence(segment, AT_TAIL, next);
  }

  /** Byte offset in `view` of a payload that equals the template: 0, or -1 when the reader has freed no slot. */
  claim(): number {
    const words = this.#words;
    const own = this.#own;
    const low = own[LOW] as number;
    if (((low - (own[HEAD] as number)) | 0) >= (own[SLOTS] as number)) {
      // SYNC: pairs with the reader's store of the head.
      const head = look(words, HEAD_WORD);
      own[HEAD] = head;
      if (((low - head) | 0) >= (own[SLOTS] as number)) return -1;
    }
    if (words[EPOCH_WORD] !== own[EPOCH]) fenced(this.#segment.path);
    this.#stage.reset();
    own[CLAIMED] = 1;
    return 0;
  }

  /** Publishes what was claimed; does nothing without a claim. */
  commit(): void {
    const own = this.#own;
    if (own[CLAIMED] === 0) return;
    own[CLAIMED] = 0;
    const words = this.#words;
    const low = own[LOW] as number;
    const slot = own[SLOT] as number;
    this.#stage.move(words, slot, own[HIGH] as number, own[EPOCH] as number);
    // SYNC: pairs with the reader's look at the commit word.
    publish(words, slot + SEQUENCE, low);
    const after = (slot + (own[STRIDE] as number)) | 0;
    own[SLOT] = after === own[END] ? FIRST : after;
    const next = (low + 1) | 0;
    own[LOW] = next;
    if ((next ^ low) < 0) {
      if (next === 0) own[HIGH] = ((own[HIGH] as number) + 1) | 0;
      publish(words, TAIL_WORD + 1, halfTurns(next, own[HIGH] as number));
    }
    publish(words, TAIL_WORD, next);
  }

  /** Which writer of the channel this is, from 1. */
  get epoch(): number {
    return (this.#own[EPOCH] as number) >>> 0;
  }
}

/** The reading end. */
export class Consumer implements Inlet {
  readonly view: DataView;
  readonly #segment: Segment;
  readonly #words: Int32Array;
  /** LOW, HIGH: sequence of the next record, exact. EPOCH: of the writer of the last one. ROOM: largest payload in bytes. */
  readonly #own = new Int32Array(7);

  /**
   * Becomes the channel's reader, at the first record that no reader has finished. Records handled in a `poll` that never returned
   * (the process died in it) are delivered again.
   */
  constructor(segment: Segment) {
    segment.require(Kind.Lossless, true);
    this.#segment = segment;
    this.view = segment.view;
    this.#words = segment.words;
    this.#own[ROOM] = segment.payloadMax;
    place(this.#own, segment, loadSequence(segment, AT_HEAD));
  }

  /** Hands at most `limit` records to `handler` and returns how many; their slots are freed when it returns. */
  poll(handler: Handler, limit: number): number {
    const words = this.#words;
    const own = this.#own;
    let low = own[LOW] as number;
    if (look(words, (own[SLOT] as number) + SEQUENCE) !== low) return 0;
    const begin = low;
    let high = own[HIGH] as number;
    let slot = own[SLOT] as number;
    let handled = 0;
    // SYNC: pairs with the writer's publication of the commit word.
    while (handled < limit && look(words, slot + SEQUENCE) === low) {
      const length = words[slot + LENGTH] as number;
      const epoch = words[slot + WRITER] as number;
      if (!(length >= 0 && length <= (own[ROOM] as number) && words[slot + SEQUENCE_HIGH] === high && epoch >= (own[EPOCH] as number))) {
        corrupt(this.#segment.path, slot * 4, low);
      }
      own[EPOCH] = epoch;
      handler(this.view, slot * 4 + PAYLOAD);
      slot = (slot + (own[STRIDE] as number)) | 0;
      if (slot === own[END]) slot = FIRST;
      low = (low + 1) | 0;
      if (low === 0) high = (high + 1) | 0;
      handled += 1;
    }
    own[LOW] = low;
    own[HIGH] = high;
    own[SLOT] = slot;
    if ((low ^ begin) < 0) publish(words, HEAD_WORD + 1, halfTurns(low, high));
    // SYNC: pairs with the writer's look at the head.
    publish(words, HEAD_WORD, low);
    return handled;
  }

  /** True when a record waits; for the check after arming a bell. */
  ready(): boolean {
    return Atomics.load(this.#words, (this.#own[SLOT] as number) + SEQUENCE) === this.#own[LOW];
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
