/**
 * Goal: every limit of risk passes on its edge and refuses one step beyond, with its own reason, on either lane.
 * Method: a sound signal to a real desk; for each limit the change that stays on the edge and the change that crosses it.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { FeaturesFlag } from "../../schemas/generated/features.ts";
import { FillKind } from "../../schemas/generated/fill.ts";
import type { SignalView } from "../../schemas/generated/signal.ts";
import { PRIORITY_CONFIDENCE } from "./decide.ts";
import { Refusal, REFUSAL_NAMES } from "./refusals.ts";
import { ASK, BID, LIMITS, Rig } from "./rig.ts";

const folder = mkdtempSync("/dev/shm/tickline-test-risk-");
after(() => rmSync(folder, { recursive: true, force: true }));

let rigs = 0;
const fresh = (limits = LIMITS): Rig => new Rig(join(folder, `tokens-${rigs++}`), limits);

const BUY = 1;
const SELL = 2;
const NORMAL = 0;
const PRIORITY = 1;
const SURE = 0.96;
const UP = Math.fround(0.95) + 2 ** -24;

type Change = (signal: SignalView, rig: Rig) => void;
type Edge = readonly [reason: keyof typeof Refusal, onEdge: Change, beyond: Change];

const nothing: Change = () => {};
const touch = (bid: number, ask: number, flags = 0): Change => (_, rig) => rig.touch(0, bid, ask, flags);
const hold = (shares: number): Change => (_, rig) => rig.desk.known.account.restore(0, shares, -shares * BID);
const also = (...changes: Change[]): Change => (signal, rig) => changes.forEach((change) => change(signal, rig));
const priced = (price: number, low = BID, high = ASK): Change => also(touch(low, high), (signal) => { signal.price = price; });

/** Sends a buy of decision 1 or higher, so that what follows has an order before it. */
const ordered: Change = (_, rig) => {
  rig.ask(BUY, ASK, 10);
  assert.equal(rig.send(), Refusal.None);
};

