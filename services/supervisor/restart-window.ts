/** Restart intensity: how many restarts, in how long, are still a fault to recover from and not a line that cannot run. */
export class RestartWindow {
  readonly #restartsMax: number;
  readonly #windowMs: number;
  #atMs: number[] = [];

  /** At most `restartsMax` (0 or more) restarts in any `windowMs` milliseconds. */
  constructor(restartsMax: number, windowMs: number) {
    this.#restartsMax = restartsMax;
    this.#windowMs = windowMs;
  }

  /** Counts a restart at `nowMs` (monotonic milliseconds) and returns whether it is still allowed. A restart exactly one window old no longer counts. */
  allow(nowMs: number): boolean {
    this.#atMs = this.#atMs.filter((atMs) => nowMs - atMs < this.#windowMs);
    this.#atMs.push(nowMs);
    return this.#atMs.length <= this.#restartsMax;
  }
}
