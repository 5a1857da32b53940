// Goal: a journal is a capture. What a line recorded of a replay gives the same books, messages, data sets and orders, bit for bit, as the
// capture itself; recording changes nothing; a recorder that is killed loses nothing; damage is found.
// Method: the command as a person starts it, on generated flow of two lines (and on real flow where it is there); bytes, hashes and digests compared.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import { run } from "../../services/cli/command-rig.ts";
import type { JournalInfo } from "../../services/cli/journal-table.ts";
import type { ReplayReport } from "../../services/cli/replay-report.ts";
import { native } from "../../services/kit/native.ts";
import { absent } from "../data.ts";
import { Command, processesOf, tickline } from "../fault/command.ts";
import { generate } from "../fault/flow.ts";
import { lineOfTests, testLine } from "../fault/line-file.ts";
import { BURST, folder, outcome, replay } from "./rig.ts";

const capture = join(folder, "flow.pcap");
const journal = join(folder, "journal");
const line = lineOfTests((document) => { Object.assign(document.supervision, { restarts_max: 5 }); }, "replay");
/** The same line with a ring of 256 frames before its recorder: full speed would lap it many times over. */
const narrow = testLine((document) => { Object.assign(document, { recorder: { dir: journal, ring_frames: 256 } }); }, "replay");
after(narrow.remove);

let plain: ReplayReport;
before(async () => {
  generate(capture, 6, 21, "--line-b");
  plain = await played(capture);
});

/** The report of a replay at full speed that went well. */
async function played(file: string, ...options: readonly string[]): Promise<ReplayReport> {
  const { code, err, report } = await replay(file, options.includes("--journal") ? narrow : line, "--speed", "max", "--no-rehearse", ...options);
  assert.equal(code, 0, err);
  return report;
}

function inspect(file: string, ...options: readonly string[]): string {
  const { code, out, err } = run(["inspect", file, ...options]);
  assert.equal(code, 0, err);
  return out;
}

function infoOf(path: string): JournalInfo {
  return JSON.parse(native.journalInfo(path)) as JournalInfo;
}

/** Everything `inspect` shows of a capture but its name. */
function shown(file: string, symbol: string): readonly unknown[] {
  const { file: _, ...counts } = JSON.parse(inspect(file, "--json")) as { file: string };
  return [counts, inspect(file, "--book", symbol, "--levels", "10", "--csv"), inspect(file, "--messages")];
}

/** The digest of the training rows and their classes, and of what is tested: `model train --capture` builds these. */
async function dataSet(file: string, symbols: string[]): Promise<readonly unknown[]> {
  const market = await native.Market.read(file, symbols);
  const plan = { columns: "levels+derived", labels: "smoothed", horizon: 20, flatShare: 0.33, from: 0, cut: 0.7, to: 1, held: 0, clip: 5, itself: false, mirror: false };
  const { dataHash, trainClasses, testClasses, threshold } = native.TrainingTask.of(market, plan).facts();
  return [market.rows(), dataHash, trainClasses, testClasses, threshold];
}

for (const placement of ["fused", "processes"]) {
  test(`the journal of a replay is the capture that was replayed, ${placement}`, async () => {
    rmSync(journal, { recursive: true, force: true });
    const recorded = await played(capture, "--placement", placement, "--journal", journal);
    assert.deepEqual(outcome(recorded), outcome(plain), "recording changes nothing");
    assert.ok(plain.orders > 100 && plain.fills > 0, `${plain.orders} orders and ${plain.fills} fills tell little`);
    const [run, ...others] = infoOf(journal).runs;
    assert.deepEqual([others, run?.gaps, run?.restarts], [[], [], 0]);
    const counted = ["frame", "signal", "order"].map((kind) => run?.kinds[kind]?.entries);
    assert.deepEqual(counted, [plain.frames, plain.signals, plain.orders]);
    assert.deepEqual(shown(journal, "TLKA"), shown(capture, "TLKA"));
    assert.deepEqual(await dataSet(journal, ["TLKA", "TLKB"]), await dataSet(capture, ["TLKA", "TLKB"]));
  });
}

test("a journal is replayed as its capture is, and its journal is the same again", async () => {
  const again = join(folder, "again");
  assert.deepEqual(outcome(await played(journal, "--journal", again)), outcome(plain));
  assert.deepEqual(shown(again, "TLKB"), shown(capture, "TLKB"));
});

