/**
 * A strategy that cannot take the line down: what it throws is kept, and the row makes no Signal. Apart from the hot files, since this
 * is the one place on the path where foreign code may throw.
 */
import type { FeaturesView } from "../../schemas/generated/features.ts";
import type { PredictionView } from "../kit/prediction.ts";
import type { Decider, Intent } from "../kit/strategy.ts";

export class GuardedDecider implements Decider {
  /** How often the strategy threw. */
  throws = 0;
  /** What it threw first. */
  firstThrown: unknown;
  readonly #decider: Decider;

  constructor(decider: Decider) {
    this.#decider = decider;
  }

  decide(features: FeaturesView, prediction: PredictionView, out: Intent): boolean {
    try {
      return this.#decider.decide(features, prediction, out);
    } catch (error) {
      if (this.throws === 0) this.firstThrown = error;
      this.throws++;
      return false;
    }
  }
}
