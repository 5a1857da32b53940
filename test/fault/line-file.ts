/** A line of its own for a test: a line of ops/lines under another name, on other groups and ports. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach } from "node:test";
import { parse, stringify } from "yaml";
import type { LineConfig } from "../../services/kit/config.ts";
import { ROOT } from "../../services/kit/config.ts";
import { isGone, processesOf } from "./command.ts";

/** A line file on disk; `remove` takes it away. */
export interface TestLine {
  readonly name: string;
  readonly file: string;
  readonly remove: () => void;
}

/** Edits a line's document before it is written. */
type Change = (document: LineConfig) => void;

/** Writes the file: the line `source` of ops/lines, with `change`. Lines of one test file have one name, groups and ports. */
export function testLine(change: Change = () => {}, source: "demo" | "replay" = "demo"): TestLine {
  const document = parse(readFileSync(`${ROOT}ops/lines/${source}.yaml`, "utf8")) as Writable<LineConfig>;
  // Tests of one machine run side by side: the process id keeps their ports and groups apart. Below 32,768 no outgoing
  // connection of another program takes them.
  const base = 20_000 + (process.pid % 1200) * 10;
  const host = process.pid % 250;
  document.line = `test-${process.pid}`;
  document.venue.itch.a = { group: `239.78.1.${host + 1}`, port: base };
  document.venue.itch.b = { group: `239.78.2.${host + 1}`, port: base };
  document.venue.rerequest.port = base + 1;
  document.venue.ouch.port = base + 2;
  document.supervision.start_timeout_ms = 60_000;
  // A loaded test machine must not look like a stuck service: in a replay at full speed least of all.
  document.supervision.heartbeat_timeout_ms = source === "replay" ? 30_000 : 10_000;
  change(document as LineConfig);
  const folder = mkdtempSync(join(tmpdir(), "line-"));
  const file = join(folder, "line.yaml");
  writeFileSync(file, stringify(document));
  return { name: document.line, file, remove: () => { rmSync(folder, { recursive: true }); } };
}

/** As `testLine`, for all tests of a file: after each of them nothing of the line may be left, after the last one its file goes. */
export function lineOfTests(change?: Change, source?: "demo" | "replay"): TestLine {
  const line = testLine(change, source);
  afterEach(() => {
    assert.deepEqual(processesOf(line.name), [], "processes are left behind");
    assert.ok(isGone(line.name), "shared memory is left behind");
  });
  after(line.remove);
  return line;
}

/** A document before it is checked: everything may be set. */
type Writable<T> = { -readonly [K in keyof T]: T[K] extends object ? Writable<T[K]> : T[K] };
