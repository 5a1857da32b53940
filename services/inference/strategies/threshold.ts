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
import type { Strategy } from "../../kit/strategy.ts";
import { Threshold } from "./threshold-decider.ts";
import { readParameters } from "./threshold-parameters.ts";

/** Place of a class; without class names the order is down, flat, up. */
function classAt(classes: readonly string[], name: string, otherwise: number): number {
  return classes.length === 0 ? otherwise : classes.indexOf(name);
}

export const strategy: Strategy = {
  name: "threshold",
  create(setup) {
    const parameters = readParameters(setup);
    return new Threshold(parameters, setup, classAt(setup.classes, "up", 2), classAt(setup.classes, "down", 0));
  },
};
