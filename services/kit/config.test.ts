/**
 * Goal: a line file that is wrong is refused in one sentence with file, line, column, path, value and fix.
 * Method: each case changes one thing in the demo line, which is itself accepted.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { configHash, loadLine, modelsOf, parseLine, placeOf, ROOT } from "./config.ts";
import { closest } from "./config-document.ts";
import { ConfigError, ERRORS, TicklineError } from "./errors.ts";

const FILE = "ops/lines/demo.yaml";
const DEMO = readFileSync(`${ROOT}${FILE}`, "utf8");

/** The refusal of the demo line with `from` replaced by `to`. */
function refusal(from: string, to: string): ConfigError {
  assert.ok(DEMO.includes(from), `the demo line no longer holds ${from}`);
  try {
    parseLine(DEMO.replace(from, to), FILE);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.exit, 2);
    assert.equal(error.place.file, FILE);
    return error;
  }
  return assert.fail(`accepted ${to}`);
}

test("the demo and the replay line are accepted, their paths made absolute", () => {
  const { config } = loadLine(`${ROOT}${FILE}`);
  assert.equal(config.line, "demo");
  assert.equal(config.inference.model, `${ROOT}ops/models/demo.int8.tlm`);
  assert.equal(config.placement.exchange.idle, "park");
  assert.equal(loadLine(`${ROOT}ops/lines/replay.yaml`).config.instruments.length, 0);
});

const CASES: { name: string; from: string; to: string; path: string; says: RegExp }[] = [
  { name: "an unknown key", from: "order_qty_max:", to: "order_qty_mx:", path: "risk.order_qty_mx", says: /unknown key; did you mean order_qty_max\?/ },
  { name: "an unknown section", from: "\nrisk:", to: "\nrsk:", path: "rsk", says: /unknown key; did you mean risk\?/ },
  { name: "an unknown key like no other", from: "window_events:", to: "zebra: 1\n  window_events:", path: "feed.zebra", says: /known here: source, window_events/ },
  { name: "a number below its range", from: "order_qty_max: 200", to: "order_qty_max: -5", path: "risk.order_qty_max", says: /-5 does not fit; give a whole number from 1 to 1000000 \(shares an order\)/ },
  { name: "a fraction", from: "tick: 100", to: "tick: 0.5", path: "instruments[0].tick", says: /0\.5 does not fit; give a whole number/ },
  { name: "a word where a number belongs", from: "restarts_max: 5", to: "restarts_max: many", path: "supervision.restarts_max", says: /"many" does not fit/ },
  { name: "not a number", from: "seed: 20260101", to: "seed: .nan", path: "seed", says: /NaN does not fit/ },
  { name: "an infinite share", from: "priority_qty_share: 0.5", to: "priority_qty_share: .inf", path: "risk.priority_qty_share", says: /Infinity does not fit; give a number from 0 to 1/ },
  { name: "a missing value", from: "  collar_ticks: 50 ", to: "  #", path: "risk.collar_ticks", says: /is missing; add a whole number/ },
  { name: "a misspelt choice", from: "wait: block", to: "wait: blok", path: "feed.source.wait", says: /did you mean block\? \(one of spin, block\)/ },
  { name: "a misspelt kind", from: "kind: generated", to: "kind: generatd", path: "venue.flow.kind", says: /did you mean generated\?/ },
  { name: "a capture without its path", from: "kind: generated", to: "kind: capture", path: "venue.flow.path", says: /is missing; add a path/ },
  { name: "a speed of 0", from: "kind: socket, wait: block", to: "kind: pcap, path: x.pcap, speed: 0", path: "feed.source.speed", says: /or "max"/ },
  { name: "a group that is not multicast", from: "239.77.1.1", to: "10.0.0.1", path: "venue.itch.a.group", says: /multicast group/ },
  { name: "a port of 70000", from: "port: 26478", to: "port: 70000", path: "venue.rerequest.port", says: /1 to 65535/ },
  { name: "a model that is in its ensemble twice", from: "  model: ops/models/demo.int8.tlm", to: "  model: ops/models/demo.int8.tlm\n  ensemble: [a.tlm, ops/models/demo.int8.tlm]", path: "inference.ensemble[1]", says: /demo\.int8\.tlm is listed twice, and would count twice; remove one/ },
  { name: "an ensemble that is no list", from: "  model: ops/models/demo.int8.tlm", to: "  model: ops/models/demo.int8.tlm\n  ensemble: b.tlm", path: "inference.ensemble", says: /a list of up to 15 model files/ },
  { name: "a symbol listed twice", from: "TLKB", to: "TLKA", path: "instruments[1].symbol", says: /TLKA is listed twice; remove one/ },
  { name: "a service inside the exchange's process", from: "process: execution", to: "process: exchange", path: "placement.execution.process", says: /process of its own/ },
  { name: "fused services that idle differently", from: "process: risk, idle: park", to: "process: execution, idle: spin", path: "placement.risk", says: /shares a process with execution/ },
  { name: "a list where a map belongs", from: "rerequest: { host: 127.0.0.1, port: 26478 }", to: "rerequest: []", path: "venue.rerequest", says: /a list does not fit; give a map with host, port/ },
];

for (const { name, from, to, path, says } of CASES) {
  test(`${name} is refused at its place`, () => {
    const error = refusal(from, to);
    assert.equal(error.code, "TL_CONFIG_VALUE");
    assert.equal(error.place.path, path);
    assert.match(error.message, says);
    const last = path.split(".").at(-1)?.replace(/\[\d+\]/, "") ?? "";
    const line = DEMO.replace(from, to).split("\n")[error.place.line - 1] ?? "";
    const missing = /is missing/.test(error.message);
    if (!missing) assert.ok(line.includes(last), `${error.message} points at: ${line}`);
    assert.ok(error.message.startsWith(`${FILE}:${error.place.line}:${error.place.column}: ${path}: `), error.message);
  });
}

