// Goal: `tickline run` keeps its promises with the real services and the real venue: restarts after kill -9, clean ends, plain refusals.
// Method: the command as a person starts it, on a line of its own; signals to its processes; its output, exit codes and what is left behind.
// No test judges how long anything takes: limits only end a run that hangs.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openControl } from "../../services/cli/open-line.ts";
import type { RunSummary } from "../../services/cli/summary.ts";
import type { LineConfig } from "../../services/kit/config.ts";
import { ROOT } from "../../services/kit/config.ts";
import { runDirOf } from "../../services/kit/segments.ts";
import { count, snapshot } from "../../services/supervisor/snapshot.ts";
import { Command, processesOf, tickline } from "./command.ts";
import { lineOfTests, testLine } from "./line-file.ts";

const UP = "orders may pass";
const SERVICES = ["exchange", "execution", "risk", "inference", "feed"];
const ALL = [...SERVICES, "supervisor"];
/** Processes that a test waits for end, or something hangs. */
const LIMIT_MS = 60_000;

const line = lineOfTests((document) => { Object.assign(document.supervision, { restarts_max: 10, window_s: 600 }); });
const folder = mkdtempSync(join(tmpdir(), "run-"));
after(() => { rmSync(folder, { recursive: true }); });

async function running(...options: readonly string[]): Promise<Command> {
  const command = new Command("run", line.file, "--no-rehearse", ...options);
  await command.until("running line", () => command.out.includes(UP));
  return command;
}

function summary(name: string): RunSummary {
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as RunSummary;
}

/** Runs the test's line with a change, to be refused; returns its exit code and what it said. */
async function refused(change: (document: LineConfig) => void): Promise<{ code: number; out: string; err: string }> {
  const wrong = testLine(change);
  try {
    return await tickline("run", wrong.file, "--no-rehearse");
  } finally {
    wrong.remove();
  }
}

test("kill -9 of each service in turn: it and what stands after it come back, flow goes on, and the summary says so", async () => {
  const command = await running("--json", join(folder, "kill.json"));
  const control = openControl(line.name, false);
  const messages = (): number => count(snapshot(control, runDirOf(line.name)), "messages");
  for (const [n, service] of SERVICES.toReversed().entries()) {
    process.kill(command.pidOf(service), "SIGKILL");
    await command.until(`restart of ${service}`, () => command.count(UP) === n + 2);
    assert.equal(control.line.armed(), true, `not armed after the restart of ${service}`);
    const heard = messages();
    await command.until(`message after the restart of ${service}`, () => messages() > heard);
  }
  assert.match((await tickline("status", line.name)).out, /last error of supervisor: exchange was killed by SIGKILL/);
  command.child.kill("SIGTERM");
  assert.equal(await command.ended, 130, command.err);
  const { restarts, services, outcome } = summary("kill.json");
  assert.equal(outcome, "interrupted");
  assert.deepEqual(restarts.map((restart) => restart.process), SERVICES.toReversed());
  for (const { cause, process } of restarts) {
    assert.match(cause, /^was killed by SIGKILL/);
    assert.match(command.out, new RegExp(`restarted ${process} in \\d+ ms: it was killed by SIGKILL`));
  }
  // Rest for one: each death also restarted what stands after it, and nothing before it.
  assert.deepEqual(services.map(({ name, restarts: count }) => [name, count]), [...SERVICES.map((name, n) => [name, n + 1]), ["supervisor", 0]]);
});

test("Ctrl-C stops a warmed-up line with the summary and exit code 130", async () => {
  const command = new Command("run", line.file);
  await command.until("running line", () => command.out.includes(UP));
  assert.equal(processesOf(line.name).length, SERVICES.length);
  command.pressCtrlC();
  assert.equal(await command.ended, 130, command.err);
  assert.match(command.out, /interrupted after/);
  assert.match(command.out, /no restarts/);
  assert.equal(command.err, "");
});

test("Ctrl-C while the line is still starting ends what was started", async () => {
  const command = new Command("run", line.file);
  await command.until("first process", () => command.out.includes("started exchange"));
  command.pressCtrlC();
  assert.equal(await command.ended, 130, command.err);
  assert.doesNotMatch(command.out, /orders may pass/);
});

