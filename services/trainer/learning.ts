/** Learning on, over seeds: each model is tested beside itself, learning, on the rest of the day that it was trained on and on a stock that it never saw. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { native } from "../kit/native.ts";
import { pooled, splits, type Comparing } from "./compare.ts";
import { slowDoor } from "./door.ts";
import type { Task } from "./fit.ts";
import { keyOf, rowRecipe, type Group, type Job, type NamedRecipe } from "./job.ts";
import type { Ledger } from "./ledger.ts";
import { ask, trainOn, type Data } from "./main.ts";
import { FORECASTERS, habitOf, onlineOn, type Forecaster, type Habit } from "./online.ts";
import type { OnlinePreset, Preset } from "./preset.ts";
import { score, type Score } from "./score.ts";
import { spread, type Spread } from "./table.ts";

const confusion = z.array(z.array(z.number()).length(3)).length(3);

/** What one model of one seed gave on one stock. */
export const lessonSchema = z.strictObject({
  /** Digest of all that it follows from. */
  key: z.string(),
  network: z.string(),
  /** Of the rows tested. */
  symbol: z.string(),
  labels: z.enum(["exact", "smoothed"]),
  horizon: z.number(),
  seed: z.number(),
  /** Steps of learning. */
  steps: z.number(),
  /** True class, then answer. */
  confusions: z.strictObject({ frozen: confusion, learning: confusion, persistence: confusion, majority: confusion }),
});

/** What one model of one seed gave on one stock. */
export type Lesson = z.output<typeof lessonSchema>;

/** A model's scores over the seeds on one stock, frozen and learning, beside the baselines. */
export interface LearningRow extends Group {
  readonly network: string;
  readonly symbol: string;
  /** The model was not trained on this stock. */
  readonly unseen: boolean;
  readonly macroF1: Readonly<Record<Forecaster, Spread>>;
  readonly mcc: Readonly<Record<Forecaster, Spread>>;
  /** Macro-F1 of the learning model less that of the frozen one, seed by seed. */
  readonly gain: Spread;
  readonly seeds: number;
}

/** What the test is run on. */
export interface LearningOptions {
  readonly capture: string;
  /** A capture of stocks that no model is trained on; without it they are left out. */
  readonly unseen: string | undefined;
  readonly preset: Preset & { readonly online: OnlinePreset };
  readonly jobs: number;
  readonly ledger: Ledger;
}

type Market = Awaited<ReturnType<typeof native.Market.read>>;

/** A stock that is tested, and how its rows are told from others. */
interface Stock {
  readonly symbol: string;
  readonly market: Market;
  readonly unseen: boolean;
}

/** The row of a model's runs on one stock, one a seed. */
export function learningRow(group: Group, network: string, { symbol, unseen }: Pick<Stock, "symbol" | "unseen">, runs: readonly Lesson[]): LearningRow {
  const scores = runs.map(({ confusions }) => Object.fromEntries(FORECASTERS.map((who) => [who, score(confusions[who])])) as Record<Forecaster, Score>);
  const of = (pick: (score: Score) => number): Record<Forecaster, Spread> =>
    Object.fromEntries(FORECASTERS.map((who) => [who, spread(scores.map((each) => pick(each[who])))])) as Record<Forecaster, Spread>;
  return {
    labels: group.labels, horizon: group.horizon, network, symbol, unseen,
    macroF1: of((each) => each.macroF1),
    mcc: of((each) => each.mcc),
    gain: spread(scores.map(({ frozen, learning }) => learning.macroF1 - frozen.macroF1)),
    seeds: runs.length,
  };
}

function digest(what: unknown): string {
  return createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 16);
}

