/**
 * Goal: `tickline model` says what a file holds, and refuses what it cannot use in one sentence with exit code 2.
 * Method: the real command as a child process on the shipped model, on damaged copies of it, and on a made-up FI-2010 file.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ROOT } from "../kit/config.ts";
import { EXCHANGE } from "../kit/exchange.ts";

const COMMAND = fileURLToPath(new URL("./tickline.mjs", import.meta.url));
const SHIPPED = join(ROOT, "ops/models/demo.tlm");
const folder = mkdtempSync(join(tmpdir(), "tickline-model-"));
after(() => rmSync(folder, { recursive: true }));

function model(...args: string[]): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [COMMAND, "model", ...args], { encoding: "utf8", cwd: folder });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A capture of a few seconds of generated flow. */
function generated(): string {
  const path = join(folder, "flow.pcap");
  if (!existsSync(path)) spawnSync(EXCHANGE, ["--generate", path, "--seconds", "10", "--seed", "1", "--rate", "200", "--symbols", "TLKA"]);
  return path;
}

/** 149 rows of `samples` numbers, labels that follow the first feature. */
function fi2010(samples: number, rows = 149): string {
  const lift = (sample: number): number => (sample * 7) % 3;
  const cell = (row: number, sample: number): number => (row >= 144 ? 1 + lift(sample) : row === 0 ? lift(sample) : (row * sample) % 5);
  return Array.from({ length: rows }, (_, row) => Array.from({ length: samples }, (_, sample) => cell(row, sample).toFixed(4)).join(" ")).join("\n");
}

test("info shows contract, layers and record, as text and as JSON", () => {
  const { status, out } = model("info", SHIPPED);
  assert.equal(status, 0);
  assert.match(out, /takes 40 columns x 1 rows: spread mid_move/);
  assert.match(out, /"network": "mlp"/);
  const info = JSON.parse(model("info", SHIPPED, "--json").out) as { hash: string; parameters: number; layers: string[] };
  assert.match(info.hash, /^[0-9a-f]{16}$/);
  assert.deepEqual([info.parameters, info.layers.length], [11139, 4]);
});

test("a damaged, cut or foreign model file is refused by name", () => {
  const good = readFileSync(SHIPPED);
  const damaged = Buffer.from(good);
  damaged[damaged.length - 100] = (damaged[damaged.length - 100] ?? 0) ^ 1;
  const cases = { "damaged.tlm": damaged, "cut.tlm": good.subarray(0, good.length / 2), "foreign.tlm": "a text" };
  for (const [name, bytes] of Object.entries(cases)) {
    const { status, err } = model("info", file(name, bytes));
    assert.equal(status, 2, err);
    assert.ok(err.includes(name) && err.includes("MODEL_") && err.trim().split("\n").length === 1, err);
  }
});

test("every verb refuses a file of another format version, and says which file and which version", () => {
  const newer = readFileSync(SHIPPED);
  newer.writeUInt32LE(9, 8);
  const path = file("newer.tlm", newer);
  for (const args of [["info", path], ["eval", path, "--capture", "x.pcap"], ["calibrate", path, "--capture", "x.pcap", "--out", "out.tlm"], ["export", path, "out.onnx"]]) {
    const { status, err } = model(...args);
    assert.deepEqual([status, err.trim().split("\n").length], [2, 1], err);
    assert.match(err, /MODEL_VERSION: .*newer\.tlm: format version 9; this build reads 1/);
  }
  assert.ok(!existsSync(join(folder, "out.tlm")) && !existsSync(join(folder, "out.onnx")));
});

test("usage errors say what would do", () => {
  const cases: [RegExp, string[]][] = [
    [/"oracle" is no network; give one of logistic/, ["train", "oracle", "--capture", "x.pcap"]],
    [/give either --capture FILE or --fi2010/, ["train", "mlp"]],
    [/three rising numbers/, ["train", "mlp", "--capture", "x.pcap", "--split", "70,0,100"]],
    [/absent\.pcap/, ["train", "mlp", "--capture", "absent.pcap"]],
    [/"oracle" is not in/, ["compare", "--capture", "x.pcap", "--networks", "oracle"]],
    [/--rolling goes with --folds/, ["compare", "--capture", "x.pcap", "--rolling", "2"]],
    [/--unseen goes with --online/, ["compare", "--capture", "x.pcap", "--unseen", "y.pcap"]],
    [/"oracle" is not in .*five-levels/, ["compare", "--capture", "x.pcap", "--online", "--networks", "oracle"]],
    [/guessed/, ["compare", "--capture", "x.pcap", "--labels", "guessed"]],
  ];
  for (const [says, args] of cases) {
    const { status, err } = model(...args);
    assert.equal(status, 2, err);
    assert.match(err, says);
  }
});

test("FI-2010: files of its shape train a network, others are refused by row", () => {
  const [train, test_] = [file("train.txt", fi2010(600)), file("test.txt", fi2010(300))];
  const { status, out, err } = model("train", "logistic", "--fi2010", train, test_, "--horizon", "10", "--epochs", "20", "--rate", "0.01", "--out", "fi.tlm", "--json");
  assert.equal(status, 0, err);
  const result = JSON.parse(out) as { score: { macroF1: number; rows: number }; trainClasses: number[] };
  assert.deepEqual(result.trainClasses, [200, 200, 200]);
  assert.ok(result.score.macroF1 > 0.8 && result.score.rows >= 290, out);
  assert.ok(existsSync(join(folder, "fi.tlm")));
  // No line and no capture has its columns: the wrong contract is named, with the file.
  const elsewhere = model("eval", "fi.tlm", "--capture", generated(), "--symbols", "TLKA", "--labels", "exact", "--horizon", "10", "--threshold", "0", "--part", "50,100");
  assert.equal(elsewhere.status, 2);
  assert.match(elsewhere.err, /MODEL_CONTRACT: .*fi\.tlm: column "fi2010\.0" is not a feature of this build/);
  const bad = model("train", "logistic", "--fi2010", file("nan.txt", fi2010(600).replace("0.0000", "NaN")), test_, "--horizon", "10", "--out", "nan.tlm");
  assert.match(bad.err, /nan\.txt: row 1, sample 1: "NaN" is no number/);
  assert.ok(bad.status === 2 && !existsSync(join(folder, "nan.tlm")));
  const short = model("train", "logistic", "--fi2010", file("short.txt", fi2010(600, 148)), test_, "--horizon", "10");
  assert.equal(short.status, 2);
  assert.match(short.err, /short\.txt: 148 rows; FI-2010 has 149 rows/);
  const horizon = model("train", "logistic", "--fi2010", train, test_, "--horizon", "15");
  assert.match(horizon.err, /labels for \[10, 20, 30, 50, 100\] events, not 15/);
});
