/**
 * What learning costs a tick: a rehearsed replay of generated flow at its own pace, the hot path of `tickline bench line`, with a learner beside it
 * as live, which works in some windows and is stopped in others (`learning-windows.ts`). Judged is the p99 of inference's own tick (row of features to
 * prediction) and that of the line (packet to order), each by the interval of its ratio (`ratio.ts`).
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, getPriority, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { TicklineError } from "../../services/kit/errors.ts";
import { native } from "../../services/kit/native.ts";
import { Control } from "../../services/kit/ring/control.ts";
import { Segment } from "../../services/kit/ring/segment.ts";
import { runDirOf, SEGMENT } from "../../services/kit/segments.ts";
import { CONTROL, LEARNING, measure, NONE, type Watched, type WindowOptions, type Windows } from "./learning-windows.ts";
import { ownLine } from "./line.ts";
import { percentile, pooled, ratio, verdict, type Block } from "./ratio.ts";
import type { Row } from "./row.ts";
import { runProgram } from "./rust-rows.ts";

/** At most four windows without learning follow each other, in which come fewer rows than the learner can be behind (7,168) before it loses some. */
const DEFAULT: WindowOptions = { blocks: 120, windowMs: 200 };
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const LINE = fileURLToPath(new URL("learning-line.ts", import.meta.url));
const START_MS = 120_000;
/** The venue process shares a core with the learner; so far away, in simulated time, it always has its turn before the line would wait for it. */
const VENUE_AWAY_NS = 1_000_000;
/** Time that a window takes beside its own length, and the capture beside all windows. */
const AROUND_MS = 100;
const SPARE_S = 15;
/** All windows come after as long a time of the same line, which warms up on its own flow. */
const WARM_MS = 5_000;
/** Learning may make the p99 so many times as long. */
const LIMIT = 1.05;
const P99 = 0.99;

/** The heaviest learning that there is a setting for: a step of Adam at every label, and an envelope that lets every offer be published, so that the line takes new weights up each second. */
const LEARNER = {
  cadence: "tick", rate: 0.0005, horizon: 20,
  envelope: { offer_ms: 1000, change_max: 10, drift_max: 100, score_slack: 1, labels_min: 1 },
};

/** The flow that is replayed: that of `tickline bench line`, but three times as fast, since a p99 is known as well as a hundredth of its ticks is many. */
const FLOW = { rate: 3_000, seed: 7 };

/** Runs the benchmark: about four minutes. */
export async function benchLearning(options: WindowOptions = DEFAULT): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "tickline-bench-"));
  const { file, name } = await learningLine(folder);
  const capture = join(folder, "flow.pcap");
  const seconds = Math.ceil((WARM_MS + 6 * options.blocks * (options.windowMs + AROUND_MS)) / 1000) + SPARE_S;
  await runProgram("tickline-exchange", ["--generate", capture, "--seconds", String(seconds), "--rate", String(FLOW.rate), "--seed", String(FLOW.seed)]);
  const all = native.processCores();
  const line = spawn(process.execPath, [LINE, file, capture], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  try {
    await armed(line);
    const control = new Control(Segment.openReadOnly(`${runDirOf(name)}/${SEGMENT.control}`));
    keepOff(native.processCores(control.service("inference").pid()), all);
    giveWay(control.service("exchange").pid());
    await sleep(WARM_MS);
    return rows(await measure(control, options), options, coresOf(control));
  } finally {
    native.processKeepTo(all);
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
}

/** This process measures; it leaves the line's core to the line, if that has one. */
function keepOff(line: readonly number[], all: readonly number[]): void {
  const rest = all.filter((core) => !line.includes(core));
  if (rest.length > 0) native.processKeepTo(rest);
}

/** The venue is the market: where it shares a core with the learner, it does not wait for it, and the line does not for the venue. */
function giveWay(venue: number): void {
  try {
    setPriority(venue, constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Not allowed here; the niceness that it has is shown.
  }
}

/** Which cores each process may run on, and how nice it is. */
function coresOf(control: Control): string {
  const pids = [
    ["line", control.service("inference").pid()], ["learner", control.service("learner").pid()],
    ["venue", control.service("exchange").pid()], ["benchmark", process.pid],
  ] as const;
  return pids.map(([name, pid]) => `${name} ${native.processCores(pid).join("+")} (nice ${getPriority(pid)})`).join(", ");
}

/** The two that are judged. */
const JUDGED = new Map<Watched, string>([["inference", "tick, row to prediction"], ["line", "packet to order"]]);

function rows({ hops, steps, published }: Windows, { blocks, windowMs }: WindowOptions, cores: string): Row[] {
  const note = `${2 * blocks} windows of ${windowMs} ms; ${steps} steps and ${published} publications in those with learning; the learner's process is stopped in the others`;
  const others = [...hops].filter(([name]) => !JUDGED.has(name));
  return [
    ...[...JUDGED].flatMap(([name, words]) => judged(words, hops.get(name) ?? [], note)),
    ...others.map(([name, counts]) => compared(`hop ${name}: learning / none`, counts, LEARNING, [NONE, CONTROL])),
    { bench: "learning", name: `cores: ${cores}`, unit: "", p50: null, p99: null, p999: null, max: null, rate: null, note: "cores that each process may run on" },
  ];
}

function judged(what: string, blocks: readonly Block[], note: string): Row[] {
  const times = (name: string, kinds: readonly number[]): Row => {
    const counts = pooled(blocks, kinds);
    const [p50, p99, p999] = [0.5, P99, 0.999].map((share) => percentile(counts, share)) as [number | null, number | null, number | null];
    return { bench: "learning", name: `${what}: ${name}`, unit: "ns", p50, p99, p999, max: null, rate: null, note: `${counts.reduce((sum, count) => sum + count, 0)} in ${note}` };
  };
  const [measured, control] = [ratio(blocks, P99, LEARNING, [NONE, CONTROL]), ratio(blocks, P99, CONTROL, [NONE])];
  return [
    times("learning", [LEARNING]), times("no learning", [NONE, CONTROL]),
    { ...compared(`${what}: learning / none`, blocks, LEARNING, [NONE, CONTROL]), verdict: verdict(measured, control, LIMIT) },
    compared(`${what}: floor, none / none`, blocks, CONTROL, [NONE]),
  ];
}

/** A row of ratios, block by block. */
function compared(name: string, blocks: readonly Block[], kind: number, others: readonly number[]): Row {
  const found = ratio(blocks, P99, kind, others);
  return {
    bench: "learning", name, unit: "ratio", rate: null, max: null, p99: found?.value ?? null,
    p50: ratio(blocks, 0.5, kind, others)?.value ?? null, p999: ratio(blocks, 0.999, kind, others)?.value ?? null,
    ...(found === null ? {} : { interval: [found.low, found.high] as const }),
    note: `mean of the middle half of ${blocks.length} blocks; 95 % interval of the ratio of p99, by bootstrap over the blocks`,
  };
}
