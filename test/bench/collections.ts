/** Counts the garbage collections of this process that fall into a stretch of time. */
import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";

export class Collections {
  /** Beginnings of the collections seen so far, in ms of `performance.now`. */
  readonly #times: number[] = [];

  constructor() {
    new PerformanceObserver((list) => {
      for (const { startTime } of list.getEntries()) this.#times.push(startTime);
    }).observe({ entryTypes: ["gc"] });
  }

  /** How many began from `began` to `ended`, both in ms of `performance.now`. The runtime tells of them between two turns of its loop. */
  async between(began: number, ended: number): Promise<number> {
    await turn();
    await turn();
    return this.#times.filter((time) => time >= began && time <= ended).length;
  }

  /** How many began while `work` ran: not those before and after, which are of the caller's own making. */
  during(work: () => void): Promise<number> {
    const began = performance.now();
    work();
    return this.between(began, performance.now());
  }
}
