/** Trains every network of a comparison for every horizon, kind of label and seed, and sums up. */
import { native } from "../kit/native.ts";
import { slowDoor } from "./door.ts";
import { fit, type Fitted, type Progress, type Task } from "./fit.ts";
import { ask } from "./main.ts";
import { settingsOf } from "./networks.ts";
import type { OwnSettings, Preset } from "./preset.ts";
import { calibration, score, square, type Score } from "./score.ts";

/** Where a comparison stands. */
export interface Comparing extends Progress {
  /** The run that has just moved: `bin-c-tabl, exact labels, 50 rows ahead, seed 1`. */
  readonly name: string;
}

/** A network's scores over the seeds of one label and horizon. */
export interface Row {
  readonly labels: "exact" | "smoothed";
  readonly horizon: number;
  /** A row of the preset, `persistence` or `majority`. */
  readonly network: string;
  readonly macroF1: Spread;
  readonly mcc: Spread;
  readonly accuracy: Spread;
  /** Expected calibration error; absent for the baselines. */
  readonly ece?: Spread;
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Median time of an answer through the line's engine, the median over the seeds. */
  readonly latencyNs: number;
  /** Time of one training run. */
  readonly seconds: number;
  /** One of each seed, over all folds. */
  readonly scores: readonly Score[];
}

/** Mean over the seeds and its sample deviation (0 for one seed). */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** What a comparison is run on. */
export interface CompareOptions {
  readonly capture: string;
  readonly preset: Preset;
  /** Runs at the same time. */
  readonly jobs: number;
}

interface Group {
  readonly labels: "exact" | "smoothed";
  readonly horizon: number;
}

/** Every job: one row of the table, one seed, all folds of one group. */
interface Job extends Group {
  /** The row's name. */
  readonly network: string;
  readonly own: OwnSettings;
  readonly seed: number;
}

/** Mean and sample deviation. */
export function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
  const square = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(square / (values.length - 1)) : 0 };
}

/** Shares of all rows in time, a split each: trained from, until, tested until. */
export function splits({ folds, train }: Pick<Preset, "folds" | "train">): (readonly [number, number, number])[] {
  if (folds === 1) return [[0, train, 1]];
  return Array.from({ length: folds }, (_, i) => [0, (i + 1) / (folds + 1), (i + 2) / (folds + 1)] as const);
}

function sum(matrices: readonly (readonly (readonly number[])[])[]): number[][] {
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => matrices.reduce((total, matrix) => total + (matrix[i]?.[j] ?? 0), 0)));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** One seed's run over all folds. */
interface Run {
  readonly score: Score;
  readonly ece: number;
  readonly fitted: Fitted;
  readonly seconds: number;
}

async function runJob(job: Job, tasks: readonly Task[], report: (progress: Progress) => void): Promise<Run> {
  const network = job.own.network ?? job.network;
  const settings = settingsOf(network, job.own);
  const fits: Fitted[] = [];
  for (const [nth, task] of tasks.entries()) {
    fits.push(await fit(task, network, settings, job.seed, ({ share, loss, rows }) => report({ share: (nth + share) / tasks.length, loss, rows })));
  }
  const counted = fits.map((each) => (each.calibration?.bins ?? []).flatMap((bin) => [bin.rows, bin.rows * bin.confidence, bin.rows * bin.accuracy]));
  const bins = (counted[0] ?? []).map((_, i) => counted.reduce((total, each) => total + (each[i] ?? 0), 0));
  const seconds = fits.reduce((total, each) => total + each.seconds, 0);
  return { score: score(sum(fits.map((each) => each.confusion))), ece: calibration(bins).ece, fitted: fits[0] as Fitted, seconds };
}

