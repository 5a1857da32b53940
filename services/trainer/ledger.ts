/** The results of a comparison on disk: written after every job, so that an interrupted comparison goes on where it stopped. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { TicklineError } from "../kit/errors.ts";
import { runSchema, type Run } from "./job.ts";

const schema = z.object({ runs: z.array(runSchema) });

/** Jobs that are done, by key. */
export class Ledger {
  readonly #file: string | undefined;
  readonly #runs = new Map<string, Run>();

  /**
   * Reads what an earlier comparison left in `file`; without a file nothing is kept.
   *
   * @throws TicklineError TL_CHECKPOINT for a file that is no comparison's
   */
  constructor(file?: string) {
    this.#file = file;
    if (file === undefined) return;
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
      throw new TicklineError("TL_CHECKPOINT", `${file}: ${(cause as Error).message}`, { cause });
    }
    for (const run of parse(text, file)) this.#runs.set(run.key, run);
  }

  /** The job of this key, if it is done. */
  get(key: string): Run | undefined {
    return this.#runs.get(key);
  }

  /** Every job that is done. */
  runs(): Run[] {
    return [...this.#runs.values()];
  }

  /** Takes a job in. */
  add(run: Run): void {
    this.#runs.set(run.key, run);
  }

  /** Writes everything, whole or not at all, with `more` beside it. @throws TicklineError TL_CHECKPOINT when it cannot be written */
  write(more: object): void {
    if (this.#file === undefined) return;
    try {
      writeFileSync(`${this.#file}.partial`, `${JSON.stringify({ ...more, runs: this.runs() }, null, 1)}\n`);
      renameSync(`${this.#file}.partial`, this.#file);
    } catch (cause) {
      throw new TicklineError("TL_CHECKPOINT", `${this.#file}: ${(cause as Error).message}`, { cause });
    }
  }
}

function parse(text: string, file: string): readonly Run[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const known = schema.safeParse(value);
  if (known.success) return known.data.runs;
  throw new TicklineError("TL_CHECKPOINT", `${file}: not the results of a comparison; give another name or remove it`);
}
