/**
 * Goal: whatever comes in whatever order, positions, open exposure, cash, realised and open profit are right to the tick, and no order or
 * token ever gives away more than the limits.
 * Method: a real desk against a model in BigInt that keeps every execution and order and recounts all of them after each step.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { FillKind } from "../../schemas/generated/fill.ts";
import { Refusal } from "./refusals.ts";
import { ASK, BID, LIMITS, Rig } from "./rig.ts";
import { trials } from "../../test/trials.ts";

const folder = mkdtempSync("/dev/shm/tickline-test-books-");
after(() => rmSync(folder, { recursive: true, force: true }));

const INSTRUMENTS = 2;
const SLOTS = INSTRUMENTS * 4;

interface Execution {
  readonly order: Order;
  readonly qty: bigint;
  readonly price: bigint;
  /** Place in the history, so that a broken trade is taken back once. */
  broken: boolean;
}

interface Order {
  decision: number;
  readonly instrument: number;
  readonly side: number;
  readonly slot: number;
  readonly qty: number;
  readonly price: number;
  leaves: number;
  touched: boolean;
}

/** Positions by recounting: signed shares and prices in the order in which they took effect. */
class Books {
  readonly trades: { readonly instrument: number; readonly signed: bigint; readonly price: bigint }[] = [];
  readonly mark2: bigint[] = Array.from({ length: INSTRUMENTS }, () => 0n);

  count(instrument: number): { shares: bigint; cash: bigint; cost: bigint; realised: bigint } {
    let [shares, cash, cost, realised] = [0n, 0n, 0n, 0n];
    for (const { instrument: at, signed, price } of this.trades) {
      if (at !== instrument) continue;
      cash -= signed * price;
      const opposite = shares !== 0n && shares > 0n !== signed > 0n;
      const size = shares < 0n ? -shares : shares;
      const amount = signed < 0n ? -signed : signed;
      const closes = opposite ? (amount < size ? amount : size) : 0n;
      const part = closes === 0n ? 0n : (cost * closes) / size;
      realised += (shares > 0n ? closes : -closes) * price - part;
      cost += -part + (signed > 0n ? amount - closes : closes - amount) * price;
      shares += signed;
    }
    return { shares, cash, cost, realised };
  }
}

type Step =
  | { readonly does: "signal"; readonly instrument: number; readonly side: number; readonly off: number; readonly qty: number; readonly sure: boolean }
  | { readonly does: "fill"; readonly which: number; readonly kind: number; readonly part: number; readonly off: number }
  | { readonly does: "break"; readonly which: number }
  | { readonly does: "again"; readonly which: number }
  | { readonly does: "touch"; readonly instrument: number; readonly off: number; readonly spread: number }
  | { readonly does: "wait"; readonly ns: number };

const instrument = fc.integer({ min: 0, max: INSTRUMENTS - 1 });
const which = fc.nat(1_000);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ does: fc.constant("signal" as const), instrument, side: fc.integer({ min: 1, max: 2 }), off: fc.integer({ min: -600, max: 600 }), qty: fc.integer({ min: 1, max: 150 }), sure: fc.boolean() }) },
    { weight: 7, arbitrary: fc.record({ does: fc.constant("fill" as const), which, kind: fc.constantFrom(FillKind.Accepted, FillKind.Executed, FillKind.Executed, FillKind.Executed, FillKind.Canceled, FillKind.Rejected, FillKind.Refused, FillKind.Replaced), part: fc.integer({ min: 1, max: 150 }), off: fc.integer({ min: -300, max: 300 }) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("break" as const), which }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("again" as const), which }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant("touch" as const), instrument, off: fc.integer({ min: -2_000, max: 2_000 }), spread: fc.integer({ min: 1, max: 7_000 }) }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant("wait" as const), ns: fc.integer({ min: 1, max: 400_000_000 }) }) },
  ),
  { minLength: 1, maxLength: 120, size: "max" },
);

/** The desk, the model, and what the gate would have counted. */
class Trial {
  readonly rig: Rig;
  readonly books = new Books();
  readonly orders: Order[] = [];
  readonly executions: Execution[] = [];
  /** Sent on each slot since the start: shares, notional, messages. */
  readonly used = Array.from({ length: SLOTS }, () => ({ qty: 0n, notional: 0n, messages: 0n }));
  readonly bid = Array.from({ length: INSTRUMENTS }, () => BID);
  readonly ask = Array.from({ length: INSTRUMENTS }, () => ASK);
  sent = 0;

  constructor(path: string) {
    this.rig = new Rig(path, { ...LIMITS, lossMax: 1_000_000_000_000 });
    this.books.mark2.fill(BigInt(BID + ASK));
  }

