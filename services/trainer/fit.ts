/** One training run: rows in, scores and a model file out. */
import { z } from "zod";
import { nowNs } from "../kit/clock.ts";
import { native } from "../kit/native.ts";
import { TicklineError } from "../kit/errors.ts";
import { door, slowDoor } from "./door.ts";
import type { Settings } from "./networks.ts";
import { trainInTensorFlow } from "./tensorflow.ts";
import { calibration, score, square, type Calibration, type Confusion, type Score } from "./score.ts";

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
  /** How the run does on the rows held out, where there are any and a pass is done. */
  readonly held?: Held | undefined;
}

/** How a run does on the rows held out of it. */
export interface Held {
  /** Mean loss after each pass, weighted by class as in training. */
  readonly losses: readonly number[];
  /** The best of them, from 0: its weights are the run's. */
  readonly best: number;
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
  /** Confusions in f32, bf16 and int8, row by row through the line's engine; empty where they were not asked for. */
  readonly rounded: readonly Confusion[];
  /** Mean loss at each report, first to last. */
  readonly losses: readonly number[];
  /** Absent where no rows were held out. */
  readonly held?: Held;
  /** Writes the model file and returns its hash, 16 hexadecimal digits. */
  readonly save: (path: string, record: string, horizon: number) => string;
}

/** What a run does besides training. */
export interface FitOptions {
  /** Scores every precision, int8 calibrated on the training part. */
  readonly rounded?: boolean;
  /** The run is kept in this file as it goes, so that it can go on after a crash. */
  readonly checkpoint?: Checkpoint | undefined;
  /** Trains in TensorFlow.js in place of our own engine; tests and files are ours in either case. */
  readonly engine?: "tickline" | "tensorflow" | undefined;
}

/** Where and how often a run is kept. */
export interface Checkpoint {
  readonly file: string;
  /** Time between two looks at the clock that lead to a file. */
  readonly seconds: number;
}

/** Reports a run makes. */
const REPORTS = 200;

const note = z.object({ losses: z.array(z.number()), seconds: z.number() });

type Run = InstanceType<typeof native.Fit>;

/** What an earlier process has left of this run. @throws TicklineError TL_CHECKPOINT for a file of another run, or a damaged one */
function resume(run: Run, checkpoint: Checkpoint | undefined): z.output<typeof note> {
  const left = checkpoint === undefined ? null : door(() => run.resume(checkpoint.file));
  return left === null ? { losses: [], seconds: 0 } : note.parse(JSON.parse(left));
}

/** Trains to the end of the run: losses at each report, and the time that earlier processes took. */
async function advance(run: Run, { batches, batchRows }: { readonly batches: number; readonly batchRows: number }, checkpoint: Checkpoint | undefined, report: (progress: Progress) => void): Promise<z.output<typeof note>> {
  const { losses, seconds } = resume(run, checkpoint);
  const begun = nowNs();
  let kept = begun;
  for (;;) {
    const done = run.done();
    const loss = await slowDoor(() => run.advance(Math.ceil(batches / REPORTS)));
    if (loss === null) return { losses, seconds };
    losses.push(loss);
    report({ share: run.over() ? 1 : run.done() / batches, loss, rows: (run.done() - done) * batchRows, held: run.judgement() ?? undefined });
    if (checkpoint === undefined || nowNs() - kept < checkpoint.seconds * 1e9) continue;
    kept = nowNs();
    door(() => run.keep(checkpoint.file, JSON.stringify({ losses, seconds: seconds + (kept - begun) / 1e9 })));
  }
}

/**
 * Trains a network and tests it. The same task, settings and seed give the same weights, bit for bit, however often the run was cut and
 * taken up again from its checkpoint.
 *
 * @param report called about 200 times
 * @throws TicklineError TL_CAPTURE, TL_MODEL or TL_CHECKPOINT
 */
export async function fit(task: Task, network: string, settings: Settings, seed: number, report: (progress: Progress) => void, options: FitOptions = {}): Promise<Fitted> {
  const { checkpoint } = options;
  const run = door(() => native.Fit.open(task, { ...settings, hidden: [...settings.hidden], network, seed }));
  const { batches, batchRows, parameters, multiplyAdds } = run.facts();
  const begun = nowNs();
  const foreign = options.engine === "tensorflow";
  if (foreign && settings.hold > 0) throw new TicklineError("TL_USAGE", "--hold is not possible with TensorFlow.js; leave one of the two out");
  const { losses, seconds } = foreign ? { losses: await trainInTensorFlow(run, task, settings, seed, report), seconds: 0 } : await advance(run, { batches, batchRows }, checkpoint, report);
  const { answers, squares, latencyNs, rounded } = await slowDoor(() => run.scores(options.rounded === true));
  const [error = 0, all = 1] = squares ?? [];
  const held = run.judgement();
  return {
    parameters, multiplyAdds, latencyNs, losses,
    ...(held === null ? {} : { held }),
    rounded: (rounded ?? []).map(square),
    seconds: seconds + (nowNs() - begun) / 1e9,
    confusion: answers === undefined ? [] : square(answers.confusion),
    ...(answers === undefined ? { explained: 1 - error / all } : { score: score(square(answers.confusion)), calibration: calibration(answers.bins) }),
    save: (path, record, horizon) => door(() => run.save(path, record, horizon)),
  };
}
