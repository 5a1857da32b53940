/** A desk on a real token segment, with doors that a test holds in its hands: time, arming, the order link, Fills and rows. */
import { FEATURES_BYTES, FeaturesView, writePrefix as featuresPrefix } from "../../schemas/generated/features.ts";
import { FILL_BYTES, FillView, writePrefix as fillPrefix } from "../../schemas/generated/fill.ts";
import { ORDER_BYTES, OrderView, writePrefix as orderPrefix } from "../../schemas/generated/order.ts";
import { SIGNAL_BYTES, SignalView, writePrefix as signalPrefix } from "../../schemas/generated/signal.ts";
import type { Handler, Inlet, Outlet } from "../kit/link.ts";
import { AT_DATA } from "../kit/ring/layout.ts";
import { createSegment, Segment } from "../kit/ring/segment.ts";
import { TOKEN_BYTES, TOKENS_EACH_INSTRUMENT } from "../kit/segments.ts";
import type { RiskLimits } from "./config.ts";
import { Desk } from "./desk.ts";
import { TokenWriter } from "./tokens.ts";

/** Round limits, so that edges are easy to see. */
export const LIMITS: RiskLimits = {
  orderQtyMax: 100,
  orderNotionalMax: 1_000_000_000,
  positionMax: 1_000,
  priorityQty: 400,
  lossMax: 5_000_000,
  collar: [5_000, 5_000],
  wide: [5_000, 5_000],
  messagesPerSecond: 10,
  featureAgeMaxNs: 1_000,
};

/** The touch of every instrument at the start. */
export const BID = 1_000_000;
export const ASK = 1_000_100;

/** Remembers the last order and how many there were; the test may say that it is full. */
class OrderOutlet implements Outlet {
  readonly view = new DataView(new ArrayBuffer(ORDER_BYTES));
  full = false;
  sent = 0;
  constructor() {
    orderPrefix(this.view, 0);
  }
  claim(): number {
    return this.full ? -1 : 0;
  }
  commit(): void {
    this.sent += 1;
  }
}

/** Hands on one message that the test has filled, each time it is offered. */
class OneMessage implements Inlet {
  readonly view: DataView;
  #waits = false;
  constructor(bytes: number, prefix: (view: DataView, at: number) => void) {
    this.view = new DataView(new ArrayBuffer(bytes));
    prefix(this.view, 0);
  }
  offer(): void {
    this.#waits = true;
  }
  ready(): boolean {
    return this.#waits;
  }
  poll(handler: Handler, _limit: number): number {
    if (!this.#waits) return 0;
    this.#waits = false;
    handler(this.view, 0);
    return 1;
  }
}

/** A token slot as ARCHITECTURE.md ("Tokens") lays it out. */
export interface TokenRow {
  readonly begin: number;
  readonly end: number;
  readonly magic: number;
  readonly epoch: number;
  readonly expiryNs: bigint;
  readonly priceLow: number;
  readonly priceHigh: number;
  readonly qtyMax: number;
  readonly instrument: number;
  readonly strategy: number;
  readonly qtyTotal: bigint;
  readonly notionalTotal: bigint;
  readonly messagesTotal: bigint;
  readonly side: number;
  readonly lane: number;
}

export class Rig {
  readonly desk: Desk;
  readonly orders = new OrderOutlet();
  readonly order = new OrderView();
  readonly signal = new SignalView();
  readonly fill = new FillView();
  readonly row = new FeaturesView();
  readonly tokens: Segment;
  armed = true;
  epoch = 1;
  disarms = 0;
  readonly #signals = new OneMessage(SIGNAL_BYTES, signalPrefix);
  readonly #fills = new OneMessage(FILL_BYTES, fillPrefix);
  readonly #rows = new OneMessage(FEATURES_BYTES, featuresPrefix);
  #seq = 0;
  readonly #now = Float64Array.of(1_000_000_000);
  /** The time in words: what copies it makes no number, which V8 would box on its way through a call that it does not inline. */
  readonly #stamp: () => void;
  readonly #stampView: DataView;