  /** Shares toward the position limit on a side, all open orders taken as executed. */
  toward(at: number, side: number): bigint {
    const { shares } = this.books.count(at);
    return (side === 1 ? shares : -shares) + BigInt(this.openOn(at, side)?.leaves ?? 0);
  }

  openOn(at: number, side: number): Order | undefined {
    return this.orders.find((order) => order.instrument === at && order.side === side && order.leaves > 0);
  }

  signal(step: Step & { does: "signal" }): void {
    const { rig } = this;
    const touch = step.side === 1 ? (this.ask[step.instrument] as number) : (this.bid[step.instrument] as number);
    const signal = rig.ask(step.side, Math.max(1, touch + step.off), step.qty, step.sure ? 0.97 : 0.5);
    signal.instrument = step.instrument;
    const before = this.toward(step.instrument, step.side);
    const open = this.openOn(step.instrument, step.side);
    if (rig.send() !== Refusal.None) return;
    const { order } = rig;
    assert.equal(open, undefined, "one open order for each side");
    assert.ok(order.qty >= 1 && order.qty <= step.qty && order.qty <= LIMITS.orderQtyMax, "sized down only");
    assert.ok(BigInt(order.qty) * BigInt(order.price) <= BigInt(LIMITS.orderNotionalMax));
    assert.ok(before + BigInt(order.qty) <= BigInt(LIMITS.positionMax), "with all open orders executed the position limit holds");
    this.#tokenHolds(before, order.token);
    const used = this.used[order.token];
    assert.ok(used);
    used.qty += BigInt(order.qty);
    used.notional += BigInt(order.qty) * BigInt(order.price);
    used.messages += 1n;
    this.sent += 1;
    this.orders.push({ decision: order.decision, instrument: order.instrument, side: order.side, slot: order.token, qty: order.qty, price: order.price, leaves: order.qty, touched: false });
  }

