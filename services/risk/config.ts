/** What of the line's configuration risk uses, as plain numbers. */
import type { LineConfig } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";

/** Limits that risk applies to every signal; money in 1/10,000 dollar. */
export interface RiskLimits {
  /** Shares in one order. */
  readonly orderQtyMax: number;
  /** Notional of one order. */
  readonly orderNotionalMax: number;
  /** Shares of one instrument, long or short. */
  readonly positionMax: number;
  /** The part of `positionMax` that only the priority lane may use. */
  readonly priorityQty: number;
  /** Loss of the whole line that is still allowed. */
  readonly lossMax: number;
  /** Allowed distance of a limit price from the touch, by instrument. */
  readonly collar: readonly number[];
  /** Widest spread for the normal lane, by instrument: the collar, at least one tick. */
  readonly wide: readonly number[];
  /** Messages a second of line time, each token. */
  readonly messagesPerSecond: number;
  /** Age of a signal's features that is still allowed, ns. */
  readonly featureAgeMaxNs: number;
}

/** Notional that could not be told apart from its neighbour in a double. */
const EXACT_MAX = Number.MAX_SAFE_INTEGER;
/** Largest price on the wire. */
const PRICE_MAX = 0xffffffff;

/**
 * The limits of a line.
 * @throws TicklineError TL_CONFIG_VALUE when a full position could be worth more than exact arithmetic holds
 */
export function riskLimits(config: Pick<LineConfig, "risk" | "instruments">): RiskLimits {
  const { risk, instruments } = config;
  const most = Math.floor(EXACT_MAX / PRICE_MAX / 4);
  if (!(risk.position_max <= most)) {
    throw new TicklineError("TL_CONFIG_VALUE", `line configuration: risk.position_max is ${risk.position_max}: set it to ${most} shares at most, so that profit and loss stay exact`);
  }
  return {
    orderQtyMax: risk.order_qty_max,
    orderNotionalMax: risk.order_notional_max,
    positionMax: risk.position_max,
    priorityQty: Math.floor(risk.position_max * risk.priority_qty_share),
    lossMax: risk.loss_max,
    collar: instruments.map(({ tick }) => tick * risk.collar_ticks),
    wide: instruments.map(({ tick }) => tick * Math.max(1, risk.collar_ticks)),
    messagesPerSecond: risk.messages_per_second,
    featureAgeMaxNs: risk.feature_age_max_ns,
  };
}
