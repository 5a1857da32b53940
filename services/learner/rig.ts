/** A line's run folder with real segments for the learner's tests, and rows that a seed determines. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { FEATURES_BYTES, FEATURES_ID, FeaturesFlag, FeaturesView, writePrefix } from "../../schemas/generated/features.ts";
import { stampWords } from "../kit/clock.ts";
import { parseLine, ROOT, type LineConfig } from "../kit/config.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError } from "../kit/errors.ts";
import type { LearnerConfig } from "../kit/learner-config.ts";
import { native } from "../kit/native.ts";
import { makeSegment } from "../kit/make-segment.ts";
import { Publisher, Subscriber } from "../kit/ring/broadcast.ts";
import { Control } from "../kit/ring/control.ts";
import { counter, type CounterName } from "../kit/ring/names.ts";
import { Segment } from "../kit/ring/segment.ts";
import { segmentsOf, weightsOf } from "../kit/segments.ts";
import { createLearner } from "./main.ts";
import type { Figures } from "./report.ts";

/** Everything of the test is in it; it goes with the test. */
export const folder = mkdtempSync("/dev/shm/tickline-test-learner-");
after(() => rmSync(folder, { recursive: true, force: true }));

/** The line's model. */
export const MODEL = join(ROOT, "ops/models/demo.tlm");
const FILE = join(ROOT, "ops/lines/demo.yaml");
/** Its hash. */
export const MODEL_HASH = readFileSync(MODEL).subarray(32, 40).toString("hex");

/** A section of a line file that learns quickly. */
export const LEARNER: LearnerConfig = {
  state: "", publish: true, members: "all", cadence: { every_ms: 1 }, method: "adamw", rate: 1e-3, schedule: { warm_steps: 0 }, loss: "cross_entropy",
  sharpness: 0, sharp_share: 1, adversary: 0, precision: "f32", decay: 0, clip: 1, batch: 8, steps: 50, horizon: 10,
  threshold: 0, window: 1000, steps_per_cycle: 16, shadows: [],
  envelope: { offer_ms: 20, change_max: 10, drift_max: 10, score_slack: 1, labels_min: 1 },
};

let lines = 0;

/** A line's run folder, of the shipped model or another, or of an ensemble; learners come and go in it. */
export function rig(change: Partial<LearnerConfig> = {}, replay = false, model = MODEL, ensemble: readonly string[] = []) {
  const runDir = mkdtempSync(join(folder, `line-${lines++}-`));
  const state = join(runDir, "state");
  const { config: base } = parseLine(readFileSync(FILE, "utf8"), FILE);
  const config: LineConfig = { ...base, inference: { ...base.inference, model, ensemble: [...ensemble] }, learner: { ...LEARNER, state, ...change } };
  for (const spec of segmentsOf(config.instruments.length, [model, ...ensemble].map(() => 500_000))) makeSegment(runDir, spec);
  const control = new Control(Segment.open(join(runDir, "control")));
  control.line.setRunId(77);
  const inference = native.NativeModel.load(model, config.instruments.length, [...ensemble]);
  inference.attach(join(runDir, weightsOf(0)), ensemble.map((_, nth) => join(runDir, weightsOf(nth + 1))));
  const ring = Segment.open(join(runDir, "features"));
  const template = new Uint8Array(FEATURES_BYTES);
  writePrefix(new DataView(template.buffer), 0);
  const feed = new Publisher(ring, template, FEATURES_ID, stampWords);
  const block = control.service("learner");
  const warnings: string[] = [];
  const notes: string[] = [];
  const context = {
    name: "learner", config, runDir, block, lineBlock: control.line, replay, counterparty: "venue",
    log: { info: (_facts: object, text: string) => { notes.push(text); }, warn: (_facts: object, text: string) => { warnings.push(text); } },
    inlet: () => new Subscriber(ring, "oldest"),
  } as unknown as ServiceContext;
  return {
    block, runDir, feed,
    /** What was logged as a warning. */
    warnings,
    /** What else was logged. */
    notes,
    checkpoint: join(state, `${config.line}.checkpoint`),
    start: () => createLearner(context),
    count: (name: CounterName) => block.counter(counter(name)),
    newest: (nth = 0) => native.weightsInPlace(join(runDir, weightsOf(nth)), [model, ...ensemble][nth] ?? model),
  };
}

/** What `rig` makes. */
export type Rig = ReturnType<typeof rig>;

/** A walk of two instruments whose first derived features tell the move to come the wrong way round: the shipped model is misled, a learner need not be. */
export class Walk {
  readonly #row = new FeaturesView();
  #seed: number;
  #seq = 0;
  #drift = 0;
  readonly mids = new Int32Array([1_000_000, 2_000_000]);
  /** Shares at each of the five best levels. */
  depth = 100;

  constructor(seed: number) {
    this.#seed = seed;
  }

  #dice(sides: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) | 0;
    return (this.#seed >>> 8) % sides;
  }

  /** Publishes one row, 10 us of line time after the one before. Whole numbers below 2^31 only: others would be boxed, and the garbage the test's. */
  publish(feed: Publisher): void {
    const row = this.#row;
    row.wrap(feed.view, feed.claim());
    const seq = ++this.#seq;
    const instrument = seq & 1;
    if (this.#dice(20) === 0) this.#drift = this.#dice(3) - 1;
    const mid = ((this.mids[instrument] as number) + 100 * (this.#drift + this.#dice(3) - 1)) | 0;
    this.mids[instrument] = mid;
    row.seq = seq;
    row.timeNsLo = (seq * 10_000) | 0;
    row.instrument = instrument;
    row.flags = this.#dice(50) === 0 ? FeaturesFlag.Crossed : 0;
    row.bid = mid - 50;
    row.ask = mid + 50;
    for (let level = 0; level < 5; level++) {
      row.setLevel(4 * level, mid + 50 + 100 * level);
      row.setLevel(4 * level + 1, this.depth);
      row.setLevel(4 * level + 2, mid - 50 - 100 * level);
      row.setLevel(4 * level + 3, this.depth);
    }
    // Far out, so that it is seen whatever the model's scaling; the contract limits it.
    for (let i = 0; i < 10; i++) row.setValue(i, -1000 * this.#drift);
    row.setValue(10, this.#dice(3));
    feed.commit();
  }
}

/** Publishes rows and lets the agent take them. */
export function play({ feed }: Rig, agent: { doWork(): number }, walk: Walk, rows: number): void {
  for (let n = 0; n < rows; n++) {
    walk.publish(feed);
    if ((n & 63) === 63) while (agent.doWork() > 0);
  }
  while (agent.doWork() > 0);
}

/** The native half's figures. */
export const figures = (agent: { summary?(): Record<string, unknown> }): Figures => agent.summary?.() as unknown as Figures;

/** The running score of whoever answers in a role, or of a shadow by name. */
export function scoreOf(agent: { summary?(): Record<string, unknown> }, who: string): Figures["standings"][number]["score"] {
  const found = figures(agent).standings.find(({ role, name }) => role === who || name === who);
  if (found === undefined) throw new TicklineError("TL_INTERNAL", `${who} does not answer`);
  return found.score;
}

