/** What the learner says of itself, as plain data: its counters, and how everyone who answers rows stands. */
import type { CounterName } from "../kit/ring/names.ts";
import type { Standing } from "../kit/standing.ts";

/** Learning beside the line, as it stands. */
export interface LearningSnapshot extends Standing {
  /** Labels that the scores are over; 0 before the first offer. */
  readonly labels: number;
  readonly steps: number;
  readonly published: number;
  /** Weights outside the envelope. */
  readonly withheld: number;
  readonly rolled_back: number;
}

const NOBODY: Standing = { in_place: "", stands_down: false, promoted: 0, retrained: 0, reward: null, contested: 0, rate: 0, dropout_factor: 1, models: [], changes: [], others: [] };

/** Puts the counters of a learner and its standing together. */
export function learningOf(counters: Readonly<Partial<Record<CounterName, number>>>, standing: Standing = NOBODY): LearningSnapshot {
  const counted = (name: CounterName): number => counters[name] ?? 0;
  return {
    labels: standing.models[0]?.labels ?? 0,
    steps: counted("learn_steps"),
    published: counted("published"),
    withheld: counted("withheld"),
    rolled_back: counted("rolled_back"),
    ...standing,
  };
}
