/** What became of an offer, told to the control block, the log, and those who show the line. */
import type { ServiceBlock } from "../kit/ring/control.ts";
import { counter } from "../kit/ring/names.ts";
import type { native } from "../kit/native.ts";
import type { MemberStanding, ModelStanding, Standing } from "../kit/standing.ts";
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

/** The figures of every member that learns, as those who show the line read them. */
export function standingOf([first, ...others]: readonly [Figures, ...Figures[]]): Standing {
  return { ...memberOf(first), others: others.map(memberOf) };
}

function memberOf(figures: Figures): MemberStanding {
  const { inPlace: in_place, standsDown: stands_down, promoted, retrained, contested, rate, dropoutFactor: dropout_factor, standings, changes } = figures;
  const reward = figures.trades < 0 ? null : { sharpe: figures.sharpe, trades: figures.trades };
  return {
    in_place, stands_down, promoted, retrained, reward, rate, dropout_factor,
    contested: standings.some(({ role }) => role === "live") ? contested : 0,
    models: standings.map(({ name, role, hash, fits, score: { macroF1: macro_f1, ...score } }) => ({ name, role: role as ModelStanding["role"], hash, fits, macro_f1, ...score })),
    changes: changes.map(({ timeNs: time_ns, what, fromF1: from_f1, toF1: to_f1, ...change }) => ({ time_ns, what: what as "promoted", from_f1, to_f1, ...change })),
  };
}

/** Tells what changes from one look to the next. */
export class Report {
  readonly #block: ServiceBlock;
  readonly #log: Pick<Logger, "info" | "warn">;
  readonly #show: (standing: Standing) => void;
  /** Of each member, as they were last. */
  readonly #last: [Figures, ...Figures[]];

  /** @param show called with every look's standing */
  constructor(block: ServiceBlock, log: Pick<Logger, "info" | "warn">, show: (standing: Standing) => void, first: readonly [Figures, ...Figures[]]) {
    this.#block = block;
    this.#log = log;
    this.#show = show;
    this.#last = [...first];
  }

  /** Looks at a member's figures after an offer. */
  tell(figures: Figures, nth: number): void {
    const block = this.#block;
    const last = this.#last[nth] ?? figures;
    this.#last[nth] = figures;
    for (const [name, own] of TOTALS) block.add(counter(name), Math.max(0, figures[own] - last[own]));
    if (nth === 0) this.#levels(figures);
    this.#show(standingOf(this.#last));
    // Where several learn, facts and text name the member.
    const member = this.#last.length > 1 ? { member: nth + 1 } : {};
    const who = this.#last.length > 1 ? `member ${nth + 1}: ` : "";
    this.#decisions(figures, last, member, who);
    if (figures.retrained > last.retrained) {
      const made = figures.standings.find(({ role }) => role === "retrained");
      this.#log.info({ ...member, hash: made?.hash, retrained: figures.retrained }, `${who}retrained on the rolling window: it answers beside the line from now on`);
    }
    if (figures.withheld > last.withheld) this.#log.warn({ ...member, withheld: figures.withheld, steps: figures.steps }, `${who}weights outside the envelope were thrown away`);
    if (figures.standsDown && !last.standsDown) this.#log.warn({ ...member, inPlace: figures.inPlace }, `${who}another model was published: the learner stands down`);
    if (figures.trouble !== last.trouble) {
      block.setError(this.#last.find(({ trouble }) => trouble !== "")?.trouble ?? "");
      if (figures.trouble !== "") this.#log.warn({ ...member, trouble: figures.trouble }, `${who}weights could not be kept or published`);
    }
  }

  /** The running evaluation of the two models that every line with a learner has; an ensemble's first member's. */
  #levels({ standings }: Figures): void {
    for (const role of ["frozen", "learning"] as const) {
      const score = standings.find((standing) => standing.role === role)?.score;
      if (score === undefined) continue;
      this.#block.setLevel(counter("eval_labels"), score.labels);
      this.#block.setLevel(counter(`f1_${role}_ppm`), Math.round(score.macroF1 * PPM));
      this.#block.setLevel(counter(`mcc_${role}_ppm`), Math.round((score.mcc + 1) * PPM));
    }
  }

  /** Logs each promotion and rollback since the last look; only the newest of more than the native half keeps. */
  #decisions(figures: Figures, last: Figures, member: object, who: string): void {
    const since = figures.promoted + figures.rolledBack - last.promoted - last.rolledBack;
    if (since <= 0) return;
    for (const change of figures.changes.slice(-since)) {
      this.#log.warn({ ...member, change }, `${who}${change.what} ${change.name}: ${change.from} gives way to ${change.to}`);
    }
  }
}
