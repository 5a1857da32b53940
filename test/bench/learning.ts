/**
 * What learning costs a tick: packet to order on the wire, with the learner at work and without, in one run of a rehearsed replay of generated flow
 * at its own pace: the hot path of `tickline bench line`, with a learner beside it as live. The learner's process is stopped and let go on again (SIGSTOP, SIGCONT) in short windows, on off off on, so that both see the same market
 * and the same machine; what waited while it was stopped it learns in the windows where it runs, so it works twice as much there.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { TicklineError } from "../../services/kit/errors.ts";
import { Control } from "../../services/kit/ring/control.ts";
import { BINS, binValue, type Histogram } from "../../services/kit/ring/histogram.ts";
import { counter, hop } from "../../services/kit/ring/names.ts";
import { Segment } from "../../services/kit/ring/segment.ts";
import { runDirOf, SEGMENT } from "../../services/kit/segments.ts";
import { ownLine } from "./line.ts";
import type { Row } from "./row.ts";
import { runProgram } from "./rust-rows.ts";

/** How much to measure. */
export interface LearningOptions {
  /** Windows of each kind; an even number. */
  readonly windows: number;
  /** Length of a window. */
  readonly windowMs: number;
}

const DEFAULT: LearningOptions = { windows: 40, windowMs: 500 };
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const LINE = fileURLToPath(new URL("learning-line.ts", import.meta.url));
/** Nothing is counted for so long after the learner was stopped or let go on. */
const SETTLE_MS = 20;
const START_MS = 120_000;
/** The venue process shares a core with the learner; so far away, in simulated time, it always has its turn before the line would wait for it. */
const VENUE_AWAY_NS = 1_000_000;
/** The capture is so much longer than what is measured of it. */
const SPARE_S = 10;
/** Both kinds of window come after as long a time of the same line, which warms up on its own flow. */
const WARM_MS = 5_000;

/** The heaviest learning that there is a setting for: a step of Adam at every label, and an envelope that lets every offer be published, so that the line takes new weights up each second. */
const LEARNER = {
  cadence: "tick", rate: 0.0005, horizon: 20,
  envelope: { offer_ms: 1000, change_max: 10, drift_max: 100, score_slack: 1, labels_min: 1 },
};

/** The flow that is replayed: that of `tickline bench line`, longer. */
const FLOW = { rate: 1_000, seed: 7 };

