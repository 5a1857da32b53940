/** Tests a model file on a capture. */
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { door, slowDoor } from "./door.ts";
import { readRecord } from "./record.ts";
import { calibration, score, square, type Calibration, type Score } from "./score.ts";

/** What to test; what is undefined comes from the model's training record. */
export interface EvaluateOptions {
  readonly model: string;
  /** Models that answer with it, the mean of all probabilities counting. What the options leave open comes from the first. */
  readonly others?: readonly string[];
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
  /** Of the model; of an ensemble the one that stands for it in the line. */
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

/** What rounding a model to another precision gave. */
export interface Rounding {
  /** Hash of the file written. */
  readonly hash: string;
  /** The model as it was, on the part that it was not calibrated on. */
  readonly before: Evaluation;
  readonly after: Evaluation;
}

/** What is tested, once options and training record have both been asked. */
export interface Plan extends Pick<Evaluation, "name" | "hash" | "symbols" | "labels" | "horizon" | "part"> {
  /** Where the part that calibration may see begins. */
  readonly from: number;
  /** In 1/10,000 dollar, at `price`. */
  readonly threshold: number;
  /** Mean mid price that the threshold is for; undefined where it holds as it is. */
  readonly price: number | undefined;
}

/**
 * What to test. On stocks that the model was not trained on, the default part is the whole capture.
 *
 * @throws TicklineError TL_MODEL for a file that is no model, TL_USAGE when the model has no record and something is not given
 */
export function planOf(options: EvaluateOptions): Plan {
  const { model } = options;
  const info = door(() => native.modelInfo(model));
  const record = readRecord(info.training);
  const need = <T>(name: string, given: T | undefined, recorded: T | undefined): T => {
    const value = given ?? recorded;
    if (value !== undefined) return value;
    throw new TicklineError("TL_USAGE", `${model} has no training record that says its ${name}; give --${name}`);
  };
  const symbols = need("symbols", options.symbols, record?.symbols);
  const unseen = record !== undefined && symbols.every((symbol) => !record.symbols.includes(symbol));
  const rest = record === undefined ? undefined : ([record.split[1], record.split[2]] as const);
  const part = need("part", options.part, unseen ? ([0, 1] as const) : rest);
  return {
    name: info.name,
    hash: info.hash,
    symbols,
    labels: need("labels", options.labels, record?.labels),
    horizon: need("horizon", options.horizon, record?.horizon),
    threshold: need("threshold", options.threshold, record?.threshold),
    price: unseen && options.threshold === undefined ? record.price : undefined,
    part,
    from: Math.min(unseen ? 0 : (record?.split[0] ?? 0), part[0]),
  };
}

/** The threshold on this market: of a stock at another price it is as much smaller or larger as the price when the test begins. */
export function thresholdOn(market: InstanceType<typeof native.Market>, { threshold, price, part }: Plan): number {
  return price === undefined ? threshold : (threshold * market.price(part[0])) / price;
}

type Native = Awaited<ReturnType<typeof native.evaluateModel>>;

function shown(plan: Plan, threshold: number, tested: Native): Evaluation {
  const { name, hash, symbols, labels, horizon, part } = plan;
  const confusion = square(tested.answers.confusion);
  return {
    name, hash, symbols, labels, horizon, threshold, part, confusion,
    classes: tested.classes,
    unanswered: tested.answers.unanswered,
    score: score(confusion),
    calibration: calibration(tested.answers.bins),
    persistence: score(square(tested.persistence)),
    majority: score(square(tested.majority)),
  };
}

/**
 * Tests a model file, row by row through the engine that the line uses, in the model's own precision.
 *
 * @throws TicklineError TL_MODEL or TL_CAPTURE for files that do not do, TL_USAGE when the model has no record and something is not given
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const plan = planOf(options);
  const { labels, horizon, part: [cut, to] } = plan;
  const market = await slowDoor(() => native.Market.read(options.capture, [...plan.symbols]));
  const threshold = thresholdOn(market, plan);
  const tested = await slowDoor(async () => native.evaluateModel(market, { model: options.model, others: [...(options.others ?? [])], labels, horizon, threshold, from: cut, cut, to }));
  const together = options.others === undefined || options.others.length === 0 ? "" : ` and ${options.others.length} more`;
  const hash = door(() => native.ensembleHash([options.model, ...(options.others ?? [])]));
  return shown({ ...plan, name: `${plan.name}${together}`, hash }, threshold, tested);
}

/**
 * Writes the model in another precision, calibrated on rows before the part that is tested, and tests both.
 *
 * @param precision f32, bf16 or int8
 * @throws TicklineError as `evaluate`
 */
export async function round(options: EvaluateOptions, precision: string, out: string): Promise<Rounding> {
  const plan = planOf(options);
  const { labels, horizon, from, part: [cut, to] } = plan;
  const market = await slowDoor(() => native.Market.read(options.capture, [...plan.symbols]));
  const threshold = thresholdOn(market, plan);
  const question = { model: options.model, labels, horizon, threshold, from, cut, to };
  const { hash, before, after } = await slowDoor(async () => native.roundModel(market, question, precision, out));
  return { hash, before: shown(plan, threshold, before), after: shown({ ...plan, hash }, threshold, after) };
}
