/** `tickline model eval`: tests model files on a capture, row by row through the engine that the line uses. */
import { resolve } from "node:path";
import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { evaluate, type Evaluation } from "../trainer/evaluate.ts";
import { calibrationPlot, confusionPlot } from "../trainer/plot.ts";
import { number, numbers } from "./option-values.ts";
import { calibrationTable, classTable, counts, scoreTable } from "./train-tables.ts";

interface Flags {
  readonly capture: string;
  readonly symbols?: string[];
  readonly labels?: "exact" | "smoothed";
  readonly horizon?: number;
  readonly threshold?: number;
  readonly part?: number[];
  readonly plot?: string;
  readonly json?: true;
}

const HELP = `
What is not given comes from the model's training record: symbols, labels,
horizon, threshold, and as the part to test what it was not trained on.

Examples:
  npx tickline model eval bin-c-tabl.tlm --capture GOOG.pcap.gz
  npx tickline model eval levels5.tlm --capture AMZN.pcap.gz --symbols AMZN --part 0,100

Exit codes: 0 done; 2 usage, a model file or a capture that does not do.
`;

/** The verb. */
export function modelEvalCommand(): Command {
  return new Command("eval")
    .description("test a model file on a capture, beside the baselines")
    .argument("<file>", "a model file (.tlm)")
    .requiredOption("--capture <file>", "pcap or pcapng, gzip allowed")
    .option("--symbols <symbol...>", "symbols to test on")
    .addOption(new Option("--labels <kind>", "how rows are labelled").choices(["exact", "smoothed"]))
    .option("--horizon <rows>", "rows ahead that labels look", number(1, 100_000, true))
    .option("--threshold <x>", "moves above this size are up or down, 1/10,000 dollar", number(0, 1e9, false))
    .option("--part <percent>", "from,end: the part of the rows to test on", numbers(0, 100, 2))
    .option("--plot <prefix>", "write PREFIX.calibration.svg and PREFIX.confusion.svg")
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action(run);
}

function text(result: Evaluation): string {
  const width = process.stdout.columns || Infinity;
  const { score, persistence, majority, confusion, calibration, labels, horizon, threshold } = result;
  return [
    `${result.name}, hash ${result.hash}, on ${result.symbols.join(", ")}: ${labels} labels ${horizon} rows ahead, threshold ${threshold / 10_000} dollar`,
    `rows ${counts(result.classes)}${result.unanswered > 0 ? `; ${result.unanswered} more had no full window` : ""}`,
    "",
    ...scoreTable([["model", score], ["persistence", persistence], ["majority", majority]], width),
    "",
    ...classTable(score, confusion, width),
    "",
    ...calibrationTable(calibration, width),
  ].join("\n");
}

async function run(file: string, flags: Flags): Promise<void> {
  const [from, to] = flags.part ?? [];
  const part = from === undefined || to === undefined ? undefined : ([from / 100, to / 100] as const);
  const { symbols, labels, horizon, threshold } = flags;
  const result = await evaluate({ model: resolve(file), capture: resolve(flags.capture), symbols, labels, horizon, threshold, part });
  if (flags.plot !== undefined) {
    writeFileSync(`${flags.plot}.calibration.svg`, calibrationPlot(result.calibration, result.name));
    writeFileSync(`${flags.plot}.confusion.svg`, confusionPlot(result.confusion, result.name));
  }
  process.stdout.write(`${flags.json === true ? JSON.stringify(result, null, 2) : text(result)}\n`);
}
