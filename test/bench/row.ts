/** One line of a benchmark's table, as `tickline bench` prints and records it. */
export interface Row {
  /** The benchmark: `ring`, `decode`, `book`, `model`, `gate`, `order`, `line`, `schema`. */
  readonly bench: string;
  /** What was measured. */
  readonly name: string;
  /** Unit of the figures, such as `ns`. */
  readonly unit: string;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
  /** Operations a second; null when the row is not a rate. */
  readonly rate: number | null;
  readonly note: string;
  /** 95 % interval of `p99`, where it was estimated. */
  readonly interval?: readonly [low: number, high: number];
  /** What the benchmark itself can tell, where its interval decides and no single figure. */
  readonly verdict?: "PASS" | "FAIL" | "UNDECIDED";
}
