/** What became of an offer, told to the control block and the log. */
import type { ServiceBlock } from "../kit/ring/control.ts";
import { counter } from "../kit/ring/names.ts";
import type { native } from "../kit/native.ts";
import type { Logger } from "pino";

/** The native half's figures. */
export type Figures = ReturnType<InstanceType<typeof native.NativeLearner>["figures"]>;

/** Counters that follow the native half's own totals, which go on over restarts as the block's do. */
const TOTALS = [
  ["labels_skipped", "skipped"],
  ["published", "published"],
  ["withheld", "withheld"],
  ["rolled_back", "rolledBack"],
  ["checkpoints", "checkpoints"],
] as const;

const PPM = 1e6;

/** Tells the block and the log what changes from one look to the next. */
export class Report {
  readonly #block: ServiceBlock;
  readonly #log: Pick<Logger, "info" | "warn">;
  #last: Figures;

  constructor(block: ServiceBlock, log: Pick<Logger, "info" | "warn">, first: Figures) {
    this.#block = block;
    this.#log = log;
    this.#last = first;
  }

  /** Looks at the figures after an offer. */
  tell(figures: Figures): void {
    const block = this.#block;
    const last = this.#last;
    this.#last = figures;
    for (const [name, own] of TOTALS) block.add(counter(name), Math.max(0, figures[own] - last[own]));
    block.setLevel(counter("eval_labels"), figures.window);
    block.setLevel(counter("f1_frozen_ppm"), Math.round(figures.frozenF1 * PPM));
    block.setLevel(counter("f1_learning_ppm"), Math.round(figures.learningF1 * PPM));
    block.setLevel(counter("mcc_frozen_ppm"), Math.round((figures.frozenMcc + 1) * PPM));
    block.setLevel(counter("mcc_learning_ppm"), Math.round((figures.learningMcc + 1) * PPM));
    if (figures.withheld > last.withheld) this.#log.warn({ figures }, "weights outside the envelope were thrown away");
    if (figures.rolledBack > last.rolledBack) this.#log.warn({ figures }, "the first model is in place again: learning did worse");
    if (figures.standsDown && !last.standsDown) this.#log.warn({ figures }, "another model was published: the learner stands down");
    if (figures.trouble !== last.trouble) {
      block.setError(figures.trouble);
      if (figures.trouble !== "") this.#log.warn({ trouble: figures.trouble }, "weights could not be kept or published");
    }
  }
}
