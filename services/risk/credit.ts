// @hot
/**
 * Cumulative credit by token slot: what was ordered since the epoch began, and messages that refill with line time.
 *
 * A token's totals are "ordered so far, plus what may come now". Ordered counts what the gate will count, so an order that the
 * gate refuses is given back. Messages are a bucket of one second's worth that refills evenly, counted in parts of a message so
 * that every limit is exact: one message is 10^9 parts, and a nanosecond brings as many parts as the limit has messages.
 */

/** Parts of one message; as many as a second has nanoseconds. */
const PARTS = 1_000_000_000;
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
  /** Parts of messages banked, at most one second's worth: 10^15, so sums are exact. */
  readonly #bank: Float64Array;
  readonly #timeLo: Float64Array;
  readonly #timeHi: Float64Array;
  readonly #messagesPerSecond: number;

  constructor(slots: number, messagesPerSecond: number) {
    this.qty = new Float64Array(slots);
    this.notional = new Float64Array(slots);
    this.messages = new Float64Array(slots);
    this.#bank = new Float64Array(slots).fill(messagesPerSecond * PARTS);
    this.#timeLo = new Float64Array(slots);
    this.#timeHi = new Float64Array(slots);
    this.#messagesPerSecond = messagesPerSecond;
  }

  /** Lets line time, in signed words, pass on a slot; time that goes back changes nothing. */
  refill(slot: number, timeLo: number, timeHi: number): void {
    const elapsed = ((timeHi >>> 0) - (this.#timeHi[slot] as number)) * TWO_32 + ((timeLo >>> 0) - (this.#timeLo[slot] as number));
    if (!(elapsed > 0)) return;
    this.#timeLo[slot] = timeLo >>> 0;
    this.#timeHi[slot] = timeHi >>> 0;
    const most = this.#messagesPerSecond * PARTS;
    this.#bank[slot] = Math.min(most, (this.#bank[slot] as number) + elapsed * this.#messagesPerSecond);
  }

  /** Messages that a slot may send now. */
  available(slot: number): number {
    return Math.floor((this.#bank[slot] as number) / PARTS);
  }

  /** Is there room in the totals for orders to come? */
  lasts(slot: number): boolean {
    return (this.qty[slot] as number) < TOTAL_MAX && (this.notional[slot] as number) < TOTAL_MAX;
  }

  /** An order goes out on a slot. */
  spend(slot: number, qty: number, price: number): void {
    this.qty[slot] = (this.qty[slot] as number) + qty;
    this.notional[slot] = (this.notional[slot] as number) + qty * price;
    this.messages[slot] = (this.messages[slot] as number) + 1;
    this.#bank[slot] = (this.#bank[slot] as number) - PARTS;
  }

  /** The gate refused an order: it has taken nothing. Totals never fall below nothing, whatever is given back. */
  refund(slot: number, qty: number, price: number): void {
    this.qty[slot] = Math.max(0, (this.qty[slot] as number) - qty);
    this.notional[slot] = Math.max(0, (this.notional[slot] as number) - qty * price);
    this.messages[slot] = Math.max(0, (this.messages[slot] as number) - 1);
    this.#bank[slot] = Math.min(this.#messagesPerSecond * PARTS, (this.#bank[slot] as number) + PARTS);
  }

  /** Takes over what the gate has counted on a slot, at a start or when an epoch begins. */
  restore(slot: number, qty: number, notional: number, messages: number): void {
    this.qty[slot] = qty;
    this.notional[slot] = notional;
    this.messages[slot] = messages;
  }
}
