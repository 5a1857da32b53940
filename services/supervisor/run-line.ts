/** One run of a line, from the empty folder to the empty folder: segments, processes, supervision, and what is left to tell. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { nowNs, wallMs, wallText } from "../kit/clock.ts";
import { BESIDE, modelsOf, placeOf, type LineConfig } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";
import { EXCHANGE, exchangeConfig } from "../kit/exchange.ts";
import { makeSegment } from "../kit/make-segment.ts";
import { native } from "../kit/native.ts";
import { Control } from "../kit/ring/control.ts";
import { Segment } from "../kit/ring/segment.ts";
import { BELLS, bellOf, runDirOf, SEGMENT, segmentsOf } from "../kit/segments.ts";
import { ControlHealth } from "./control-health.ts";
import { decideCores } from "./cores.ts";
import { planProcesses, type LearnerSeat, type PlacementMode, type ProcessGroup } from "./plan.ts";
import type { ProcessSpec } from "./process.ts";
import { decideRests } from "./rests.ts";
import { RestartWindow } from "./restart-window.ts";
import { makeRehearsalFlows } from "./rehearsal-flows.ts";
import { RunDir } from "./run-dir.ts";
import { snapshot, type LineSnapshot } from "./snapshot.ts";
import { Supervisor, type LineEvent, type Outcome } from "./supervise.ts";

const HOST = fileURLToPath(new URL("../line/main.ts", import.meta.url));

/** Time from SIGTERM to SIGKILL: a service finishes its duty cycle, drains, and writes its summary. */
const STOP_MS = 5000;

/** What to run, and who listens. */
export interface LineRun {
  readonly config: LineConfig;
  readonly placement: PlacementMode;
  /** True in replay: the venue follows, and the line ends at the end of its capture. */
  readonly replay: boolean;
  /** In a replay too the learner stands beside the line, in a process of its own, as it does live: what it costs is then seen, and orders may differ from run to run. */
  readonly learnerApart?: true;
  /** Whether the services warm up on generated flow before they are ready. */
  readonly rehearse: boolean;
  /** Instruments to make room for: those of the line, or of the capture when the line names none. */
  readonly instruments: number;
  /** Looked at every few milliseconds; true ends the run. */
  readonly stopWanted: () => boolean;
  readonly onEvent: (event: LineEvent) => void;
  /** Each line that a process prints. */
  readonly onLine: (process: string, line: string) => void;
  /** Sentences for the operator: cores, cleaned leftovers. */
  readonly say: (sentence: string) => void;
  /** Called once, when the control segment exists; it stays mapped until the run is over. */
  readonly onControl: (control: Control) => void;
}

/** What a run leaves behind. */
export interface LineResult {
  readonly outcome: Outcome;
  readonly run_id: number;
  /** From the start of the first process to the end of the last. */
  readonly seconds: number;
  /** Why orders waited for more than the work on them, as far as placement goes; empty when it does not. */
  readonly wait: string;
  /** The control segment after the last process ended. */
  readonly line: LineSnapshot;
  /** What each service that ended cleanly wrote as its summary; the exchange's is the last JSON line it printed. */
  readonly summaries: Readonly<Record<string, unknown>>;
}

/**
 * Runs the line to its end.
 * @throws TicklineError TL_LINE_BUSY, TL_SEGMENT; a line that fails to start or gives up is an outcome, not an error
 */
export async function runLine(run: LineRun): Promise<LineResult> {
  if (statSync(EXCHANGE, { throwIfNoEntry: false }) === undefined) {
    throw new TicklineError("TL_ADDON", `the venue process ${EXCHANGE} is not built: run node ops/bootstrap/bootstrap.mjs prepare`);
  }
  const folder = RunDir.take(runDirOf(run.config.line), { lock: (descriptor) => native.processLock(descriptor), say: run.say, nowText: wallText });
  try {
    return await runIn(folder.path, run);
  } finally {
    folder.close();
  }
}

async function runIn(runDir: string, asked: LineRun): Promise<LineResult> {
  const rests = decideRests(planProcesses(asked.config.placement, asked.placement, seatOf(asked), asked.config.recorder !== undefined), asked.config.placement, native.processCores().length);
  if (rests.changed !== "") asked.say(rests.changed);
  const run = { ...asked, config: { ...asked.config, placement: rests.placement } };
  const { config } = run;
  const modelBytes = modelsOf(config).map((model) => statSync(model, { throwIfNoEntry: false })?.size ?? 0);
  for (const segment of segmentsOf(run.instruments, modelBytes, config.recorder)) makeSegment(runDir, segment);
  for (const service of BELLS) native.NativeBell.create(bellOf(runDir, service));
  const control = new Control(Segment.open(`${runDir}/${SEGMENT.control}`));
  const runId = wallMs();
  control.line.setRunId(runId);
  // The hosts read what we read, with absolute paths and defaults filled in: JSON is YAML.
  writeFileSync(`${runDir}/line.yaml`, JSON.stringify(config, null, 2));
  writeFileSync(`${runDir}/exchange.config.json`, JSON.stringify(exchangeConfig(config, run.replay), null, 2));
  if (run.rehearse) makeRehearsalFlows(config, rehearsalOf(runDir));
  run.onControl(control);

  const health = new ControlHealth(control, runDir);
  const said = new LastWords(run.onLine);
  const beganNs = nowNs();
  const supervisor = new Supervisor(processSpecs(runDir, run), {
    startMs: config.supervision.start_timeout_ms,
    heartbeatMs: config.supervision.heartbeat_timeout_ms,
    stopMs: STOP_MS,
  }, {
    health,
    window: new RestartWindow(config.supervision.restarts_max, config.supervision.window_s * 1000),
    besideWindow: new RestartWindow(config.supervision.restarts_max, config.supervision.window_s * 1000),
    nowMs: () => nowNs() / 1e6,
    env: process.env,
    onEvent: run.onEvent,
    onLine: said.hear,
    onUp: ({ spec, pid }) => {
      if (spec.core !== undefined && pid !== undefined) native.processPin(pid, spec.core);
      if (spec.beside && pid !== undefined) giveWay(pid);
    },
    stopWanted: run.stopWanted,
  });
  const outcome = await supervisor.run();
  health.end();
  return {
    outcome,
    run_id: runId,
    seconds: (nowNs() - beganNs) / 1e9,
    wait: rests.wait,
    line: snapshot(control, runDir),
    summaries: { ...readSummaries(runDir), ...said.exchangeSummary() },
  };
}