const EDGES: readonly Edge[] = [
  ["Malformed", nothing, (s) => s.view.setUint32(s.at + 4, 0, true)],
  ["Malformed", nothing, (s) => s.view.setUint32(s.at + 28, 21, true)],
  ["Disarmed", nothing, (_, rig) => { rig.armed = false; }],
  ["Halted", nothing, (_, rig) => { rig.desk.known.halted = true; }],
  ["Instrument", (s) => { s.instrument = 1; }, (s) => { s.instrument = 2; }],
  ["Instrument", nothing, (s) => { s.instrument = 65_535; }],
  ["Strategy", nothing, (s) => { s.strategy = 1; }],
  ["Side", (s) => { s.side = BUY; }, (s) => { s.side = 0; }],
  ["Side", (s) => { s.side = SELL; }, (s) => { s.side = 3; }],
  ["Confidence", (s) => { s.confidence = 0; }, (s) => { s.confidence = -1e-45; }],
  ["Confidence", (s) => { s.confidence = 1; }, (s) => { s.confidence = 1 + 2 ** -23; }],
  ["Confidence", nothing, (s) => { s.confidence = Number.NaN; }],
  ["Confidence", nothing, (s) => { s.confidence = Number.POSITIVE_INFINITY; }],
  ...[0, 1, 2, 3].flatMap((i): Edge[] => [
    ["Prediction", (s) => s.setPrediction(i, 3.4e38), (s) => s.setPrediction(i, Number.POSITIVE_INFINITY)],
    ["Prediction", (s) => s.setPrediction(i, -3.4e38), (s) => s.setPrediction(i, Number.NaN)],
  ]),
  ["QtyZero", (s) => { s.qty = 1; }, (s) => { s.qty = 0; }],
  ["PriceZero", priced(1, 1, 2), priced(0, 1, 2)],
  ["Touch", (s) => { s.bid = 1; s.ask = 2; }, (s) => { s.bid = 0; s.ask = 2; }],
  ["Touch", nothing, (s) => { s.ask = s.bid; }],
  ["Touch", nothing, (s) => { s.ask = s.bid - 1; }],
  ["Touch", nothing, (s) => { s.ask = 0; }],
  ["Touch", touch(ASK - 1, ASK), touch(ASK, ASK)],
  ["Touch", nothing, touch(0, ASK)],
  ["Touch", nothing, touch(BID, 0)],
  ["Stale", touch(BID, ASK, 0), touch(BID, ASK, FeaturesFlag.BookStale)],
  ["Age", nothing, (_, rig) => { rig.nowNs += -1; }],
  ["Age", (_, rig) => { rig.nowNs += LIMITS.featureAgeMaxNs; }, (_, rig) => { rig.nowNs += LIMITS.featureAgeMaxNs + 1; }],
  ["Age", nothing, (s) => { s.timeNsHi = 0xffffffff; }],
  ["Decision", also(ordered, (s, rig) => { const last = s.seq; rig.ask(SELL, BID, 10); s.seq = last + 1; }),
    also(ordered, (s, rig) => { const last = s.seq; rig.ask(SELL, BID, 10); s.seq = last; })],
  ["Decision", nothing, (s) => { s.seq = 0; }],
  ["Open", also(ordered, (_, rig) => { rig.answer(FillKind.Executed, 10, 0); rig.ask(BUY, ASK, 10); }), also(ordered, (_, rig) => rig.ask(BUY, ASK, 10))],
  ["Open", also(ordered, (_, rig) => rig.ask(SELL, BID, 10)), also(ordered, (_, rig) => { rig.answer(FillKind.Executed, 9, 1); rig.ask(BUY, ASK, 10); })],
  ["Open", also(ordered, (_, rig) => { rig.ask(BUY, ASK, 10).instrument = 1; }), also(ordered, (_, rig) => { rig.answer(FillKind.Accepted, 10, 10); rig.ask(BUY, ASK, 10, SURE); })],
  ["CollarLow", (s) => { s.price = BID - 5_000; }, (s) => { s.price = BID - 5_001; }],
  ["CollarHigh", (s) => { s.price = ASK + 5_000; }, (s) => { s.price = ASK + 5_001; }],
  ["CollarLow", nothing, touch(ASK + 5_001, ASK + 5_002)],
  ["CollarHigh", nothing, touch(BID - 5_002, BID - 5_001)],
  ["Wide", touch(BID, BID + 5_000), touch(BID, BID + 5_001)],
  ["Wide", also(touch(BID, BID + 5_001), (s) => { s.confidence = SURE; }),
    also(touch(BID, BID + 5_001), (s) => { s.confidence = SURE; }, hold(1_000))],
  ["Position", hold(599), hold(600)],
  ["Position", also(hold(999), (s) => { s.confidence = SURE; }), also(hold(1_000), (s) => { s.confidence = SURE; })],
  ["Position", also(hold(-599), (s) => { s.side = SELL; }), also(hold(-600), (s) => { s.side = SELL; })],
  ["Position", also(hold(1_000), (s) => { s.side = SELL; }), hold(1_000)],
  ["Position", also(hold(-1_000), (s) => { s.side = BUY; }), also(hold(-1_000), (s) => { s.side = SELL; })],
  ["Notional", priced(1_000_000_000, 999_999_999, 1_000_000_000), priced(1_000_000_001, 999_999_999, 1_000_000_001)],
  ["Exhausted", (_, rig) => { rig.desk.known.credit.qty[0] = 2 ** 52 - 1; }, (_, rig) => { rig.desk.known.credit.qty[0] = 2 ** 52; }],
  ["Exhausted", (_, rig) => { rig.desk.known.credit.notional[0] = 2 ** 52 - 1; }, (_, rig) => { rig.desk.known.credit.notional[0] = 2 ** 52; }],
  ["LinkFull", nothing, (_, rig) => { rig.orders.full = true; }],
];

