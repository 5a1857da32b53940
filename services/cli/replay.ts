/** `tickline replay`: a capture through the real line against the venue, as a latency test that repeats bit for bit. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { configHash, loadLine, type LineConfig } from "../kit/config.ts";
import { Exit, TicklineError } from "../kit/errors.ts";
import { runLine, type LineResult } from "../supervisor/run-line.ts";
import type { LineEvent } from "../supervisor/supervise.ts";
import { recorder } from "../kit/recorder-config.ts";
import { evaluateGate, GateError, parseGate, type Gate, type GateResult } from "./gate-expression.ts";
import { requireModel, survey } from "./preflight.ts";
import { measured, replayReport, replayText, type ReplayReport } from "./replay-report.ts";
import { StopSignals } from "./stop-signals.ts";
import type { RunFacts } from "./summary.ts";

/** Symbols taken from a capture when the line names none; more need a line file that chooses. */
const SYMBOLS_MAX = 64;
/** Price step of a symbol that only the capture names, 1/10,000 dollar. */
const TICK = 100;

interface ReplayOptions {
  readonly placement: "fused" | "processes";
  readonly speed: number | "max";
  readonly gate?: Gate;
  readonly line: string;
  readonly json?: string;
  readonly journal?: string;
  readonly rehearse: boolean;
}

function speedOf(text: string): number | "max" {
  if (text === "max") return text;
  const speed = Number(text);
  if (!(speed > 0 && speed <= 1e6)) throw new InvalidArgumentError('give a number above 0, such as 1 or 0.5, or "max".');
  return speed;
}

function gateOf(text: string): Gate {
  try {
    return parseGate(text);
  } catch (error) {
    if (error instanceof GateError) throw new InvalidArgumentError(`${error.message} (at character ${error.at + 1}).`);
    throw error;
  }
}

/** The line of a replay: the capture is both what the feed reads and the background that the venue plays. */
function replayConfig(base: LineConfig, capture: string, symbols: readonly string[], options: ReplayOptions): LineConfig {
  const path = resolve(capture);
  if (symbols.length === 0) throw new TicklineError("TL_CAPTURE", `${capture}: no symbol in it; a replay needs order flow`);
  if (base.instruments.length === 0 && symbols.length > SYMBOLS_MAX) {
    throw new TicklineError("TL_CAPTURE", `${capture}: it has ${symbols.length} symbols; name at most ${SYMBOLS_MAX} of them under instruments in a line file and give it with --line`);
  }
  return {
    ...base,
    venue: { ...base.venue, flow: { kind: "capture", path } },
    instruments: base.instruments.length > 0 ? base.instruments : symbols.map((symbol) => ({ symbol, tick: TICK })),
    feed: { ...base.feed, source: { kind: "pcap", path, speed: options.speed } },
    ...(options.journal === undefined ? {} : { recorder: { ...(base.recorder ?? recorder.parse({ dir: options.journal })), dir: resolve(options.journal) } }),
  };
}

/** Runs it to the end of the capture, and says how it went wrong if it did. */
async function play(config: LineConfig, options: ReplayOptions, facts: RunFacts, say: (text: string) => void): Promise<LineResult> {
  const signals = new StopSignals();
  try {
    const result = await runLine({
      config,
      placement: options.placement,
      replay: true,
      rehearse: options.rehearse,
      instruments: config.instruments.length,
      stopWanted: () => signals.seen,
      onEvent: (event) => { (facts.events as LineEvent[]).push(event); },
      onLine: (name, line) => {
        if (process.env["TICKLINE_DEBUG"] === "1") say(`${name}: ${line}`);
      },
      say,
      onControl: () => {},
    });
    if (signals.seen) throw new TicklineError("TL_INTERRUPTED", "the replay was interrupted and its line stopped");
    if (result.outcome.kind === "failed-to-start") throw new TicklineError("TL_START", result.outcome.cause);
    if (result.outcome.kind === "gave-up") throw new TicklineError("TL_RESTARTS", `${result.outcome.cause}; a replay is not resumed`);
    return result;
  } finally {
    signals.close();
  }
}

function judged(gate: Gate, report: ReplayReport): GateResult {
  try {
    return evaluateGate(gate, measured(report));
  } catch (error) {
    if (error instanceof GateError) throw new TicklineError("TL_USAGE", `--gate '${gate.text}': ${error.message}`);
    throw error;
  }
}

async function replay(capture: string, options: ReplayOptions): Promise<void> {
  const { config: base, requireFiles } = loadLine(options.line);
  requireFiles();
  const { symbols, truncated_at } = survey(capture);
  const config = replayConfig(base, capture, symbols, options);
  requireModel(config, options.line);
  const facts: RunFacts = { line: config.line, hash: configHash(config), placement: options.placement, interrupted: false, events: [] };
  const result = await play(config, options, facts, (text) => void process.stderr.write(`${text}\n`));
  const report = replayReport(result, { ...facts, capture, speed: options.speed, truncatedAt: truncated_at ?? null });
  const gate = options.gate === undefined ? undefined : judged(options.gate, report);
  const json = `${JSON.stringify({ ...report, gate: gate === undefined ? null : { expression: options.gate?.text, ...gate } }, null, 2)}\n`;
  if (options.json === "-") process.stdout.write(json);
  else process.stdout.write(replayText(result, report, facts, gate, process.stdout.columns ?? Infinity));
  if (options.json !== undefined && options.json !== "-") writeFileSync(options.json, json);
  if (gate?.passed === false) process.exitCode = Exit.Gate;
}

const HELP = `
Latency counts from the moment each frame was due, so waiting is counted. At
speed max a frame is due when it is taken up.

Names for --gate: a hop (line, feed, inference, strategy, risk, gate, send, ack,
lateness, admit, wire, stall) with .count, .p50, .p90, .p99, .p999 or .max in
ns; and frames, messages, signals, orders, sent, fills, refusals, unanswered,
gaps, drops, gc, pnl, seconds. stall is not the line's doing: it is what the
machine took from it (ticks, interrupts, other guests), seen while it was idle.

Examples:
  npx tickline replay day.pcap.gz --gate 'line.p50<5us && line.p99<20us'
  npx tickline replay day.pcap.gz --placement processes --json out.json

Exit codes: 0 done, 1 the gate failed, 2 the capture, the line file or the gate
is wrong, 3 the line failed, 4 internal error, 130 interrupted.
`;

/** The verb. */
export function replayCommand(): Command {
  return new Command("replay")
    .description("run a capture (pcap, pcapng, gzip allowed; or a journal) through the real line against the venue and measure it")
    .argument("<capture>", "the capture")
    .addOption(new Option("--placement <where>", "fused: one thread; processes: one process a service").choices(["fused", "processes"]).default("fused"))
    .option("--speed <n>", "1 is the pace of the capture; max does not wait", speedOf, 1 as number | "max")
    .option("--gate <expression>", "exit 1 unless it holds", gateOf)
    .option("--line <file>", "line file for limits, model, strategy and delays", "ops/lines/replay.yaml")
    .option("--json <file>", "write the report as JSON; - for standard output instead of the table")
    .option("--journal <folder>", "record the run into a journal: frames, signals, orders, fills")
    .option("--no-rehearse", "skip the warm-up on generated flow before the first frame")
    .addHelpText("after", HELP)
    .action(replay);
}
