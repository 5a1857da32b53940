/**
 * Warm-up before a process is ready: the whole line a few times over generated flow, in a folder and with agents of its own, so that
 * the first real packet meets compiled code. A process that will trade rehearses with a venue of its own; in any other, execution
 * opens no session.
 */
import { mkdirSync, rmSync, statSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import type { Agent } from "../kit/agent.ts";
import { nowNs } from "../kit/clock.ts";
import type { LineConfig } from "../kit/config.ts";
import { Control } from "../kit/ring/control.ts";
import { createSegment, Segment } from "../kit/ring/segment.ts";
import { SEGMENT, segmentsOf } from "../kit/segments.ts";
import { createAgent } from "./create.ts";
import { RehearsalVenue, rehearsedConfig } from "./rehearsal-venue.ts";
import { FLOW, Wiring } from "./wiring.ts";
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

export interface Rehearsal {
  readonly config: LineConfig;
  readonly runDir: string;
  /** Names the folder, so that two processes rehearse apart. */
  readonly services: readonly string[];
  /** Capture of generated flow. */
  readonly capture: string;
  readonly log: Logger;
}

/** Runs the rehearsal and leaves nothing behind. */
export async function rehearse(rehearsal: Rehearsal): Promise<void> {
  const runDir = `${rehearsal.runDir}/rehearsal-${rehearsal.services.join("-")}`;
  for (let round = 0; round < ROUNDS; round++) {
    rmSync(runDir, { recursive: true, force: true });
    mkdirSync(runDir);
    try {
      await play({ ...rehearsal, runDir });
    } finally {
      rmSync(runDir, { recursive: true, force: true });
    }
  }
}

async function play({ config, runDir, services, capture, log }: Rehearsal): Promise<void> {
  for (const { file, kind, slots, bytes } of segmentsOf(config.instruments.length, statSync(config.inference.model).size)) {
    if (kind === "control") createSegment(`${runDir}/${file}`, { kind });
    else if (kind === "plain") createSegment(`${runDir}/${file}`, { kind, bytes });
    else if (kind === "latest") createSegment(`${runDir}/${file}`, { kind, payload: bytes });
    else createSegment(`${runDir}/${file}`, { kind, slots, payload: bytes });
  }
  const control = new Control(Segment.open(`${runDir}/${SEGMENT.control}`));
  control.line.raiseEpoch();
  control.line.arm();
  const rehearsed = await rehearsedConfig(config, capture);
  const trades = services.includes("execution");
  const exchange = control.service("exchange");
  const venue = trades ? await RehearsalVenue.start(rehearsed, runDir, exchange) : undefined;
  // Without a venue, one that has already seen all time: nothing waits for it.
  if (venue === undefined) exchange.horizon.set(0xffffffff, 0xffffffff);
  try {
    const wiring = new Wiring({ config: rehearsed, runDir, local: FLOW, replay: true, rehearsal: !trades, log });
    const agents: Agent[] = [];
    for (const name of [...FLOW].reverse()) agents.unshift(await createAgent(name, wiring.context(name)));
    const until = nowNs() + ROUND_NS_MAX;
    const end = control.service("execution").horizon;
    while (nowNs() < until && !end.atLeast(0xffffffff, 0xffffffff)) {
      cycle(agents, CYCLES);
      await turn();
    }
    for (const agent of agents) agent.close();
  } finally {
    await venue?.stop();
  }
}

function cycle(agents: readonly Agent[], times: number): void {
  for (let n = 0; n < times; n++) {
    for (let i = 0; i < agents.length; i++) (agents[i] as Agent).doWork();
  }
}
