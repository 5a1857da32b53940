/** Why risk refuses a signal: a code for each reason. 0 means "ordered". Codes are stable. */
export const Refusal = {
  None: 0,
  /** The bytes are no signal. */
  Malformed: 1,
  /** The line is not armed. */
  Disarmed: 2,
  /** Risk has stopped itself: the loss limit was crossed. */
  Halted: 3,
  /** The instrument is not in the line's configuration. */
  Instrument: 4,
  /** The strategy is not in the line's configuration. */
  Strategy: 5,
  /** Neither buy nor sell. */
  Side: 6,
  /** The confidence is not a number from 0 to 1. */
  Confidence: 7,
  /** A prediction is not a number. */
  Prediction: 8,
  /** The quantity is zero. */
  QtyZero: 9,
  /** The price is zero. */
  PriceZero: 10,
  /** The touch it was decided on, or the newest one known, has an empty side, or is locked or crossed. */
  Touch: 11,
  /** The book behind it is stale. */
  Stale: 12,
  /** Its features are too old, or from the future. */
  Age: 13,
  /** Its decision is not above the last one ordered of the instrument. */
  Decision: 14,
  /** An order of the same instrument and side is still open. */
  Open: 15,
  /** The price is further below the bid than the collar allows. */
  CollarLow: 16,
  /** The price is further above the ask than the collar allows. */
  CollarHigh: 17,
  /** The spread is wider than the collar; a soft rule that the priority lane skips. */
  Wide: 18,
  /** No position may be added on this side; reducing orders pass. */
  Position: 19,
  /** One share is worth more than an order may be. */
  Notional: 20,
  /** The token's messages are used up for now. */
  Messages: 21,
  /** The epoch's cumulative credit has come to its end. */
  Exhausted: 22,
  /** The link to execution is full. */
  LinkFull: 23,
} as const;

/** A code of `Refusal`. */
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

/** Names by code, for summaries and logs. */
export const REFUSAL_NAMES: readonly string[] = Object.keys(Refusal);
