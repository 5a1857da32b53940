/** Captures of flow that the venue generates, for tests. */
import { execFileSync } from "node:child_process";
import { EXCHANGE } from "../../services/kit/exchange.ts";

/** Writes `seconds` of flow, 400 events a second of each symbol, to `path`; returns the number of frames. The same seed gives the same bytes. */
export function generate(path: string, seconds: number, seed: number, ...options: readonly string[]): number {
  const args = ["--generate", path, "--seconds", String(seconds), "--seed", String(seed), "--rate", "400", ...options];
  const said = execFileSync(EXCHANGE, args, { encoding: "utf8", stdio: "pipe" });
  return (JSON.parse(said) as { readonly frames: number }).frames;
}
