/** What of the line's configuration execution uses, and the options that the order port is created with. */
import type { LineConfig } from "../kit/config.ts";
import type { Counterparty } from "../kit/context.ts";

/** Shares that OUCH takes in one order at most. */
const OUCH_QTY_MAX = 999_999;
/** Messages a second that the gate can count at most. */
const RATE_MAX = 1_000_000;
/** Orders that may work at once, for each instrument: one on either side and lane, with room for what a restart finds. */
export const WORKING_EACH_INSTRUMENT = 16;

/** Hard limits of the session, fixed when execution starts; risk's tokens are narrower and never widen them. */
export interface SessionLimits {
  /** Shares in one order. */
  readonly orderQtyMax: number;
  /** Notional of one order, 1/10,000 dollar. */
  readonly orderNotionalMax: number;
  /** Messages in any second of line time, all tokens together. */
  readonly messagesPerSecond: number;
  /** Orders that may work at once. */
  readonly workingOrdersMax: number;
}

/** The session's limits: an order's from `risk`, the rate of all tokens together (both sides of every instrument). */
export function sessionLimits(config: Pick<LineConfig, "risk" | "instruments">): SessionLimits {
  const { risk, instruments } = config;
  return {
    orderQtyMax: Math.min(risk.order_qty_max, OUCH_QTY_MAX),
    orderNotionalMax: risk.order_notional_max,
    messagesPerSecond: Math.min(risk.messages_per_second * instruments.length * 2, RATE_MAX),
    workingOrdersMax: instruments.length * WORKING_EACH_INSTRUMENT,
  };
}

/** Where the order port connects to, and as whom; `venue.ouch` of the line's file. */
export function portOptions(config: LineConfig, runDir: string, replay: boolean, counterparty: Counterparty) {
  const { host, port, user, password } = config.venue.ouch;
  return {
    host,
    port,
    user,
    password,
    symbols: config.instruments.map(({ symbol }) => symbol),
    runDir,
    replay,
    counterparty,
    delayOutNs: config.venue.delay_out_ns,
    delayBackNs: config.venue.delay_back_ns,
    ...sessionLimits(config),
  };
}
