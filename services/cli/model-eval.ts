/** `tickline model eval`: tests a model file on a capture, as it is or learning on. */
import { resolve } from "node:path";
import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { TicklineError } from "../kit/errors.ts";
import { evaluate, type EvaluateOptions, type Evaluation } from "../trainer/evaluate.ts";
import { FORECASTERS, HABIT, habitLine, online, type OnlineEvaluation } from "../trainer/online.ts";
import { calibrationPlot, confusionPlot, onlinePlot } from "../trainer/plot.ts";
import { dollars, whole } from "./columns.ts";
import { number, numbers } from "./option-values.ts";
import { meter } from "./train-meter.ts";
import { calibrationTable, classTable, counts, scoreTable } from "./train-tables.ts";

interface Flags {
  readonly capture: string;
  readonly symbols?: string[];
  readonly labels?: "exact" | "smoothed";
  readonly horizon?: number;
  readonly threshold?: number;
  readonly part?: number[];
  readonly online?: true;
  readonly rate: number;
  readonly batch: number;
  readonly memory: number;
  readonly every: number;
  readonly plot?: string;
  readonly json?: true;
}

const HELP = `
What is not given comes from the model's training record: symbols, labels,
horizon, threshold, and as the part to test what it was not trained on. On a
stock that it was not trained on, that is the whole capture, and the threshold
moves with the price.

--online tests the model beside itself, learning: each row is answered first,
each label is learned once its future has come. The file stays as it is.

Examples:
  npx tickline model eval bin-c-tabl.tlm --capture GOOG.pcap.gz
  npx tickline model eval seed1.tlm seed2.tlm seed3.tlm --capture GOOG.pcap.gz
  npx tickline model eval bin-c-tabl.tlm --capture GOOG.pcap.gz --online --plot goog
  npx tickline model eval relative.tlm --capture AMZN.pcap.gz --symbols AMZN --online

Exit codes: 0 done; 2 usage, a model file or a capture that does not do.
`;

/** The verb. */
export function modelEvalCommand(): Command {
  return new Command("eval")
    .description("test a model file on a capture, beside the baselines")
    .argument("<files...>", "a model file (.tlm); several answer together, with the mean of their probabilities")
    .requiredOption("--capture <file>", "pcap or pcapng, gzip allowed")
    .option("--symbols <symbol...>", "symbols to test on")
    .addOption(new Option("--labels <kind>", "how rows are labelled").choices(["exact", "smoothed"]))
    .option("--horizon <rows>", "rows ahead that labels look", number(1, 100_000, true))
    .option("--threshold <x>", "moves above this size are up or down, 1/10,000 dollar", number(0, 1e9, false))
    .option("--part <percent>", "from,end: the part of the rows to test on", numbers(0, 100, 2))
    .option("--online", "let the model learn on beside itself, frozen: prequential evaluation")
    .option("--rate <x>", "learning rate of --online", number(1e-8, 1, false), HABIT.rate)
    .option("--batch <labels>", "labels a step of --online; rows a step where state is carried", number(1, 10_000, true), HABIT.batch)
    .option("--memory <labels>", "newest labels that steps of --online draw from; 0: each takes the newest alone", number(0, 1_000_000, true), HABIT.memory)
    .option("--every <labels>", "new labels between two steps that draw from memory", number(1, 100_000, true), HABIT.every)
    .option("--plot <prefix>", "write PREFIX.calibration.svg and PREFIX.confusion.svg, or PREFIX.online.svg")
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action(run);
}

function onlineText(result: OnlineEvaluation): string {
  const width = process.stdout.columns || Infinity;
  const { labels, horizon, threshold, habit, steps, scores } = result;
  return [
    `${result.name}, hash ${result.hash}, on ${result.symbols.join(", ")}: ${labels} labels ${horizon} rows ahead, threshold ${dollars(Math.round(threshold * 10) / 10)}`,
    `rows ${counts(result.classes)}; ${whole(steps)} steps: ${habitLine(habit)}`,
    "",
    ...scoreTable(FORECASTERS.map((who) => [who, scores[who]] as const), width),
  ].join("\n");
}

async function learnOn(file: string, options: EvaluateOptions, flags: Flags): Promise<void> {
  const show = meter();
  const { rate, batch, memory, every } = flags;
  const result = await online(options, { rate, batch, memory, every }, ({ share, rows }) => show({ share, rows }, `testing ${file}`));
  if (flags.plot !== undefined) writeFileSync(`${flags.plot}.online.svg`, onlinePlot(result.stretches, FORECASTERS, result.name));
  process.stdout.write(`${flags.json === true ? JSON.stringify(result, null, 2) : onlineText(result)}\n`);
}

function text(result: Evaluation): string {
  const width = process.stdout.columns || Infinity;
  const { score, persistence, majority, confusion, calibration, labels, horizon, threshold } = result;
  return [
    `${result.name}, hash ${result.hash}, on ${result.symbols.join(", ")}: ${labels} labels ${horizon} rows ahead, threshold ${dollars(Math.round(threshold * 10) / 10)}`,
    `rows ${counts(result.classes)}${result.unanswered > 0 ? `; ${result.unanswered} more had no full window` : ""}`,
    "",
    ...scoreTable([["model", score], ["persistence", persistence], ["majority", majority]], width),
    "",
    ...classTable(score, confusion, width),
    "",
    ...calibrationTable(calibration, width),
  ].join("\n");
}

async function run([file = "", ...others]: readonly string[], flags: Flags): Promise<void> {
  const [from, to] = flags.part ?? [];
  const part = from === undefined || to === undefined ? undefined : ([from / 100, to / 100] as const);
  const { symbols, labels, horizon, threshold } = flags;
  const options = { model: resolve(file), capture: resolve(flags.capture), symbols, labels, horizon, threshold, part };
  if (flags.online === true && others.length > 0) throw new TicklineError("TL_USAGE", "--online takes one model file at a time");
  if (flags.online === true) return learnOn(file, options, flags);
  const result = await evaluate({ ...options, others: others.map((other) => resolve(other)) });
  if (flags.plot !== undefined) {
    writeFileSync(`${flags.plot}.calibration.svg`, calibrationPlot(result.calibration, result.name));
    writeFileSync(`${flags.plot}.confusion.svg`, confusionPlot(result.confusion, result.name));
  }
  process.stdout.write(`${flags.json === true ? JSON.stringify(result, null, 2) : text(result)}\n`);
}
