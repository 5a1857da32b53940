/**
 * Goal: every member of an ensemble learns: with its own segment, envelope, checkpoint, dice and shadows, all at each step or in turns; what befalls one is no
 * matter of the others. Method: the real agent and segments; members made from the shipped model, two of them facing the market opposite ways.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TicklineError } from "../kit/errors.ts";
import type { LearnerConfig } from "../kit/learner-config.ts";
import { native } from "../kit/native.ts";
import { readStanding } from "../kit/standing.ts";
import { folder, LEARNER, MODEL, MODEL_HASH, play, rig, Walk } from "./rig.ts";
import type { Figures } from "./report.ts";

type Agent = ReturnType<ReturnType<typeof rig>["start"]>;

/** The shipped model under another name, its weights changed; gives path and hash. */
function member(name: string, change: (weight: number, at: number) => number): { readonly path: string; readonly hash: string } {
  const data = native.modelRead(MODEL);
  const path = join(folder, `${name}.tlm`);
  return { path, hash: native.modelWrite(path, { ...data, parameters: data.parameters.map(change), name }) };
}

/** Sees every feature the other way round, which is what the walk asks for; the first layer's weights come first. */
const turned = member("turned", (weight, at) => (at < 40 * 64 ? -weight : weight));
const other = member("other", (weight, at) => weight * (1 + (at % 7) / 10));

const LSTM = join(folder, "member-lstm.tlm");
const { columns, mean, scale, clip, classes, horizon } = native.modelRead(MODEL);
native.modelWrite(LSTM, { ...native.modelRandom("lstm-64", 1, 5), columns, mean, scale, clip, classes, horizon, name: "lstm" });

function ensemble(change: Partial<LearnerConfig>, replay = false, members: readonly string[] = [other.path, turned.path]) {
  return rig(change, replay, MODEL, members);
}

/** Figures of every member. */
function each(agent: Agent): Figures[] {
  const { others = [], ...first } = agent.summary?.() as unknown as Figures & { readonly others?: Figures[] };
  return [first, ...others];
}

const told = (agent: Agent): object[] => each(agent).map((figures) => ({ ...figures, checkpoints: 0 }));

test("every member learns and is published to its own segment, kept in its own checkpoint and shown by itself", () => {
  const line = ensemble({ cadence: "tick", batch: 1 });
  const agent = line.start();
  play(line, agent, new Walk(1), 6_000);
  const all = each(agent);
  const { labels } = all[0] as Figures;
  assert.deepEqual(all.map(({ steps, labels: own }) => [steps, own]), [[labels, labels], [labels, labels], [labels, labels]]);
  assert.deepEqual([line.count("labels"), line.count("learn_steps")], [labels, 3 * labels]);
  assert.deepEqual([0, 1, 2].map((nth) => line.newest(nth)), all.map(({ inPlace }) => inPlace));
  assert.equal(new Set([...all.map(({ inPlace }) => inPlace), ...all.map(({ weights }) => weights), MODEL_HASH, other.hash, turned.hash]).size, 9);
  assert.equal(line.count("published"), all.reduce((sum, { published }) => sum + published, 0));
  agent.close();
  const shown = readStanding(line.runDir);
  assert.deepEqual([shown, ...(shown?.others ?? [])].map((standing) => standing?.in_place), all.map(({ inPlace }) => inPlace));
  assert.deepEqual(shown?.others.map(({ models }) => models[0]?.hash), [other.hash, turned.hash]);
  for (const name of ["", ".member-2", ".member-3"]) assert.ok(existsSync(line.checkpoint.replace(".checkpoint", `${name}.checkpoint`)), name);
});

test("in turns each step is one member's; first: only the first learns, and the others' weights stay", () => {
  for (const cadence of ["tick", { every_ms: 1 }] as const) {
    const line = ensemble({ members: "turns", cadence, batch: 1 });
    const agent = line.start();
    play(line, agent, new Walk(2), 6_000);
    const steps = each(agent).map((figures) => figures.steps);
    // The walk's last row is at 60 ms of line time, the first of its interval; the first interval of 1 ms has no label at its first row.
    const due = cadence === "tick" ? (each(agent)[0] as Figures).labels : 60;
    assert.equal(steps.reduce((sum, own) => sum + own, 0), due);
    assert.ok(steps.every((own) => own > due / 4 && own < due / 2), steps.join(" "));
    agent.close();
  }
  const line = ensemble({ members: "first" });
  const agent = line.start();
  play(line, agent, new Walk(2), 6_000);
  assert.deepEqual([each(agent).length, line.newest(1), line.newest(2)], [1, other.hash, turned.hash]);
  assert.notEqual(line.newest(0), MODEL_HASH);
  assert.deepEqual(readStanding(line.runDir)?.others, []);
  agent.close();
});

