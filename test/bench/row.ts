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
}
