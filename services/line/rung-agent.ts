// @hot
/** An agent that publishes from native code (feed): rings the bells of those who read it after a cycle that did work. */
import type { Agent } from "../kit/agent.ts";
import type { Ringer } from "../kit/ring/bell.ts";

export class RungAgent implements Agent {
  readonly #agent: Agent;
  readonly #ringer: Ringer;

  constructor(agent: Agent, ringer: Ringer) {
    this.#agent = agent;
    this.#ringer = ringer;
  }

  doWork(): number {
    const work = this.#agent.doWork();
    if (work > 0) this.#ringer.notify();
    return work;
  }

  descriptor(): number {
    return this.#agent.descriptor?.() ?? -1;
  }

  summary(): Record<string, unknown> {
    return this.#agent.summary?.() ?? {};
  }

  close(): void {
    this.#agent.close();
  }
}
