/**
 * Goal: what a line's own ends publish is what its journal says: frames from the native feed, signals from a recorded link; and what is wrong has
 * one code. Method: the real agent and the real feed over segments made as a run makes them, on generated flow.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as signal from "../../schemas/generated/signal.ts";
import { stampWords } from "../kit/clock.ts";
import { parseLine, ROOT, type LineConfig } from "../kit/config.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError } from "../kit/errors.ts";
import { makeSegment } from "../kit/make-segment.ts";
import { native } from "../kit/native.ts";
import { Publisher } from "../kit/ring/broadcast.ts";
import { Control } from "../kit/ring/control.ts";
import { counter } from "../kit/ring/names.ts";
import { Segment } from "../kit/ring/segment.ts";
import { SEGMENT, segmentsOf } from "../kit/segments.ts";
import { generate } from "../../test/fault/flow.ts";
import { createRecorder } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "recorder-"));
const capture = join(folder, "flow.pcap");
let lines = 0;

before(() => { generate(capture, 2, 3); });
after(() => { rmSync(folder, { recursive: true, force: true }); });

/** A replay's folder with everything that its recorder needs. */
function rig(dir: string) {
  const runDir = join(folder, `run-${lines++}`);
  mkdirSync(runDir);
  const file = `${ROOT}ops/lines/demo.yaml`;
  const { config: base } = parseLine(`${readFileSync(file, "utf8")}\nrecorder: { dir: ${dir} }\n`, file);
  const config: LineConfig = { ...base, feed: { ...base.feed, source: { kind: "pcap", path: capture, speed: "max" } } };
  for (const spec of segmentsOf(2, [50_000], config.recorder)) makeSegment(runDir, spec);
  const control = new Control(Segment.open(`${runDir}/${SEGMENT.control}`));
  control.line.setRunId(42);
  const context = { name: "recorder", config, runDir, block: control.service("recorder"), lineBlock: control.line, log: { info: () => {} } } as unknown as ServiceContext;
  return { runDir, control, start: () => createRecorder(context) };
}

test("the frames of a native feed and the signals of a link, whole; counters and summary agree with the journal", () => {
  const journal = join(folder, "journal");
  const { runDir, control, start } = rig(journal);
  const agent = start();
  const feed = native.Feed.create(JSON.stringify({
    instruments: ["TLKA"], source: { kind: "pcap", path: capture, speed: "max" },
    features: `${runDir}/${SEGMENT.features}`, control: `${runDir}/${SEGMENT.control}`, frames: `${runDir}/${SEGMENT.frames}`,
  }));
  const poll = feed.poller();
  const template = new Uint8Array(signal.SIGNAL_BYTES);
  signal.writePrefix(new DataView(template.buffer), 0);
  const signals = new Publisher(Segment.open(`${runDir}/${SEGMENT.recordedSignal}`), template, signal.SIGNAL_ID, stampWords);
  let sent = 0;
  while (!feed.ended) {
    poll(64, -1, -1);
    signals.claim();
    signals.commit();
    sent += 1;
    agent.doWork();
  }
  while (agent.doWork() > 0);
  const { taken, missed } = agent.summary?.() as { taken: number[]; missed: number[] };
  agent.close();
  const { frames } = JSON.parse(feed.summary()) as { frames: number };
  assert.ok(frames > 500, `${frames} frames`);
  assert.deepEqual([taken, missed], [[frames, sent, 0, 0], [0, 0, 0, 0]]);
  const counted = (name: "frames" | "signals" | "messages" | "lapped"): number => control.service("recorder").counter(counter(name));
  assert.deepEqual([counted("frames"), counted("signals"), counted("lapped")], [frames, sent, 0]);
  const { runs: [run], entries } = JSON.parse(native.journalInfo(journal)) as { entries: number; runs: { run: number; lines: unknown[]; kinds: Record<string, { entries: number }> }[] };
  assert.deepEqual([run?.run, run?.kinds["frame"]?.entries, run?.kinds["signal"]?.entries], [42, frames, sent]);
  assert.equal(counted("messages"), entries - 1, "all but the header");
  const destination = (path: string): unknown => (JSON.parse(native.inspectSummary(path, undefined, true)) as { lines: { destination: string }[] }).lines.map((line) => line.destination);
  assert.deepEqual(destination(journal), destination(capture));
});

test("a folder that cannot be written and a damaged journal are TL_JOURNAL, with file and fix", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const refused = (dir: string, message: RegExp): void => {
    assert.throws(rig(dir).start, (error) => error instanceof TicklineError && error.code === "TL_JOURNAL" && message.test(error.message));
  };
  refused(join(file, "journal"), /cannot be written \(not a directory\)/);
  const damaged = join(folder, "damaged");
  mkdirSync(damaged);
  writeFileSync(join(damaged, "00000000000000000001.tlj"), "no journal segment, though it is called one");
  refused(damaged, /00000000000000000001\.tlj: damaged at byte 0: it does not begin as a journal segment does .* copy this segment again/);
});
