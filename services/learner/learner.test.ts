/**
 * Goal: the learner takes rows as they come, publishes what its envelope allows, survives its death, and makes no garbage.
 * Method: the real agent over a real features ring, with the real addon and the shipped model, on walks that a seed determines.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PerformanceObserver } from "node:perf_hooks";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { FEATURES_BYTES, FEATURES_ID, FeaturesFlag, FeaturesView, writePrefix } from "../../schemas/generated/features.ts";
import { stampWords } from "../kit/clock.ts";
import { parseLine, ROOT, type LineConfig } from "../kit/config.ts";
import type { ServiceContext } from "../kit/context.ts";
import type { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { Publisher, Subscriber } from "../kit/ring/broadcast.ts";
import { Control } from "../kit/ring/control.ts";
import { counter, type CounterName } from "../kit/ring/names.ts";
import { createSegment, Segment } from "../kit/ring/segment.ts";
import { segmentsOf } from "../kit/segments.ts";
import type { Figures } from "./report.ts";
import { createLearner } from "./main.ts";

const folder = mkdtempSync("/dev/shm/tickline-test-learner-");
after(() => rmSync(folder, { recursive: true, force: true }));

const MODEL = join(ROOT, "ops/models/demo.tlm");
const FILE = join(ROOT, "ops/lines/demo.yaml");
const MODEL_HASH = readFileSync(MODEL).subarray(32, 40).toString("hex");

type LearnerConfig = NonNullable<LineConfig["learner"]>;

const LEARNER: LearnerConfig = {
  state: "", publish: true, cadence: { every_ms: 1 }, method: "adamw", rate: 1e-3, decay: 0, clip: 1, batch: 8, steps: 50, horizon: 10,
  threshold: 0, window: 1000, steps_per_cycle: 16,
  envelope: { offer_ms: 20, change_max: 10, drift_max: 10, score_slack: 1, labels_min: 1 },
};

let lines = 0;

/** A line's run folder; learners come and go in it. */
function rig(change: Partial<LearnerConfig> = {}, replay = false) {
  const runDir = mkdtempSync(join(folder, `line-${lines++}-`));
  const state = join(runDir, "state");
  const { config: base } = parseLine(readFileSync(FILE, "utf8"), FILE);
  const config: LineConfig = { ...base, learner: { ...LEARNER, state, ...change } };
  for (const { file, kind, slots, bytes } of segmentsOf(config.instruments.length, 50_000)) {
    if (kind === "control") createSegment(join(runDir, file), { kind });
    else if (kind === "plain") createSegment(join(runDir, file), { kind, bytes });
    else createSegment(join(runDir, file), { kind: kind as "lossless", slots, payload: bytes });
  }
  const control = new Control(Segment.open(join(runDir, "control")));
  control.line.setRunId(77);
  const inference = native.NativeModel.load(MODEL, config.instruments.length);
  inference.attach(join(runDir, "weights"));
  const ring = Segment.open(join(runDir, "features"));
  const template = new Uint8Array(FEATURES_BYTES);
  writePrefix(new DataView(template.buffer), 0);
  const feed = new Publisher(ring, template, FEATURES_ID, stampWords);
  const block = control.service("learner");
  const context = {
    name: "learner", config, runDir, block, lineBlock: control.line, replay, rehearsal: false,
    log: { info() {}, warn() {} },
    inlet: () => new Subscriber(ring, "oldest"),
  } as unknown as ServiceContext;
  return {
    block, runDir, feed,
    checkpoint: join(state, `${config.line}.checkpoint`),
    start: () => createLearner(context),
    count: (name: CounterName) => block.counter(counter(name)),
    newest: () => native.weightsInPlace(join(runDir, "weights"), MODEL),
  };
}

type Rig = ReturnType<typeof rig>;

