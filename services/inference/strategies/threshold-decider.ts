// @hot
/** The threshold strategy at work; `threshold.ts` says what it does. */
import type { FeaturesView } from "../../../schemas/generated/features.ts";
import { Side } from "../../../schemas/generated/terms.ts";
import type { PredictionView } from "../../kit/prediction.ts";
import type { Decider, Intent, StrategySetup } from "../../kit/strategy.ts";
import type { ThresholdParameters } from "./threshold-parameters.ts";

/** Why an intent was made; travels in `Signal.reason`. */
export const ThresholdReason = { PredictedUp: 1, PredictedDown: 2 } as const;

// V8 folds a module's own constants into the code, and loads those that it imports.
const { Buy, Sell } = Side;
const { PredictedUp, PredictedDown } = ThresholdReason;

export class Threshold implements Decider {
  readonly #threshold: number;
  readonly #qty: number;
  readonly #coolDownNs: number;
  readonly #aggressive: boolean;
  readonly #up: number;
  readonly #down: number;
  /** Widest spread by instrument, 1/10,000 dollar. */
  readonly #spreadMax: Float64Array;
  /** Line time by instrument before which it rests, ns. */
  readonly #restUntil: Float64Array;

  constructor(parameters: ThresholdParameters, setup: StrategySetup, up: number, down: number) {
    this.#threshold = parameters.threshold;
    this.#qty = parameters.qty;
    this.#coolDownNs = parameters.cool_down_ms * 1e6;
    this.#aggressive = parameters.aggressive === 1;
    this.#up = up;
    this.#down = down;
    this.#spreadMax = new Float64Array(setup.instruments.length);
    this.#restUntil = new Float64Array(setup.instruments.length);
    for (let i = 0; i < setup.instruments.length; i++) {
      this.#spreadMax[i] = parameters.spread_max * (setup.instruments[i]?.tick ?? 0);
    }
  }

  decide(features: FeaturesView, prediction: PredictionView, out: Intent): boolean {
    const instrument = features.instrument;
    const now = features.timeNs;
    if (!(now >= (this.#restUntil[instrument] ?? Infinity))) return false;
    const up = prediction.probability(this.#up);
    const down = prediction.probability(this.#down);
    const buys = up > down;
    const sure = buys ? up : down;
    if (!(sure >= this.#threshold)) return false;
    const bid = features.bid;
    const ask = features.ask;
    if (!(bid > 0 && ask > bid && ask - bid <= (this.#spreadMax[instrument] ?? 0))) return false;
    this.#restUntil[instrument] = now + this.#coolDownNs;
    out.side = buys ? Buy : Sell;
    out.price = buys === this.#aggressive ? ask : bid;
    out.qty = this.#qty;
    out.confidence = sure;
    out.reason = buys ? PredictedUp : PredictedDown;
    return true;
  }
}
