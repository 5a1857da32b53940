// @hot
/** The duty cycle of risk: Fills that are due, then signals to orders, with the token written before each order. */
import { FillView } from "../../schemas/generated/fill.ts";
import { OrderKind, OrderView, TimeInForce } from "../../schemas/generated/order.ts";
import {
  SIGNAL_OFFSET_DUE_NS, SIGNAL_OFFSET_FEED_NS, SIGNAL_OFFSET_MODEL_HASH, SIGNAL_OFFSET_PREDICT_NS, SIGNAL_OFFSET_SEQ,
  SIGNAL_OFFSET_SIGNAL_NS, SIGNAL_OFFSET_TIME_NS, SignalView,
} from "../../schemas/generated/signal.ts";
import type { Agent } from "../kit/agent.ts";
import type { Handler, Inlet, Outlet } from "../kit/link.ts";
import type { Cell } from "../kit/ring/cell.ts";
import { Account } from "./account.ts";
import type { RiskLimits } from "./config.ts";
import { Credit } from "./credit.ts";
import { decide, type Known, roomOf, type Verdict } from "./decide.ts";
import { DueFills } from "./due.ts";
import { Exposure, sidePlace } from "./exposure.ts";
import { Ledger } from "./ledger.ts";
import { Marks } from "./marks.ts";
import { Refusal } from "./refusals.ts";
import { tokenSlot, type TokenDraft, type TokenWriter } from "./tokens.ts";

/** What risk is driven with; the doors are made in `main.ts`. */
export interface DeskDoors {
  readonly limits: RiskLimits;
  readonly instruments: number;
  readonly orders: Outlet;
  readonly tokens: TokenWriter;
  /** True when orders may pass. */
  readonly armed: () => boolean;
  readonly epoch: () => number;
  /** Stops the line: the loss limit was crossed, or the sums are no longer exact. */
  readonly disarm: () => void;
  /** Stamps the monotonic time into `stampWords` (low, high). */
  readonly stamp: () => void;
  readonly stampWords: Uint32Array;
  /** Counts an order (0) or a refusal by its code, and the time from signal to order. */
  readonly count: (code: number, tookNs: number) => void;
  /** In replay the horizons of inference (read) and risk (published); live there are none. */
  readonly horizons: { readonly upstream: Cell; readonly own: Cell } | undefined;
  readonly summary: () => Record<string, unknown>;
}

const TWO_32 = 4294967296;
/** All bits set: no limit. */
const NEVER = -1;
/** Messages taken in one look at a link. */
const BATCH = 64;
/** Fills that may wait for their time. */
const FILLS = 8192;
const SLOTS_EACH_INSTRUMENT = 4;
/** Buy plus sell: the other side is this less the one. */
const BOTH_SIDES = 3;
/** How long a token lasts when risk no longer renews it. */
const TOKEN_LIFE_NS = 250_000_000;
const PRICE_MAX = 0xffffffff;
const TOTAL_MAX = 9007199254740991;
/** The line runs one strategy. */
const STRATEGIES = 1;
// V8 folds a module's own constants into the code, and loads those that it imports.
const { None, Malformed, LinkFull } = Refusal;
const { Enter } = OrderKind;
const { ImmediateOrCancel } = TimeInForce;
const SEQ = SIGNAL_OFFSET_SEQ;
const TIME_NS = SIGNAL_OFFSET_TIME_NS;
const DUE_NS = SIGNAL_OFFSET_DUE_NS;
const FEED_NS = SIGNAL_OFFSET_FEED_NS;
const PREDICT_NS = SIGNAL_OFFSET_PREDICT_NS;
const SIGNAL_NS = SIGNAL_OFFSET_SIGNAL_NS;
const MODEL_HASH = SIGNAL_OFFSET_MODEL_HASH;