/** Runs the benchmark: about a minute and a half. */
export async function benchLearning(options: LearningOptions = DEFAULT): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "tickline-bench-"));
  const { file, name } = await learningLine(folder);
  const capture = join(folder, "flow.pcap");
  const seconds = Math.ceil((WARM_MS + 2 * options.windows * (options.windowMs + SETTLE_MS)) / 1000) + SPARE_S;
  await runProgram("tickline-exchange", ["--generate", capture, "--seconds", String(seconds), "--rate", String(FLOW.rate), "--seed", String(FLOW.seed)]);
  const line = spawn(process.execPath, [LINE, file, capture], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  try {
    await armed(line);
    const control = new Control(Segment.openReadOnly(`${runDirOf(name)}/${SEGMENT.control}`));
    return rows(await measure(control, options), control, options);
  } finally {
    line.kill("SIGTERM");
    if (line.exitCode === null) await once(line, "close");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The line of a plain replay with a learner beside it. */
async function learningLine(folder: string): Promise<{ readonly file: string; readonly name: string }> {
  const file = await ownLine(join(folder, "line.yaml"));
  const line = parse(readFileSync(file, "utf8")) as Record<string, Record<string, unknown>>;
  Object.assign(line["venue"] ?? {}, { delay_out_ns: VENUE_AWAY_NS, delay_back_ns: VENUE_AWAY_NS });
  Object.assign(line, { instruments: [{ symbol: "TLKA", tick: 100 }, { symbol: "TLKB", tick: 100 }], learner: { ...LEARNER, state: join(folder, "state") } });
  // A stopped learner is no dead one.
  Object.assign(line["supervision"] ?? {}, { heartbeat_timeout_ms: 600_000, start_timeout_ms: 60_000 });
  writeFileSync(file, stringify(line));
  return { file, name: String(line["line"]) };
}

async function armed(line: ChildProcess): Promise<void> {
  let said = "";
  line.stdout?.setEncoding("utf8").on("data", (text: string) => { said += text; });
  for (let waited = 0; !said.includes("armed"); waited += 50) {
    if (line.exitCode !== null || waited > START_MS) throw new TicklineError("TL_START", `the line of the benchmark did not start:\n${said}`);
    await sleep(50);
  }
  await sleep(WARM_MS);
}

/** Orders by latency: each window's share of the histogram. */
interface Measured {
  readonly on: Float64Array;
  readonly off: Float64Array;
  /** The windows without learning in two halves, turn by turn: how far apart two equal measurements are. */
  readonly halves: readonly [Float64Array, Float64Array];
  /** The same turn by turn (on off off on), so that one bad second of the machine is one turn's. */
  readonly turns: readonly Turn[];
}

/** One turn's windows with learning and without, and those without apart. */
interface Turn {
  readonly on: Float64Array;
  readonly off: Float64Array;
  readonly halves: readonly [Float64Array, Float64Array];
}

async function measure(control: Control, { windows, windowMs }: LearningOptions): Promise<Measured> {
  const histogram = control.service("execution").histograms[hop("line")] as Histogram;
  const learner = control.service("learner").pid();
  const empty = (): Float64Array => new Float64Array(BINS);
  const turn = (): Turn => ({ on: empty(), off: empty(), halves: [empty(), empty()] });
  const turns: Turn[] = [];
  const measured: Measured = { ...turn(), turns };
  try {
    for (let nth = 0; nth < 2 * windows; nth++) {
      const on = nth % 4 === 0 || nth % 4 === 3;
      if (nth % 4 === 0) turns.push(turn());
      process.kill(learner, on ? "SIGCONT" : "SIGSTOP");
      await sleep(SETTLE_MS);
      const before = bins(histogram);
      await sleep(windowMs);
      const after = bins(histogram);
      const half = nth % 4 === 1 ? 0 : 1;
      const to = [measured, turns.at(-1) as Turn].flatMap((each) => (on ? [each.on] : [each.off, each.halves[half]]));
      for (let bin = 0; bin < BINS; bin++) {
        const count = (after[bin] as number) - (before[bin] as number);
        for (const counts of to) counts[bin] = (counts[bin] as number) + count;
      }
    }
  } finally {
    process.kill(learner, "SIGCONT");
  }
  return measured;
}

function bins(histogram: Histogram): Float64Array {
  return Float64Array.from({ length: BINS }, (_, bin) => histogram.bin(bin));
}

/** Smallest latency that a share of the orders does not exceed, ns, within 0.8 %; null without orders. */
export function percentile(counts: Float64Array, share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const wanted = Math.max(1, Math.ceil(total * share));
  let seen = 0;
  return binValue(counts.findIndex((count) => (seen += count) >= wanted));
}

/** The ratio of two percentiles; null where one has no orders. */
function ratioOf(above: Float64Array, below: Float64Array, share: number): number | null {
  const [a, b] = [percentile(above, share), percentile(below, share)];
  return a === null || b === null || b === 0 ? null : a / b;
}

/** The middle of the turns that have a ratio; null without any. */
function median(ratios: readonly (number | null)[]): number | null {
  const known = ratios.filter((ratio) => ratio !== null).sort((a, b) => a - b);
  return known[known.length >> 1] ?? null;
}

function rows({ on, off, halves, turns }: Measured, control: Control, { windows, windowMs }: LearningOptions): Row[] {
  const orders = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);
  const steps = control.service("learner").counter(counter("learn_steps"));
  const times = (name: string, counts: Float64Array, note: string): Row => ({
    bench: "learning", name, unit: "ns", rate: null, max: null, note: `${orders(counts)} orders in ${windows} windows of ${windowMs} ms; ${note}`,
    p50: percentile(counts, 0.5), p99: percentile(counts, 0.99), p999: percentile(counts, 0.999),
  });
  const ratio = (name: string, of: (share: number) => number | null, note: string): Row => ({
    bench: "learning", name, unit: "ratio", rate: null, max: null, p50: of(0.5), p99: of(0.99), p999: of(0.999), note,
  });
  return [
    times("packet to order, learning off", off, "the learner's process stopped"),
    times("packet to order, learning on", on, `a step at every label, ${steps} in all`),
    ratio("learning on / off", (share) => ratioOf(on, off, share), "of the two rows above"),
    ratio("floor: off / off", (share) => ratioOf(...halves, share), "half of the windows without learning against the other half: what the machine alone does"),
    ratio("by turns: on / off", (share) => median(turns.map((turn) => ratioOf(turn.on, turn.off, share))), `median of ${turns.length} turns (on off off on)`),
    ratio("floor by turns: off / off", (share) => median(turns.map((turn) => ratioOf(...turn.halves, share))), "likewise"),
  ];
}
