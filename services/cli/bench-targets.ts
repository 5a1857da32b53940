/** What the benchmarks are to reach. Figures are on the reference machine (2 shared vCPU, Zen 4); ratios are within one run. Pure. */
import type { Row } from "../../test/bench/row.ts";

/** A row with its verdict. */
export interface Judged {
  readonly row: Row;
  /** What it had to reach, in words; empty when it is a floor, a peer, or has no target. */
  readonly target: string;
  /** Undefined where there is no target. */
  readonly passed: boolean | undefined;
}

interface Target {
  readonly bench: string;
  /** Which rows of that benchmark it holds for. */
  readonly row: RegExp;
  readonly words: string;
  /** True when the row reaches it; undefined when the run lacks what it is compared with. */
  readonly reached: (row: Row, run: readonly Row[]) => boolean | undefined;
}

const TARGETS: readonly Target[] = [
  { bench: "ring", row: /^rtt rust/, words: "p50 <= 1.2 x floor, ahead of rtrb", reached: (row, run) => both(within(row, floorOf(row.bench, run), 1.2), within(row, run.find(({ name }) => name === "peer rtt rtrb"), 1)) },
  { bench: "ring", row: /^rtt typescript/, words: "p50 <= 1.3 x floor", reached: (row, run) => within(row, floorOf(row.bench, run), 1.3) },
  { bench: "ring", row: /^rate typescript/, words: ">= 15 M/s", reached: ({ rate }) => atLeast(rate, 15e6) },
  { bench: "decode", row: /decode$/, words: "<= 12 ns a message", reached: ({ p50 }) => atMost(p50, 12) },
  { bench: "book", row: /^decode \+ books$/, words: "books <= 80 ns a message", reached: (row, run) => booksAlone(row, run) },
  { bench: "gate", row: /^gate/, words: "<= 40 ns", reached: ({ p50 }) => atMost(p50, 40) },
  { bench: "schema", row: /^in-place/, words: "<= 15 ns", reached: ({ p50 }) => atMost(p50, 15) },
  { bench: "model", row: /^mlp.*f32/i, words: "<= 300 ns", reached: ({ p50, unit }) => atMost(toNs(p50, unit), 300) },
  { bench: "line", row: /^fused/, words: "p50 <= 5 us, p99 <= 20 us", reached: ({ p50, p99, unit }) => both(atMost(toNs(p50, unit), 5000), atMost(toNs(p99, unit), 20_000)) },
  { bench: "learning", row: /^(tick|packet).*learning \/ none$/, words: "p99 <= 1.05 (95 % interval)", reached: ({ verdict }) => (verdict === undefined || verdict === "UNDECIDED" ? undefined : verdict === "PASS") },
];

/** Sets each row beside its target. */
export function judge(rows: readonly Row[]): Judged[] {
  return rows.map((row) => {
    const target = TARGETS.find(({ bench, row: name }) => bench === row.bench && name.test(row.name));
    return { row, target: target?.words ?? "", passed: target?.reached(row, rows) };
  });
}

/** True for rows of other projects' or plainer code, measured for comparison. */
export function isPeer(row: Row): boolean {
  return /^(peer|official)\b/.test(row.name);
}

function floorOf(of: string, run: readonly Row[]): Row | undefined {
  return run.find(({ bench, name }) => bench === of && /\bfloor\b/.test(name));
}

function within(row: Row, floor: Row | undefined, times: number): boolean | undefined {
  return floor === undefined || floor.p50 === null ? undefined : atMost(row.p50, floor.p50 * times);
}

function booksAlone(row: Row, run: readonly Row[]): boolean | undefined {
  const decode = floorOf(row.bench, run)?.p50;
  return row.p50 === null || decode === undefined || decode === null ? undefined : row.p50 - decode <= 80;
}

function toNs(value: number | null, unit: string): number | null {
  return value === null ? null : value * ({ ns: 1, us: 1e3, ms: 1e6 }[unit] ?? Number.NaN);
}

function atMost(value: number | null, limit: number): boolean | undefined {
  return value === null ? undefined : value <= limit;
}

function atLeast(value: number | null, limit: number): boolean | undefined {
  return value === null ? undefined : value >= limit;
}

function both(a: boolean | undefined, b: boolean | undefined): boolean | undefined {
  return a === undefined || b === undefined ? undefined : a && b;
}