  /** @param path where the token segment goes; must not exist */
  constructor(path: string, limits: RiskLimits = LIMITS, instruments = 2) {
    createSegment(path, { kind: "plain", bytes: instruments * TOKENS_EACH_INSTRUMENT * TOKEN_BYTES });
    this.tokens = Segment.open(path);
    const stampWords = new Uint32Array(2);
    this.#stampView = new DataView(stampWords.buffer);
    this.#stamp = () => {
      stampWords[0] = (this.#now[0] as number) % 4294967296;
      stampWords[1] = (this.#now[0] as number) / 4294967296;
    };
    this.desk = new Desk({
      limits,
      instruments,
      orders: this.orders,
      tokens: new TokenWriter(this.tokens.words),
      armed: () => this.armed,
      epoch: () => this.epoch,
      disarm: () => {
        this.disarms += 1;
        this.armed = false;
      },
      stamp: this.#stamp,
      stampWords,
      count: () => {},
      horizons: undefined,
      summary: () => ({}),
    });
    this.desk.attach(this.#signals, this.#fills, this.#rows);
    this.order.wrap(this.orders.view, 0);
    this.signal.wrap(this.#signals.view, 0);
    this.fill.wrap(this.#fills.view, 0);
    this.row.wrap(this.#rows.view, 0);
    for (let instrument = 0; instrument < instruments; instrument++) this.touch(instrument, BID, ASK);
    this.ask(1, ASK, 10);
  }

  /** Monotonic time, ns. Kept in an array: a field of this size is boxed when it is read. */
  get nowNs(): number {
    return this.#now[0] as number;
  }

  set nowNs(value: number) {
    this.#now[0] = value;
  }

  /** Lets time pass. */
  wait(ns: number): void {
    this.#now[0] = (this.#now[0] as number) + ns;
  }

  /** Fills in a sound signal of instrument 0, with the next decision number, made now; the test may change it before `send`. */
  ask(side: number, price: number, qty: number, confidence = 0.6): SignalView {
    const { signal } = this;
    signalPrefix(signal.view, 0);
    this.#seq += 1;
    signal.seq = this.#seq;
    this.#stamp();
    signal.copyTimeNs(this.#stampView, 0);
    signal.copySignalNs(this.#stampView, 0);
    signal.instrument = 0;
    signal.strategy = 0;
    signal.side = side;
    signal.price = price;
    signal.qty = qty;
    signal.confidence = confidence;
    signal.bid = BID;
    signal.ask = ASK;
    for (let i = 0; i < 4; i++) signal.setPrediction(i, 0.25);
    return signal;
  }

  /** Gives the signal to the desk and returns the `Refusal`; 0 when it became an order. */
  send(): number {
    const { outcomes } = this.desk;
    const before = Float64Array.from(outcomes);
    this.offerSignal();
    return outcomes.findIndex((count, code) => count !== before[code]);
  }

  /** Gives the signal to the desk, and looks at nothing. */
  offerSignal(): void {
    this.#signals.offer();
    this.desk.doWork();
  }

  /** A row of the features: the touch of an instrument. */
  touch(instrument: number, bid: number, ask: number, flags = 0): void {
    this.#stamp();
    this.row.copyTimeNs(this.#stampView, 0);
    this.row.instrument = instrument;
    this.row.bid = bid;
    this.row.ask = ask;
    this.row.flags = flags;
    this.#rows.offer();
    this.desk.doWork();
  }

  /** A Fill of the order last sent; the test may change `fill` in `change`. */
  answer(kind: number, qty: number, leaves: number, change: (fill: FillView) => void = () => {}): void {
    this.#answered(kind, qty, leaves);
    change(this.fill);
    this.#fills.offer();
    this.desk.doWork();
  }

  /** A Fill of the order last sent as it is. */
  answerLast(kind: number, qty: number, leaves: number): void {
    this.#answered(kind, qty, leaves);
    this.#fills.offer();
    this.desk.doWork();
  }

  #answered(kind: number, qty: number, leaves: number): void {
    const { fill, order } = this;
    fill.decision = order.decision;
    fill.epoch = order.epoch;
    fill.token = order.token;
    fill.instrument = order.instrument;
    fill.strategy = order.strategy;
    fill.side = order.side;
    fill.lane = order.lane;
    fill.price = order.price;
    this.#stamp();
    fill.copyReceivedNs(this.#stampView, 0);
    fill.kind = kind;
    fill.qty = qty;
    fill.leaves = leaves;
    fill.reason = 0;
  }

  /** A token slot, read by the table in ARCHITECTURE.md and not by the writer's own constants. */
  token(slot: number): TokenRow {
    const { view } = this.tokens;
    const at = AT_DATA + slot * 128;
    return {
      begin: view.getUint32(at, true), epoch: view.getUint32(at + 4, true), expiryNs: view.getBigUint64(at + 8, true),
      priceLow: view.getUint32(at + 16, true), priceHigh: view.getUint32(at + 20, true), qtyMax: view.getUint32(at + 24, true),
      instrument: view.getUint16(at + 28, true), strategy: view.getUint16(at + 30, true), qtyTotal: view.getBigUint64(at + 32, true),
      notionalTotal: view.getBigUint64(at + 40, true), messagesTotal: view.getBigUint64(at + 48, true),
      side: view.getUint8(at + 56), lane: view.getUint8(at + 57), magic: view.getUint16(at + 58, true), end: view.getUint32(at + 60, true),
    };
  }
}
