/** `tickline model compare`: the accuracy table of many networks, horizons and seeds from one command. */
import { join, resolve } from "node:path";
import { Command } from "commander";
import { ROOT } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";
import { compare, type CompareOptions } from "../trainer/compare.ts";
import { compareLearning, type LearningRow } from "../trainer/learning.ts";
import { habitLine, habitOf } from "../trainer/online.ts";
import { rowRecipe } from "../trainer/job.ts";
import { Ledger } from "../trainer/ledger.ts";
import { recipeLine } from "../trainer/networks.ts";
import { loadPreset, type Preset } from "../trainer/preset.ts";
import { verdicts, type Row, type Spread, type Verdict } from "../trainer/table.ts";
import { columns as head, table, whole } from "./columns.ts";
import { number, numbers, words } from "./option-values.ts";
import { meter } from "./train-meter.ts";
import { percent } from "./train-tables.ts";

const PRESET = join(ROOT, "ops/models/accuracy.yaml");

interface Flags {
  readonly capture: string;
  readonly preset: string;
  readonly networks?: string;
  readonly columns?: string;
  readonly horizons?: number[];
  readonly labels?: string[];
  readonly seeds?: number[];
  readonly folds?: number;
  readonly rolling?: number;
  readonly online?: true;
  readonly unseen?: string;
  readonly unseenSymbols?: string[];
  readonly jobs: number;
  readonly json?: string;
}

const HELP = `
Examples:
  npx tickline model compare --capture GOOG.pcap.gz --jobs 2 --json accuracy.json
  npx tickline model compare --capture GOOG.pcap.gz --networks logistic,bin-c-tabl --horizons 20 --seeds 1,2
  npx tickline model compare --capture GOOG.pcap.gz --online --unseen AMZN.pcap.gz --jobs 2 --json accuracy.json

The file of --json is written again after each run, and runs that it holds are
not repeated: the same command goes on where it was interrupted, and one with
more seeds, horizons or networks adds to it.

"lost" is what rounding to bf16 and int8 costs, in points of macro-F1. A row
beats another on a horizon when its macro-F1 less its spread over the seeds is
above the other's with its own.
"gain" is the learning model's macro-F1 less the frozen one's, seed by seed:
both began with the same weights and answered the same rows.
Exit codes: 0 done; 2 usage, a capture or a preset that does not do.
`;

/** The verb. */
export function modelCompareCommand(): Command {
  return new Command("compare")
    .description("train networks side by side over horizons, labels and seeds; macro-F1 and MCC beside the baselines")
    .requiredOption("--capture <file>", "pcap or pcapng, gzip allowed")
    .option("--preset <file>", "which networks, trained how; YAML", PRESET)
    .option("--networks <names>", "only these rows of the preset, separated by commas")
    .option("--columns <name>", "columns in place of the recipes': levels, relative+flow and so on")
    .option("--horizons <rows>", "rows ahead, separated by commas, in place of the preset's", numbers(1, 100_000, 20))
    .option("--labels <kinds>", "exact, smoothed or both, in place of the preset's", words(["exact", "smoothed"]))
    .option("--seeds <numbers>", "seeds in place of the preset's", numbers(0, 4294967295, 100))
    .option("--folds <n>", "walk-forward over this many parts in place of one split", number(1, 50, true))
    .option("--rolling <n>", "with --folds: train on the newest n parts alone, a rolling window, in place of all before", number(1, 50, true))
    .option("--online", "then test models beside themselves, learning on: the preset's `online` rows")
    .option("--unseen <file>", "with --online: a capture of a stock that no model was trained on")
    .option("--unseen-symbols <symbol...>", "its symbols, in place of the preset's")
    .option("--jobs <n>", "runs at the same time, a core each", number(1, 4, true), 1)
    .option("--json <file>", "keep runs and rows in this file, and go on from it")
    .addHelpText("after", HELP)
    .action(run);
}

function chosen(flags: Flags): Preset {
  const preset = loadPreset(resolve(flags.preset));
  const only = flags.networks?.split(",");
  const known = new Set([...Object.keys(preset.networks), ...(flags.online === true ? Object.keys(preset.online?.networks ?? {}) : [])]);
  const absent = only?.find((name) => !known.has(name));
  if (absent !== undefined) throw new TicklineError("TL_USAGE", `"${absent}" is not in ${flags.preset}; it has ${[...known].join(", ")}`);
  if (flags.online === true && preset.online === undefined) throw new TicklineError("TL_USAGE", `--online: ${flags.preset} has no online section; add one, as ops/models/accuracy.yaml has`);
  if (flags.unseen !== undefined && flags.online !== true) throw new TicklineError("TL_USAGE", "--unseen goes with --online; give both");
  const picked = <T>(rows: Readonly<Record<string, T>>): Record<string, T> => Object.fromEntries(Object.entries(rows).filter(([name]) => only?.includes(name) ?? true));
  const networks = picked(preset.networks);
  const online = preset.online === undefined ? undefined : { ...preset.online, networks: picked(preset.online.networks), horizons: flags.horizons ?? preset.online.horizons, unseen: flags.unseenSymbols ?? preset.online.unseen };
  const labels = (flags.labels ?? preset.labels) as Preset["labels"];
  const { columns = preset.columns, horizons = preset.horizons, seeds = preset.seeds, folds = preset.folds, rolling = preset.rolling } = flags;
  if (rolling !== undefined && folds === 1) throw new TicklineError("TL_USAGE", "--rolling goes with --folds; give the number of parts");
  return { ...preset, networks, labels, columns, horizons, seeds, folds, rolling, online };
}