/** What stands beside the line yields to it where they share a core: the scheduler gives a process of this niceness a tenth of the time. */
const BESIDE_NICENESS = 10;

function giveWay(pid: number): void {
  try {
    setPriority(pid, BESIDE_NICENESS);
  } catch {
    // It has ended meanwhile; the next one is asked again.
  }
}

function rehearsalOf(runDir: string): string {
  return `${runDir}/rehearsal`;
}

function processSpecs(runDir: string, run: LineRun): ProcessSpec[] {
  const { placement } = run.config;
  const groups = planProcesses(placement, run.placement, seatOf(run), run.config.recorder !== undefined);
  const wanted = new Map(groups.flatMap(({ name, services }) => {
    const core = services.map((service) => placeOf(placement, service).core).find((asked) => asked !== undefined);
    return core === undefined ? [] : [[name, core] as const];
  }));
  const cores = decideCores(groups, wanted, native.processCores());
  // What is not pinned, this process included, keeps off the pinned cores; the processes that it starts inherit that.
  if (cores.rest.length > 0) native.processKeepTo([...cores.rest]);
  run.say(`${cores.text}; ${idleText(groups, run.config)}`);
  return groups.map(({ name, services, beside }) => ({
    name,
    services,
    beside,
    ...(name === "exchange" ? { core: cores.pins.get(name), ...exchangeCommand(runDir) } : hostCommand(runDir, services, run, cores.pins.get(name))),
  }));
}

function seatOf({ config, replay, learnerApart }: LineRun): LearnerSeat {
  if (config.learner === undefined) return "none";
  return replay && learnerApart !== true ? "tapped" : "apart";
}

function idleText(groups: readonly ProcessGroup[], { placement }: LineConfig): string {
  return `idle: ${groups.map(({ name, services }) => `${name} ${services[0] === undefined ? "" : placeOf(placement, services[0]).idle}`).join(", ")}`;
}

function exchangeCommand(runDir: string): Pick<ProcessSpec, "command" | "args"> {
  return { command: EXCHANGE, args: ["--config", `${runDir}/exchange.config.json`, "--control", `${runDir}/${SEGMENT.control}`, "--parent", String(process.pid)] };
}

/**
 * How a host's garbage is collected: none for a smaller heap's sake after some quiet seconds (the memory reducer), and once, by the host
 * itself, before it is ready (`--expose-gc`).
 */
const GARBAGE = ["--no-memory-reducer", "--expose-gc"];

/**
 * How a host's hot code is compiled: whole, and before it is needed. By default V8 stops inlining at 920 bytes of bytecode, which leaves a
 * call, and a boxed number now and then, at most fields of a message: half a microsecond on the way of an order. And what a rehearsal calls
 * less than 3,000 times, such as a strategy, it compiles during trading or never.
 */
const COMPILING = [
  "--max-inlined-bytecode-size=2000", "--max-inlined-bytecode-size-cumulative=4000", "--max-inlined-bytecode-size-small=80",
  "--invocation-count-for-turbofan=600",
];

/** A host pins itself, before it rehearses: what it warms is its core's too. */
function hostCommand(runDir: string, services: readonly string[], run: LineRun, core: number | undefined): Pick<ProcessSpec, "command" | "args"> {
  const args = [...GARBAGE, ...COMPILING, HOST, "--config", `${runDir}/line.yaml`, "--run-dir", runDir, "--services", services.join(","), "--parent", String(process.pid)];
  if (core !== undefined) args.push("--core", String(core));
  // What stands beside the line ends with its supervisor, not with the capture, and the rehearsal warms the flow: it has nothing to be quick at.
  const flows = services.some((service) => !(BESIDE as readonly string[]).includes(service));
  if (run.replay && flows) args.push("--replay");
  if (run.rehearse && flows) args.push("--rehearse", rehearsalOf(runDir));
  return { command: process.execPath, args };
}

function readSummaries(runDir: string): Record<string, unknown> {
  const summaries: Record<string, unknown> = {};
  for (const service of ["execution", "risk", "inference", "feed", ...BESIDE]) {
    try {
      summaries[service] = JSON.parse(readFileSync(`${runDir}/${service}.json`, "utf8"));
    } catch {
      // It did not end cleanly, so it left none; the summary then says so by its absence.
    }
  }
  return summaries;
}

/** Passes lines on and remembers the last JSON line of the exchange. */
class LastWords {
  readonly #onLine: LineRun["onLine"];
  #exchange: string | undefined;

  constructor(onLine: LineRun["onLine"]) {
    this.#onLine = onLine;
  }

  readonly hear = (process: string, line: string): void => {
    if (process === "exchange" && line.startsWith("{")) this.#exchange = line;
    this.#onLine(process, line);
  };

  exchangeSummary(): Record<string, unknown> {
    if (this.#exchange === undefined) return {};
    try {
      return { exchange: JSON.parse(this.#exchange) };
    } catch {
      return {};
    }
  }
}
