// @hot
/** Writes token slots: 64 bytes guarded by `begin` and `end`, layout in ARCHITECTURE.md ("Tokens"). Single writer: risk. */
import { beginRow, endRow, sharedWord } from "../kit/ring/guarded-row.ts";
import { AT_DATA } from "../kit/ring/layout.ts";

/** Bytes of a slot. */
const SLOT = 128;
const MAGIC = 0x544b;
// V8 folds a module's own constants into the code, and loads those that it imports.
const FIRST = AT_DATA;
/** Word of a slot's closing number. */
const END = 15;
const TWO_32 = 4294967296;
const TOTAL_MAX = 9007199254740991;
/** Totals of a slot, and offset of the first; eight bytes each. */
const TOTALS = 3;
const TOTAL = 32;
/** Words of the gate's used totals within a slot: quantity, notional, messages, epoch; two words each. */
const USED = 16;

/** What a slot says; filled in by the caller, who keeps one. Times and totals are whole numbers below 2^53, except `expiry`. */
export interface TokenDraft {
  epoch: number;
  expiryLo: number;
  expiryHi: number;
  priceLow: number;
  priceHigh: number;
  qtyMax: number;
  instrument: number;
  strategy: number;
  side: number;
  lane: number;
  /** Cumulative quantity, notional and messages, in the slot's order. One that is no number from 0 to 2^53 lets nothing through. */
  readonly totals: Float64Array;
}

/** Slot of an instrument, side and lane. */
export function tokenSlot(instrument: number, side: number, lane: number): number {
  return instrument * 4 + (side - 1) * 2 + lane;
}

export class TokenWriter {
  readonly #words: Int32Array;
  readonly #view: DataView;

  /** @param words the whole segment as 32-bit words, header included */
  constructor(words: Int32Array) {
    this.#words = words;
    this.#view = new DataView(words.buffer, words.byteOffset, words.byteLength);
  }

  /** Publishes a slot. A gate that reads meanwhile sees it torn and refuses. */
  write(slot: number, draft: TokenDraft): void {
    const words = this.#words;
    const at = FIRST + slot * SLOT;
    const word = at >> 2;
    const even = beginRow(words, word);
    const view = this.#view;
    view.setUint32(at + 4, draft.epoch, true);
    view.setUint32(at + 8, draft.expiryLo, true);
    view.setUint32(at + 12, draft.expiryHi, true);
    view.setUint32(at + 16, draft.priceLow, true);
    view.setUint32(at + 20, draft.priceHigh, true);
    view.setUint32(at + 24, draft.qtyMax, true);
    view.setUint16(at + 28, draft.instrument, true);
    view.setUint16(at + 30, draft.strategy, true);
    for (let n = 0; n < TOTALS; n++) {
      // Written here: as an argument a large total would be boxed wherever V8 does not inline the call.
      const total = draft.totals[n] as number;
      // A negative one would wrap to a huge one.
      const value = total >= 0 && total <= TOTAL_MAX ? total : 0;
      view.setUint32(at + TOTAL + 8 * n, value >>> 0, true);
      view.setUint32(at + TOTAL + 8 * n + 4, value / TWO_32, true);
    }
    view.setUint8(at + 56, draft.side);
    view.setUint8(at + 57, draft.lane);
    view.setUint16(at + 58, MAGIC, true);
    endRow(words, word, word + END, even);
  }

  /** The gate's used quantity on a slot, when it counts from `epoch`; else 0. For a start only: the gate changes it. */
  usedQty(slot: number, epoch: number): number {
    return this.#used(slot, 0, epoch);
  }

  /** The gate's used notional. */
  usedNotional(slot: number, epoch: number): number {
    return this.#used(slot, 2, epoch);
  }

  /** The gate's used messages. */
  usedMessages(slot: number, epoch: number): number {
    return this.#used(slot, 4, epoch);
  }

  #used(slot: number, word: number, epoch: number): number {
    const at = ((FIRST + slot * SLOT) >> 2) + USED;
    if (sharedWord(this.#words, at + 6) !== epoch || sharedWord(this.#words, at + 7) !== 0) return 0;
    return sharedWord(this.#words, at + word + 1) * TWO_32 + sharedWord(this.#words, at + word);
  }
}
