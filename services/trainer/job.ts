/** One job of a comparison: a network, a label, a horizon and a seed, over all its splits; and what it gave, as it is kept on disk. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { fit, type Fitted, type Progress, type Task } from "./fit.ts";
import { recipeOf, type Recipe } from "./networks.ts";
import type { OwnSettings, Preset } from "./preset.ts";

/** A label. */
export interface Group {
  readonly labels: "exact" | "smoothed";
  readonly horizon: number;
}

/** A network by its ready-made name, and how it is trained. */
export interface NamedRecipe extends Recipe {
  readonly name: string;
}

/** A row of the table and one seed. */
export interface Job extends Group {
  /** The row's name. */
  readonly network: string;
  readonly recipe: NamedRecipe;
  readonly seed: number;
}

const confusion = z.array(z.array(z.number()).length(3)).length(3);

/** What a job gave. */
export const runSchema = z.strictObject({
  /** Digest of all that it follows from. */
  key: z.string(),
  network: z.string(),
  labels: z.enum(["exact", "smoothed"]),
  horizon: z.number(),
  seed: z.number(),
  /** True class, then answer, summed over the splits. */
  confusion,
  /** In f32, bf16 and int8, likewise summed; null where a layer does not run in it. */
  rounded: z.array(confusion.nullable()).length(3),
  /** Rows, sum of the confidences and right answers of each bin of confidence. */
  bins: z.array(z.number()),
  parameters: z.number(),
  multiplyAdds: z.number(),
  latencyNs: z.number(),
  /** Time of training and testing. */
  seconds: z.number(),
});

/** What a job gave. */
export type Run = z.output<typeof runSchema>;

/** Version of what `key` covers: raised when the same settings begin to give other weights. */
const RECIPE = 1;

/** How a row of a preset is trained: its own words, else the preset's, else the network's recipe. */
export function rowRecipe(row: string, own: OwnSettings, { columns, mirror }: Partial<Pick<Preset, "columns" | "mirror">>): NamedRecipe {
  const name = own.network ?? row;
  return { name, ...recipeOf(name, { ...own, columns: own.columns ?? columns, mirror: own.mirror ?? mirror }) };
}

/** The job's name in the results on disk: the same rows, labels, network, settings and seed have the same. */
export function keyOf(job: Job, tasks: readonly Task[]): string {
  const facts = tasks.map((task) => task.facts()).map(({ dataHash, testClasses, threshold, columns }) => [dataHash, testClasses, threshold, columns]);
  const { name, settings } = job.recipe;
  const what = [RECIPE, facts, name, Object.entries(settings).toSorted(([a], [b]) => (a < b ? -1 : 1)), job.labels, job.horizon, job.seed];
  return createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 16);
}

/** Matrices in sum. */
export function sum(matrices: readonly (readonly (readonly number[])[])[]): number[][] {
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => matrices.reduce((total, matrix) => total + (matrix[i]?.[j] ?? 0), 0)));
}

function binsOf(fits: readonly Fitted[]): number[] {
  const counted = fits.map((each) => (each.calibration?.bins ?? []).flatMap((bin) => [bin.rows, bin.rows * bin.confidence, bin.rows * bin.accuracy]));
  return (counted[0] ?? []).map((_, i) => counted.reduce((total, each) => total + (each[i] ?? 0), 0));
}

/** Trains and tests on every split, in every precision. */
export async function runJob(job: Job, key: string, tasks: readonly Task[], report: (progress: Progress) => void): Promise<Run> {
  const { name, settings } = job.recipe;
  const fits: Fitted[] = [];
  for (const [nth, task] of tasks.entries()) {
    fits.push(await fit(task, name, settings, job.seed, ({ share, loss, rows }) => report({ share: (nth + share) / tasks.length, loss, rows }), { rounded: true }));
  }
  const { network, labels, horizon, seed } = job;
  return {
    key, network, labels, horizon, seed,
    confusion: sum(fits.map((each) => each.confusion)),
    rounded: [0, 1, 2].map((precision) => (fits.every((each) => (each.rounded[precision] ?? []).length > 0) ? sum(fits.map((each) => each.rounded[precision] ?? [])) : null)),
    bins: binsOf(fits),
    parameters: fits[0]?.parameters ?? 0,
    multiplyAdds: fits[0]?.multiplyAdds ?? 0,
    latencyNs: fits[0]?.latencyNs ?? NaN,
    seconds: fits.reduce((total, each) => total + each.seconds, 0),
  };
}