test("the column points at the value", () => {
  const error = refusal("order_qty_max: 200", "order_qty_max: -5");
  const line = DEMO.split("\n")[error.place.line - 1] ?? "";
  assert.equal(line.slice(error.place.column - 1, error.place.column + 2), "200");
  assert.equal(error.value, "-5");
});

test("the refusal that the READMEs quote is the one a person gets", () => {
  const { message } = refusal("order_qty_max: 200", "order_qty_max: -5");
  for (const readme of ["README.md", "services/kit/README.md"]) assert.ok(readFileSync(`${ROOT}${readme}`, "utf8").includes(message), `${readme} lacks: ${message}`);
});

test("text that is not YAML, or not a map, is refused with its line", () => {
  assert.equal(refusal("line: demo", "line: demo: again").code, "TL_CONFIG_SYNTAX");
  assert.equal(refusal("seed: 20260101", "seed: 1\nseed: 2").code, "TL_CONFIG_SYNTAX");
  assert.throws(() => parseLine("", "empty.yaml"), /^ConfigError: empty\.yaml:1:1: not a map of settings; start from a copy/);
  assert.throws(() => parseLine("just words", "words.yaml"), /not a map of settings/);
});

test("a file that is absent is refused by name", () => {
  assert.throws(() => loadLine("no/such/line.yaml"), (error) => error instanceof ConfigError && error.code === "TL_CONFIG_READ" && /no\/such\/line\.yaml: no such file/.test(error.message));
});

test("a model that is absent is refused at its place", () => {
  const line = parseLine(DEMO.replace("ops/models/demo.int8.tlm", "./absent.tlm"), `${ROOT}${FILE}`);
  assert.equal(line.config.inference.model, `${ROOT}ops/lines/absent.tlm`);
  assert.throws(() => line.requireFiles(), /inference\.model: no file ops\/lines\/absent\.tlm; name a file/);
  const together = parseLine(DEMO.replace("  model: ops/models/demo.int8.tlm", "  model: ops/models/demo.int8.tlm\n  ensemble: [./absent.tlm]"), `${ROOT}${FILE}`);
  assert.deepEqual(modelsOf(together.config), [`${ROOT}ops/models/demo.int8.tlm`, `${ROOT}ops/lines/absent.tlm`]);
  assert.throws(() => together.requireFiles(), /inference\.ensemble\[0\]: no file ops\/lines\/absent\.tlm/);
});

test("a recorder needs a folder alone, says what is wrong with the rest, and has a process of its own", () => {
  const recorder = `${DEMO}\nrecorder:\n  dir: .run/journal\n`;
  const { config } = parseLine(recorder, `${ROOT}${FILE}`);
  assert.deepEqual(config.recorder, { dir: `${ROOT}.run/journal`, segment_mb: 64, sync: { every_ms: 1000 }, ring_frames: 16_384 });
  assert.deepEqual(placeOf(config.placement, "recorder"), { process: "recorder", idle: "park" });
  const wrong = (section: string): (() => unknown) => () => parseLine(`${recorder}${section}\n`, FILE);
  assert.throws(wrong("  ring_frames: 1000"), /recorder\.ring_frames: 1000 does not fit; give a power of two from 64 to 262144/);
  assert.throws(wrong("  sync: sometimes"), /recorder\.sync: .*give when the disk must have it: "never", "segment"/);
  const feed = /feed:\s+\{ process: (\w+)/.exec(DEMO)?.[1] ?? "";
  assert.throws(() => parseLine(recorder.replace(/^(placement:.*)$/m, `$1\n  recorder: { process: ${feed} }`), FILE), /placement\.recorder\.process: .*whose ticks would wait for the disk/);
});

test("the hash sees values and not their order, comments or defaults", () => {
  const hash = parseLine(DEMO, FILE).hash;
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(parseLine(DEMO.replace("line: demo\nseed: 20260101", "# a remark\nseed: 20260101\nline: demo"), FILE).hash, hash);
  assert.equal(parseLine(DEMO.replace("exchange:  { process: exchange }", "exchange:  { process: exchange, idle: park }"), "elsewhere.yaml").hash, hash);
  assert.notEqual(parseLine(DEMO.replace("seed: 20260101", "seed: 20260102"), FILE).hash, hash);
  assert.equal(configHash({ a: 1, b: [{ d: 2, c: 3 }] }), configHash({ b: [{ c: 3, d: 2 }], a: 1 }));
});

test("a suggestion is made for a slip and not for another word", () => {
  assert.equal(closest("proces", ["process", "idle"]), "process");
  assert.equal(closest("zebra", ["process", "idle"]), undefined);
});

test("the README lists every error code with its exit status and meaning", () => {
  const readme = readFileSync(`${ROOT}services/kit/README.md`, "utf8");
  for (const [code, { exit, means }] of Object.entries(ERRORS)) {
    assert.ok(readme.includes(`| \`${code}\` | ${exit} | ${means} |`), `services/kit/README.md lacks | \`${code}\` | ${exit} | ${means} |`);
  }
  assert.equal(readme.match(/^\| `TL_/gm)?.length, Object.keys(ERRORS).length);
  assert.equal(new TicklineError("TL_RESTARTS", "feed died 6 times in 30 s").exit, 3);
});
