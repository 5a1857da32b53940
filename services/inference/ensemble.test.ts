/**
 * Goal: several models answer as their test has it: the mean of what each says alone, under a hash of their own; one that has no answer
 * means none; each is swapped by itself. Method: the real agent over members made from the shipped model and of other kinds, beside lines
 * of one model each on the same rows.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import type { FeaturesView } from "../../schemas/generated/features.ts";
import type { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { hop } from "../kit/ring/names.ts";
import { folder, leftBehind, MODEL, rig, SCRIPTED, strategyFile } from "./rig.ts";

type ModelData = ReturnType<typeof native.modelRead>;

/** A model file of its own; `change` makes it of the shipped one. */
function member(name: string, change: (shipped: ModelData) => Partial<ModelData>): { readonly path: string; readonly hash: string } {
  const path = join(folder, `${name}.tlm`);
  const shipped = native.modelRead(MODEL);
  return { path, hash: native.modelWrite(path, { ...shipped, ...change(shipped), name }) };
}

const weights = (change: (weight: number, at: number) => number) => ({ parameters }: ModelData) => ({ parameters: parameters.map(change) });
/** Another network on the shipped model's columns. */
const network = (kind: string, window: number) => ({ columns, mean, scale, clip, classes, horizon }: ModelData) => ({
  ...native.modelRandom(kind, window, 5), columns, mean, scale, clip, classes, horizon,
});

const shipped = { path: MODEL, hash: native.modelInfo(MODEL).hash };
const turned = member("turned", weights((weight, at) => (at < 2560 ? -weight : weight)));
const other = member("other", weights((weight, at) => weight * (1 + (at % 7) / 10)));
const recurrent = member("recurrent", network("lstm-64", 1));
const windowed = member("windowed", network("mlp", 3));
/** Its sums leave the range of numbers. */
const endless = member("endless", weights(() => 3e38));

/** The hash that stands for members, by its definition. */
function together(...hashes: readonly string[]): string {
  return createHash("sha256").update(Buffer.from(hashes.join(""), "hex")).digest("hex").slice(0, 16);
}

const strategy = strategyFile("ensemble.ts", SCRIPTED);
const line = (models: readonly { readonly path: string }[]) =>
  rig(strategy, (config) => {
    const [model = shipped, ...ensemble] = models;
    Object.assign(config, { model: model.path, ensemble: ensemble.map(({ path }) => path) });
  });

/** The `nth` row of a made-up stream, wanted by the strategy. */
const row = (nth: number) => (row: FeaturesView): void => {
  row.instrument = nth % 2;
  row.lastPrice = 1;
  row.lastQty = 1;
  for (let i = 0; i < 40; i++) row.setValue(i, Math.sin(nth * 7 + i) * 50);
};

interface Answer {
  readonly hash: string;
  readonly probabilities: readonly number[];
}

/** What a line says of rows; undefined where it makes no Signal. */
function answers(of: ReturnType<typeof line>, from: number, to: number): (Answer | undefined)[] {
  return Array.from({ length: to - from }, (_, i) => {
    const before = of.outlet.sent;
    of.publish(row(from + i));
    of.agent.doWork();
    if (of.outlet.sent === before) return undefined;
    const signal = of.outlet.signal(before);
    const word = (half: number): string => half.toString(16).padStart(8, "0");
    return { hash: word(signal.modelHashHi) + word(signal.modelHashLo), probabilities: [0, 1, 2].map((i) => signal.prediction(i)) };
  });
}

function assertMean(given: Answer | undefined, members: readonly (Answer | undefined)[], hash: string): void {
  assert.equal(given?.hash, hash);
  for (const at of [0, 1, 2]) {
    const sum = members.reduce((sum, answer) => Math.fround(sum + (answer?.probabilities[at] ?? NaN)), 0);
    assert.equal(given?.probabilities[at], Math.fround(sum / members.length));
  }
}