function row(group: Group, network: string, runs: readonly Run[]): Row {
  const of = (pick: (run: Run) => number): Spread => spread(runs.map(pick));
  const first = runs[0]?.fitted;
  return {
    ...group, network,
    macroF1: of((run) => run.score.macroF1), mcc: of((run) => run.score.mcc), accuracy: of((run) => run.score.accuracy), ece: of((run) => run.ece),
    parameters: first?.parameters ?? 0, multiplyAdds: first?.multiplyAdds ?? 0,
    latencyNs: median(runs.map((run) => run.fitted.latencyNs)),
    seconds: of((run) => run.seconds).mean,
    scores: runs.map((run) => run.score),
  };
}

function baseline(group: Group, network: "persistence" | "majority", tasks: readonly Task[]): Row {
  const one = score(sum(tasks.map((task) => square(task.facts()[network]))));
  const of = (mean: number): Spread => ({ mean, deviation: 0 });
  const free = { parameters: 0, multiplyAdds: 0, latencyNs: 0, seconds: 0, scores: [one] };
  return { ...group, network, macroF1: of(one.macroF1), mcc: of(one.mcc), accuracy: of(one.accuracy), ...free };
}

/** Runs `work` over a list, at most `jobs` at a time, and keeps the order. */
async function pooled<A, B>(list: readonly A[], jobs: number, work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let nth = next++; nth < list.length; nth = next++) results[nth] = await work(list[nth] as A);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

type Market = Awaited<ReturnType<typeof native.Market.read>>;

/** Rows of every group, label by label and horizon by horizon: the baselines, then the networks. */
export async function* compare(options: CompareOptions, report: (at: Comparing) => void): AsyncGenerator<Row[]> {
  const { capture, preset, jobs } = options;
  const networks = Object.entries(preset.networks);
  const groups = preset.labels.flatMap((labels) => preset.horizons.map((horizon): Group => ({ labels, horizon })));
  const market = await slowDoor(() => native.Market.read(capture, [...preset.symbols]));
  let done = 0;
  const work = weights(networks);
  const all = groups.length * preset.seeds.length * [...work.values()].reduce((total, each) => total + each, 0);
  for (const group of groups) {
    const list = networks.flatMap(([network, own]) => preset.seeds.map((seed): Job => ({ ...group, network, own, seed })));
    const tasks = tasksOf(market, capture, preset, group);
    const runs = await pooled(list, jobs, async (job) => {
      let before = 0;
      const name = `${job.network}, ${group.labels} labels, ${group.horizon} rows ahead, seed ${job.seed}`;
      return runJob(job, tasks(job.own), ({ share, loss, rows }) => {
        done += (share - before) * (work.get(job.network) ?? 0);
        before = share;
        report({ share: done / all, loss, rows, name });
      });
    });
    const own = tasks({});
    yield [
      baseline(group, "majority", own),
      baseline(group, "persistence", own),
      ...networks.map(([network]) => row(group, network, runs.filter((_, nth) => list[nth]?.network === network))),
    ];
  }
}

/** Tasks of a group by columns, one each fold, made when first asked for. */
function tasksOf(market: Market, capture: string, preset: Preset, group: Group): (own: OwnSettings) => readonly Task[] {
  const made = new Map<string, readonly Task[]>();
  return (own) => {
    const columns = own.columns ?? preset.columns;
    const known = made.get(columns);
    if (known !== undefined) return known;
    const { symbols, flat_share: flatShare, clip } = preset;
    const tasks = splits(preset).map((split) => ask(market, { capture, symbols, columns, ...group, flatShare, clip, split }, false));
    made.set(columns, tasks);
    return tasks;
  };
}

/** How much of the whole each network's runs are, roughly: what the meter's time left is reckoned by. */
function weights(networks: readonly (readonly [string, OwnSettings])[]): Map<string, number> {
  return new Map(networks.map(([row, own]) => {
    const name = own.network ?? row;
    const { epochs, window } = settingsOf(name, own);
    const size = name.startsWith("deeplob") ? 40 : name.includes("tabl") ? window : name.startsWith("cnn") ? 5 : name === "logistic" ? 1 : 3;
    return [row, epochs * size];
  }));
}
