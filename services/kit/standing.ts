/**
 * How everyone who answers rows beside the line stands: written by the learner into the run's folder at every offer, read by whoever shows
 * the line. A file, since there may be any number of shadows and the control block has a fixed number of places.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** How well a model's answers fit the newest labels; a label without an answer counts as a wrong one. */
export interface ModelScore {
  readonly labels: number;
  /** Mean of the classes' F1, 0 to 1. */
  readonly macro_f1: number;
  /** Matthews correlation, -1 to 1. */
  readonly mcc: number;
  /** Share of right answers. */
  readonly accuracy: number;
  /** Share of labels at which it said up or down. */
  readonly coverage: number;
  /** Expected calibration error, 0 to 1. */
  readonly calibration: number;
}

/** One of those who answer each row. */
export interface ModelStanding extends ModelScore {
  readonly name: string;
  /** `baseline`: persistence, the newest known move again. `live`: what is in place in the line, `previous`: what was before the last promotion, `retrained`: what the last retraining made. */
  readonly role: "frozen" | "learning" | "baseline" | "live" | "previous" | "shadow" | "retrained";
  /** Of its weights, 16 hexadecimal digits; empty for what changes with every step and for baselines. */
  readonly hash: string;
  /** For shadows and what retraining made: whether it could take the live model's place (architecture, columns, distance). */
  readonly fits: boolean;
}

/** A promotion or a rollback. */
export interface LiveChange {
  /** Line time. */
  readonly time_ns: number;
  readonly what: "promoted" | "rolled back";
  /** Who is live since: `model file`, `learned`, or a shadow's name. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Labels that both were judged by, and both macro-F1s. */
  readonly labels: number;
  readonly from_f1: number;
  readonly to_f1: number;
}

/** How a model that learns stands, and those beside it. */
export interface MemberStanding {
  /** Hash of the weights in place. */
  readonly in_place: string;
  /** A person's model is in place: nothing is published any more. */
  readonly stands_down: boolean;
  /** Challengers that took the live model's place. */
  readonly promoted: number;
  /** Retrainings that came to their end. */
  readonly retrained: number;
  /** Learning by reward: the Sharpe ratio of the newest trades that the policy would have made, per trade, and how many it ever made; null when labels are learned. */
  readonly reward: { readonly sharpe: number; readonly trades: number } | null;
  /** Labels of the contest at hand; 0 without a gate. */
  readonly contested: number;
  /** Learning rate of the last step, after its schedule; 0 before the first. */
  readonly rate: number;
  /** What the last step's dropout was multiplied by, since liquidity was low; 1: as it is set. */
  readonly dropout_factor: number;
  readonly models: readonly ModelStanding[];
  /** The newest, oldest first. */
  readonly changes: readonly LiveChange[];
}

/** Everything the file says: the first member, or the one model that there is, and the others. */
export interface Standing extends MemberStanding {
  /** The second and further members of an ensemble that learn, in order. */
  readonly others: readonly MemberStanding[];
}

const FILE = "learner.standing";

/** Replaces the file: a reader sees the old or the new one, never a part. */
export function writeStanding(runDir: string, standing: Standing): void {
  writeFileSync(`${runDir}/${FILE}.partial`, JSON.stringify(standing));
  renameSync(`${runDir}/${FILE}.partial`, `${runDir}/${FILE}.json`);
}

/** What was written last; undefined before the first. */
export function readStanding(runDir: string): Standing | undefined {
  try {
    return JSON.parse(readFileSync(`${runDir}/${FILE}.json`, "utf8")) as Standing;
  } catch {
    return undefined;
  }
}
