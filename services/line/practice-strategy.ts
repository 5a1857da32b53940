// @hot
/** The strategy of a line that only practises: each row is an order, buys and sells in turn, at the touch. */
import type { FeaturesView } from "../../schemas/generated/features.ts";
import { Side } from "../../schemas/generated/terms.ts";
import type { PredictionView } from "../kit/prediction.ts";
import type { Decider, Intent, Strategy } from "../kit/strategy.ts";

class Eager implements Decider {
  #buys = false;

  decide(features: FeaturesView, _prediction: PredictionView, out: Intent): boolean {
    const { bid, ask } = features;
    if (!(bid > 0 && ask > bid)) return false;
    this.#buys = !this.#buys;
    out.side = this.#buys ? Side.Buy : Side.Sell;
    out.price = this.#buys ? ask : bid;
    out.qty = 1;
    out.confidence = 0.5;
    out.reason = 0;
    return true;
  }
}

export const strategy: Strategy = { name: "practice", create: () => new Eager() };
