/** The results of a comparison on disk: written after every job, so that an interrupted comparison goes on where it stopped. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { TicklineError } from "../kit/errors.ts";
import { runSchema, type Run } from "./job.ts";
import { lessonSchema, type Lesson } from "./learning.ts";

const schema = z.object({ runs: z.array(runSchema), lessons: z.array(lessonSchema).default([]) });

/** Jobs that are done, by key. */
export class Ledger {
  readonly #file: string | undefined;
  readonly #runs = new Map<string, Run>();
  readonly #lessons = new Map<string, Lesson>();
  #beside: object = {};

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
    const { runs, lessons } = parse(text, file);
    for (const run of runs) this.add(run);
    for (const lesson of lessons) this.addLesson(lesson);
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

  /** The test of a model that learns on, if it is done. */
  lesson(key: string): Lesson | undefined {
    return this.#lessons.get(key);
  }

  /** Takes such a test in. */
  addLesson(lesson: Lesson): void {
    this.#lessons.set(lesson.key, lesson);
  }

  /** Writes everything, whole or not at all, with `more`, and what was given before, beside it. @throws TicklineError TL_CHECKPOINT when it cannot be written */
  write(more: object): void {
    this.#beside = { ...this.#beside, ...more };
    if (this.#file === undefined) return;
    const text = JSON.stringify({ ...this.#beside, runs: this.runs(), lessons: [...this.#lessons.values()] }, null, 1);
    try {
      writeFileSync(`${this.#file}.partial`, `${text}\n`);
      renameSync(`${this.#file}.partial`, this.#file);
    } catch (cause) {
      throw new TicklineError("TL_CHECKPOINT", `${this.#file}: ${(cause as Error).message}`, { cause });
    }
  }
}

function parse(text: string, file: string): z.output<typeof schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const known = schema.safeParse(value);
  if (known.success) return known.data;
  throw new TicklineError("TL_CHECKPOINT", `${file}: not the results of a comparison; give another name or remove it`);
}
