/**
 * Keeps the way of an order warm while there is nothing to do: a second cast in the same thread, with a partner to trade with, handles one
 * frame of generated flow now and then. After half a millisecond of silence an order otherwise takes a third longer, and twice as long
 * where the core is shared with another guest: caches and branch predictors, in the kernel too, have turned to the idle loop or to strangers.
 */
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { REHEARSAL } from "../kit/segments.ts";
import { Cast } from "./cast.ts";
import type { Rehearsal } from "./rehearsal.ts";

const STRATEGY = fileURLToPath(new URL("./practice-strategy.ts", import.meta.url));
/** More than a host finds the time to practise. */
const MESSAGES_PER_SECOND = 50_000;
/** Steps before it is ready: windows are full, models answer, orders were sent. */
const STEPS = 4_000;
/** Steps between two turns of the event loop. */
const TURN = 500;

/** Plays it in; its steps then handle a frame a round. */
export async function assembleUnderstudy({ config, runDir, flows, log }: Rehearsal): Promise<Cast> {
  const cast = await Cast.assemble({
    config: {
      ...config,
      // The line's own strategy may want nothing for hours, and its limits may be met in a moment.
      inference: { ...config.inference, strategy: STRATEGY, parameters: {} },
      risk: { ...config.risk, messages_per_second: MESSAGES_PER_SECOND },
    },
    runDir: `${runDir}/understudy`,
    replay: false,
    practice: `${flows}/${REHEARSAL.circle}`,
    counterparty: "partner",
    log,
  });
  for (let step = 1; step <= STEPS; step++) {
    cast.cycle();
    if (step % TURN === 0) await turn();
  }
  return cast;
}
