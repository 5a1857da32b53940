/** `tickline run`: starts a line, shows it, keeps it up, stops it, and says what happened. */
import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { nowNs } from "../kit/clock.ts";
import { loadLine } from "../kit/config.ts";
import { Exit, TicklineError } from "../kit/errors.ts";
import type { Control } from "../kit/ring/control.ts";
import type { PlacementMode } from "../supervisor/plan.ts";
import { runDirOf } from "../kit/segments.ts";
import { runLine } from "../supervisor/run-line.ts";
import { snapshot } from "../supervisor/snapshot.ts";
import type { LineEvent, Outcome } from "../supervisor/supervise.ts";
import { LiveView, REDRAWS_PER_SECOND, standardScreen } from "./live-view.ts";
import { requireCaptures, requireModel } from "./preflight.ts";
import { StopSignals } from "./stop-signals.ts";
import { summarize, summaryText } from "./summary.ts";

interface RunOptions {
  seconds?: number;
  placement: PlacementMode;
  json?: string;
  rehearse: boolean;
  verbose?: true;
}

const HELP = `
Examples:
  npx tickline run ops/lines/demo.yaml --seconds 60
  npx tickline run ops/lines/demo.yaml --placement fused --json out.json

Ctrl-C stops the line in order; exit code 130 after a clean stop.
Exit codes: 0 done, 2 the line file or a file it names is wrong, 3 the line
failed to start or was restarted too often, 4 internal error, 130 interrupted.
`;

/** The verb. */
export function runCommand(): Command {
  return new Command("run")
    .description("start the processes of a line, watch and restart them, stop them in reverse order")
    .argument("<line.yaml>", "line file, such as ops/lines/demo.yaml")
    .option("--seconds <n>", "stop after so many seconds of trading (default: run until it is stopped)", positive)
    .addOption(new Option("--placement <how>", "processes: one each; fused: one thread for all").choices(["configured", "processes", "fused"]).default("configured", "as the line file says"))
    .option("--json <file>", "write the summary as JSON, - for standard output instead of the text")
    .option("--no-rehearse", "skip the warm-up on generated flow before each process is ready")
    .option("--verbose", "also show what the processes print")
    .addHelpText("after", HELP)
    .action(run);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1e6)) throw new InvalidArgumentError("give a number of seconds above 0 and at most 1000000");
  return value;
}

async function run(file: string, options: RunOptions): Promise<void> {
  const { config, hash, requireFiles } = loadLine(file);
  requireFiles();
  requireModel(config, file);
  requireCaptures(config);
  const quiet = options.json === "-";
  const view = new LiveView(standardScreen());
  const say = (sentence: string): void => { if (!quiet) view.say(sentence); };
  const signals = new StopSignals();
  const watch = new Watch(config.line, options.seconds, view);
  const events: LineEvent[] = [];
  say(`${config.line}: ${file}, configuration ${hash.slice(0, 12)}`);
  try {
    const result = await runLine({
      config,
      placement: options.placement,
      replay: config.feed.source.kind === "pcap",
      rehearse: options.rehearse,
      instruments: Math.max(1, config.instruments.length),
      stopWanted: () => signals.seen || watch.isOver(),
      onEvent: (event) => {
        events.push(event);
        if (event.kind === "armed") watch.begin(quiet);
        const sentence = eventText(event);
        if (sentence !== undefined) say(sentence);
      },
      onLine: (process, line) => { if (options.verbose) say(`${process}: ${line}`); },
      say,
      onControl: (control) => { watch.control = control; },
    });
    watch.end();
    const summary = summarize(result, { line: config.line, hash, placement: options.placement, interrupted: signals.seen, events });
    const text = `${JSON.stringify(summary, null, 2)}\n`;
    if (quiet) process.stdout.write(text);
    else process.stdout.write(`\n${summaryText(summary, standardScreen().columns)}`);
    if (options.json !== undefined && !quiet) writeFileSync(options.json, text);
    finish(result.outcome, signals.seen);
  } finally {
    watch.end();
    signals.close();
  }
}

/** Turns the outcome into the exit code. */
function finish(outcome: Outcome, interrupted: boolean): void {
  if (outcome.kind === "failed-to-start") throw new TicklineError("TL_START", outcome.cause);
  if (outcome.kind === "gave-up") throw new TicklineError("TL_RESTARTS", outcome.cause);
  if (interrupted) process.exitCode = Exit.Interrupted;
}

function eventText(event: LineEvent): string | undefined {
  switch (event.kind) {
    case "started": return `started ${event.process}, pid ${event.pid}`;
    case "armed": return "all run: orders may pass";
    case "left-halted": return "all run, but the line was halted and stays so: npx tickline resume lets orders pass";
    case "died": return `${event.process} ${event.cause}${event.beside ? "; the line goes on" : ": orders are refused"}`;
    case "left-down": return `${event.process} ${event.cause} once too often: the line goes on without it`;
    case "restarted": return `restarted ${event.process}${event.beside ? "" : " and what stands after it"} in ${event.tookMs.toFixed(0)} ms`;
    case "stopped": return event.how === "exited with code 0" ? undefined : `${event.process} ${event.how}`;
    case "gave-up": return undefined;
  }
}

/** The clock and the picture of a run: begins when the line is first armed. */
class Watch {
  control: Control | undefined;
  readonly #name: string;
  readonly #lasts: number | undefined;
  readonly #view: LiveView;
  #beganNs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, lasts: number | undefined, view: LiveView) {
    this.#name = name;
    this.#lasts = lasts;
    this.#view = view;
  }

  begin(quiet: boolean): void {
    if (this.#beganNs !== undefined) return;
    this.#beganNs = nowNs();
    if (!quiet) this.#timer = setInterval(() => { this.#draw(); }, 1000 / REDRAWS_PER_SECOND);
  }

  isOver(): boolean {
    return this.#lasts !== undefined && this.#beganNs !== undefined && this.#seconds() >= this.#lasts;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#view.clear();
  }

  #seconds(): number {
    return (nowNs() - (this.#beganNs ?? 0)) / 1e9;
  }

  #draw(): void {
    if (this.control !== undefined) this.#view.show({ line: snapshot(this.control, runDirOf(this.#name)), name: this.#name, seconds: this.#seconds(), lasts: this.#lasts });
  }
}