function spread({ mean, deviation }: Spread, digits: (x: number) => string): string {
  return deviation > 0 ? `${digits(mean)} +- ${digits(deviation)}` : digits(mean);
}

const HEAD = head("network", "+macro-F1 %", "+MCC", "+accuracy %", "+bf16 lost", "+int8 lost", "?+ECE %", "?+parameters", "?+multiply-adds", "?+us", "?+train s");

/** One table for one kind of label and horizon. */
export function groupTable(rows: readonly Row[], width: number): string[] {
  const points = (lost: Spread | undefined): string => (lost === undefined ? "" : (100 * lost.mean).toFixed(2));
  const lines = rows.map((r) => [
    r.network, spread(r.macroF1, percent), spread(r.mcc, (x) => x.toFixed(3)), spread(r.accuracy, percent),
    points(r.lost.bf16), points(r.lost.int8),
    r.ece === undefined ? "" : percent(r.ece.mean),
    ...(r.parameters === 0 ? ["", "", "", ""] : [whole(r.parameters), whole(r.multiplyAdds), (r.latencyNs / 1000).toFixed(2), r.seconds.toFixed(0)]),
  ]);
  const title = rows[0] === undefined ? [] : [`${rows[0].labels} labels, ${rows[0].horizon} rows ahead`];
  return [...title, ...table(HEAD, lines, width)];
}

/** One sentence a verdict. */
export function verdictLine({ labels, network, rivals, won, horizons }: Verdict): string {
  const where = won.length === 0 ? "" : ` (${won.join(", ")} rows ahead)`;
  return `${labels} labels: ${network} beats ${rivals.join(" and ")} beyond the spread on ${won.length} of ${horizons.length} horizons${where}`;
}

/** Rows that verdicts are on: BiN-C(TABL), over whichever window. */
function judged(rows: readonly Row[], preset: Preset): Verdict[] {
  const names = Object.entries(preset.networks).filter(([name, own]) => (own.network ?? name) === "bin-c-tabl");
  return names.flatMap(([name]) => verdicts(rows, name, ["persistence", "logistic"]));
}

/** How each row is trained, a line each. */
function recipeLines(preset: Preset): string {
  return Object.entries(preset.networks).map(([row, own]) => `${row}: ${recipeLine(rowRecipe(row, own, preset))}\n`).join("");
}

const LEARNING_HEAD = head("tested on", "labels", "+rows ahead", "+frozen %", "+learning %", "+gain", "+MCC frozen", "+MCC learning", "?+persistence %", "?+majority %");

/** One table for one network that learns on. */
export function learningTable(rows: readonly LearningRow[], width: number): string[] {
  const points = ({ mean, deviation }: Spread): string => `${mean >= 0 ? "+" : ""}${percent(mean)}${deviation > 0 ? ` +- ${percent(deviation)}` : ""}`;
  const lines = rows.map(({ symbol, unseen, labels, horizon, macroF1, mcc, gain }) => [
    `${symbol}${unseen ? ", unseen" : ""}`, labels, String(horizon), spread(macroF1.frozen, percent), spread(macroF1.learning, percent), points(gain),
    spread(mcc.frozen, (x) => x.toFixed(3)), spread(mcc.learning, (x) => x.toFixed(3)), percent(macroF1.persistence.mean), percent(macroF1.majority.mean),
  ]);
  return [`${rows[0]?.network ?? ""}, learning on: macro-F1 as every row is answered before it is learned`, ...table(LEARNING_HEAD, lines, width)];
}

/** The part of the comparison that learns on; its rows. */
async function runLearning({ capture, preset, jobs, ledger }: CompareOptions, unseen: string | undefined, show: ReturnType<typeof meter>): Promise<LearningRow[]> {
  const { online } = preset;
  if (online === undefined) return [];
  const how = Object.entries(online.networks).map(([row, own]) => `${row}: ${recipeLine(rowRecipe(row, own, {}))}; learns on by ${habitLine(habitOf(own.habit))}\n`);
  process.stdout.write(`${how.join("")}\n`);
  const rows: LearningRow[] = [];
  for await (const part of compareLearning({ capture, unseen, preset: { ...preset, online }, jobs, ledger }, (at) => show(at, at.name))) rows.push(...part);
  for (const network of Object.keys(online.networks)) {
    process.stdout.write(`${learningTable(rows.filter((row) => row.network === network), process.stdout.columns || Infinity).join("\n")}\n\n`);
  }
  return rows;
}

async function run(flags: Flags): Promise<void> {
  const preset = chosen(flags);
  process.stdout.write(`${recipeLines(preset)}\n`);
  const ledger = new Ledger(flags.json === undefined ? undefined : resolve(flags.json));
  const options = { capture: resolve(flags.capture), preset, jobs: flags.jobs, ledger };
  const rows: Row[] = [];
  const show = meter();
  if (Object.keys(preset.networks).length > 0) {
    for await (const group of compare(options, (at) => show(at, at.name))) {
      rows.push(...group);
      process.stdout.write(`${groupTable(group, process.stdout.columns || Infinity).join("\n")}\n\n`);
    }
  }
  const lines = judged(rows, preset);
  ledger.write({ capture: flags.capture, preset, rows, verdicts: lines });
  process.stdout.write(lines.map((line) => `${verdictLine(line)}\n`).join(""));
  if (flags.online === true) ledger.write({ learning: await runLearning(options, flags.unseen === undefined ? undefined : resolve(flags.unseen), meter()) });
}
