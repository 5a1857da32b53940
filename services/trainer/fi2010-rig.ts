/** For tests: made-up files in the form of FI-2010. */
import { writeFileSync } from "node:fs";

/** Writes 149 rows of `samples` numbers to `path`, labels that follow the first feature, and returns the path. */
export function writeFi2010(path: string, samples: number): string {
  const lift = (sample: number): number => (sample * 7) % 3;
  const cell = (row: number, sample: number): number => (row >= 144 ? 1 + lift(sample) : row === 0 ? lift(sample) : (row * sample) % 5);
  writeFileSync(path, Array.from({ length: 149 }, (_, row) => Array.from({ length: samples }, (_, sample) => cell(row, sample)).join(" ")).join("\n"));
  return path;
}
