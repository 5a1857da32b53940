/**
 * Goal: `tickline model` says what a file holds, and refuses what it cannot use in one sentence with exit code 2.
 * Method: the real command as a child process on the shipped model, on damaged copies of it, and on a made-up FI-2010 file.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT } from "../kit/config.ts";
import { writeFi2010 } from "../trainer/fi2010-rig.ts";
import { generate } from "../../test/fault/flow.ts";
import { run, type Ended } from "./command-rig.ts";

const SHIPPED = join(ROOT, "ops/models/demo.tlm");
const folder = mkdtempSync(join(tmpdir(), "tickline-model-"));
after(() => rmSync(folder, { recursive: true }));

const model = (...args: string[]): Ended => run(["model", ...args], folder);

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

test("info shows contract, layers and record, as text and as JSON", () => {
  const { code, out } = model("info", SHIPPED);
  assert.equal(code, 0);
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
    const { code, err } = model("info", file(name, bytes));
    assert.equal(code, 2, err);
    assert.ok(err.includes(name) && err.includes("MODEL_") && err.trim().split("\n").length === 1, err);
  }
});

test("every verb refuses a file of another format version, and says which file and which version", () => {
  const newer = readFileSync(SHIPPED);
  newer.writeUInt32LE(9, 8);
  const path = file("newer.tlm", newer);
  for (const args of [["info", path], ["eval", path, "--capture", "x.pcap"], ["calibrate", path, "--capture", "x.pcap", "--out", "out.tlm"], ["export", path, "out.onnx"]]) {
    const { code, err } = model(...args);
    assert.deepEqual([code, err.trim().split("\n").length], [2, 1], err);
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
    const { code, err } = model(...args);
    assert.equal(code, 2, err);
    assert.match(err, says);
  }
});

test("FI-2010: files of its shape train a network, others are refused by row", () => {
  const [train, test_] = [writeFi2010(join(folder, "train.txt"), 600), writeFi2010(join(folder, "test.txt"), 300)];
  const { code, out, err } = model("train", "logistic", "--fi2010", train, test_, "--horizon", "10", "--epochs", "20", "--rate", "0.01", "--out", "fi.tlm", "--json");
  assert.equal(code, 0, err);
  const result = JSON.parse(out) as { score: { macroF1: number; rows: number }; trainClasses: number[] };
  assert.deepEqual(result.trainClasses, [200, 200, 200]);
  assert.ok(result.score.macroF1 > 0.8 && result.score.rows >= 290, out);
  assert.ok(existsSync(join(folder, "fi.tlm")));
  // No line and no capture has its columns: the wrong contract is named, with the file.
  const capture = join(folder, "flow.pcap");
  generate(capture, 5, 1, "--symbols", "TLKA");
  const elsewhere = model("eval", "fi.tlm", "--capture", capture, "--symbols", "TLKA", "--labels", "exact", "--horizon", "10", "--threshold", "0", "--part", "50,100");
  assert.equal(elsewhere.code, 2);
  assert.match(elsewhere.err, /MODEL_CONTRACT: .*fi\.tlm: column "fi2010\.0" is not a feature of this build/);
  const rows = readFileSync(train, "utf8");
  const bad = model("train", "logistic", "--fi2010", file("nan.txt", rows.replace("0", "NaN")), test_, "--horizon", "10", "--out", "nan.tlm");
  assert.match(bad.err, /nan\.txt: row 1, sample 1: "NaN" is no number/);
  assert.ok(bad.code === 2 && !existsSync(join(folder, "nan.tlm")));
  const short = model("train", "logistic", "--fi2010", file("short.txt", rows.slice(0, rows.lastIndexOf("\n"))), test_, "--horizon", "10");
  assert.equal(short.code, 2);
  assert.match(short.err, /short\.txt: 148 rows; FI-2010 has 149 rows/);
  const horizon = model("train", "logistic", "--fi2010", train, test_, "--horizon", "15");
  assert.match(horizon.err, /labels for \[10, 20, 30, 50, 100\] events, not 15/);
});
