/**
 * Warm-up before a process is ready: the whole line a few times over generated flow, with a cast of its own, so that the first real
 * packet meets compiled code. A process that will trade rehearses with a venue.
 */
import { setImmediate as turn } from "node:timers/promises";
import { nowNs } from "../kit/clock.ts";
import type { LineConfig } from "../kit/config.ts";
import { Histogram, HISTOGRAM_BYTES } from "../kit/ring/histogram.ts";
import { REHEARSAL } from "../kit/segments.ts";
import { Cast } from "./cast.ts";
import { practiceConfig } from "./practice-venue.ts";
import type { Logger } from "pino";

/**
 * A compiler that has met one set of agents takes their closures for constants, and throws its code away when the next set
 * comes. Code that outlived a second set is general, and the third proves it.
 */
const ROUNDS = 3;
/** A round ends with its capture, or after this time: starting late is worse than starting cool. */
const ROUND_NS_MAX = 2e9;
/** Cycles between two looks at the clock. */
const CYCLES = 2_000;
/** Latencies in ns that take every way through a histogram's arithmetic, carries and the top among them. */
const LATENCIES = [0, 1, 100, 1_000, 2 ** 31, 2 ** 32, 2 ** 33, 2 ** 40, 2 ** 41];
/** Enough of each to be remembered by the compiler. */
const TIMES = 200;

export interface Rehearsal {
  readonly config: LineConfig;
  readonly runDir: string;
  /** Names the folder, so that two processes rehearse apart. */
  readonly services: readonly string[];
  /** Folder of generated captures. */
  readonly flows: string;
  readonly log: Logger;
}

/** Runs the rehearsal and leaves nothing behind. */
export async function rehearse({ config, runDir, services, flows, log }: Rehearsal): Promise<void> {
  recordLatencies();
  const capture = `${flows}/${REHEARSAL.whole}`;
  for (let round = 0; round < ROUNDS; round++) {
    const practice = await practiceConfig(config, capture);
    const cast = await Cast.assemble({
      config: { ...practice, feed: { ...config.feed, source: { kind: "pcap", path: capture, speed: "max" } } },
      runDir: `${runDir}/rehearsal-${services.join("-")}`,
      replay: true,
      practice: undefined,
      counterparty: services.includes("execution") ? "venue" : "nobody",
      log,
    });
    try {
      await play(cast);
    } finally {
      cast.close();
    }
  }
}

/** Code that was compiled for the latencies it had seen would be thrown away, on the path, at the first of another size. */
function recordLatencies(): void {
  const histogram = new Histogram(new Int32Array(HISTOGRAM_BYTES >> 2), 0);
  for (let n = 0; n < TIMES; n++) for (const ns of LATENCIES) histogram.record(ns);
}

async function play(cast: Cast): Promise<void> {
  const until = nowNs() + ROUND_NS_MAX;
  const end = cast.control.service("execution").horizon;
  while (nowNs() < until && !end.atLeast(0xffffffff, 0xffffffff)) {
    for (let n = 0; n < CYCLES; n++) cast.cycle();
    await turn();
  }
}
