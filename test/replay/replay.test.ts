// Goal: a replay is a function of its capture: the same books and the same orders at any speed, in any placement, time after time;
// and its gate decides its exit code.
// Method: the command as a person starts it, on flow generated from a seed, on a line of its own; hashes and counts compared.
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { absent } from "../data.ts";
import { tickline } from "../fault/command.ts";
import { generate } from "../fault/flow.ts";
import { lineOfTests } from "../fault/line-file.ts";
import { BURST, folder, outcome, replay } from "./rig.ts";

const line = lineOfTests(() => {}, "replay");
const capture = join(folder, "flow.pcap");
before(() => { generate(capture, 5, 11); });

test("fused or in processes, rehearsed or not, as fast as it goes or in time: the same books, orders, fills and profit", async () => {
  const first = await replay(capture, line, "--speed", "max");
  assert.equal(first.code, 0, first.err);
  assert.ok(first.report.orders > 100, `${first.report.orders} orders are too few to tell anything`);
  assert.ok(first.report.fills > 0, "nothing was filled");
  assert.equal(first.report.unanswered, 0);
  for (const options of [["--speed", "max", "--no-rehearse"], ["--speed", "4"], ["--speed", "max", "--placement", "processes", "--no-rehearse"], ["--speed", "2", "--placement", "processes"]]) {
    const { code, err, report } = await replay(capture, line, ...options);
    assert.equal(code, 0, err);
    assert.deepEqual(outcome(report), outcome(first.report), options.join(" "));
  }
});

test("other flow gives other hashes", async () => {
  const other = join(folder, "other.pcap");
  generate(other, 4, 12);
  const { report: a } = await replay(other, line, "--speed", "max", "--no-rehearse");
  const { report: b } = await replay(capture, line, "--speed", "max", "--no-rehearse");
  assert.notDeepEqual(a.hashes, b.hashes);
});

test("a gate that holds exits 0, an impossible one 1 and says what was measured, an unreadable one 2 before anything starts", async () => {
  assert.equal((await replay(capture, line, "--speed", "max", "--no-rehearse", "--gate", "orders>0 && gaps==0 && line.p50<1s")).code, 0);
  const impossible = await replay(capture, line, "--speed", "max", "--no-rehearse", "--gate", "line.p50<1ns");
  assert.equal(impossible.code, 1);
  assert.equal(impossible.report.gate?.passed, false);
  const unreadable = await tickline("replay", capture, "--line", line.file, "--gate", "line.p50 is small");
  assert.equal(unreadable.code, 2);
  assert.equal(unreadable.out, "");
});

test("the burst of real order flow: every order answered, no garbage collected, twice the same", { skip: absent(BURST) }, async () => {
  const [first, second] = [await replay(BURST, line, "--speed", "max"), await replay(BURST, line, "--speed", "max")];
  assert.equal(first.code, 0, first.err);
  assert.ok(first.report.orders > 100);
  assert.equal(first.report.unanswered, 0);
  assert.deepEqual(Object.values(first.report.gc).filter((count) => count > 0), []);
  assert.deepEqual(outcome(second.report), outcome(first.report));
});
