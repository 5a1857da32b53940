// @hot
/** What the line's rings hold, into the journal: one native call a duty cycle (`crates/recorder`). Nobody waits for this service. */
import type { Agent } from "../kit/agent.ts";

/** The native half (`crates/addon/src/recorder.rs`). */
export interface NativeRecorder {
  /** Moves what waits; how many entries were written. */
  readonly poll: () => number;
  /** Takes what is left and ends the journal. */
  close(): void;
}

/** The recorder at work. What native code refuses ends the agent: a journal that cannot be written is no journal. */
export class Recorder implements Agent {
  readonly summary: () => Record<string, unknown>;
  readonly #native: NativeRecorder;
  readonly #poll: NativeRecorder["poll"];

  constructor(native: NativeRecorder, summary: () => Record<string, unknown>) {
    this.summary = summary;
    this.#native = native;
    this.#poll = native.poll;
  }

  doWork(): number {
    return this.#poll();
  }

  close(): void {
    this.#native.close();
  }
}