export class Desk implements Agent {
  readonly summary: () => Record<string, unknown>;
  /** Takes one signal; a fused link calls it on inference's stack. */
  readonly onSignal: Handler;
  /** Takes one Fill. */
  readonly onFill: Handler;
  readonly known: Known;
  readonly ledger: Ledger;
  readonly marks: Marks;
  /** Outcomes of signals by `Refusal`; place 0 counts orders. */
  readonly outcomes = new Float64Array(32);
  readonly #doors: DeskDoors;
  readonly #due = new DueFills(FILLS);
  readonly #signal = new SignalView();
  readonly #fill = new FillView();
  readonly #order = new OrderView();
  /** The stamp, as the view of a message takes it. */
  readonly #stampView: DataView;
  readonly #verdict: Verdict = { qty: 0, lane: 0 };
  readonly #draft: TokenDraft = {
    epoch: 0, expiryLo: 0, expiryHi: 0, priceLow: 0, priceHigh: 0, qtyMax: 0, instrument: 0, strategy: 0, side: 0, lane: 0,
    totals: new Float64Array(3),
  };
  #signals: Inlet | undefined;
  #fills: Inlet | undefined;
  readonly #nowNs = new Float64Array(1);
  #epoch = -1;
  #worked = 0;

  constructor(doors: DeskDoors) {
    const { instruments, limits } = doors;
    const account = new Account(instruments);
    const exposure = new Exposure(instruments);
    const credit = new Credit(instruments * SLOTS_EACH_INSTRUMENT, limits.messagesPerSecond);
    this.summary = doors.summary;
    this.#doors = doors;
    this.#stampView = new DataView(doors.stampWords.buffer, doors.stampWords.byteOffset, 8);
    this.ledger = new Ledger(instruments, account, exposure, credit);
    this.marks = new Marks(instruments, account);
    this.known = {
      armed: false, halted: false, ageNs: new Float64Array(1).fill(Number.NaN), lastDecision: new Float64Array(instruments), stale: this.marks.stale, bid: this.marks.bid, ask: this.marks.ask,
      strategies: STRATEGIES, account, exposure, credit,
    };
    this.onSignal = (view, at) => {
      this.#worked += 1;
      this.#outcome(this.#signal.wrap(view, at) ? this.#take() : Malformed);
    };
    this.onFill = (view, at) => {
      this.#worked += 1;
      if (this.#fill.wrap(view, at)) this.#due.push(this.#fill);
    };
  }

  /** Gives the receiving ends, made with the handlers above, and the reading end of the features ring. */
  attach(signals: Inlet, fills: Inlet, rows: Inlet): void {
    this.#signals = signals;
    this.#fills = fills;
    this.marks.attach(rows);
  }

  doWork(): number {
    const { horizons, limits } = this.#doors;
    this.#follow();
    if (horizons !== undefined) horizons.upstream.load();
    const signals = this.#signals;
    if (signals !== undefined) while (signals.poll(this.onSignal, BATCH) === BATCH);
    let rows = 0;
    if (horizons === undefined) {
      this.#receive();
      this.#settle(NEVER, NEVER);
      rows = this.marks.before(NEVER, NEVER);
      if (this.#worked + rows > 0) this.#watch(limits);
    } else {
      this.#receive();
      this.#settle(horizons.upstream.low, horizons.upstream.high);
      rows = this.marks.before(horizons.upstream.low, horizons.upstream.high);
      horizons.own.set(horizons.upstream.low, horizons.upstream.high);
    }
    const work = this.#worked + rows;
    this.#worked = 0;
    return work;
  }

  close(): void {}

  /** A new epoch: every budget counts from nothing. The first one goes on from what the gate has counted. */
  #follow(): void {
    const epoch = this.#doors.epoch();
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.ledger.epoch = epoch;
    for (let slot = 0; slot < this.known.credit.qty.length; slot++) this.#restoreCredit(slot);
  }

  #restoreCredit(slot: number): void {
    const { tokens } = this.#doors;
    this.known.credit.restore(slot, tokens.usedQty(slot, this.#epoch), tokens.usedNotional(slot, this.#epoch), tokens.usedMessages(slot, this.#epoch));
  }

  /** Takes Fills from the link while there is room for them. */
  #receive(): void {
    const fills = this.#fills;
    if (fills === undefined) return;
    while (this.#due.room >= BATCH && fills.poll(this.onFill, BATCH) === BATCH);
  }

  /** Applies what is due before a line time, in signed words. Live, Fills carry no time and are always due. */
  #settle(beforeLo: number, beforeHi: number): void {
    for (;;) {
      const at = this.#due.take(beforeLo, beforeHi);
      if (at < 0) return;
      this.ledger.apply(this.#due, at);
      const slot = this.ledger.resync;
      if (slot >= 0) {
        this.#restoreCredit(slot);
        this.ledger.resync = -1;
      }
    }
  }

  /** Stops the line when it has lost more than it may, or when nobody can tell. */
  #watch(limits: RiskLimits): void {
    const { account, halted } = this.known;
    if (account.equity2 >= -2 * limits.lossMax && account.exact) return;
    this.known.halted = true;
    if (!halted) this.#doors.disarm();
  }

  /** One signal: everything before it is applied first, then it is decided on. */
  #take(): Refusal {
    const { limits, horizons, stamp, stampWords, armed } = this.#doors;
    const { known } = this;
    const signal = this.#signal;
    const { view, at } = signal;
    this.#follow();
    this.#receive();
    if (horizons === undefined) this.#settle(NEVER, NEVER);
    else this.#settle(view.getInt32(at + TIME_NS, true), view.getInt32(at + TIME_NS + 4, true));
    this.marks.upTo(signal.seq);
    this.#watch(limits);
    stamp();
    const now = (stampWords[1] as number) * TWO_32 + (stampWords[0] as number);
    // An argument or a field of this size would be boxed, and so would the result of an accessor that V8 does not inline.
    this.#nowNs[0] = now;
    const timeNs = view.getUint32(at + TIME_NS + 4, true) * TWO_32 + view.getUint32(at + TIME_NS, true);
    known.ageNs[0] = horizons === undefined ? now - timeNs : 0;
    known.armed = armed();
    const refusal = decide(signal, known, limits, this.#verdict);
    return refusal === None ? this.#send() : refusal;
  }

  /**
   * Writes the token, then the order; afterwards the instrument's other tokens follow what has changed. A slot is never written while
   * an order that draws on it is open: so the gate finds it whole, and as it was decided on, whenever it comes to read it.
   */
  #send(): Refusal {
    const { orders } = this.#doors;
    const { known } = this;
    const signal = this.#signal;
    const { qty, lane } = this.#verdict;
    const { instrument, side, price } = signal;
    const at = orders.claim();
    if (at < 0) return LinkFull;
    const slot = tokenSlot(instrument, side, lane);
    known.lastDecision[instrument] = signal.seq;
    known.exposure.open(sidePlace(instrument, side), signal.seq, qty);
    known.credit.spend(slot, qty, price);
    this.#grant(instrument, side, lane);
    this.#write(orders.view, at, slot);
    // The link is fused or not: on commit the order may already be on the socket, and `#signal` still is this one.
    orders.commit();
    this.#grant(instrument, side, 1 - lane);
    const opposite = BOTH_SIDES - side;
    if (!known.exposure.isOpen(sidePlace(instrument, opposite))) {
      this.#grant(instrument, opposite, 0);
      this.#grant(instrument, opposite, 1);
    }
    const signalNs = signal.view.getUint32(signal.at + SIGNAL_NS + 4, true) * TWO_32 + signal.view.getUint32(signal.at + SIGNAL_NS, true);
    this.#doors.count(None, (this.#nowNs[0] as number) - signalNs);
    return None;
  }

  /** Writes one slot: what was ordered so far, this order included, and what may come now. */
  #grant(instrument: number, side: number, lane: number): void {
    const { limits, tokens } = this.#doors;
    const { known } = this;
    const signal = this.#signal;
    const draft = this.#draft;
    const slot = tokenSlot(instrument, side, lane);
    const collar = limits.collar[instrument] as number;
    const room = roomOf(limits, known, instrument, side, lane);
    const expiryLo = signal.view.getUint32(signal.at + TIME_NS, true) + TOKEN_LIFE_NS;
    draft.epoch = this.#epoch;
    draft.expiryLo = expiryLo >>> 0;
    draft.expiryHi = signal.timeNsHi + (expiryLo >= TWO_32 ? 1 : 0);
    draft.priceLow = Math.max(1, (known.bid[instrument] as number) - collar);
    draft.priceHigh = Math.min(PRICE_MAX, (known.ask[instrument] as number) + collar);
    draft.qtyMax = limits.orderQtyMax;
    draft.instrument = instrument;
    draft.strategy = signal.strategy;
    draft.side = side;
    draft.lane = lane;
    draft.totals[0] = (known.credit.qty[slot] as number) + room;
    draft.totals[1] = Math.min(TOTAL_MAX, (known.credit.notional[slot] as number) + room * draft.priceHigh);
    draft.totals[2] = (known.credit.messages[slot] as number) + known.credit.available(slot);
    tokens.write(slot, draft);
  }

  #write(view: DataView, at: number, slot: number): void {
    const signal = this.#signal;
    const order = this.#order;
    order.view = view;
    order.at = at;
    order.copyDecision(signal.view, signal.at + SEQ);
    order.copyTimeNs(signal.view, signal.at + TIME_NS);
    order.copyDueNs(signal.view, signal.at + DUE_NS);
    order.copyFeedNs(signal.view, signal.at + FEED_NS);
    order.copyPredictNs(signal.view, signal.at + PREDICT_NS);
    order.copySignalNs(signal.view, signal.at + SIGNAL_NS);
    order.copyModelHash(signal.view, signal.at + MODEL_HASH);
    order.copyRiskNs(this.#stampView, 0);
    order.epoch = this.#epoch;
    order.token = slot;
    order.instrument = signal.instrument;
    order.strategy = signal.strategy;
    order.side = signal.side;
    order.lane = this.#verdict.lane;
    order.kind = Enter;
    order.tif = ImmediateOrCancel;
    order.price = signal.price;
    order.qty = this.#verdict.qty;
    order.target = 0;
    order.reserved = 0;
  }

  #outcome(refusal: Refusal): void {
    this.outcomes[refusal] = (this.outcomes[refusal] as number) + 1;
    if (refusal !== None) this.#doors.count(refusal, 0);
  }
}
