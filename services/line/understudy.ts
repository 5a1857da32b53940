/**
 * Keeps the way of an order warm while there is nothing to do: a second cast in the same thread, with a venue of its own, handles one
 * frame of generated flow now and then. After half a millisecond of silence an order otherwise takes a third longer: caches and branch
 * predictors, in the kernel too, have turned to the idle loop.
 */
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { REHEARSAL } from "../kit/segments.ts";
import { Cast } from "./cast.ts";
import { practiceConfig } from "./practice-venue.ts";
import type { Rehearsal } from "./rehearsal.ts";

const STRATEGY = fileURLToPath(new URL("./practice-strategy.ts", import.meta.url));
/** Steps before it is ready: windows are full, models answer, orders were sent. */
const STEPS = 4_000;
/** Steps between two turns of the event loop. */
const TURN = 500;

/** Plays it in; `step()` then handles one frame. */
export async function assembleUnderstudy({ config, runDir, flows, log }: Rehearsal): Promise<Cast> {
  const practice = await practiceConfig(config, `${flows}/${REHEARSAL.opening}`);
  const cast = await Cast.assemble({
    // The line's own strategy may want nothing for hours.
    config: { ...practice, inference: { ...config.inference, strategy: STRATEGY, parameters: {} } },
    runDir: `${runDir}/understudy`,
    replay: false,
    practice: `${flows}/${REHEARSAL.circle}`,
    trades: true,
    log,
  });
  for (let step = 1; step <= STEPS; step++) {
    cast.cycle();
    if (step % TURN === 0) await turn();
  }
  return cast;
}
