/** The venue process: its program, and its configuration, derived from the line's: the line file stays the one place where a person writes. */
import { fileURLToPath } from "node:url";
import type { LineConfig } from "./config.ts";

/** The program, as the set-up builds it. */
export const EXCHANGE = fileURLToPath(new URL("../../target/release/tickline-exchange", import.meta.url));

/** What `tickline-exchange --config` reads, as JSON; crates/exchange/README.md defines it. */
export interface ExchangeConfig {
  readonly line: string;
  readonly seed: number;
  /** `live`: by the clock; `follow`: a replay, behind execution's horizon. */
  readonly mode: "live" | "follow";
  readonly venue: LineConfig["venue"];
  readonly instruments: LineConfig["instruments"];
  readonly idle: "spin" | "yield" | "park";
  /** The flow begins once the feed is ready, so that the feed misses nothing. */
  readonly wait_for_feed: boolean;
}

/** Derives it; `replay` chooses the mode. */
export function exchangeConfig(config: LineConfig, replay: boolean): ExchangeConfig {
  return {
    line: config.line,
    seed: config.seed,
    mode: replay ? "follow" : "live",
    venue: config.venue,
    instruments: config.instruments,
    idle: config.placement.exchange.idle,
    wait_for_feed: !replay,
  };
}
