// @hot
/**
 * Whether a signal becomes an order, on which lane and how large. Everything it looks at is an argument; it changes nothing but the
 * message bucket, which line time refills.
 */
import { SIGNAL_OFFSET_CONFIDENCE, SIGNAL_OFFSET_PREDICTION, SIGNAL_OFFSET_TIME_NS, type SignalView } from "../../schemas/generated/signal.ts";
import type { Account } from "./account.ts";
import type { RiskLimits } from "./config.ts";
import type { Credit } from "./credit.ts";
import { type Exposure, sidePlace } from "./exposure.ts";
import { Refusal } from "./refusals.ts";
import { tokenSlot } from "./tokens.ts";

/** A signal above this confidence may use the priority lane. */
export const PRIORITY_CONFIDENCE = 0.95;
const BUY = 1;
const SELL = 2;
const NORMAL = 0;
const PRIORITY = 1;
const PREDICTIONS = 4;
// V8 folds a module's own constants into the code, and loads those that it imports.
const { None } = Refusal;
const CONFIDENCE = SIGNAL_OFFSET_CONFIDENCE;
const PREDICTION = SIGNAL_OFFSET_PREDICTION;
const TIME_NS = SIGNAL_OFFSET_TIME_NS;
/** Exponent bits of a 32-bit float. */
const EXPONENT = 0x7f800000;

/** What risk knows when a signal comes. */
export interface Known {
  armed: boolean;
  halted: boolean;
  /** Age of the signal's features, ns; 0 in replay, where line time is the signal's own. */
  readonly ageNs: Float64Array;
  /** The last decision ordered, by instrument. */
  readonly lastDecision: Float64Array;
  /** By instrument: 0 when its book can be trusted. */
  readonly stale: Uint8Array;
  /** By instrument: the touch as risk itself read it from the features; limits do not rest on the signal's word for it. */
  readonly bid: Uint32Array;
  readonly ask: Uint32Array;
  readonly strategies: number;
  readonly account: Account;
  readonly exposure: Exposure;
  readonly credit: Credit;
}

/** The order to make; valid when `decide` returns `Refusal.None`. */
export interface Verdict {
  qty: number;
  lane: number;
}

/**
 * Shares that may still be ordered on a side and lane, all open orders taken as executed. The position limit is split: the normal
 * lane works within `positionMax - priorityQty`, and the priority lane has what is left of the whole. The sum never exceeds the limit.
 */
export function roomOf(limits: RiskLimits, known: Known, instrument: number, side: number, lane: number): number {
  const shares = known.account.shares[instrument] as number;
  const toward = (side === BUY ? shares : -shares) + (known.exposure.leaves[sidePlace(instrument, side)] as number);
  const whole = Math.max(0, limits.positionMax - toward);
  const normal = Math.min(whole, Math.max(0, limits.positionMax - limits.priorityQty - toward));
  return lane === PRIORITY ? whole - normal : normal;
}

/** Checks that a signal is what it says, and that it is fresh. */
function sound(signal: SignalView, known: Known, limits: RiskLimits): Refusal {
  if (!(known.armed === true)) return Refusal.Disarmed;
  if (!(known.halted === false)) return Refusal.Halted;
  if (!(signal.instrument < known.stale.length)) return Refusal.Instrument;
  if (!(signal.strategy < known.strategies)) return Refusal.Strategy;
  if (!(signal.side === BUY || signal.side === SELL)) return Refusal.Side;
  // Not by the view's accessor: what is no small whole number is boxed on its way out of a call that V8 does not inline.
  const confidence = signal.view.getFloat32(signal.at + CONFIDENCE, true);
  if (!(confidence >= 0 && confidence <= 1)) return Refusal.Confidence;
  for (let i = 0; i < PREDICTIONS; i++) {
    // By its bits: as a number it would be boxed on its way here. An exponent of ones is infinite or no number.
    const bits = signal.view.getInt32(signal.at + PREDICTION + 4 * i, true);
    if (!((bits & EXPONENT) < EXPONENT)) return Refusal.Prediction;
  }
  if (!(signal.qty > 0)) return Refusal.QtyZero;
  if (!(signal.price > 0)) return Refusal.PriceZero;
  if (!(signal.bid > 0 && signal.ask > signal.bid)) return Refusal.Touch;
  if (!(known.stale[signal.instrument] === 0)) return Refusal.Stale;
  const ageNs = known.ageNs[0] as number;
  if (!(ageNs >= 0 && ageNs <= limits.featureAgeMaxNs)) return Refusal.Age;
  if (!(signal.seq > (known.lastDecision[signal.instrument] as number))) return Refusal.Decision;
  return None;
}

/** Decides on a signal. Sizing goes down only. */
export function decide(signal: SignalView, known: Known, limits: RiskLimits, verdict: Verdict): Refusal {
  const unsound = sound(signal, known, limits);
  if (unsound !== None) return unsound;
  const { instrument, side, price, view, at } = signal;
  const { exposure, credit } = known;
  const bid = known.bid[instrument] as number;
  const ask = known.ask[instrument] as number;
  const collar = limits.collar[instrument] as number;
  if (!(exposure.isOpen(sidePlace(instrument, side)) === false)) return Refusal.Open;
  if (!(bid > 0 && ask > bid)) return Refusal.Touch;
  if (!(price >= bid - collar)) return Refusal.CollarLow;
  if (!(price <= ask + collar)) return Refusal.CollarHigh;

  const sure = view.getFloat32(at + CONFIDENCE, true) > PRIORITY_CONFIDENCE && roomOf(limits, known, instrument, side, PRIORITY) >= 1;
  const lane = sure ? PRIORITY : NORMAL;
  // The only soft rule: the priority lane skips it. Every other line of this file binds both lanes.
  if (!(lane === PRIORITY || ask - bid <= (limits.wide[instrument] as number))) return Refusal.Wide;

  const room = roomOf(limits, known, instrument, side, lane);
  const affordable = Math.floor(limits.orderNotionalMax / price);
  const slot = tokenSlot(instrument, side, lane);
  if (!(room >= 1)) return Refusal.Position;
  if (!(affordable >= 1)) return Refusal.Notional;
  credit.refill(slot, view.getInt32(at + TIME_NS, true), view.getInt32(at + TIME_NS + 4, true));
  if (!(credit.available(slot) >= 1)) return Refusal.Messages;
  if (!(credit.lasts(slot) === true)) return Refusal.Exhausted;
  verdict.qty = Math.min(signal.qty, limits.orderQtyMax, room, affordable);
  verdict.lane = lane;
  return None;
}
