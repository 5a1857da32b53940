/** Loads the strategy module that a line names. */
import { createRequire } from "node:module";
import { TicklineError } from "../kit/errors.ts";
import type { Decider, Strategy, StrategySetup } from "../kit/strategy.ts";

/** A strategy ready to decide. */
export interface LoadedStrategy {
  readonly name: string;
  readonly decider: Decider;
}

function refused(path: string, problem: string, cause?: unknown): TicklineError {
  const why = cause === undefined ? "" : `: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new TicklineError("TL_STRATEGY", `${path}: ${problem}${why}`, cause === undefined ? {} : { cause });
}

/** Loading is synchronous, so that a service is either whole or not there; Node strips the types. */
function load(path: string): unknown {
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    throw refused(path, "the strategy module cannot be loaded", cause);
  }
}

function isStrategy(found: unknown): found is Strategy {
  if (typeof found !== "object" || found === null) return false;
  const { name, create } = found as Partial<Strategy>;
  return typeof name === "string" && typeof create === "function";
}

/**
 * Loads the module and creates its strategy.
 *
 * @param path absolute path of a module that exports `strategy` (`services/kit/strategy.ts`)
 * @throws TicklineError TL_STRATEGY naming the file: not found, throws while loading, no such export, refuses its parameters
 */
export function loadStrategy(path: string, setup: StrategySetup): LoadedStrategy {
  const module = load(path) as { strategy?: unknown };
  const { strategy } = module;
  if (!isStrategy(strategy)) {
    throw refused(path, "does not export a strategy; it needs `export const strategy: Strategy = { name, create }` (services/kit/strategy.ts)");
  }
  let decider: Decider;
  try {
    decider = strategy.create(setup);
  } catch (cause) {
    throw refused(path, `strategy ${strategy.name} cannot be created`, cause);
  }
  if (typeof (decider as Partial<Decider> | undefined)?.decide !== "function") {
    throw refused(path, `strategy ${strategy.name} has no decide function`);
  }
  return { name: strategy.name, decider };
}