/** A walk of two instruments whose first derived features tell the move to come the wrong way round: the shipped model is misled, a learner need not be. */
class Walk {
  readonly #row = new FeaturesView();
  #seed: number;
  #seq = 0;
  #drift = 0;
  readonly mids = new Int32Array([1_000_000, 2_000_000]);

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
    // Far out, so that it is seen whatever the model's scaling; the contract limits it.
    for (let i = 0; i < 10; i++) row.setValue(i, -1000 * this.#drift);
    row.setValue(10, this.#dice(3));
    feed.commit();
  }
}

function play({ feed }: Rig, agent: { doWork(): number }, walk: Walk, rows: number): void {
  for (let n = 0; n < rows; n++) {
    walk.publish(feed);
    if ((n & 63) === 63) while (agent.doWork() > 0);
  }
  while (agent.doWork() > 0);
}

const figures = (agent: { summary?(): Record<string, unknown> }): Figures => agent.summary?.() as unknown as Figures;

test("rows are learned from, weights are published, counted and evaluated", () => {
  const line = rig({ cadence: "tick", batch: 1 });
  const agent = line.start();
  play(line, agent, new Walk(1), 10_000);
  const { labels, steps, published, inPlace, learningF1, frozenF1, learningMcc } = figures(agent);
  assert.ok(labels > 9_000 && steps === labels && published >= 4, JSON.stringify(figures(agent)));
  assert.deepEqual([line.count("labels"), line.count("learn_steps"), line.count("published"), line.count("withheld")], [labels, steps, published, 0]);
  assert.equal(line.newest(), inPlace);
  assert.notEqual(inPlace, MODEL_HASH);
  assert.ok(learningF1 > frozenF1 && learningMcc > 0.1, `the drift is in column 0: ${learningF1} against ${frozenF1}`);
  assert.equal(line.count("eval_labels"), 1000);
  assert.ok(line.count("f1_learning_ppm") > line.count("f1_frozen_ppm") && line.count("mcc_learning_ppm") > 1_100_000);
  assert.equal(line.count("checkpoints"), published, "each publication is in a checkpoint first");
  agent.close();
});

test("outside the envelope: nothing is published, it is counted, and the learner goes back", () => {
  const line = rig({ envelope: { ...LEARNER.envelope, change_max: 1e-9 } });
  const agent = line.start();
  play(line, agent, new Walk(2), 6_100);
  assert.ok(line.count("withheld") >= 2);
  assert.equal(line.count("published"), 0);
  assert.equal(line.newest(), MODEL_HASH);
  assert.equal(figures(agent).inPlace, MODEL_HASH);
  agent.close();
});

test("a shadow learns and is evaluated, and the line's weights stay", () => {
  const line = rig({ publish: false });
  const agent = line.start();
  play(line, agent, new Walk(3), 6_000);
  assert.ok(figures(agent).learningF1 > figures(agent).frozenF1);
  assert.deepEqual([line.newest(), line.count("published")], [MODEL_HASH, 0]);
  agent.close();
});

test("a learner killed without a word goes on from its checkpoint with what the ring still holds, to the bit", () => {
  const [whole, broken] = [rig(), rig()];
  const uninterrupted = whole.start();
  play(whole, uninterrupted, new Walk(4), 8_000);
  const walk = new Walk(4);
  play(broken, broken.start(), walk, 5_300);
  assert.ok(existsSync(broken.checkpoint));
  // The first agent is left where it is, as SIGKILL leaves it: its checkpoint is some rows old.
  const second = broken.start();
  play(broken, second, walk, 2_700);
  assert.equal(figures(second).weights, figures(uninterrupted).weights);
  assert.deepEqual({ ...figures(second), checkpoints: 0 }, { ...figures(uninterrupted), checkpoints: 0 });
  assert.equal(broken.newest(), whole.newest());
});

test("the same rows give the same weights in a replay, which keeps nothing", () => {
  const weights = [1, 2].map(() => {
    const line = rig({ state: join(folder, "no-replay-writes-here") }, true);
    const agent = line.start();
    play(line, agent, new Walk(5), 5_000);
    agent.close();
    return [figures(agent).weights, figures(agent).inPlace, line.newest()];
  });
  assert.deepEqual(weights[0], weights[1]);
  assert.equal(existsSync(join(folder, "no-replay-writes-here")), false);
});

test("a lapped learner drops what waited, counts what it lost, and goes on", () => {
  const line = rig();
  const agent = line.start();
  const walk = new Walk(6);
  play(line, agent, walk, 2_000);
  const before = figures(agent).labels;
  for (let n = 0; n < 12_000; n++) walk.publish(line.feed);
  while (agent.doWork() > 0);
  assert.ok(line.count("lapped") > 8_000);
  assert.equal(figures(agent).gaps, 1);
  assert.ok(figures(agent).labels === before, "no label spans the hole");
  play(line, agent, walk, 1_000);
  assert.ok(figures(agent).labels > before);
  agent.close();
});

test("steps are bounded in a duty cycle, and so are rows", () => {
  const line = rig({ cadence: "tick", batch: 1, steps_per_cycle: 3 });
  const agent = line.start();
  const walk = new Walk(7);
  for (let n = 0; n < 2_000; n++) walk.publish(line.feed);
  agent.doWork();
  for (let n = 0; n < 20; n++) {
    const before = line.count("learn_steps");
    agent.doWork();
    assert.equal(line.count("learn_steps") - before, 3);
  }
  const idle = rig({ envelope: { ...LEARNER.envelope, offer_ms: 3_600_000 } });
  const other = idle.start();
  for (let n = 0; n < 2_000; n++) walk.publish(idle.feed);
  assert.equal(other.doWork(), 256);
});

test("a damaged checkpoint, and one of other settings, are refused by name", () => {
  const line = rig();
  const agent = line.start();
  play(line, agent, new Walk(8), 3_000);
  agent.close();
  const bytes = readFileSync(line.checkpoint);
  const refusal = (words: RegExp) => assert.throws(() => line.start(), (error: TicklineError) => error.code === "TL_CHECKPOINT" && words.test(error.message));
  writeFileSync(line.checkpoint, bytes.subarray(0, bytes.length - 100));
  refusal(/demo\.checkpoint: the checkpoint is damaged; remove it/);
  const other = rig({ rate: 2e-3, state: join(line.runDir, "state") });
  writeFileSync(line.checkpoint, bytes);
  assert.throws(() => other.start(), /other settings/);
  assert.ok(line.start());
});

/** Bytes that `work` left on the heap, and whether a collection hid some. */
async function garbage(work: () => void): Promise<{ bytes: number; collections: number }> {
  let collections = 0;
  const observer = new PerformanceObserver((list) => { collections += list.getEntries().length; });
  await sleep(50);
  observer.observe({ entryTypes: ["gc"] });
  const before = getHeapStatistics().used_heap_size;
  work();
  const bytes = getHeapStatistics().used_heap_size - before;
  await sleep(50);
  observer.disconnect();
  return { bytes, collections };
}

test("a row through the learner leaves nothing on the heap: 40,000 of them less than a number each", async () => {
  const line = rig({ cadence: { every_ms: 10 }, envelope: { ...LEARNER.envelope, offer_ms: 1000 } });
  const agent = line.start();
  const walk = new Walk(9);
  for (let warm = 0; warm < 4; warm++) {
    play(line, agent, walk, 8_000);
    await sleep(100);
  }
  const { bytes, collections } = await garbage(() => play(line, agent, walk, 40_000));
  assert.ok(figures(agent).labels > 65_000 && line.count("learn_steps") >= 70);
  assert.equal(collections, 0);
  assert.ok(bytes < 40_000 * 8, `${bytes} bytes`);
  let kept: object = {};
  const seen = await garbage(() => { for (let n = 0; n < 40_000; n++) kept = { n }; });
  assert.ok(seen.bytes > 40_000 * 8 || seen.collections > 0, "the measure has teeth");
  assert.ok(kept !== undefined);
  agent.close();
});