EDGES.forEach(([reason, onEdge, beyond], at) => {
  test(`${reason}: the edge passes, one step beyond is refused (${at})`, () => {
    for (const [change, code] of [[onEdge, Refusal.None], [beyond, Refusal[reason]]] as const) {
      const rig = fresh();
      rig.ask(BUY, ASK, 10);
      change(rig.signal, rig);
      const [sent, spent] = [rig.orders.sent, rig.desk.known.credit.messages.reduce((sum, n) => sum + n, 0)];
      assert.equal(REFUSAL_NAMES[rig.send()], REFUSAL_NAMES[code]);
      assert.equal(rig.orders.sent - sent, code === Refusal.None ? 1 : 0, "an order leaves only when nothing refused");
      assert.equal(rig.desk.known.credit.messages.reduce((sum, n) => sum + n, 0) - spent, code === Refusal.None ? 1 : 0, "a refusal takes nothing");
    }
  });
});

test("Stale: an instrument whose book was never seen is refused", () => {
  const rig = fresh();
  rig.desk.marks.stale[0] = 1;
  assert.equal(rig.send(), Refusal.Stale);
});

test("every reason is tested on both sides of its edge", () => {
  const here: string[] = ["None", "Messages", ...EDGES.map(([reason]) => reason)];
  assert.deepEqual(REFUSAL_NAMES.filter((name) => !here.includes(name)), []);
});

test("codes are dense from 0, so a name's place is its code", () => {
  assert.deepEqual(Object.values(Refusal), REFUSAL_NAMES.map((_, code) => code));
});

test("quantity: an order's limit passes whole, one share more is cut to it", () => {
  for (const [wanted, got] of [[99, 99], [100, 100], [101, 100], [4_294_967_295, 100]] as const) {
    const rig = fresh();
    rig.ask(BUY, ASK, wanted);
    assert.equal(rig.send(), Refusal.None);
    assert.equal(rig.order.qty, got);
  }
});

test("quantity: it is cut to the room that the position leaves, to the share", () => {
  for (const [held, got] of [[500, 100], [501, 99], [599, 1]] as const) {
    const rig = fresh();
    hold(held)(rig.ask(BUY, ASK, 100), rig);
    assert.equal(rig.send(), Refusal.None);
    assert.equal(rig.order.qty, got);
  }
});

test("notional: an order's limit is reached to the share", () => {
  for (const [most, got] of [[100 * ASK, 100], [100 * ASK - 1, 99], [ASK, 1], [2 * ASK - 1, 1]] as const) {
    const rig = fresh({ ...LIMITS, orderNotionalMax: most });
    rig.ask(BUY, ASK, 100);
    assert.equal(rig.send(), Refusal.None);
    assert.equal(rig.order.qty, got);
    assert.ok(rig.order.qty * rig.order.price <= most);
  }
});

/** Buys one share of an order and has it filled at once. */
function trade(rig: Rig, confidence = 0.6): number {
  rig.ask(BUY, ASK, 1, confidence);
  const code = rig.send();
  if (code === Refusal.None) rig.answer(FillKind.Executed, 1, 0);
  return code;
}

for (const perSecond of [1, 3, 7, 10, 1_000]) {
  test(`messages: ${perSecond} a second pass at once, one more waits its part of a second to the nanosecond, on either lane`, () => {
    for (const confidence of [0.6, SURE]) {
      const rig = fresh({ ...LIMITS, messagesPerSecond: perSecond, positionMax: 10_000, priorityQty: 5_000 });
      for (let n = 0; n < perSecond; n++) assert.equal(trade(rig, confidence), Refusal.None);
      assert.equal(trade(rig, confidence), Refusal.Messages);
      const part = Math.ceil(1e9 / perSecond);
      rig.nowNs += part - 1;
      assert.equal(trade(rig, confidence), Refusal.Messages);
      rig.nowNs += 1;
      assert.equal(trade(rig, confidence), Refusal.None);
      assert.equal(trade(rig, confidence), Refusal.Messages);
      rig.nowNs += 60e9;
      for (let n = 0; n < perSecond; n++) assert.equal(trade(rig, confidence), Refusal.None);
      assert.equal(trade(rig, confidence), Refusal.Messages, "a minute's rest is worth one second of messages");
    }
  });
}

