/** One line of a benchmark's table, as `tickline bench` prints and records it. */
export interface Row {
  /** The benchmark: `ring`, `decode`, `book`, `model`, `gate`, `order`, `line`, `schema`. */
  readonly bench: string;
  /** What was measured. */
  readonly name: string;
  /** Unit of the figures, such as `ns`. */
  readonly unit: string;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Operations a second; 0 when the row is not a rate. */
  readonly rate: number;
  readonly note: string;
}
