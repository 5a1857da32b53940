// @hot
/**
 * Positions, cash and profit in integers: shares, and 1/10,000 dollar. Every value stays a whole number below 2^53, so the sums are
 * exact; `exact` says when that would end. Marks are kept doubled (bid + ask), so that a mid on half a tick is exact too.
 *
 * Cost is the average's: what closes takes its part of it, rounded toward zero. Cash, shares and equity are exact whatever the
 * rounding, since cost and realised profit change by the same amount.
 *
 * Money stays within a function or lies in a typed array: as an argument or a result it would be boxed wherever V8 does not inline the call.
 */

const EXACT_MAX = 9007199254740991;
/** Shares up to which the split of a cost stays exact: their square is below 2^53. */
const SHARES_MAX = 67108864;

export class Account {
  /** Shares held by instrument; negative when short. */
  readonly shares: Float64Array;
  /** Money received less money paid. */
  readonly cash: Float64Array;
  /** What the shares held have cost; negative when short. */
  readonly cost: Float64Array;
  /** Profit of what was closed. */
  readonly realised: Float64Array;
  /** Bid plus ask of the last mark; 0 before the first. */
  readonly mark2: Float64Array;
  /** Shares ever bought and sold. */
  readonly traded: Float64Array;
  /** Twice what an instrument is worth: cash plus shares at their mark, as last looked at. */
  readonly #value2: Float64Array;
  /** Twice the line's equity: cash plus shares at their marks. */
  equity2 = 0;
  /** False once a value has left the exact range: nothing may be decided on it. */
  exact = true;

  constructor(instruments: number) {
    this.shares = new Float64Array(instruments);
    this.cash = new Float64Array(instruments);
    this.cost = new Float64Array(instruments);
    this.realised = new Float64Array(instruments);
    this.mark2 = new Float64Array(instruments);
    this.traded = new Float64Array(instruments);
    this.#value2 = new Float64Array(instruments);
  }

  /**
   * Counts an execution; the caller has made sure that it is counted once. `signed` is positive on a buy.
   * Before the first mark of the instrument the execution's price stands in for it. A broken trade is the opposite execution at its price.
   */
  execute(instrument: number, signed: number, price: number): void {
    const held = this.shares[instrument] as number;
    if ((this.mark2[instrument] as number) === 0) this.mark2[instrument] = 2 * price;
    const money = signed * price;
    this.cash[instrument] = (this.cash[instrument] as number) - money;
    this.shares[instrument] = held + signed;
    this.traded[instrument] = (this.traded[instrument] as number) + Math.abs(signed);
    this.#book(instrument, held, signed, price);
    this.#moved(instrument);
  }

  /** Takes over a position as it was published: shares at no profit yet, valued at their cost. */
  restore(instrument: number, shares: number, cash: number): void {
    this.shares[instrument] = shares;
    this.cash[instrument] = cash;
    this.cost[instrument] = shares === 0 ? 0 : -cash;
    this.realised[instrument] = shares === 0 ? cash : 0;
    if (shares !== 0) this.mark2[instrument] = Math.round((2 * -cash) / shares);
    this.#moved(instrument);
  }

  /** Marks an instrument to a touch; a touch with an empty side changes nothing. */
  mark(instrument: number, bid: number, ask: number): void {
    if (!(bid > 0 && ask > 0)) return;
    this.mark2[instrument] = bid + ask;
    this.#moved(instrument);
  }

  /** Twice the open profit of an instrument: shares at their mark, less what they have cost. */
  unrealised2(instrument: number): number {
    return (this.shares[instrument] as number) * (this.mark2[instrument] as number) - 2 * (this.cost[instrument] as number);
  }

  /** Splits an execution into what closes and what opens, and books cost and realised profit; their sum never changes. */
  #book(instrument: number, held: number, signed: number, price: number): void {
    const size = Math.abs(held);
    const closes = held !== 0 && held > 0 !== signed > 0 ? Math.min(size, Math.abs(signed)) : 0;
    const direction = held > 0 ? 1 : -1;
    if (closes > 0) {
      const cost = this.cost[instrument] as number;
      const each = Math.trunc(cost / size);
      const share = each * closes + Math.trunc(((cost - each * size) * closes) / size);
      this.cost[instrument] = cost - share;
      this.realised[instrument] = (this.realised[instrument] as number) + direction * closes * price - share;
    }
    const opens = Math.abs(signed) - closes;
    if (opens > 0) this.cost[instrument] = (this.cost[instrument] as number) + (signed > 0 ? opens : -opens) * price;
  }

  /** Takes over what an instrument is worth now. Each part is looked at by itself: two parts that are too large could cancel out. */
  #moved(instrument: number): void {
    const shares = this.shares[instrument] as number;
    const marked2 = shares * (this.mark2[instrument] as number);
    const cash2 = 2 * (this.cash[instrument] as number);
    const after2 = cash2 + marked2;
    this.equity2 += after2 - (this.#value2[instrument] as number);
    this.#value2[instrument] = after2;
    const held = Math.abs(shares) <= SHARES_MAX && Math.abs(marked2) <= EXACT_MAX;
    const paid = Math.abs(cash2) <= EXACT_MAX && Math.abs(2 * (this.cost[instrument] as number)) <= EXACT_MAX;
    const made = Math.abs(2 * (this.realised[instrument] as number)) <= EXACT_MAX && Math.abs(after2) <= EXACT_MAX;
    if (!(held && paid && made && Math.abs(this.equity2) <= EXACT_MAX)) this.exact = false;
  }
}
