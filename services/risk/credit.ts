// @hot
/**
 * Cumulative credit by token slot: what was ordered since the epoch began, and messages that refill with line time.
 *
 * A token's totals are "ordered so far, plus what may come now". Ordered counts what the gate will count, so an order that the
 * gate refuses is given back. Messages are a bucket of one second's worth that refills evenly.
 */

const SECOND_NS = 1_000_000_000;
const TWO_32 = 4294967296;
/** Totals end here: far below 2^53, so that the next order's sum is exact. */
const TOTAL_MAX = 4503599627370496;

export class Credit {
  /** Shares ordered on a slot since the epoch began. */
  readonly qty: Float64Array;
  /** Notional ordered, 1/10,000 dollar. */
  readonly notional: Float64Array;
  /** Messages ordered. */
  readonly messages: Float64Array;
  /** Line time banked for messages, ns; a message costs `#costNs`. */
  readonly #bankNs: Float64Array;
  readonly #timeLo: Float64Array;
  readonly #timeHi: Float64Array;
  readonly #costNs: number;

  constructor(slots: number, messagesPerSecond: number) {
    this.qty = new Float64Array(slots);
    this.notional = new Float64Array(slots);
    this.messages = new Float64Array(slots);
    this.#bankNs = new Float64Array(slots).fill(SECOND_NS);
    this.#timeLo = new Float64Array(slots);
    this.#timeHi = new Float64Array(slots);
    this.#costNs = Math.ceil(SECOND_NS / messagesPerSecond);
  }

  /** Lets line time pass on a slot; time that goes back changes nothing. */
  refill(slot: number, timeLo: number, timeHi: number): void {
    const elapsed = (timeHi - (this.#timeHi[slot] as number)) * TWO_32 + (timeLo - (this.#timeLo[slot] as number));
    if (!(elapsed > 0)) return;
    this.#timeLo[slot] = timeLo;
    this.#timeHi[slot] = timeHi;
    this.#bankNs[slot] = Math.min(SECOND_NS, (this.#bankNs[slot] as number) + elapsed);
  }

  /** Messages that a slot may send now. */
  available(slot: number): number {
    return Math.floor((this.#bankNs[slot] as number) / this.#costNs);
  }

  /** Is there room in the totals for orders to come? */
  lasts(slot: number): boolean {
    return (this.qty[slot] as number) < TOTAL_MAX && (this.notional[slot] as number) < TOTAL_MAX;
  }

  /** An order goes out on a slot. */
  spend(slot: number, qty: number, notional: number): void {
    this.qty[slot] = (this.qty[slot] as number) + qty;
    this.notional[slot] = (this.notional[slot] as number) + notional;
    this.messages[slot] = (this.messages[slot] as number) + 1;
    this.#bankNs[slot] = (this.#bankNs[slot] as number) - this.#costNs;
  }

  /** The gate refused an order: it has taken nothing. */
  refund(slot: number, qty: number, notional: number): void {
    this.qty[slot] = (this.qty[slot] as number) - qty;
    this.notional[slot] = (this.notional[slot] as number) - notional;
    this.messages[slot] = (this.messages[slot] as number) - 1;
    this.#bankNs[slot] = Math.min(SECOND_NS, (this.#bankNs[slot] as number) + this.#costNs);
  }

  /** Takes over what the gate has counted on a slot, at a start or when an epoch begins. */
  restore(slot: number, qty: number, notional: number, messages: number): void {
    this.qty[slot] = qty;
    this.notional[slot] = notional;
    this.messages[slot] = messages;
  }
}
