// @hot
/** Fills that wait for their line time, in the order of (due time, arrival). Fixed size: when it is full, the link holds the rest. */
import { FILL_OFFSET_DUE_NS, FILL_OFFSET_RECEIVED_NS, type FillView } from "../../schemas/generated/fill.ts";

const TWO_32 = 4294967296;
// V8 folds a module's own constants into the code, and loads those that it imports.
const DUE_NS = FILL_OFFSET_DUE_NS;
const RECEIVED_NS = FILL_OFFSET_RECEIVED_NS;

export class DueFills {
  readonly kind: Uint8Array;
  readonly side: Uint8Array;
  readonly instrument: Uint16Array;
  readonly reason: Uint16Array;
  readonly qty: Uint32Array;
  readonly price: Uint32Array;
  readonly leaves: Uint32Array;
  readonly token: Uint32Array;
  readonly epoch: Uint32Array;
  readonly decision: Float64Array;
  readonly receivedNs: Float64Array;
  readonly #dueLo: Uint32Array;
  readonly #dueHi: Uint32Array;
  /** Places in the columns: those waiting in order from `#first` on, then the free ones. A ring. */
  readonly #order: Uint32Array;
  readonly #mask: number;
  #first = 0;
  #count = 0;

  /** @param capacity Fills that may wait; a power of two */
  constructor(capacity: number) {
    this.kind = new Uint8Array(capacity);
    this.side = new Uint8Array(capacity);
    this.instrument = new Uint16Array(capacity);
    this.reason = new Uint16Array(capacity);
    this.qty = new Uint32Array(capacity);
    this.price = new Uint32Array(capacity);
    this.leaves = new Uint32Array(capacity);
    this.token = new Uint32Array(capacity);
    this.epoch = new Uint32Array(capacity);
    this.decision = new Float64Array(capacity);
    this.receivedNs = new Float64Array(capacity);
    this.#dueLo = new Uint32Array(capacity);
    this.#dueHi = new Uint32Array(capacity);
    this.#order = Uint32Array.from({ length: capacity }, (_, place) => place);
    this.#mask = capacity - 1;
  }

  /** Fills waiting. */
  get size(): number {
    return this.#count;
  }

  /** Fills that still fit. */
  get room(): number {
    return this.#mask + 1 - this.#count;
  }

  /** Adds a Fill behind all that are due no later. There must be room. */
  push(fill: FillView): void {
    const order = this.#order;
    const mask = this.#mask;
    let at = (this.#first + this.#count) & mask;
    const place = order[at] as number;
    // Times by their words: what is no small whole number is boxed on its way through a call that V8 does not inline.
    const { view, at: from } = fill;
    const lo = view.getInt32(from + DUE_NS, true);
    const hi = view.getInt32(from + DUE_NS + 4, true);
    for (let behind = this.#count; behind > 0; behind--) {
      const before = order[(at - 1) & mask] as number;
      if (!this.#isLater(before, lo, hi)) break;
      order[at] = before;
      at = (at - 1) & mask;
    }
    order[at] = place;
    this.#count += 1;
    this.#dueLo[place] = lo;
    this.#dueHi[place] = hi;
    this.kind[place] = fill.kind;
    this.side[place] = fill.side;
    this.instrument[place] = fill.instrument;
    this.reason[place] = fill.reason;
    this.qty[place] = fill.qty;
    this.price[place] = fill.price;
    this.leaves[place] = fill.leaves;
    this.token[place] = fill.token;
    this.epoch[place] = fill.epoch;
    this.decision[place] = fill.decision;
    this.receivedNs[place] = view.getUint32(from + RECEIVED_NS + 4, true) * TWO_32 + view.getUint32(from + RECEIVED_NS, true);
  }

  /** Takes the first Fill due before the given line time, whose halves are signed words: its place in the columns, valid until the next `push`; -1 when none is. */
  take(beforeLo: number, beforeHi: number): number {
    if (this.#count === 0) return -1;
    const place = this.#order[this.#first & this.#mask] as number;
    const hi = this.#dueHi[place] as number;
    const due = hi < beforeHi >>> 0 || (hi === beforeHi >>> 0 && (this.#dueLo[place] as number) < beforeLo >>> 0);
    if (!due) return -1;
    this.#first = (this.#first + 1) & this.#mask;
    this.#count -= 1;
    return place;
  }

  /** Is the Fill in a place due after a time in signed words? */
  #isLater(place: number, lo: number, hi: number): boolean {
    const dueHi = this.#dueHi[place] as number;
    return dueHi > hi >>> 0 || (dueHi === hi >>> 0 && (this.#dueLo[place] as number) > lo >>> 0);
  }
}
