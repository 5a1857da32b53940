/** Times a call in batches: one reading of the clock would cost as much as the call. */
import type { Row } from "./row.ts";

const BATCH = 64;

/** Percentiles in ns a call over `calls` calls, after as many to warm up. */
export function batches(bench: string, name: string, note: string, calls: number, call: (n: number) => void): Row {
  const samples = new Float64Array(Math.max(1, Math.ceil(calls / BATCH)));
  let n = 0;
  for (let round = 0; round < 2; round++) {
    for (let batch = 0; batch < samples.length; batch++) {
      const began = performance.now();
      for (let nth = 0; nth < BATCH; nth++) call(n++);
      samples[batch] = ((performance.now() - began) * 1e6) / BATCH;
    }
  }
  samples.sort();
  const at = (share: number): number => samples[Math.max(0, Math.ceil(share * samples.length) - 1)] ?? NaN;
  return { bench, name, unit: "ns", p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1), rate: 1e9 / at(0.5), note: `${note}; mean of ${BATCH} calls` };
}
