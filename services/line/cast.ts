/**
 * A whole line of its own in this process: segments in a folder of its own, agents, and whom it trades with. What rehearsals and
 * the understudy are made of; nothing of it is the line's.
 */
import { mkdirSync, rmSync, statSync } from "node:fs";
import type { Agent } from "../kit/agent.ts";
import { modelsOf, type LineConfig } from "../kit/config.ts";
import type { Counterparty } from "../kit/context.ts";
import { makeSegment } from "../kit/make-segment.ts";
import { Control } from "../kit/ring/control.ts";
import { Segment } from "../kit/ring/segment.ts";
import { SEGMENT, segmentsOf } from "../kit/segments.ts";
import { createAgent } from "./create.ts";
import { PracticeVenue } from "./practice-venue.ts";
import { FLOW, Wiring } from "./wiring.ts";
import type { Logger } from "pino";

/** Rings of a cast are no larger: its readers are never behind, and what it touches must not drive the line's own memory out of the caches. */
const SLOTS_MAX = 64;

export interface CastOptions {
  readonly config: LineConfig;
  /** The cast's own folder; what an earlier cast has left there goes. */
  readonly runDir: string;
  readonly replay: boolean;
  /** Capture that the feed plays round and round instead of its source; undefined: its source. */
  readonly practice: string | undefined;
  /** Whom execution trades with; a venue is one of the cast's own. */
  readonly counterparty: Counterparty;
  readonly log: Logger;
}

export class Cast {
  readonly control: Control;
  readonly #agents: Agent[] = [];
  readonly #runDir: string;
  #venue: PracticeVenue | undefined;
  /** The agent that takes the next step. */
  #next = 0;

  private constructor(runDir: string) {
    this.#runDir = runDir;
    this.control = new Control(Segment.open(`${runDir}/${SEGMENT.control}`));
  }

  /** @throws TicklineError TL_START when its venue does not start */
  static async assemble(options: CastOptions): Promise<Cast> {
    const { config, runDir } = options;
    rmSync(runDir, { recursive: true, force: true });
    mkdirSync(runDir);
    for (const segment of segmentsOf(config.instruments.length, modelsOf(config).map((model) => statSync(model).size), config.recorder)) makeSegment(runDir, segment, SLOTS_MAX);
    const cast = new Cast(runDir);
    try {
      await cast.#enter(options);
    } catch (error) {
      cast.close();
      throw error;
    }
    return cast;
  }

  async #enter({ config, replay, practice, counterparty, log }: CastOptions): Promise<void> {
    const { control } = this;
    control.line.raiseEpoch();
    control.line.arm();
    const exchange = control.service("exchange");
    // Without a venue, one that has already seen all time: nothing waits for it.
    if (counterparty === "venue") this.#venue = await PracticeVenue.start(config, this.#runDir, exchange);
    else exchange.horizon.set(0xffffffff, 0xffffffff);
    const wiring = new Wiring({ config, runDir: this.#runDir, local: FLOW, replay, counterparty, practice, log });
    for (const name of [...FLOW].reverse()) this.#agents.unshift(await createAgent(name, wiring.context(name)));
  }

  /** One duty cycle of the next agent, in the order of the data flow, round and round. True when that was the last one's. */
  step(): boolean {
    const agents = this.#agents;
    (agents[this.#next] as Agent).doWork();
    this.#next = this.#next + 1 < agents.length ? this.#next + 1 : 0;
    return this.#next === 0;
  }

  /** One duty cycle of each agent, or what is left of it. */
  cycle(): void {
    while (!this.step());
  }

  /** Ends agents and venue and leaves nothing behind. */
  close(): void {
    for (const agent of this.#agents) agent.close();
    this.#venue?.stop();
    rmSync(this.#runDir, { recursive: true, force: true });
  }
}
