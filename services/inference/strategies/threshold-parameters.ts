/** The parameters of the threshold strategy: defaults, ranges, refusals. */
import type { StrategySetup } from "../../kit/strategy.ts";

/** See `threshold.ts` for what each means. */
export interface ThresholdParameters {
  readonly threshold: number;
  readonly qty: number;
  readonly cool_down_ms: number;
  readonly spread_max: number;
  readonly aggressive: number;
}

type Name = keyof ThresholdParameters;

interface Rule {
  readonly standard: number;
  readonly holds: (value: number) => boolean;
  readonly means: string;
}

const RULES: Readonly<Record<Name, Rule>> = {
  threshold: { standard: 0.55, holds: (x) => x >= 0.34 && x <= 1, means: "a probability from 0.34 to 1" },
  qty: { standard: 100, holds: (x) => Number.isInteger(x) && x >= 1 && x <= 1_000_000, means: "a whole number of shares from 1 to 1000000" },
  cool_down_ms: { standard: 250, holds: (x) => x >= 0 && x <= 86_400_000, means: "milliseconds from 0 to 86400000" },
  spread_max: { standard: 20, holds: (x) => x >= 1 && x <= 1_000_000, means: "ticks from 1 to 1000000" },
  aggressive: { standard: 1, holds: (x) => x === 0 || x === 1, means: "0 or 1" },
};

/**
 * Fills in defaults.
 *
 * @throws Error on an unknown parameter, one out of its range, or a model without the classes `down` and `up`
 */
export function readParameters(setup: StrategySetup): ThresholdParameters {
  const known = Object.keys(RULES) as Name[];
  for (const [name, value] of Object.entries(setup.parameters)) {
    const rule = RULES[name as Name] as Rule | undefined;
    if (rule === undefined || !known.includes(name as Name)) {
      throw new Error(`inference.parameters.${name} is unknown; the threshold strategy takes ${known.join(", ")}`);
    }
    if (!rule.holds(value)) throw new Error(`inference.parameters.${name} is ${value}; give ${rule.means}`);
  }
  if (setup.classes.length > 0 && !(setup.classes.includes("down") && setup.classes.includes("up"))) {
    throw new Error(`the model's classes are ${setup.classes.join(", ")}; the threshold strategy needs down and up`);
  }
  const value = (name: Name): number => setup.parameters[name] ?? RULES[name].standard;
  return {
    threshold: value("threshold"),
    qty: value("qty"),
    cool_down_ms: value("cool_down_ms"),
    spread_max: value("spread_max"),
    aggressive: value("aggressive"),
  };
}