for (const members of ["all", "turns"] as const) {
  test(`killed without a word, every member goes on from its own checkpoint to the bit (${members}); the same rows give the same weights`, () => {
    const change = { members, rate: 2e-3, dropout: 0.1 };
    const [whole, broken, replayed] = [ensemble(change), ensemble(change), ensemble({ ...change, state: join(folder, "no-replay") }, true)];
    const uninterrupted = whole.start();
    play(whole, uninterrupted, new Walk(4), 8_000);
    const walk = new Walk(4);
    play(broken, broken.start(), walk, 5_300);
    // The first agent is left where it is, as SIGKILL leaves it; its members' checkpoints are some rows old.
    const second = broken.start();
    assert.deepEqual([0, 1, 2].map((nth) => broken.newest(nth)), each(second).map(({ inPlace }) => inPlace));
    play(broken, second, walk, 2_700);
    assert.deepEqual(told(second), told(uninterrupted));
    assert.deepEqual([0, 1, 2].map((nth) => broken.newest(nth)), [0, 1, 2].map((nth) => whole.newest(nth)));
    const again = replayed.start();
    play(replayed, again, new Walk(4), 8_000);
    assert.deepEqual(told(again), told(uninterrupted));
  });
}

test("one member does worse than its file and is rolled back; the others are not", () => {
  // What one is misled by the other sees rightly, so that steps much too long help the one and harm the other.
  const line = rig({ rate: 0.02, window: 400, envelope: { ...LEARNER.envelope, score_slack: 0.02, labels_min: 300, drift_max: 1000, change_max: 1000 } }, false, MODEL, [turned.path]);
  const agent = line.start();
  const walk = new Walk(3);
  for (let n = 0; n < 20 && (each(agent)[1]?.rolledBack ?? 0) === 0; n++) play(line, agent, walk, 1_000);
  const [first, second] = each(agent);
  assert.ok(first !== undefined && second !== undefined);
  assert.ok(second.rolledBack > 0 && first.rolledBack === 0 && first.published > 0, `${first.rolledBack} and ${second.rolledBack} rolled back, ${first.published} published`);
  assert.notEqual(line.newest(0), MODEL_HASH);
  assert.equal(line.count("rolled_back"), second.rolledBack);
  assert.ok(line.warnings.some((text) => text.startsWith("member 2: rolled back")), line.warnings.join("; "));
  agent.close();
});

test("a person's model in one member's segment ends that member's publishing, and no other's", () => {
  const line = ensemble({});
  const agent = line.start();
  const walk = new Walk(5);
  play(line, agent, walk, 3_000);
  native.modelPublish(join(line.runDir, "weights-1"), turned.path);
  const before = each(agent).map(({ published }) => published);
  play(line, agent, walk, 6_000);
  const after = each(agent);
  assert.deepEqual(after.map(({ standsDown }) => standsDown), [false, true, false]);
  assert.equal(line.newest(1), turned.hash);
  assert.ok(after.every(({ published }, nth) => (published > (before[nth] ?? 0)) === (nth !== 1)));
  agent.close();
});

test("a shadow stands beside the member that it names, and takes that one's place alone", () => {
  const shadows = [{ name: "turned", model: turned.path, member: 2 }];
  const promotion = { labels: 2000, margin: 0.05, calibration_max: 0.9, drift_max: 10, fall: 0.05, fall_labels: 1000 };
  const line = rig({ rate: 1e-9, shadows, promotion }, false, MODEL, [other.path]);
  const agent = line.start();
  play(line, agent, new Walk(2), 12_000);
  assert.deepEqual([line.newest(0), line.newest(1)], [MODEL_HASH, turned.hash]);
  assert.deepEqual(each(agent).map(({ promoted }) => promoted), [0, 1]);
  assert.deepEqual(line.warnings, [`member 2: promoted turned: ${other.hash} gives way to ${turned.hash}`]);
  agent.close();
});

test("a member that cannot learn as the section says is refused by its number and file, and so is a checkpoint that is another's", () => {
  const refusal = (start: () => unknown, code: string, words: RegExp): void => {
    assert.throws(start, (error: TicklineError) => error.code === code && words.test(error.message), String(words));
  };
  refusal(() => ensemble({ batch: 8 }, false, [other.path, LSTM]).start(), "TL_CONFIG_VALUE", /^member 3, .*member-lstm\.tlm: LEARN_SETTING: batch 8; a stateful network takes 1/);
  const mixed = ensemble({ batch: 1, steps: 20 }, false, [LSTM]);
  const agent = mixed.start();
  play(mixed, agent, new Walk(6), 3_000);
  assert.ok(each(agent).every(({ steps }) => steps > 20), "networks with a state and without learn side by side");
  agent.close();
  writeFileSync(mixed.checkpoint.replace(".checkpoint", ".member-2.checkpoint"), readFileSync(mixed.checkpoint));
  refusal(() => mixed.start(), "TL_CHECKPOINT", /^member 2, .*\.member-2\.checkpoint: the checkpoint is of another model file/);
});