test("messages: time that goes back, and a signal that was refused, refill nothing", () => {
  const rig = fresh({ ...LIMITS, messagesPerSecond: 1 });
  assert.equal(trade(rig), Refusal.None);
  rig.ask(BUY, ASK, 1).timeNs = rig.nowNs + 10e9;
  assert.equal(rig.send(), Refusal.Age, "from the future");
  assert.equal(trade(rig), Refusal.Messages);
  rig.nowNs += 1e9;
  assert.equal(trade(rig), Refusal.None);
});

test("loss: the limit itself passes; the smallest step beyond disarms the line once, and risk stays halted when a person arms it", () => {
  const rig = fresh();
  hold(100)(rig.signal, rig);
  // 100 shares at BID: a mid of half a tick less is worth 50 less.
  const down = 2 * (LIMITS.lossMax / 100);
  rig.touch(0, BID - down / 2 - 1, BID - down / 2 + 1);
  assert.deepEqual([rig.desk.known.account.equity2, rig.disarms], [-2 * LIMITS.lossMax, 0]);
  rig.ask(SELL, BID - down / 2 - 1, 1);
  assert.equal(rig.send(), Refusal.None);
  rig.touch(0, BID - down / 2 - 1, BID - down / 2);
  assert.deepEqual([rig.desk.known.account.equity2, rig.disarms], [-2 * LIMITS.lossMax - 100, 1]);
  rig.ask(BUY, BID, 1);
  assert.equal(rig.send(), Refusal.Disarmed);
  rig.armed = true;
  rig.touch(0, BID, ASK);
  rig.ask(BUY, ASK, 1);
  assert.equal(rig.send(), Refusal.Halted);
  assert.equal(rig.disarms, 1);
});

test("loss: sums that are no longer exact stop the line, even if two of them cancel out", () => {
  const rig = fresh();
  rig.desk.known.account.restore(0, 2 ** 30, -(2 ** 60));
  rig.ask(BUY, ASK, 1);
  assert.equal(rig.send(), Refusal.Disarmed);
  assert.equal(rig.disarms, 1);
});

test("lanes: confidence above 0.95 takes the priority lane, 0.95 itself does not", () => {
  assert.ok(UP > PRIORITY_CONFIDENCE && Math.fround(UP) === UP);
  for (const [confidence, lane] of [[0.95, NORMAL], [UP, PRIORITY], [1, PRIORITY], [0, NORMAL]] as const) {
    const rig = fresh();
    rig.ask(BUY, ASK, 10, confidence);
    assert.equal(rig.send(), Refusal.None);
    assert.deepEqual([rig.order.lane, rig.order.token], [lane, lane]);
  }
});

test("lanes: the priority lane has the same hard limits", () => {
  const hard: readonly (readonly [keyof typeof Refusal, Change])[] = EDGES.filter(([reason]) => reason !== "Wide" && reason !== "Position" && reason !== "Confidence" && reason !== "Exhausted")
    .map(([reason, , beyond]) => [reason, beyond]);
  for (const [reason, beyond] of hard) {
    const rig = fresh();
    rig.ask(BUY, ASK, 10, SURE);
    beyond(rig.signal, rig);
    if (reason !== "Malformed") rig.signal.confidence = SURE;
    assert.equal(REFUSAL_NAMES[rig.send()], reason);
  }
  const large = fresh();
  large.ask(BUY, ASK, 4_000, SURE);
  assert.equal(large.send(), Refusal.None);
  assert.equal(large.order.qty, LIMITS.orderQtyMax);
});

test("lanes: without credit of its own a sure signal takes the normal lane; both together never pass the position limit", () => {
  const rig = fresh({ ...LIMITS, messagesPerSecond: 1_000 });
  const lanes: number[] = [];
  for (let n = 0; n < 30; n++) {
    rig.ask(BUY, ASK, 100, SURE);
    if (rig.send() !== Refusal.None) break;
    lanes.push(rig.order.lane);
    rig.answer(FillKind.Executed, rig.order.qty, 0);
  }
  assert.equal(rig.desk.known.account.shares[0], LIMITS.positionMax);
  assert.equal(lanes.length, 10);
  const none = fresh({ ...LIMITS, priorityQty: 0 });
  none.ask(BUY, ASK, 10, SURE);
  assert.equal(none.send(), Refusal.None);
  assert.equal(none.order.lane, NORMAL);
});