test("the answer is the mean of the members', to the bit, under the hash that stands for them in order", () => {
  const members = [shipped, turned, recurrent];
  const [all, ...alone] = [line(members), ...members.map((one) => line([one]))];
  const [given, ...own] = [all, ...alone].map((of) => answers(of as typeof all, 0, 20));
  const hash = together(...members.map((one) => one.hash));
  for (let nth = 0; nth < 20; nth++) assertMean(given?.[nth], own.map((each) => each[nth]), hash);
  assert.notDeepEqual(own[0]?.[3]?.probabilities, own[1]?.[3]?.probabilities);
  assert.deepEqual([all.count("predictions"), all.block.histograms[hop("inference")]?.count(), all.block.histograms[hop("strategy")]?.count()], [20, 20, 20]);
  assert.equal(all.agent.summary?.()["modelHash"], hash);
  assert.deepEqual(all.agent.summary?.()["ensemble"], [{ model: "mlp-64-64-64", hash: shipped.hash }, { model: "turned", hash: turned.hash }, { model: "recurrent", hash: recurrent.hash }]);
  assert.equal(native.ensembleHash(members.map(({ path }) => path)), hash);
  assert.notEqual(native.ensembleHash([turned.path, shipped.path, recurrent.path]), hash, "order counts");
  assert.equal(native.ensembleHash([MODEL]), shipped.hash, "one model is itself");
});

test("a member without an answer means none, counted by its reason; the others stay in step meanwhile", () => {
  const members = [recurrent, windowed];
  const [all, first, second] = [line(members), line([recurrent]), line([windowed])];
  const [given, ...own] = [all, first, second].map((of) => answers(of, 0, 10));
  // Two instruments take turns, each has a window of three rows to fill.
  assert.deepEqual(given?.map((answer) => answer !== undefined), [false, false, false, false, true, true, true, true, true, true]);
  assert.equal(all.count("no_signal_contract"), 4);
  for (let nth = 4; nth < 10; nth++) assertMean(given?.[nth], own.map((each) => each[nth]), together(recurrent.hash, windowed.hash));

  for (const members of [[shipped, endless], [endless, shipped], [shipped, turned, endless]]) {
    const broken = line(members);
    assert.deepEqual(answers(broken, 0, 4), [undefined, undefined, undefined, undefined]);
    assert.deepEqual([broken.count("no_signal_nan"), broken.count("predictions")], [4, 0]);
  }
  const sound = line([shipped, turned]);
  sound.publish((wild) => { row(0)(wild); wild.setValue(3, NaN); });
  sound.agent.doWork();
  assert.deepEqual([sound.outlet.sent, sound.count("no_signal_nan")], [0, 1]);
});

test("each member is swapped by itself, between two rows; what fits another member's place only is refused", () => {
  const all = line([shipped, recurrent]);
  const [alone, others] = [line([shipped]), line([other])];
  const memory = line([recurrent]);
  const before = answers(all, 0, 4);
  native.modelPublish(`${all.runDir}/weights`, other.path);
  const after = answers(all, 4, 8);
  const [own, swapped, kept] = [answers(alone, 0, 8), answers(others, 0, 8), answers(memory, 0, 8)];
  before.forEach((answer, nth) => assertMean(answer, [own[nth], kept[nth]], together(shipped.hash, recurrent.hash)));
  after.forEach((answer, nth) => assertMean(answer, [swapped[nth + 4], kept[nth + 4]], together(other.hash, recurrent.hash)));
  assert.throws(() => native.modelPublish(`${all.runDir}/weights-1`, other.path), /^Error: WEIGHTS_FOREIGN/);
  native.modelPublish(`${all.runDir}/weights`, shipped.path);
  assert.equal(answers(all, 8, 9)[0]?.hash, together(shipped.hash, recurrent.hash), "and back");
});

test("a member of other columns, classes or horizon is refused with its file and what differs", () => {
  const cases: readonly (readonly [string, Partial<ModelData>, RegExp])[] = [
    ["columns", { columns: native.modelRead(MODEL).columns.toReversed() }, /its column 0 is "[a-z_0-9]+", the first member's "spread"/],
    ["classes", { classes: ["fall", "flat", "rise"] }, /tells \["fall", "flat", "rise"\] apart/],
    ["horizon", { horizon: 77 }, /looks 77 events ahead, the first member \d+; members of an ensemble take the same columns/],
  ];
  for (const [name, change, says] of cases) {
    const { path } = member(name, () => change);
    assert.throws(() => line([shipped, { path }]), (error: TicklineError) => error.code === "TL_MODEL" && error.message.startsWith("MODEL_CONTRACT") && error.message.includes(path) && says.test(error.message), name);
  }
  assert.throws(() => line([shipped, { path: join(folder, "absent.tlm") }]), /absent\.tlm/);
});

test("100,000 rows of three members allocate nothing", () => {
  const all = line([shipped, turned, recurrent]);
  const grown = leftBehind(all);
  assert.ok(Math.abs(grown) < 400_000, `${grown} bytes`);
  assert.equal(all.count("predictions"), 130_000);
});
