/** Trains one model on a capture, or on files of FI-2010: data, progress, result, model file. */
import { rmSync } from "node:fs";
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { door, slowDoor } from "./door.ts";
import { fit, type Checkpoint, type Fitted, type Progress, type Task } from "./fit.ts";
import type { Settings } from "./networks.ts";
import { writeRecord } from "./record.ts";
import { score, square, type Score } from "./score.ts";

/** Which rows, labelled how. */
export interface Data {
  /** pcap or pcapng, gzip allowed. */
  readonly capture: string;
  readonly symbols: readonly string[];
  /** `levels`, `levels-N`, `relative`, `relative-N`, `flow`, `book`, `derived`, or several joined by `+`. */
  readonly columns: string;
  readonly labels: "exact" | "smoothed";
  /** Rows ahead that labels look. */
  readonly horizon: number;
  /** Share of moves that count as flat, in the training part. */
  readonly flatShare: number;
  /** Shares of all rows in time: trained from, until, tested until. */
  readonly split: readonly [number, number, number];
  /** Scaled inputs are limited to this size. */
  readonly clip: number;
  /** Trains on the part twice, as it was and turned over, bid for ask: a day's drift is not learned. */
  readonly mirror?: boolean | undefined;
  /** Deals the training part's labels out at random, from this seed. */
  readonly shuffle?: number | undefined;
}

/** Two files of FI-2010 in place of a capture. */
export interface FiData {
  readonly train: string;
  readonly test: string;
  /** 40 or 144. */
  readonly columns: number;
  /** 10, 20, 30, 50 or 100 events. */
  readonly horizon: number;
}

/** What to train. */
export interface TrainOptions {
  readonly data: Data | FiData;
  readonly network: string;
  readonly settings: Settings;
  readonly seed: number;
  /** Model file to write. */
  readonly out: string;
  /** How the capture came to be, for the training record. */
  readonly source: string;
  /** Keeps the run as it goes and goes on from where an earlier process left it; the file is removed once the model is written. */
  readonly checkpoint?: Checkpoint | undefined;
  /** What trains: our own engine unless said otherwise. */
  readonly engine?: "tickline" | "tensorflow" | undefined;
}

/** The shipped model: how `tickline train` trains unless told otherwise. */
export const shipped = {
  data: { columns: "derived", labels: "exact", horizon: 50, flatShare: 0.34, split: [0, 0.7, 1], clip: 5 },
  network: "mlp",
  settings: { window: 1, hidden: [64, 64, 64], dropout: 0, epochs: 2, batch: 64, steps: 1, rate: 5e-4, decay: 1e-2, balance: 0.5, adversary: 0, hold: 0, patience: 2 },
  seed: 1,
} as const;

/** What a run gave. */
export interface TrainResult extends Omit<Fitted, "save"> {
  readonly out: string;
  readonly hash: string;
  /** Rows by class: down, flat, up. */
  readonly trainClasses: readonly number[];
  readonly testClasses: readonly number[];
  /** Moves above this size are up or down, 1/10,000 dollar; NaN where labels are given. */
  readonly threshold: number;
  /** Mean mid of the training part, 1/10,000 dollar; NaN where rows have no price. */
  readonly price: number;
  readonly dataHash: string;
  readonly majority: Score;
  readonly persistence: Score;
}

/** A question asked of a market; `held` is the share of the training part that is held out at its end. */
export function ask(market: Awaited<ReturnType<typeof native.Market.read>>, data: Data, held: number, itself: boolean): Task {
  const { columns, labels, horizon, flatShare, clip, shuffle, mirror = false } = data;
  const [from, cut, to] = data.split;
  const plan = { columns, labels, horizon, flatShare, from, cut, to, held, clip, itself, mirror };
  return door(() => native.TrainingTask.of(market, shuffle === undefined ? plan : { ...plan, shuffle }));
}

async function taskOf(data: Data | FiData, held: number, itself: boolean): Promise<Task> {
  if (!("capture" in data)) return door(() => native.TrainingTask.fi2010(data.train, data.test, data.columns, data.horizon, held));
  const market = await slowDoor(() => native.Market.read(data.capture, [...data.symbols]));
  return ask(market, data, held, itself);
}

/** What a record says of the engine: nothing of our own. */
function trainedIn(engine: TrainOptions["engine"]): { engine?: "tensorflow" } {
  return engine === "tensorflow" ? { engine } : {};
}

function record(options: TrainOptions, result: Omit<TrainResult, "hash">): string {
  const { data, network, settings, seed, source, engine } = options;
  if (!("capture" in data)) return JSON.stringify({ network, source, data: "FI-2010", columns: data.columns, horizon: data.horizon, settings, seed, ...trainedIn(engine) });
  const short = ({ macroF1, mcc, accuracy }: Score): { macroF1: number; mcc: number; accuracy: number } => ({ macroF1, mcc, accuracy });
  const { symbols, columns, labels, horizon, flatShare, split, mirror, shuffle } = data;
  const { score: model, persistence, majority, threshold, price, held, trainClasses: classes } = result;
  const test = model === undefined ? {} : { test: { model: short(model), persistence: short(persistence), majority: short(majority) } };
  return writeRecord({
    network, source, symbols: [...symbols], columns, labels, horizon, threshold, price, classes: [...classes], split: [...split], flatShare,
    ...(mirror === true ? { mirror } : {}), ...(shuffle === undefined ? {} : { shuffle }),
    settings: { ...settings }, seed, ...trainedIn(engine),
    ...(held === undefined ? {} : { held: { losses: [...held.losses], best: held.best } }), ...test,
  });
}

/**
 * Trains, tests and writes the model. In our own engine the same options and capture give the same file, byte for byte.
 *
 * @param report called about 200 times with the progress
 * @throws TicklineError TL_CAPTURE, TL_MODEL or TL_CHECKPOINT; no model is written then
 */
export async function train(options: TrainOptions, report: (progress: Progress) => void): Promise<TrainResult> {
  const { data, network, settings, checkpoint, engine } = options;
  if (engine === "tensorflow" && checkpoint !== undefined) throw new TicklineError("TL_USAGE", "a run in TensorFlow.js keeps no checkpoint; leave one of the two out");
  return trainOn(await taskOf(data, settings.hold, network === "autoencoder"), options, report);
}

/** As `train`, on a task that `data` describes. */
export async function trainOn(task: Task, options: TrainOptions, report: (progress: Progress) => void): Promise<TrainResult> {
  const { data, network, settings, seed, out, checkpoint, engine } = options;
  const { majority, persistence, columns: _, ...facts } = task.facts();
  const { save, ...fitted } = await fit(task, network, settings, seed, report, { checkpoint, engine });
  const result = { ...fitted, ...facts, out, majority: score(square(majority)), persistence: score(square(persistence)) };
  const hash = save(out, record(options, result), data.horizon);
  if (checkpoint !== undefined) rmSync(checkpoint.file, { force: true });
  return { ...result, hash };
}
