/** Trains every network of a comparison for every horizon, kind of label and seed, and sums up. */
import { native } from "../kit/native.ts";
import { slowDoor } from "./door.ts";
import type { Progress, Task } from "./fit.ts";
import { keyOf, rowRecipe, runJob, sum, type Group, type Job, type NamedRecipe, type Run } from "./job.ts";
import type { Ledger } from "./ledger.ts";
import { ask } from "./main.ts";
import type { Preset } from "./preset.ts";
import { square } from "./score.ts";
import { baseline, rowOf, type Row } from "./table.ts";

/** Where a comparison stands. */
export interface Comparing extends Progress {
  /** The run that has just moved: `bin-c-tabl, exact labels, 50 rows ahead, seed 1`. */
  readonly name: string;
}

/** What a comparison is run on. */
export interface CompareOptions {
  readonly capture: string;
  readonly preset: Preset;
  /** Runs at the same time. */
  readonly jobs: number;
  /** Jobs that are done are taken from here, others added. */
  readonly ledger: Ledger;
}

/** Shares of all rows in time, a split each: trained from, until, tested until. */
export function splits({ folds, train, until, rolling = Infinity }: Pick<Preset, "folds" | "train" | "until" | "rolling">): (readonly [number, number, number])[] {
  if (folds === 1) return [[0, train, until]];
  const part = (nth: number): number => (until * Math.max(0, nth)) / (folds + 1);
  return Array.from({ length: folds }, (_, i) => [part(i + 1 - rolling), part(i + 1), part(i + 2)] as const);
}

/** Runs `work` over a list, at most `jobs` at a time, and keeps the order. */
export async function pooled<A, B>(list: readonly A[], jobs: number, work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let nth = next++; nth < list.length; nth = next++) results[nth] = await work(list[nth] as A);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

type Market = Awaited<ReturnType<typeof native.Market.read>>;

/**
 * Rows of every group, label by label and horizon by horizon: the baselines, then the networks.
 *
 * @throws TicklineError as training does; what was done until then is in the ledger
 */
export async function* compare(options: CompareOptions, report: (at: Comparing) => void): AsyncGenerator<Row[]> {
  const { capture, preset, jobs, ledger } = options;
  const networks = Object.entries(preset.networks).map(([network, own]) => [network, rowRecipe(network, own, preset)] as const);
  const groups = preset.labels.flatMap((labels) => preset.horizons.map((horizon): Group => ({ labels, horizon })));
  const market = await slowDoor(() => native.Market.read(capture, [...preset.symbols]));
  const work = new Map(networks.map(([network, recipe]) => [network, cost(recipe)] as const));
  const all = groups.length * preset.seeds.length * [...work.values()].reduce((total, each) => total + each, 0);
  let done = 0;
  for (const group of groups) {
    const list = networks.flatMap(([network, recipe]) => preset.seeds.map((seed): Job => ({ ...group, network, recipe, seed })));
    const tasks = tasksOf(market, capture, preset, group);
    const runs = await pooled(list, jobs, async (job): Promise<Run> => {
      const own = tasks(job.recipe);
      const key = keyOf(job, own);
      const name = `${job.network}, ${group.labels} labels, ${group.horizon} rows ahead, seed ${job.seed}`;
      let before = 0;
      const moved = ({ share, loss, rows }: Progress): void => {
        done += (share - before) * (work.get(job.network) ?? 0);
        before = share;
        report({ share: done / all, loss, rows, name });
      };
      const known = ledger.get(key);
      if (known !== undefined) {
        moved({ share: 1, loss: NaN, rows: 0 });
        return { ...known, network: job.network };
      }
      const run = await runJob(job, key, own, moved);
      ledger.add(run);
      ledger.write({ capture, preset });
      return run;
    });
    // Which rows are tested, and what they are, does not depend on the columns.
    const own = networks[0] === undefined ? [] : tasks(networks[0][1]);
    const free = (name: "majority" | "persistence"): Row => baseline(group, name, sum(own.map((task) => square(task.facts()[name]))));
    yield [free("majority"), free("persistence"), ...networks.map(([network]) => rowOf(group, network, runs.filter((_, nth) => list[nth]?.network === network)))];
  }
}

/** Tasks of a group by columns, one each fold, made when first asked for. */
function tasksOf(market: Market, capture: string, preset: Preset, group: Group): (recipe: NamedRecipe) => readonly Task[] {
  const made = new Map<string, readonly Task[]>();
  return ({ columns, mirror, settings: { hold } }) => {
    const which = `${columns} ${mirror} ${hold}`;
    const known = made.get(which);
    if (known !== undefined) return known;
    const { symbols, flat_share: flatShare, clip } = preset;
    const tasks = splits(preset).map((split) => ask(market, { capture, symbols, columns, ...group, flatShare, clip, split, mirror }, hold, false));
    made.set(which, tasks);
    return tasks;
  };
}

/** How much of the whole a network's runs are, roughly: what the meter's time left is reckoned by. */
function cost({ name, settings: { epochs, window } }: NamedRecipe): number {
  return epochs * (name.startsWith("deeplob") ? 40 : name.includes("tabl") ? window : name.startsWith("cnn") ? 5 : name === "logistic" ? 1 : 3);
}
