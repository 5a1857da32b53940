/** Tests a model beside itself, learning: every row is answered first and learned once its future has come (prequential evaluation). */
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { door, slowDoor } from "./door.ts";
import { planOf, thresholdOn, type EvaluateOptions } from "./evaluate.ts";
import { readRecord } from "./record.ts";
import { score, square, type Confusion, type Score } from "./score.ts";

/** How the model learns on. */
export interface Habit {
  /** Learning rate of Adam, the same all the way. */
  readonly rate: number;
  /** Labels a step; rows a step in a network that carries state. */
  readonly batch: number;
  /** Newest labels that a step draws from; 0: it takes the newest `batch` alone, as a network that carries state always does. */
  readonly memory: number;
  /** New labels between two steps that draw from memory. */
  readonly every: number;
}

/** Adam at a hundredth of the rate of training: fast enough to follow a day, slow enough to keep what was learned. */
export const HABIT: Habit = { rate: 1e-4, batch: 32, memory: 0, every: 64 };

/** A habit with a person's own in its place; what is undefined stays as it is. */
export function habitOf(own: { readonly [key in keyof Habit]?: Habit[key] | undefined } = {}): Habit {
  const { rate = HABIT.rate, batch = HABIT.batch, memory = HABIT.memory, every = HABIT.every } = own;
  return { rate, batch, memory, every };
}

/** A habit in words. */
export function habitLine({ rate, batch, memory, every }: Habit): string {
  return memory === 0 ? `steps of the newest ${batch} labels at rate ${rate}` : `a step at every ${every} labels, of ${batch} drawn from the newest ${memory}, at rate ${rate}`;
}

/** Forecasters that are tested side by side. */
export const FORECASTERS = ["frozen", "learning", "persistence", "majority"] as const;
/** A forecaster: the model as it was, the model learning on, and the baselines. */
export type Forecaster = (typeof FORECASTERS)[number];

/** What a test gave. */
export interface OnlineEvaluation {
  readonly name: string;
  readonly hash: string;
  readonly symbols: readonly string[];
  readonly labels: "exact" | "smoothed";
  readonly horizon: number;
  readonly threshold: number;
  readonly part: readonly [number, number];
  readonly habit: Habit;
  /** Steps of learning taken. */
  readonly steps: number;
  /** Rows by class: down, flat, up. */
  readonly classes: readonly number[];
  readonly scores: Readonly<Record<Forecaster, Score>>;
  /** True class, then answer. */
  readonly confusions: Readonly<Record<Forecaster, number[][]>>;
  /** The scores over each of some fifty stretches of the part, in order; those without a label are left out. */
  readonly stretches: readonly Readonly<Record<Forecaster, Score>>[];
}

/** Stretches of a test. */
const STRETCHES = 50;

type Confusions = Record<Forecaster, Confusion>;

function sum(parts: readonly Confusion[]): number[][] {
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => parts.reduce((total, part) => total + (part[i]?.[j] ?? 0), 0)));
}

function summed(parts: readonly Confusions[]): Record<Forecaster, number[][]> {
  const of = (who: Forecaster): number[][] => sum(parts.map((part) => part[who]));
  return { frozen: of("frozen"), learning: of("learning"), persistence: of("persistence"), majority: of("majority") };
}

function scored(parts: readonly Confusions[]): Record<Forecaster, Score> {
  const all = summed(parts);
  return { frozen: score(all.frozen), learning: score(all.learning), persistence: score(all.persistence), majority: score(all.majority) };
}

function balanceOf(settings: Readonly<Record<string, unknown>> | undefined): number {
  const balance = settings?.["balance"];
  return typeof balance === "number" ? balance : 0;
}

/**
 * Runs the test; the model file stays as it is. What is undefined in the options comes from the model's training record; on a stock that
 * it was not trained on, the whole capture is tested and the threshold moves with the price.
 *
 * @param report called about fifty times with the share done and the rows since the last call
 * @throws TicklineError as `evaluate`, TL_USAGE for several symbols
 */
export async function online(options: EvaluateOptions, habit: Habit, report: (at: { readonly share: number; readonly rows: number }) => void): Promise<OnlineEvaluation> {
  const market = await slowDoor(() => native.Market.read(options.capture, [...planOf(options).symbols]));
  return onlineOn(market, options, habit, report);
}

/** As `online`, on the rows of a capture that has been read. */
export async function onlineOn(market: InstanceType<typeof native.Market>, options: EvaluateOptions, habit: Habit, report: (at: { readonly share: number; readonly rows: number }) => void): Promise<OnlineEvaluation> {
  const plan = planOf(options);
  const { labels, horizon, part: [cut, to] } = plan;
  if (plan.symbols.length !== 1) throw new TicklineError("TL_USAGE", `learning on takes one symbol at a time, not ${plan.symbols.join(", ")}; give --symbols`);
  const record = readRecord(door(() => native.modelInfo(options.model)).training);
  const threshold = thresholdOn(market, plan);
  const question = { model: options.model, labels, horizon, threshold, from: plan.from, cut, to };
  const test = door(() => native.OnlineTest.open(market, question, { ...habit, decay: 0, balance: balanceOf(record?.settings), classes: [...(record?.classes ?? [])], seed: 1 }));
  const rows = test.rows();
  const each = Math.ceil(rows / STRETCHES);
  const parts: Confusions[] = [];
  for (let done = 0; ; done += each) {
    const stretch = await slowDoor(() => test.advance(each));
    if (stretch === null) break;
    parts.push({ frozen: square(stretch.frozen), learning: square(stretch.learning), persistence: square(stretch.persistence), majority: square(stretch.majority) });
    report({ share: Math.min(1, (done + each) / rows), rows: Math.min(each, rows - done) });
  }
  const { name, hash, symbols, part } = plan;
  const confusions = summed(parts);
  return {
    name, hash, symbols, labels, horizon, threshold, part, habit,
    steps: test.steps(),
    classes: confusions.frozen.map((row) => row.reduce((total, n) => total + n, 0)),
    confusions,
    scores: scored(parts),
    stretches: parts.map((each) => scored([each])).filter((each) => each.frozen.rows > 0),
  };
}
