/**
 * What a strategy module is: a TypeScript file named in the line's configuration (`inference.strategy`) that exports
 * `strategy: Strategy`. `services/inference/strategies/threshold.ts` is an example to start from.
 */
import type { FeaturesView } from "../../schemas/generated/features.ts";
import type { PredictionView } from "./prediction.ts";

/** One instrument of the line. */
export interface StrategyInstrument {
  readonly symbol: string;
  /** Price step, 1/10,000 dollar. */
  readonly tick: number;
}

/** What a strategy is created with. */
export interface StrategySetup {
  /** By place: `features.instrument` counts in this list. */
  readonly instruments: readonly StrategyInstrument[];
  /** `inference.parameters` of the line file, as written there. */
  readonly parameters: Readonly<Record<string, number>>;
  /** The model's classes in order, `["down", "flat", "up"]` for direction models; empty when the model names none. */
  readonly classes: readonly string[];
}

/** What the strategy wants; it fills all fields before it returns true. Risk may size it down or refuse it. */
export interface Intent {
  /** 1 buys, 2 sells (`Side`). */
  side: number;
  /** Limit price, 1/10,000 dollar; a whole number above 0. */
  price: number;
  /** Shares; a whole number above 0. */
  qty: number;
  /** 0 to 1; above 0.95 the order takes the priority lane. */
  confidence: number;
  /** The strategy's own code for the record, 0 to 65,535. */
  reason: number;
}

/** A strategy at work; it keeps its own state, one for the whole line. */
export interface Decider {
  /**
   * Looks at one row and the model's answer to it. On the hot path: no allocation, no exception, no clock (`features.timeNs` is the
   * line's time), no randomness, so that a replay decides the same.
   *
   * @returns true when `out` is filled with an order wanted now
   */
  decide(features: FeaturesView, prediction: PredictionView, out: Intent): boolean;
}

/** The export of a strategy module. */
export interface Strategy {
  /** Short name for status and records. */
  readonly name: string;
  /** Makes the strategy for one line. Throws on a parameter it does not know or cannot use. */
  create(setup: StrategySetup): Decider;
}