test("fused: one process for all agents, done after the time asked for, exit code 0", async () => {
  const command = await running("--placement", "fused", "--seconds", "2", "--json", join(folder, "fused.json"));
  assert.equal(processesOf(line.name).length, 2);
  assert.equal(await command.ended, 0, command.err);
  const { outcome, messages, services } = summary("fused.json");
  assert.equal(outcome, "stopped");
  assert.ok(messages > 0, "the feed saw no message");
  assert.deepEqual(services.map(({ name, state }) => [name, state]), ALL.map((name) => [name, "stopped"]));
});

test("a second run of a running line is refused with who holds it; status, halt and resume find the first", async () => {
  const command = await running();
  const second = await tickline("run", line.file);
  assert.equal(second.code, 3);
  assert.match(second.err, new RegExp(`already running in /dev/shm/tickline/${line.name} \\(process ${command.child.pid}, since 20`));

  const status = JSON.parse((await tickline("status", line.name, "--json")).out) as { armed: boolean; supervised: boolean; services: { name: string; state: string }[] };
  assert.deepEqual([status.armed, status.supervised], [true, true]);
  assert.deepEqual(status.services.map(({ name, state }) => [name, state]), ALL.map((name) => [name, "running"]));
  const table = (await tickline("status", line.name)).out;
  for (const word of ["state", "epoch", "pid", "heartbeat", "gaps", "drops", "restarts", "no errors", "armed", ...ALL, "p50", "p99", "p99.9", "max"]) {
    assert.ok(table.includes(word), `status lacks ${word}:\n${table}`);
  }

  assert.equal((await tickline("halt", line.name, "--reason", "lunch")).code, 0);
  process.kill(command.pidOf("inference"), "SIGKILL");
  await command.until("restart", () => command.out.includes("stays so"));
  const halted = await tickline("status", line.name);
  assert.match(halted.out, /disarmed: lunch/, "a restart undid a person's halt");
  assert.deepEqual(JSON.parse((await tickline("resume", line.name, "--json")).out), { line: line.name, armed: true });

  command.child.kill("SIGINT");
  assert.equal(await command.ended, 130);
});

test("kill -9 of the supervisor: all its processes notice and end, status says so, the next run cleans up and says so", async () => {
  const first = await running();
  first.child.kill("SIGKILL");
  await first.ended;
  for (let waited = 0; waited < LIMIT_MS && processesOf(line.name).length > 0; waited += 50) await sleep(50);
  assert.deepEqual(processesOf(line.name), []);
  assert.ok(existsSync(`/dev/shm/tickline/${line.name}`), "who removed it?");
  assert.match((await tickline("status", line.name)).out, /THE SUPERVISOR IS GONE/);
  const second = await running("--seconds", "1");
  assert.equal(await second.ended, 0, second.err);
  assert.match(second.out, /removed \/dev\/shm\/tickline\/\S+, left by a run that died/);
});

test("one restart more than allowed: the line is stopped, exit code 3, with the cause", async () => {
  const fragile = testLine((document) => { Object.assign(document.supervision, { restarts_max: 0 }); });
  const command = new Command("run", fragile.file, "--no-rehearse", "--json", join(folder, "gave-up.json"));
  await command.until("running line", () => command.out.includes(UP));
  process.kill(command.pidOf("risk"), "SIGKILL");
  assert.equal(await command.ended, 3);
  fragile.remove();
  assert.equal(command.err, "tickline: risk was killed by SIGKILL, and that is one restart too many\n");
  assert.deepEqual([summary("gave-up.json").outcome, summary("gave-up.json").restarts], ["gave-up", []]);
});

