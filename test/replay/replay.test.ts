// Goal: a replay is a function of its capture: the same books and the same orders at any speed, in any placement, time after time;
// and its gate decides its exit code.
// Method: the command as a person starts it, on flow generated from a seed, on a line of its own; hashes and counts compared.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse, stringify } from "yaml";
import type { GateResult } from "../../services/cli/gate-expression.ts";
import type { ReplayReport } from "../../services/cli/replay-report.ts";
import { ROOT, type LineConfig } from "../../services/kit/config.ts";
import { isGone, processesOf, tickline } from "../fault/command.ts";
import type { Writable } from "../fault/line-file.ts";

const EXCHANGE = `${ROOT}target/release/tickline-exchange`;
const DATA = process.env["TICKLINE_DATA"] ?? `${ROOT}../shared/data`;
const BURST = `${DATA}/itch/burst.pcap.gz`;
const name = `test-replay-${process.pid}`;

let folder: string;
let line: string;
let capture: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "replay-"));
  capture = join(folder, "flow.pcap");
  execFileSync(EXCHANGE, ["--generate", capture, "--seconds", "5", "--seed", "11", "--rate", "400"], { stdio: "ignore" });
  const document = parse(readFileSync(`${ROOT}ops/lines/replay.yaml`, "utf8")) as Writable<LineConfig>;
  const port = 22_000 + (process.pid % 2000) * 3;
  document.line = name;
  document.venue.rerequest.port = port;
  document.venue.ouch.port = port + 1;
  document.supervision.start_timeout_ms = 60_000;
  document.supervision.heartbeat_timeout_ms = 30_000;
  line = join(folder, "line.yaml");
  writeFileSync(line, stringify(document));
});
after(() => {
  rmSync(folder, { recursive: true });
  assert.deepEqual(processesOf(name), [], "processes are left behind");
  assert.ok(isGone(name), "shared memory is left behind");
});

/** What `--json` writes: the report, and the gate's outcome where there was one. */
type Replayed = ReplayReport & { readonly gate?: GateResult };

async function replay(file: string, ...options: readonly string[]): Promise<{ code: number; err: string; summary: Replayed }> {
  const json = join(folder, "out.json");
  rmSync(json, { force: true });
  const { code, err } = await tickline("replay", file, "--line", line, "--json", json, ...options);
  assert.ok(existsSync(json), `no summary, exit code ${code}: ${err}`);
  return { code, err, summary: JSON.parse(readFileSync(json, "utf8")) as Replayed };
}

/** What must not depend on speed, placement or the day. */
function outcome({ hashes, frames, messages, signals, orders, fills, fill_shares, positions, pnl, gaps, unanswered }: Replayed): unknown {
  return { hashes, frames, messages, signals, orders, fills, fill_shares, positions, pnl, gaps, unanswered };
}

test("fused or in processes, as fast as it goes or in time: the same books, orders, fills and profit", async () => {
  const first = await replay(capture, "--speed", "max");
  assert.equal(first.code, 0, first.err);
  assert.ok(first.summary.orders > 100, `${first.summary.orders} orders are too few to tell anything`);
  assert.ok(first.summary.fills > 0, "nothing was filled");
  assert.equal(first.summary.unanswered, 0);
  for (const options of [["--speed", "max"], ["--speed", "4"], ["--speed", "max", "--placement", "processes"], ["--speed", "2", "--placement", "processes"]]) {
    const { code, err, summary } = await replay(capture, ...options);
    assert.equal(code, 0, err);
    assert.deepEqual(outcome(summary), outcome(first.summary), options.join(" "));
  }
});

test("other flow gives other hashes", async () => {
  const other = join(folder, "other.pcap");
  execFileSync(EXCHANGE, ["--generate", other, "--seconds", "4", "--seed", "12", "--rate", "400"], { stdio: "ignore" });
  const { summary: a } = await replay(other, "--speed", "max");
  const { summary: b } = await replay(capture, "--speed", "max");
  assert.notDeepEqual(a.hashes, b.hashes);
});

test("a gate that holds exits 0, an impossible one 1 and says what was measured, an unreadable one 2 before anything starts", async () => {
  assert.equal((await replay(capture, "--speed", "max", "--gate", "orders>0 && gaps==0 && line.p50<1s")).code, 0);
  const impossible = await replay(capture, "--speed", "max", "--gate", "line.p50<1ns");
  assert.equal(impossible.code, 1);
  assert.equal(impossible.summary.gate?.passed, false);
  const unreadable = await tickline("replay", capture, "--line", line, "--gate", "line.p50 is small");
  assert.equal(unreadable.code, 2);
  assert.equal(unreadable.out, "");
});

test("the burst of real order flow: every order answered, no garbage collected, twice the same", { skip: existsSync(BURST) ? false : `no ${BURST}` }, async () => {
  const [first, second] = [await replay(BURST, "--speed", "max"), await replay(BURST, "--speed", "max")];
  assert.equal(first.code, 0, first.err);
  assert.ok(first.summary.orders > 100);
  assert.equal(first.summary.unanswered, 0);
  assert.deepEqual(Object.values(first.summary.gc).filter((count) => count > 0), []);
  assert.deepEqual(outcome(second.summary), outcome(first.summary));
});
