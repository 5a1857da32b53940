/** One training run: rows in, scores and a model file out. */
import { nowNs } from "../kit/clock.ts";
import { native } from "../kit/native.ts";
import { door, slowDoor } from "./door.ts";
import type { Settings } from "./networks.ts";
import { calibration, score, square, type Calibration, type Score } from "./score.ts";

/** Labelled rows, made by `native.TrainingTask`. */
export type Task = InstanceType<typeof native.TrainingTask>;

/** Where a run stands. */
export interface Progress {
  /** 0 to 1. */
  readonly share: number;
  /** Mean loss of the rows since the last report. */
  readonly loss: number;
  /** Rows learned from since the last report. */
  readonly rows: number;
}

/** What a run gave. */
export interface Fitted {
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Median time of one answer through the line's engine. */
  readonly latencyNs: number;
  readonly seconds: number;
  /** Absent for an autoencoder. */
  readonly score?: Score;
  readonly calibration?: Calibration;
  /** Rows true class, columns answer: down, flat, up; empty for an autoencoder. */
  readonly confusion: readonly (readonly number[])[];
  /** Share of the rows' variance that an autoencoder gives back; absent for a classifier. */
  readonly explained?: number;
  /** Mean loss at each report, first to last. */
  readonly losses: readonly number[];
  /** Writes the model file and returns its hash, 16 hexadecimal digits. */
  readonly save: (path: string, record: string, horizon: number) => string;
}

/** Reports a run makes. */
const REPORTS = 200;

/**
 * Trains a network and tests it. The same task, settings and seed give the same weights, bit for bit.
 *
 * @param report called about 200 times
 * @throws TicklineError TL_CAPTURE or TL_MODEL
 */
export async function fit(task: Task, network: string, settings: Settings, seed: number, report: (progress: Progress) => void): Promise<Fitted> {
  const begun = nowNs();
  const run = door(() => native.Fit.open(task, { ...settings, hidden: [...settings.hidden], network, seed }));
  const { batches, batchRows, parameters, multiplyAdds } = run.facts();
  const losses: number[] = [];
  for (;;) {
    const before = run.done();
    const loss = await slowDoor(() => run.advance(Math.ceil(batches / REPORTS)));
    if (loss === null) break;
    losses.push(loss);
    report({ share: run.done() / batches, loss, rows: (run.done() - before) * batchRows });
  }
  const { answers, squares, latencyNs } = await slowDoor(() => run.scores());
  const [error = 0, all = 1] = squares ?? [];
  return {
    parameters, multiplyAdds, latencyNs, losses,
    seconds: (nowNs() - begun) / 1e9,
    confusion: answers === undefined ? [] : square(answers.confusion),
    ...(answers === undefined ? { explained: 1 - error / all } : { score: score(square(answers.confusion)), calibration: calibration(answers.bins) }),
    save: (path, record, horizon) => door(() => run.save(path, record, horizon)),
  };
}