  /** The order's token lets it through at the gate; it and its sister on the other lane give away no more than there is room for. */
  #tokenHolds(toward: bigint, slot: number): void {
    const { order } = this.rig;
    const [own, sister, used, spent] = [this.rig.token(slot), this.rig.token(slot ^ 1), this.used[slot], this.used[slot ^ 1]];
    assert.ok(used && spent);
    assert.ok(own.begin % 2 === 0 && own.begin > 0 && own.begin === own.end && own.magic === 0x544b && own.epoch === 1);
    assert.deepEqual([own.instrument, own.strategy, own.side, own.lane], [order.instrument, order.strategy, order.side, order.lane]);
    assert.equal(own.expiryNs, BigInt(this.rig.nowNs) + 250_000_000n);
    assert.ok(order.price >= own.priceLow && order.price <= own.priceHigh && order.qty <= own.qtyMax);
    assert.deepEqual([own.priceLow, own.priceHigh], [(this.bid[order.instrument] as number) - 5_000, (this.ask[order.instrument] as number) + 5_000]);
    assert.ok(used.qty + BigInt(order.qty) <= own.qtyTotal && used.messages + 1n <= own.messagesTotal);
    assert.ok(used.notional + BigInt(order.qty) * BigInt(order.price) <= own.notionalTotal);
    const most = BigInt(LIMITS.positionMax);
    assert.ok(own.qtyTotal - used.qty + (sister.qtyTotal - spent.qty) <= (toward < most ? most - toward : 0n), "credit of both lanes");
    assert.ok(own.messagesTotal - used.messages <= BigInt(LIMITS.messagesPerSecond));
    assert.ok(own.notionalTotal - used.notional <= (own.qtyTotal - used.qty) * BigInt(own.priceHigh));
  }

  #answer(order: Order, kind: number, qty: number, price = order.price): void {
    this.rig.answer(kind, qty, order.leaves, (fill) => {
      fill.decision = order.decision;
      fill.instrument = order.instrument;
      fill.side = order.side;
      fill.token = order.slot;
      fill.lane = order.slot & 1;
      fill.price = price;
      fill.reason = kind === FillKind.Refused ? 18 : 0;
    });
  }

  fill({ which: pick, kind, part, off }: Step & { does: "fill" }): void {
    const open = this.orders.filter(({ leaves }) => leaves > 0);
    const order = open[pick % Math.max(1, open.length)];
    if (order === undefined) return;
    if (kind === FillKind.Accepted) this.#answer(order, kind, order.qty);
    else if (kind === FillKind.Executed) {
      const qty = Math.min(part, order.leaves);
      order.leaves -= qty;
      const price = order.price + off;
      this.executions.push({ order, qty: BigInt(qty), price: BigInt(price), broken: false });
      this.books.trades.push({ instrument: order.instrument, signed: BigInt(order.side === 1 ? qty : -qty), price: BigInt(price) });
      this.#answer(order, kind, qty, price);
    } else if (kind === FillKind.Canceled) {
      const qty = Math.min(part, order.leaves);
      order.leaves -= qty;
      this.#answer(order, kind, qty);
    } else if (kind === FillKind.Replaced) {
      // The venue's words for a replace: the old order ends, another takes its place with its own decision.
      const qty = order.leaves;
      order.leaves = 0;
      this.#answer(order, FillKind.Canceled, qty);
      const next: Order = { ...order, decision: order.decision + 0x1000_0000, qty, leaves: qty, touched: true };
      this.orders.push(next);
      this.#answer(next, kind, qty);
    } else if (!order.touched && order.leaves === order.qty) {
      order.leaves = 0;
      const used = this.used[order.slot];
      assert.ok(used);
      if (kind === FillKind.Refused) {
        used.qty -= BigInt(order.qty);
        used.notional -= BigInt(order.qty) * BigInt(order.price);
        used.messages -= 1n;
      }
      this.#answer(order, kind, order.qty);
    }
    order.touched = true;
  }

  break(pick: number): void {
    const standing = this.executions.filter(({ broken }) => !broken);
    const execution = standing[pick % Math.max(1, standing.length)];
    if (execution === undefined) return;
    execution.broken = true;
    const { order, qty, price } = execution;
    this.books.trades.push({ instrument: order.instrument, signed: order.side === 1 ? -qty : qty, price });
    this.#answer(order, FillKind.Broken, Number(qty), Number(price));
  }

  /** An order that has ended is refused once more, or accepted late, perhaps while another is open on its side: nothing may change. */
  again(pick: number): void {
    const ended = this.orders.filter(({ leaves }) => leaves === 0);
    const order = ended[pick % Math.max(1, ended.length)];
    if (order !== undefined) this.#answer(order, pick % 2 === 0 ? FillKind.Refused : FillKind.Accepted, order.qty);
  }

  touch(step: Step & { does: "touch" }): void {
    this.bid[step.instrument] = BID + step.off;
    this.ask[step.instrument] = BID + step.off + step.spread;
    this.books.mark2[step.instrument] = BigInt(2 * (BID + step.off) + step.spread);
    this.rig.touch(step.instrument, BID + step.off, BID + step.off + step.spread);
  }

  take(step: Step): void {
    if (step.does === "signal") this.signal(step);
    else if (step.does === "fill") this.fill(step);
    else if (step.does === "break") this.break(step.which);
    else if (step.does === "again") this.again(step.which);
    else if (step.does === "wait") this.rig.nowNs += step.ns;
    else this.touch(step);
  }

  check(): void {
    const { account, exposure, credit } = this.rig.desk.known;
    let equity2 = 0n;
    for (let at = 0; at < INSTRUMENTS; at++) {
      const { shares, cash, cost, realised } = this.books.count(at);
      const mark2 = this.books.mark2[at] as bigint;
      assert.deepEqual([account.shares[at], account.cash[at], account.cost[at], account.realised[at]].map((n) => BigInt(n as number)), [shares, cash, cost, realised]);
      assert.equal(BigInt(account.unrealised2(at)), shares * mark2 - 2n * cost);
      assert.equal(2n * realised + BigInt(account.unrealised2(at)), 2n * cash + shares * mark2, "realised and open profit are the whole of it");
      equity2 += 2n * cash + shares * mark2;
      for (const side of [1, 2]) assert.equal(exposure.leaves[at * 2 + side - 1], this.openOn(at, side)?.leaves ?? 0, "open exposure");
    }
    assert.equal(BigInt(account.equity2), equity2);
    assert.equal(account.exact, true);
    this.used.forEach(({ qty, notional, messages }, slot) => {
      assert.deepEqual([credit.qty[slot], credit.notional[slot], credit.messages[slot]].map((n) => BigInt(n as number)), [qty, notional, messages], `credit of slot ${slot} is what the gate counts`);
    });
  }
}

test("after any history the desk's books are the model's, and no limit was ever passed", () => {
  let runs = 0;
  let sent = 0;
  let traded = 0;
  fc.assert(
    fc.property(steps, (list) => {
      const path = join(folder, `tokens-${runs++}`);
      const trial = new Trial(path);
      for (const step of list) {
        trial.take(step);
        trial.check();
      }
      sent += trial.sent;
      traded += trial.executions.length;
      rmSync(path);
    }),
    { numRuns: trials(400, 5_000) },
  );
  assert.ok(sent > 1_000 && traded > 1_000, `the property was put to work: ${sent} orders, ${traded} executions`);
});
