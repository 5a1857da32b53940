/** `tickline inspect`: what a capture holds. The reading, counting and printing is Rust (`crates/inspect`). */
import { Command, InvalidArgumentError } from "commander";
import { TicklineError } from "../kit/errors.ts";
import { stated } from "./native-refusal.ts";

/** Levels of a book that can be asked for. */
const LEVELS_MAX = 1_000;

interface InspectOptions {
  book?: string;
  levels: number;
  csv?: true;
  messages?: true;
  json?: true;
  fill?: string;
}

const HELP = `
Examples:
  npx tickline inspect day.pcap.gz
  npx tickline inspect day.pcap.gz --book GOOG --levels 5 --csv > goog.csv

Exit codes: 0 done, 2 no capture, no such symbol or wrong usage.
`;

/** The verb. */
export function inspectCommand(): Command {
  return new Command("inspect")
    .description("counts of a capture, a symbol's book after each of its messages, or every message")
    .argument("<capture>", "pcap or pcapng, microseconds or nanoseconds, gzip allowed; or a journal: its folder, a segment of it, or FOLDER@RUN")
    .option("--book <symbol>", "the book of this symbol")
    .option("--levels <n>", "price levels a side of the book", levels, 10)
    .option("--csv", "with --book: after each message of the symbol its sequence number, then ask price, ask size, bid price, bid size per level")
    .option("--messages", "every message of every packet with all its fields, one a line")
    .option("--fill <capture>", "take messages that both lines lost from this capture")
    .option("--json", "JSON instead of a table")
    .addHelpText("after", HELP)
    .action(inspect);
}

function levels(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= LEVELS_MAX)) throw new InvalidArgumentError(`give a whole number from 1 to ${LEVELS_MAX}`);
  return value;
}

async function inspect(capture: string, options: InspectOptions): Promise<void> {
  if (options.csv && options.book === undefined) throw new TicklineError("TL_USAGE", "--csv prints a book: add --book SYMBOL");
  if (options.messages && (options.book !== undefined || options.fill !== undefined)) {
    throw new TicklineError("TL_USAGE", "--messages prints packets as they lie in the file: leave --book and --fill out");
  }
  if (options.csv && options.json) throw new TicklineError("TL_USAGE", "choose one of --csv and --json");
  const { native } = await import("../kit/native.ts");
  const json = options.json ?? false;
  try {
    if (options.messages) warnTail(native.inspectMessages(capture, json));
    else if (options.book === undefined) print(native.inspectSummary(capture, options.fill, json));
    else if (options.csv) warn(native.inspectBook(capture, options.fill, options.book, options.levels));
    else print(native.inspectLastBook(capture, options.fill, options.book, options.levels, json));
  } catch (error) {
    throw hinted(stated(error, (code) => (code === "OUTPUT" ? "TL_USAGE" : "TL_CAPTURE")));
  }
}

/** Order sessions run over TCP and have no book, but their messages can be printed. */
function hinted(error: unknown): unknown {
  if (!(error instanceof TicklineError && /holds no MoldUDP64 .*TCP to/.test(error.message))) return error;
  return new TicklineError("TL_CAPTURE", `${error.message}, or see its order messages with --messages`, { cause: error });
}

function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Standard output carries rows only; what makes them doubtful goes to standard error. */
function warn(run: Tail & { gaps: number[][]; malformed: number }): void {
  for (const [first, count] of run.gaps) process.stderr.write(`tickline: gap: ${count} messages from ${first} were lost on both lines; rows after it may be wrong\n`);
  if (run.malformed > 0) process.stderr.write(`tickline: ${run.malformed} malformed messages were left out\n`);
  warnTail(run);
}

interface Tail {
  readonly truncatedAt?: number;
}

function warnTail({ truncatedAt }: Tail): void {
  if (truncatedAt !== undefined) process.stderr.write(`tickline: the capture's last record, at byte ${truncatedAt}, is cut off; what came before it was read\n`);
}
