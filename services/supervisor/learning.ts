/** What the learner's block says of its running evaluation, as plain data. Pure. */
import type { CounterName } from "../kit/ring/names.ts";

/** Scores of one model over the newest labels. */
export interface LearningScore {
  /** 0 to 1. */
  readonly macro_f1: number;
  /** Matthews correlation, -1 to 1. */
  readonly mcc: number;
}

/** Learning beside the line, as it stands. */
export interface LearningSnapshot {
  /** Labels that both scores are over; 0 before the first offer. */
  readonly labels: number;
  /** The model that the line started with. */
  readonly frozen: LearningScore;
  /** The same model as it has learned on; each row was answered before it was learned. */
  readonly learning: LearningScore;
  readonly steps: number;
  readonly published: number;
  /** Weights outside the envelope. */
  readonly withheld: number;
  readonly rolled_back: number;
}

/** Reads the counters of a learner. */
export function learningOf(counters: Readonly<Partial<Record<CounterName, number>>>): LearningSnapshot {
  const counted = (name: CounterName): number => counters[name] ?? 0;
  const labels = counted("eval_labels");
  const score = (f1: CounterName, mcc: CounterName): LearningScore =>
    labels === 0 ? { macro_f1: 0, mcc: 0 } : { macro_f1: counted(f1) / 1e6, mcc: counted(mcc) / 1e6 - 1 };
  return {
    labels,
    frozen: score("f1_frozen_ppm", "mcc_frozen_ppm"),
    learning: score("f1_learning_ppm", "mcc_learning_ppm"),
    steps: counted("learn_steps"),
    published: counted("published"),
    withheld: counted("withheld"),
    rolled_back: counted("rolled_back"),
  };
}
