// @hot
/**
 * Trades towards the predicted direction when the model is sure enough. An example to start from, not an edge.
 *
 * Up means buy, down means sell. The limit is the opposite touch (`aggressive` 1: an order that can trade at once, never deeper
 * than the best price seen) or the own touch (`aggressive` 0: joins the queue). A position is left by the opposite signal; risk caps
 * it. After each intent the instrument rests for `cool_down_ms` of line time, so the order rate is bounded whatever the model says.
 *
 * Parameters (line file, `inference.parameters`), all optional:
 *
 *     threshold     probability of the predicted direction that is enough, 0.34 to 1; default 0.55
 *     qty           shares an order, at least 1; default 100
 *     cool_down_ms  rest of the instrument after an intent, 0 or more; default 250
 *     spread_max    widest spread traded, ticks, at least 1; default 20
 *     aggressive    1 takes the opposite touch, 0 joins the own one; default 1
 */
import type { FeaturesView } from "../../../schemas/generated/features.ts";
import { Side } from "../../../schemas/generated/terms.ts";
import type { PredictionView } from "../../kit/prediction.ts";
import type { Decider, Intent, Strategy, StrategySetup } from "../../kit/strategy.ts";
import { readParameters, type ThresholdParameters } from "./threshold-parameters.ts";

/** Why an intent was made; travels in `Signal.reason`. */
export const ThresholdReason = { PredictedUp: 1, PredictedDown: 2 } as const;

class Threshold implements Decider {
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
    out.side = buys ? Side.Buy : Side.Sell;
    out.price = buys === this.#aggressive ? ask : bid;
    out.qty = this.#qty;
    out.confidence = sure;
    out.reason = buys ? ThresholdReason.PredictedUp : ThresholdReason.PredictedDown;
    return true;
  }
}

/** Place of a class; without class names the order is down, flat, up. */
function classAt(classes: readonly string[], name: string, otherwise: number): number {
  return classes.length === 0 ? otherwise : classes.indexOf(name);
}

export const strategy: Strategy = {
  name: "threshold",
  create(setup: StrategySetup): Decider {
    const parameters = readParameters(setup);
    return new Threshold(parameters, setup, classAt(setup.classes, "up", 2), classAt(setup.classes, "down", 0));
  },
};
