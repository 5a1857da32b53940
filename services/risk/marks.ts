// @hot
/**
 * What risk takes from the features: the touch of each instrument, and whether its book can be trusted. Rows are applied up to a
 * bound only (a decision number, or in replay a line time), so that a decision never depends on how far the reader happens to be.
 */
import { FEATURES_OFFSET_TIME_NS, FeaturesFlag, FeaturesView } from "../../schemas/generated/features.ts";
import type { Handler, Inlet } from "../kit/link.ts";
import type { Account } from "./account.ts";

// V8 folds a module's own constants into the code, and loads those that it imports.
const { BookStale } = FeaturesFlag;
const TIME_NS = FEATURES_OFFSET_TIME_NS;

export class Marks {
  /** By instrument: 0 when the newest row applied says that the book is whole; 1 before the first row. */
  readonly stale: Uint8Array;
  /** By instrument: best bid of the newest row applied, 1/10,000 dollar; 0 when that side is empty. */
  readonly bid: Uint32Array;
  /** By instrument: best ask; 0 when that side is empty. */
  readonly ask: Uint32Array;
  readonly #account: Account;
  readonly #row = new FeaturesView();
  readonly #take: Handler;
  #rows: Inlet | undefined;
  /** A row that was read and lies past the bound. */
  #held = false;
  #instrument = 0;
  #flags = 0;
  #bid = 0;
  #ask = 0;
  #seq = 0;
  #timeLo = 0;
  #timeHi = 0;
  #seqMax = 0;
  #beforeLo = 0;
  #beforeHi = 0;

  constructor(instruments: number, account: Account) {
    this.stale = new Uint8Array(instruments).fill(1);
    this.bid = new Uint32Array(instruments);
    this.ask = new Uint32Array(instruments);
    this.#account = account;
    this.#take = (view, at) => {
      const row = this.#row;
      if (!row.wrap(view, at)) return;
      this.#held = true;
      this.#instrument = row.instrument;
      this.#flags = row.flags;
      this.#bid = row.bid;
      this.#ask = row.ask;
      this.#seq = row.seq;
      this.#timeLo = row.view.getInt32(row.at + TIME_NS, true);
      this.#timeHi = row.view.getInt32(row.at + TIME_NS + 4, true);
    };
  }

  /** Gives the reading end of the features ring. */
  attach(rows: Inlet): void {
    this.#rows = rows;
  }

  /** Applies rows up to and with decision `seq`. Returns how many. */
  upTo(seq: number): number {
    if (seq > this.#seqMax) this.#seqMax = seq;
    return this.#apply();
  }

  /** Applies rows of line times below the given one, whose halves are signed words. Returns how many. */
  before(lo: number, hi: number): number {
    if (hi >>> 0 > this.#beforeHi >>> 0 || (hi === this.#beforeHi && lo >>> 0 > this.#beforeLo >>> 0)) {
      this.#beforeLo = lo;
      this.#beforeHi = hi;
    }
    return this.#apply();
  }

  #within(): boolean {
    if (this.#seq <= this.#seqMax) return true;
    return this.#timeHi >>> 0 < this.#beforeHi >>> 0 || (this.#timeHi === this.#beforeHi && this.#timeLo >>> 0 < this.#beforeLo >>> 0);
  }

  #apply(): number {
    const rows = this.#rows;
    if (rows === undefined) return 0;
    let applied = 0;
    for (;;) {
      if (!this.#held && rows.poll(this.#take, 1) === 0) return applied;
      // A message that is no row was counted by its reader and holds nothing.
      if (!this.#held) continue;
      if (!this.#within()) return applied;
      this.#held = false;
      applied += 1;
      if (!(this.#instrument < this.stale.length)) continue;
      const stale = this.#flags & BookStale;
      this.stale[this.#instrument] = stale;
      this.bid[this.#instrument] = this.#bid;
      this.ask[this.#instrument] = this.#ask;
      // A book with holes may show any price: the last mark of a whole one is nearer to the truth.
      if (stale === 0) this.#account.mark(this.#instrument, this.#bid, this.#ask);
    }
  }
}
