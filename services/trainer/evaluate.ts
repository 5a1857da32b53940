/** Tests a model file on a capture. */
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { door, slowDoor } from "./door.ts";
import { readRecord } from "./record.ts";
import { calibration, score, square, type Calibration, type Score } from "./score.ts";

/** What to test; what is undefined comes from the model's training record. */
export interface EvaluateOptions {
  readonly model: string;
  readonly capture: string;
  readonly symbols: readonly string[] | undefined;
  readonly labels: "exact" | "smoothed" | undefined;
  readonly horizon: number | undefined;
  /** Moves above this size are up or down, 1/10,000 dollar. */
  readonly threshold: number | undefined;
  /** Shares of all rows in time: tested from, until. */
  readonly part: readonly [number, number] | undefined;
}

/** What a test gave. */
export interface Evaluation {
  readonly name: string;
  readonly hash: string;
  readonly symbols: readonly string[];
  readonly labels: "exact" | "smoothed";
  readonly horizon: number;
  readonly threshold: number;
  readonly part: readonly [number, number];
  /** Rows by class: down, flat, up. */
  readonly classes: readonly number[];
  /** Rows without an answer: the window was not full. */
  readonly unanswered: number;
  readonly score: Score;
  readonly calibration: Calibration;
  readonly confusion: readonly (readonly number[])[];
  readonly persistence: Score;
  readonly majority: Score;
}

/**
 * Tests a model file, row by row through the engine that the line uses, in the model's own precision.
 *
 * @throws TicklineError TL_MODEL or TL_CAPTURE for files that do not do, TL_USAGE when the model has no record and something is not given
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { model, capture } = options;
  const info = door(() => native.modelInfo(model));
  const record = readRecord(info.training);
  const need = <T>(name: string, given: T | undefined, recorded: T | undefined): T => {
    const value = given ?? recorded;
    if (value !== undefined) return value;
    throw new TicklineError("TL_USAGE", `${model} has no training record that says its ${name}; give --${name}`);
  };
  const symbols = need("symbols", options.symbols, record?.symbols);
  const labels = need("labels", options.labels, record?.labels);
  const horizon = need("horizon", options.horizon, record?.horizon);
  const threshold = need("threshold", options.threshold, record?.threshold);
  const part = need("part", options.part, record === undefined ? undefined : ([record.split[1], record.split[2]] as const));
  const market = await slowDoor(() => native.Market.read(capture, [...symbols]));
  const [from, to] = part;
  const tested = await slowDoor(async () => native.evaluateModel(market, { model, labels, horizon, threshold, from, to }));
  const confusion = square(tested.answers.confusion);
  return {
    name: info.name, hash: info.hash, symbols, labels, horizon, threshold, part, confusion,
    classes: tested.classes,
    unanswered: tested.answers.unanswered,
    score: score(confusion),
    calibration: calibration(tested.answers.bins),
    persistence: score(square(tested.persistence)),
    majority: score(square(tested.majority)),
  };
}
