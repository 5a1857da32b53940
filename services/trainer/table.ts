/** The table of a comparison: jobs summed up over seeds, and what that says of one network against the others. Pure. */
import type { Group, Run } from "./job.ts";
import { calibration, score, type Score } from "./score.ts";

/** Mean over the seeds and its sample deviation (0 for one seed). */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** A network's scores over the seeds of one label and horizon. */
export interface Row extends Group {
  /** A row of the preset, `persistence` or `majority`. */
  readonly network: string;
  readonly macroF1: Spread;
  readonly mcc: Spread;
  readonly accuracy: Spread;
  /** Expected calibration error; absent for the baselines. */
  readonly ece?: Spread;
  /** Macro-F1 lost by rounding to bf16 and to int8, 0 to 1; absent for the baselines and where a layer does not run in it. */
  readonly lost: { readonly bf16?: Spread; readonly int8?: Spread };
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** Median time of an answer through the line's engine, the median over the seeds. */
  readonly latencyNs: number;
  /** Time of one training run and its test. */
  readonly seconds: number;
  /** One of each seed, over all folds. */
  readonly scores: readonly Score[];
}

/** Mean and sample deviation. */
export function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
  const square = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(square / (values.length - 1)) : 0 };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** The row of a network's runs, one a seed. */
export function rowOf(group: Group, network: string, runs: readonly Run[]): Row {
  const scores = runs.map((run) => score(run.confusion));
  const of = (pick: (score: Score) => number): Spread => spread(scores.map(pick));
  const lost = (name: "bf16" | "int8", precision: number): { readonly [name in "bf16" | "int8"]?: Spread } => {
    const points = runs.flatMap(({ rounded }) => (rounded[0] && rounded[precision] ? [score(rounded[0]).macroF1 - score(rounded[precision]).macroF1] : []));
    return points.length === 0 ? {} : { [name]: spread(points) };
  };
  return {
    labels: group.labels, horizon: group.horizon, network, scores,
    macroF1: of((each) => each.macroF1), mcc: of((each) => each.mcc), accuracy: of((each) => each.accuracy),
    ece: spread(runs.map((run) => calibration(run.bins).ece)),
    lost: { ...lost("bf16", 1), ...lost("int8", 2) },
    parameters: runs[0]?.parameters ?? 0, multiplyAdds: runs[0]?.multiplyAdds ?? 0,
    latencyNs: median(runs.map((run) => run.latencyNs)),
    seconds: spread(runs.map((run) => run.seconds)).mean,
  };
}

/** The row of a forecaster that needs no training. */
export function baseline(group: Group, network: "persistence" | "majority", confusion: readonly (readonly number[])[]): Row {
  const one = score(confusion);
  const of = (mean: number): Spread => ({ mean, deviation: 0 });
  const free = { lost: {}, parameters: 0, multiplyAdds: 0, latencyNs: 0, seconds: 0, scores: [one] };
  return { labels: group.labels, horizon: group.horizon, network, macroF1: of(one.macroF1), mcc: of(one.mcc), accuracy: of(one.accuracy), ...free };
}

/** How one row stands against others on one kind of label. */
export interface Verdict {
  readonly labels: "exact" | "smoothed";
  readonly network: string;
  /** Whom it has to beat. */
  readonly rivals: readonly string[];
  /** Horizons on which it beats all of them: its macro-F1 less its spread is above theirs with their spread. */
  readonly won: readonly number[];
  readonly horizons: readonly number[];
}

/** Verdicts on a row, one for each kind of label; rivals that the table does not have are left out, without any there is no verdict. */
export function verdicts(rows: readonly Row[], network: string, rivals: readonly string[]): Verdict[] {
  const known = rivals.filter((rival) => rows.some((row) => row.network === rival));
  if (known.length === 0) return [];
  return [...new Set(rows.map((row) => row.labels))].flatMap((labels) => {
    const own = rows.filter((row) => row.labels === labels && row.network === network);
    if (own.length === 0) return [];
    const beaten = (row: Row): boolean => known.every((rival) => {
      const other = rows.find((each) => each.labels === labels && each.horizon === row.horizon && each.network === rival);
      return other !== undefined && row.macroF1.mean - row.macroF1.deviation > other.macroF1.mean + other.macroF1.deviation;
    });
    return [{ labels, network, rivals: known, won: own.filter(beaten).map((row) => row.horizon), horizons: own.map((row) => row.horizon) }];
  });
}