/** Trains a job's model into `folder` and tests it on each stock whose result is not known. */
async function lessons(job: Job, habit: Habit, task: Task, data: Data, stocks: readonly (Stock & { readonly key: string })[], { capture, unseen = "", ledger }: LearningOptions, folder: string): Promise<Lesson[]> {
  const { recipe: { name, settings }, network, labels, horizon, seed } = job;
  const model = join(folder, `${job.network}-${labels}-${horizon}-${seed}.tlm`);
  const left = stocks.filter(({ key }) => ledger.lesson(key) === undefined);
  if (left.length > 0) await trainOn(task, { data, network: name, settings, seed, out: model, source: `capture ${capture}` }, () => {});
  for (const { key, symbol, market, unseen: foreign } of left) {
    const open = { labels: undefined, horizon: undefined, threshold: undefined, part: undefined };
    const tested = await onlineOn(market, { model, capture: foreign ? unseen : capture, symbols: [symbol], ...open }, habit, () => {});
    ledger.addLesson({ key, network, symbol, labels, horizon, seed, steps: tested.steps, confusions: tested.confusions });
    ledger.write({});
  }
  rmSync(model, { force: true });
  return stocks.map(({ key }) => ({ ...(ledger.lesson(key) as Lesson), network }));
}

/** Digest of a stock's rows as a model of this job sees them. */
function rowsOf({ market, symbol }: Stock, data: Data): readonly unknown[] {
  const { dataHash, trainClasses, testClasses } = ask(market, { ...data, symbols: [symbol], split: [0, 0.5, 1], mirror: false }, 0, false).facts();
  return [symbol, dataHash, trainClasses, testClasses];
}

/**
 * Rows of every label and horizon, those of the stock that was trained on first.
 *
 * @throws TicklineError as training does; what was done until then is in the ledger
 */
export async function* compareLearning(options: LearningOptions, report: (at: Comparing) => void): AsyncGenerator<LearningRow[]> {
  const { capture, unseen: elsewhere, preset, jobs } = options;
  const { online } = preset;
  const networks = Object.entries(online.networks).map(([network, own]) => ({ network, unseen: own.unseen === true, habit: habitOf(own.habit), recipe: rowRecipe(network, own, {}) }));
  const read = async (file: string, symbol: string, unseen: boolean): Promise<Stock> => ({ symbol, unseen, market: await slowDoor(() => native.Market.read(file, [symbol])) });
  const stocks: Stock[] = [];
  for (const symbol of preset.symbols) stocks.push(await read(capture, symbol, false));
  if (elsewhere !== undefined) for (const symbol of online.unseen) stocks.push(await read(elsewhere, symbol, true));
  const trained = await slowDoor(() => native.Market.read(capture, [...preset.symbols]));
  const split = splits({ ...preset, folds: 1 })[0] as readonly [number, number, number];
  const groups = online.labels.flatMap((labels) => online.horizons.map((horizon): Group => ({ labels, horizon })));
  const all = groups.length * networks.length * preset.seeds.length;
  const folder = mkdtempSync(join(tmpdir(), "tickline-learning-"));
  let done = 0;
  try {
    for (const group of groups) {
      for (const { network, unseen, habit, recipe } of networks) {
        const data = dataOf(options, group, recipe, split);
        const task = ask(trained, data, recipe.settings.hold, false);
        const own = stocks.filter((stock) => unseen || !stock.unseen).map((stock) => ({ ...stock, rows: rowsOf(stock, data) }));
        const runs = await pooled(preset.seeds, jobs, async (seed) => {
          const job: Job = { ...group, network, recipe, seed };
          const keyed = own.map((stock) => ({ ...stock, key: digest([keyOf(job, [task]), habit, stock.unseen, stock.rows]) }));
          const got = await lessons(job, habit, task, data, keyed, options, folder);
          done++;
          report({ share: done / all, loss: NaN, rows: 0, name: `learning on, ${network}, ${group.labels} labels, ${group.horizon} rows ahead, seed ${seed}` });
          return got;
        });
        yield own.map((stock, nth) => learningRow(group, network, stock, runs.flatMap((each) => each[nth] ?? [])));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function dataOf({ capture, preset }: LearningOptions, group: Group, { columns, mirror }: NamedRecipe, split: Data["split"]): Data {
  const { symbols, flat_share: flatShare, clip } = preset;
  return { capture, symbols, columns, mirror, ...group, flatShare, clip, split };
}
