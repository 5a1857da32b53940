// @hot
/**
 * Open orders by instrument and side: at most one decision each, so two numbers say it all. An order is open until a Fill says
 * that nothing of it is left; silence closes nothing.
 */

/** Place of a side in the tables: 0 buy, 1 sell. */
export function sidePlace(instrument: number, side: number): number {
  return instrument * 2 + side - 1;
}

export class Exposure {
  /** Shares that may still execute. */
  readonly leaves: Float64Array;
  /** Decision of the open order. */
  readonly decision: Float64Array;

  constructor(instruments: number) {
    this.leaves = new Float64Array(instruments * 2);
    this.decision = new Float64Array(instruments * 2);
  }

  /** Is an order open on this side? */
  isOpen(place: number): boolean {
    return (this.leaves[place] as number) > 0;
  }

  /** An order goes out. */
  open(place: number, decision: number, qty: number): void {
    this.leaves[place] = qty;
    this.decision[place] = decision;
  }

  /** A Fill says what is left of an order. One that is not ours to know (sent by an earlier process) is taken over while it works. */
  left(place: number, decision: number, leaves: number): void {
    if (this.isOpen(place) && (this.decision[place] as number) !== decision) return;
    this.leaves[place] = leaves;
    this.decision[place] = decision;
  }
}