test("real flow in bursts: books at 10 levels and data set from the journal equal the capture's", { skip: absent(BURST) }, async () => {
  const real = join(folder, "real");
  await played(BURST, "--journal", real);
  for (const symbol of ["GOOG", "AMZN"]) assert.deepEqual(shown(real, symbol), shown(BURST, symbol));
  assert.deepEqual((await native.Market.read(real, ["GOOG"])).rows(), (await native.Market.read(BURST, ["GOOG"])).rows());
});

test("journal export: a pcap of the same frames, which is not written over", async () => {
  const pcap = join(folder, "out.pcap");
  const { code, out, err } = await tickline("journal", "export", journal, "--pcap", pcap);
  assert.equal(code, 0, err);
  assert.match(out, new RegExp(`^${plain.frames} frames written`));
  assert.deepEqual(shown(pcap, "TLKA"), shown(capture, "TLKA"));
  assert.equal((await tickline("journal", "export", journal, "--pcap", pcap)).code, 2);
});

/** The recorder's process. */
function recorder(): number | undefined {
  return processesOf(line.name).find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("\0recorder\0"));
}

test("kill -9 of the recorder: it alone is restarted, the line trades on, and the journal is whole and says so", async () => {
  const killed = join(folder, "killed");
  const json = join(folder, "killed.json");
  const command = new Command("replay", capture, "--line", line.file, "--no-rehearse", "--speed", "1", "--journal", killed, "--json", json);
  const entries = (): number => (existsSync(killed) && readdirSync(killed).some((file) => file.endsWith(".tlj")) ? infoOf(killed).entries : 0);
  for (let kills = 1, seen = 0; kills <= 2; kills++) {
    await command.until(`${seen + 200} entries`, () => entries() > seen + 200);
    const pid = recorder();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    await command.until("another recorder", () => ![undefined, pid].includes(recorder()));
    while (existsSync(killed) && (infoOf(killed).runs[0]?.restarts ?? 0) < kills && command.child.exitCode === null) await sleep(10);
    seen = entries();
  }
  assert.equal(await command.ended, 0, command.err);
  const report = JSON.parse(readFileSync(json, "utf8")) as ReplayReport;
  assert.deepEqual(outcome(report), outcome(plain));
  const { runs: [run], torn } = infoOf(killed);
  assert.deepEqual([run?.restarts, run?.gaps, torn], [2, [], null]);
  assert.equal(run?.kinds["frame"]?.entries, plain.frames, "nothing missed, nothing twice");
  assert.deepEqual(shown(killed, "TLKA"), shown(capture, "TLKA"));
});

test("journal check: whole 0, torn 0 and said, damaged 1 with file and offset, no journal 2", async () => {
  const [file = ""] = readdirSync(journal).filter((file) => file.endsWith(".tlj"));
  const path = join(journal, file);
  const whole = readFileSync(path);
  assert.equal((await tickline("journal", "check", journal)).code, 0);
  truncateSync(path, whole.length - 3);
  const torn = await tickline("journal", "check", journal);
  assert.equal(torn.code, 0);
  assert.match(torn.out, /torn tail: the last \d+ bytes/);
  assert.match((await tickline("journal", "info", journal)).out, /torn tail/);
  const damaged = Buffer.from(whole);
  damaged[whole.length >> 1] = (damaged[whole.length >> 1] as number) ^ 1;
  writeFileSync(path, damaged);
  const { code, out } = await tickline("journal", "check", journal, "--json");
  assert.equal(code, 1);
  assert.match((JSON.parse(out) as { damage: string }).damage, new RegExp(`${file}: damaged at byte \\d+: `));
  assert.equal((await tickline("inspect", journal)).code, 2, "a damaged journal is no capture");
  writeFileSync(path, whole);
  assert.equal((await tickline("journal", "check", folder)).code, 2);
});

test("a folder of two runs is asked which, and gives each by its number", async () => {
  const two = join(folder, "again");
  await played(capture, "--journal", two);
  const { runs } = infoOf(two);
  assert.equal(runs.length, 2);
  const asked = await tickline("inspect", two);
  assert.equal(asked.code, 2);
  assert.match(asked.err, /holds 2 runs; name one behind @/);
  for (const { run } of runs) assert.deepEqual(shown(`${two}@${run}`, "TLKA"), shown(capture, "TLKA"));
  assert.match((await tickline("inspect", `${two}@5`)).err, /has no run 5/);
});
