/** Ctrl-C, SIGTERM and SIGHUP as a flag: the run looks at it and stops in order. A second one changes nothing, since every wait is bounded. */
export class StopSignals {
  #seen = false;
  readonly #see = (): void => { this.#seen = true; };

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, this.#see);
  }

  /** True once one has arrived. */
  get seen(): boolean {
    return this.#seen;
  }

  /** Gives the signals back. */
  close(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, this.#see);
  }
}
