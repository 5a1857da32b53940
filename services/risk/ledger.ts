// @hot
/** Fills applied: positions, open orders and credit. What is due and in which order is the caller's business. */
import { FillKind } from "../../schemas/generated/fill.ts";
import type { Account } from "./account.ts";
import type { Credit } from "./credit.ts";
import type { DueFills } from "./due.ts";
import { type Exposure, sidePlace } from "./exposure.ts";

const BUY = 1;
const SELL = 2;
/** The gate's refusals that say that its totals are not ours (`crates/gate/src/refusal.rs`); a test of execution compares them. */
export const QTY_TOTAL = 23;
export const MESSAGES_TOTAL = 25;

export class Ledger {
  /** By instrument: executions received up to this monotonic time are in the position that a restart took over. */
  readonly asOfNs: Float64Array;
  /** Fills applied by kind. */
  readonly kinds = new Float64Array(16);
  /** Refusals of the gate by code. */
  readonly refusals = new Float64Array(64);
  /** The line's epoch: credit of an earlier one is not given back. */
  epoch = 0;
  /** Slot whose totals disagree with the gate's, to be read again; -1 when none does. */
  resync = -1;
  readonly #account: Account;
  readonly #exposure: Exposure;
  readonly #credit: Credit;

  constructor(instruments: number, account: Account, exposure: Exposure, credit: Credit) {
    this.asOfNs = new Float64Array(instruments);
    this.#account = account;
    this.#exposure = exposure;
    this.#credit = credit;
  }

  /** Applies the Fill in a place of the columns; returns its instrument, or -1 when it touches none of the line's. */
  apply(fills: DueFills, at: number): number {
    const kind = fills.kind[at] as number;
    this.kinds[kind & 15] = (this.kinds[kind & 15] as number) + 1;
    const instrument = fills.instrument[at] as number;
    const side = fills.side[at] as number;
    if (!(instrument < this.asOfNs.length && (side === BUY || side === SELL))) return -1;
    const place = sidePlace(instrument, side);
    const qty = fills.qty[at] as number;
    const signed = side === BUY ? qty : -qty;
    if (kind === FillKind.Executed || kind === FillKind.Broken) {
      if ((fills.receivedNs[at] as number) > (this.asOfNs[instrument] as number)) {
        this.#account.execute(instrument, kind === FillKind.Executed ? signed : -signed, fills.price[at] as number);
      }
    }
    if (kind === FillKind.Refused) this.#refused(fills, at, place);
    // A broken trade changes what was executed, not what works.
    if (kind !== FillKind.Broken) this.#exposure.left(place, fills.decision[at] as number, fills.leaves[at] as number);
    return instrument;
  }

  /** Gives back what a refused order had taken: once, and only for the order that is open here; any other was never taken from this credit. */
  #refused(fills: DueFills, at: number, place: number): void {
    const code = (fills.reason[at] as number) & 63;
    this.refusals[code] = (this.refusals[code] as number) + 1;
    const slot = fills.token[at] as number;
    if (!(slot >>> 1 === place && fills.epoch[at] === this.epoch)) return;
    if (!(this.#exposure.isOpen(place) && this.#exposure.decision[place] === fills.decision[at])) return;
    const qty = fills.qty[at] as number;
    this.#credit.refund(slot, qty, fills.price[at] as number);
    if (code >= QTY_TOTAL && code <= MESSAGES_TOTAL) this.resync = slot;
  }
}
