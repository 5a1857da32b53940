/**
 * Goal: every benchmark runs and gives rows that are whole, whatever their figures. Method: each one with the smallest sizes; no time is
 * asserted. The Rust half and the line need release builds and are skipped, with the reason, where those are absent.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { benchGate } from "./gate.ts";
import { Collections } from "./collections.ts";
import { ownLine } from "./line.ts";
import { loadLine } from "../../services/kit/config.ts";
import { BINS, binOf } from "../../services/kit/ring/histogram.ts";
import { benchLearning } from "./learning.ts";
import { percentile } from "./ratio.ts";
import { benchModel } from "./model.ts";
import { benchRing } from "./ring.ts";
import type { Row } from "./row.ts";
import { rustRows } from "./rust-rows.ts";
import { benchSchema } from "./schema.ts";

const RUST = fileURLToPath(new URL("../../target/release/tickline-bench", import.meta.url));
const skip = existsSync(RUST) ? false : "target/release/tickline-bench is not built; npx tickline bench builds it";

function whole(rows: readonly Row[], bench: string, names: readonly RegExp[]): void {
  for (const name of names) assert.equal(rows.filter((row) => name.test(row.name)).length, 1, `${name} in ${rows.map((row) => row.name).join(", ")}`);
  for (const row of rows) {
    assert.equal(row.bench, bench);
    assert.notEqual(row.note, "");
    const { p50, p99, p999, max, rate } = row;
    assert.ok(rate === null ? p50 !== null : rate > 0, `${row.name} measures nothing`);
    // Percentiles of one thing rise; a ratio of two things' percentiles need not.
    if (row.unit === "ratio") continue;
    const ladder = [p50, p99, p999, max].filter((value) => value !== null);
    for (let step = 1; step < ladder.length; step++) assert.ok((ladder[step] as number) >= (ladder[step - 1] as number), `${row.name}: ${ladder.join(", ")}`);
  }
}

test("ring: floor, both languages, rtrb and jitter, messages checked, collections counted", { skip }, async () => {
  const rows = await benchRing({ turns: 2, trips: 500, pour: 3_000 });
  whole(rows, "ring", [/^rtt floor/, /^rtt rust/, /^rtt typescript/, /^peer rtt rtrb/, /^rate rust/, /^rate typescript/, /^peer rate rtrb/, /^jitter/]);
  assert.match(rows.find(({ name }) => name.startsWith("rtt typescript"))?.note ?? "", /\d+ garbage collections/);
});

test("gate: floor, gate and the plain check", { skip }, async () => {
  whole([...(await rustRows("gate", "--orders", "640", "--turns", "2")), ...(await benchGate(640))], "gate", [/^floor/, /^gate/, /^peer/]);
});

test("model: plain loops, both models, and the call from TypeScript", { skip }, async () => {
  const rows = [...(await rustRows("model", "--rows", "64", "--turns", "2")), ...(await benchModel(640))];
  whole(rows, "model", [/^floor: plain loop, mlp/, /^mlp.*rust$/, /^floor: plain loop, lstm/, /^lstm.*rust$/, /^mlp.*typescript$/]);
});

test("decode, book and venue", { skip }, async () => {
  const none = ["--data", "no-such-folder", "--turns", "1"];
  whole(await rustRows("decode", ...none), "decode", [/^floor/, /^decode$/, /^peer/]);
  whole(await rustRows("book", ...none), "book", [/^floor/, /^decode \+ books$/, /^peer/]);
  whole(await rustRows("venue", "--commands", "5000", "--turns", "1"), "venue", [/^floor/, /^engine/]);
});

test("collections are counted where there are some, and only there", async () => {
  const collections = new Collections();
  const began = performance.now();
  let kept: unknown[] = [];
  for (let n = 0; n < 3_000_000; n++) kept = [kept.length, { n }];
  const ended = performance.now();
  assert.equal(kept.length, 2);
  assert.ok((await collections.between(began, ended)) > 0, "a hundred megabytes of garbage and no collection");
  const quiet = performance.now();
  let sum = 0;
  for (let n = 0; n < 3_000_000; n++) sum = (sum + n) | 0;
  assert.equal(await collections.between(quiet, performance.now()), 0, `none in a loop of whole numbers (${sum})`);
});

test("the line has a name and ports of its own, and is a line", async () => {
  const dir = mkdtempSync(join(tmpdir(), "tickline-bench-"));
  try {
    const { config } = loadLine(await ownLine(join(dir, "line.yaml")));
    const { config: usual } = loadLine(fileURLToPath(new URL("../../ops/lines/replay.yaml", import.meta.url)));
    const { itch, rerequest, ouch } = config.venue;
    assert.notEqual(config.line, usual.line);
    assert.equal(new Set([itch.a.port, rerequest.port, ouch.port, usual.venue.itch.a.port, usual.venue.rerequest.port, usual.venue.ouch.port]).size, 6);
    assert.deepEqual({ ...config, line: 0, venue: 0 }, { ...usual, line: 0, venue: 0 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("the line's floor is one send, and refuses to send nothing", { skip }, async () => {
  const [departure, ...rows] = (await rustRows("send", "--bytes", "50", "--messages", "50")).sort((a, b) => Number(b.name.includes("due")) - Number(a.name.includes("due")));
  whole(rows, "line", [/^floor: raw/, /^jitter/]);
  // A send leaves after it was due; where the kernel gives no stamps, the row says so.
  assert.equal(departure?.name, "floor: a send from due to on the wire");
  assert.ok(departure.p50 === null ? departure.note.startsWith("not measured") : departure.p50 > 0, JSON.stringify(departure));
  await assert.rejects(rustRows("send", "--bytes", "0"), /--bytes and --messages must be 1 or more/);
});

test("learning: percentiles of what a window has counted", () => {
  const counts = new Float64Array(BINS);
  assert.equal(percentile(counts, 0.99), null);
  for (const ns of [10, 20, 20, 100_000]) counts[binOf(ns)] = (counts[binOf(ns)] as number) + 1;
  assert.deepEqual([percentile(counts, 0.25), percentile(counts, 0.5), percentile(counts, 0.75)], [10, 20, 20]);
  assert.ok(Math.abs((percentile(counts, 1) ?? 0) / 100_000 - 1) < 0.01);
});

test("learning: the line with a learner, stopped and going on in turn", { skip }, async () => {
  const rows = await benchLearning({ blocks: 2, windowMs: 300 });
  const [tick, line] = ["tick, row to prediction", "packet to order"].map((what) => rows.filter(({ name }) => name.startsWith(what)));
  for (const four of [tick ?? [], line ?? []]) {
    whole(four, "learning", [/: learning$/, /: no learning$/, /: learning \/ none$/, /: floor, none \/ none$/]);
    assert.ok(four.slice(2).every(({ interval, p99 }) => interval !== undefined && p99 !== null && interval[0] <= p99 && p99 <= interval[1]));
    assert.match(four[2]?.verdict ?? "", /^(PASS|FAIL|UNDECIDED)$/);
  }
  assert.ok(Number(/(\d+) steps/.exec(tick?.[0]?.note ?? "")?.[1]) > 0, "it has learned");
  assert.match(rows.at(-1)?.name ?? "", /^cores: line \d.*learner \d.*venue \d.*benchmark \d/);
});

test("schema: our view and the official runtime", async () => {
  whole(await benchSchema(), "schema", [/^in-place/, /^official, reused/, /^official, new/]);
});
