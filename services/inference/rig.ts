/** A line's run folder with real segments and an inference agent in it, for this room's tests. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { FEATURES_BYTES, FEATURES_ID, FeaturesView, writePrefix as featuresPrefix } from "../../schemas/generated/features.ts";
import { SIGNAL_BYTES, SignalView, writePrefix as signalPrefix } from "../../schemas/generated/signal.ts";
import { stamp, stampWords } from "../kit/clock.ts";
import { modelsOf, parseLine, ROOT, type LineConfig } from "../kit/config.ts";
import type { ServiceContext } from "../kit/context.ts";
import type { Outlet } from "../kit/link.ts";
import { makeSegment } from "../kit/make-segment.ts";
import { Publisher, Subscriber } from "../kit/ring/broadcast.ts";
import { Control } from "../kit/ring/control.ts";
import { counter, type CounterName } from "../kit/ring/names.ts";
import { Segment } from "../kit/ring/segment.ts";
import { segmentsOf } from "../kit/segments.ts";
import { createInference } from "./main.ts";

/** Everything of the test is in it; it goes with the test. */
export const folder = mkdtempSync("/dev/shm/tickline-test-inference-");
after(() => rmSync(folder, { recursive: true, force: true }));

/** The shipped model, in f32; the rig's line runs it unless a test says otherwise. */
export const MODEL = join(ROOT, "ops/models/demo.tlm");

/** Decides by script: price, side and the rest are what the test put into the row. */
export const SCRIPTED = `
export const strategy = { name: "scripted", create: () => ({ decide(features, prediction, out) {
  if (features.lastQty === 0) return false;
  if (features.lastQty === 13) throw new Error("unlucky");
  out.side = features.lastPrice; out.price = features.bid; out.qty = features.lastQty; out.confidence = features.askQty / 100; out.reason = 7;
  return true;
} }) };`;

/** Writes a strategy module and gives its path. */
export function strategyFile(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

/** An outlet that keeps what was sent, and can be full. */
class Kept implements Outlet {
  readonly view = new DataView(new ArrayBuffer(SIGNAL_BYTES * 64));
  full = false;
  sent = 0;
  claim(): number {
    if (this.full) return -1;
    signalPrefix(this.view, this.sent * SIGNAL_BYTES);
    return this.sent * SIGNAL_BYTES;
  }
  commit(): void {
    this.sent++;
  }
  signal(i: number): SignalView {
    const signal = new SignalView();
    assert.ok(signal.wrap(this.view, i * SIGNAL_BYTES));
    return signal;
  }
}

/** Bytes of the heap that 100,000 rows leave behind in a line that is warm after 30,000. */
export function leftBehind({ agent, publish }: ReturnType<typeof rig>): number {
  const quiet = (row: FeaturesView): void => {
    row.lastQty = 0;
    stamp();
    row.feedNsLo = stampWords[0] ?? 0;
    row.feedNsHi = stampWords[1] ?? 0;
  };
  const rows = (count: number): void => {
    for (let i = 0; i < count; i++) {
      publish(quiet);
      agent.doWork();
    }
  };
  rows(30_000);
  // Young memory is only collected when it fills at 16 MB, so what was allocated meanwhile is still counted.
  const before = process.memoryUsage().heapUsed;
  rows(100_000);
  return process.memoryUsage().heapUsed - before;
}

let lines = 0;

/** A line's run folder with an inference agent in it. */
export function rig(strategy: string, change: (config: LineConfig["inference"]) => void = () => {}) {
  const runDir = mkdtempSync(join(folder, `line-${lines++}-`));
  const { config } = parseLine(readFileSync(join(ROOT, "ops/lines/demo.yaml"), "utf8"), join(ROOT, "ops/lines/demo.yaml"));
  config.inference.model = MODEL;
  config.inference.strategy = strategy;
  change(config.inference);
  for (const spec of segmentsOf(config.instruments.length, modelsOf(config).map(() => 50_000))) makeSegment(runDir, spec);
  const control = new Control(Segment.open(join(runDir, "control")));
  const ring = Segment.open(join(runDir, "features"));
  const template = new Uint8Array(FEATURES_BYTES);
  featuresPrefix(new DataView(template.buffer), 0);
  const feed = new Publisher(ring, template, FEATURES_ID, stampWords);
  const outlet = new Kept();
  const block = control.service("inference");
  const context = {
    name: "inference", config, runDir, block, lineBlock: control.line, replay: true, counterparty: "venue",
    peer: (name: "feed") => control.service(name),
    log: { info() {} },
    inlet: () => new Subscriber(ring, "next"),
    outlet: () => outlet,
  } as unknown as ServiceContext;
  const agent = createInference(context);
  const row = new FeaturesView();
  return {
    agent, outlet, block, runDir,
    upstream: control.service("feed"),
    count: (name: CounterName) => block.counter(counter(name)),
    publish(fill: (row: FeaturesView) => void): void {
      const at = feed.claim();
      assert.ok(row.wrap(feed.view, at));
      row.seq = 41;
      row.bid = 1_000_000;
      row.ask = 1_000_100;
      fill(row);
      feed.commit();
    },
  };
}