test("a wrong configuration is one sentence with file, place, value and fix, and exit code 2", async () => {
  const changes: [(document: LineConfig) => void, RegExp][] = [
    [(document) => { Object.assign(document.risk, { order_qty_max: -5 }); }, /risk\.order_qty_max: .*-5.*1 to 1000000/],
    [(document) => { Object.assign(document.risk, { order_qty_maxx: 5 }); }, /risk\.order_qty_maxx: unknown key; did you mean order_qty_max\?/],
    [(document) => { Object.assign(document.placement.feed, { idle: "sleep" }); }, /placement\.feed\.idle: "sleep" does not fit; .*one of|did you mean/],
    [(document) => { Object.assign(document.inference, { model: "ops/models/none.tlm" }); }, /inference\.model: no file ops\/models\/none\.tlm; name a file that exists/],
  ];
  for (const [change, sentence] of changes) {
    const { code, err, out } = await refused(change);
    assert.deepEqual([code, out], [2, ""], err);
    assert.match(err, sentence);
    assert.match(err, /^tickline: [^\n]*line\.yaml:\d+:\d+: [^\n]*\n$/);
  }
});

test("a model file that is text, empty, cut off or damaged is refused before anything starts, with the file and the fix", async () => {
  const good = readFileSync(join(ROOT, "ops/models/demo.tlm"));
  const damaged = Buffer.from(good);
  damaged[good.length >> 1] = (damaged[good.length >> 1] as number) ^ 0x10;
  for (const [name, bytes] of [["text", Buffer.from("not a model at all\n")], ["empty", Buffer.alloc(0)], ["cut", good.subarray(0, -9)], ["damaged", damaged]] as const) {
    const model = join(folder, `${name}.tlm`);
    writeFileSync(model, bytes);
    const { code, err, out } = await refused((document) => { Object.assign(document.inference, { model }); });
    assert.deepEqual([code, out], [2, ""], err);
    assert.ok(err.startsWith(`tickline: ${model}: `), err);
    assert.match(err, /^[^\n]*; name another under inference\.model in \S+line\.yaml, or train one with npx tickline train[^\n]*\n$/);
  }
});

test("a shadow's model file that is damaged is refused before anything starts, with the file, the shadow and the fix", async () => {
  const model = join(folder, "shadow.tlm");
  writeFileSync(model, readFileSync(join(ROOT, "ops/models/demo.tlm")).subarray(0, -9));
  const envelope = { change_max: 0.1, drift_max: 0.5, score_slack: 0.1 };
  const learner = { state: folder, cadence: "tick", rate: 0.001, envelope, shadows: [{ name: "tonight", model }] };
  const { code, err, out } = await refused((document) => { Object.assign(document, { learner }); });
  assert.deepEqual([code, out], [2, ""], err);
  assert.ok(err.startsWith(`tickline: ${model}: `), err);
  assert.match(err, /^[^\n]*; name another for shadow tonight under learner\.shadows in \S+line\.yaml, or remove it\n$/);
});

test("a capture that is none is refused before anything starts", async () => {
  const path = join(folder, "text.pcap");
  writeFileSync(path, "time,price\n1,2\n");
  const { code, err, out } = await refused((document) => { Object.assign(document.venue, { flow: { kind: "capture", path } }); });
  assert.deepEqual([code, out], [2, ""], err);
  assert.match(err, /^tickline: \S+text\.pcap: is a text file [^\n]*\n$/);
});

test("a port that another program has: exit code 3 and one sentence with the address", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => { other.listen(0, "127.0.0.1", resolve); });
  const { port } = other.address() as { port: number };
  try {
    const { code, err } = await refused((document) => { Object.assign(document.venue.ouch, { port }); });
    assert.equal(code, 3);
    assert.match(err, new RegExp(`^tickline: exchange exited with code 2: [^\\n]*127\\.0\\.0\\.1:${port}[^\\n]*\\n$`));
  } finally {
    other.close();
  }
});

test("usage: unknown verbs, unknown options and bad values exit with 2 and print nothing on standard output", async () => {
  for (const args of [["trade"], ["run"], ["run", line.file, "--fast"], ["run", line.file, "--seconds", "-1"], ["status", "nobody"], ["bench", "everything"]]) {
    const { code, out, err } = await tickline(...args);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.notEqual(err, "");
    assert.doesNotMatch(err, /\n\s+at /, "a stack is shown");
  }
});
