// Goal: a line that learns is the same line: the learner's death disarms nothing, and a replay with learning gives the same orders and the
// same weights at every placement. Method: the real command with the real services on a line of its own.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openControl } from "../../services/cli/open-line.ts";
import type { ReplayReport } from "../../services/cli/replay-report.ts";
import type { LineConfig } from "../../services/kit/config.ts";
import { ROOT } from "../../services/kit/config.ts";
import { native } from "../../services/kit/native.ts";
import { runDirOf } from "../../services/kit/segments.ts";
import { snapshot } from "../../services/supervisor/snapshot.ts";
import { Command, tickline } from "./command.ts";
import { generate } from "./flow.ts";
import { lineOfTests, testLine } from "./line-file.ts";

const folder = mkdtempSync(join(tmpdir(), "learning-"));
after(() => { rmSync(folder, { recursive: true, force: true }); });

const LEARNER = {
  state: join(folder, "state"), cadence: { every_ms: 10 }, rate: 1e-3, batch: 32, horizon: 20,
  envelope: { offer_ms: 200, change_max: 1, drift_max: 1, score_slack: 1, labels_min: 1 },
};

/** The feed by itself and the rest of the line together, each with a start of a second or so: the learner beside inference, its rows from another process. */
const PLACEMENT = Object.fromEntries([["feed", "feed"], ...["inference", "risk", "execution"].map((service) => [service, "rest"])].map(([service, process]) => [service, { process, idle: "park" }]));

/** The demo model with other weights, in a file of its own. */
function changed(name: string, change: (weight: number, at: number) => number): string {
  const data = native.modelRead(`${ROOT}ops/models/demo.tlm`);
  const path = join(folder, `${name}.tlm`);
  native.modelWrite(path, { ...data, parameters: data.parameters.map(change), name });
  return path;
}

/** A line of two models, both of which learn; checkpoints go to the test's folder. */
const line = lineOfTests((document) => {
  Object.assign(document, { learner: LEARNER });
  Object.assign(document.placement, PLACEMENT);
  Object.assign(document.inference, { ensemble: [changed("second", (weight) => 1.1 * weight)], parameters: { threshold: 0.4, cool_down_ms: 0, spread_max: 100_000 } } satisfies Partial<LineConfig["inference"]>);
});

test("kill -9 of the learner: the line stays armed and of one epoch, both models learn on, and what they learned is in place", async () => {
  const command = new Command("run", line.file, "--no-rehearse");
  await command.until("running line", () => command.out.includes("orders may pass"));
  const control = openControl(line.name, false);
  const learning = (): number => snapshot(control, runDirOf(line.name)).learning?.published ?? 0;
  await command.until("publication", () => learning() > 0);
  const epoch = control.line.epoch();
  process.kill(command.pidOf("learner"), "SIGKILL");
  await command.until("restart of the learner", () => command.out.includes("restarted learner in"));
  const before = learning();
  await command.until("publication after the restart", () => learning() > before);
  assert.deepEqual([control.line.armed(), control.line.epoch(), command.count("orders may pass")], [true, epoch, 1]);
  assert.match(command.out, /learner was killed by SIGKILL; the line goes on/);
  assert.match((await tickline("status", line.name)).out, /learning: [\d,]+ steps \(.*\), [\d,]+ published[^]*2 members learn[^]*member 2, /);
  command.child.kill("SIGTERM");
  assert.equal(await command.ended, 130, command.err);
});

/** Weights of no use. */
function useless(name: string, seed: number): string {
  return changed(name, (_, at) => (((at + seed) * 37) % 11 - 5) / 50);
}

test("the gate in a replay: a bad model is never promoted, a good one is, and the same way fused and in a process each", async () => {
  // Of one symbol, of whose events the feed's window takes the first 1,000: some 1,200 labels, three contests. Processes that take turns at each frame need
  // 2 to 3 ms for it on two cores.
  const capture = join(folder, "one.pcap");
  generate(capture, 6.5, 9, "--symbols", "TLKA");
  const gated = testLine((document) => {
    const model = useless("useless", 1);
    const shadows = [{ name: "worse", model: useless("worse", 4) }, { name: "trained", model: `${ROOT}ops/models/demo.tlm` }];
    const promotion = { labels: 400, margin: 0.02, calibration_max: 0.5, drift_max: 100, fall: 0.05, fall_labels: 250 };
    const envelope = { ...LEARNER.envelope, change_max: 1e-6 };
    Object.assign(document, { learner: { ...LEARNER, envelope, shadows, promotion } });
    Object.assign(document.inference, { model, parameters: { threshold: 0.4, cool_down_ms: 0, spread_max: 100_000 } });
  });
  try {
    const results = [];
    for (const placement of ["fused", "processes"]) {
      const out = join(folder, `gate-${placement}.json`);
      const { code, err, out: said } = await tickline("replay", capture, "--line", gated.file, "--placement", placement, "--speed", "max", "--no-rehearse", "--json", out);
      assert.equal(code, 0, err);
      const { learning, hashes } = JSON.parse(readFileSync(out, "utf8")) as ReplayReport;
      assert.ok(learning !== null);
      assert.deepEqual(learning.changes.map(({ what, name }) => [what, name]), [["promoted", "trained"]], JSON.stringify(learning));
      assert.equal(learning.in_place, native.modelInfo(`${ROOT}ops/models/demo.tlm`).hash);
      assert.match(said, /promoted trained at [\d.]+ s: [0-9a-f]{16} gave way to [0-9a-f]{16}/);
      assert.match(said, /persistence +baseline/);
      results.push({ learning, orders: hashes.orders });
    }
    assert.deepEqual(results[0], results[1]);
  } finally {
    gated.remove();
  }
});

test("a replay in which two models learn: the same orders and the same weights, fused and in a process each", async () => {
  const capture = join(folder, "two.pcap");
  generate(capture, 4.5, 5, "--symbols", "TLKA,TLKB");
  const results = [];
  for (const placement of ["fused", "processes"]) {
    const file = join(folder, `${placement}.json`);
    const { code, err, out } = await tickline("replay", capture, "--line", line.file, "--placement", placement, "--speed", "max", "--no-rehearse", "--json", file);
    assert.equal(code, 0, err);
    const report = JSON.parse(readFileSync(file, "utf8")) as ReplayReport;
    const { others, ...first } = report.summaries["learner"] as { readonly others: readonly Record<string, unknown>[] } & Record<string, unknown>;
    const members = [first, ...others].map(({ published, weights, inPlace, steps, gaps }) => {
      assert.ok((published as number) > 5 && (steps as number) > 100 && gaps === 0, JSON.stringify(report.summaries["learner"]));
      return { published, weights, inPlace };
    });
    assert.equal(new Set(members.map(({ weights }) => weights)).size, 2);
    assert.match(out, /member 1, [0-9a-f]{16} in place[^]*member 2, [0-9a-f]{16} in place/);
    assert.ok(report.sent > 0);
    results.push({ members, orders: report.hashes.orders, books: report.hashes.books });
  }
  assert.deepEqual(results[0], results[1]);
});
