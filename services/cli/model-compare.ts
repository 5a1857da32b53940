/** `tickline model compare`: the accuracy table of many networks, horizons and seeds from one command. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { ROOT } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";
import { compare, type Row, type Spread } from "../trainer/compare.ts";
import { loadPreset, type Preset } from "../trainer/preset.ts";
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
  readonly jobs: number;
  readonly json?: string;
}

const HELP = `
Examples:
  npx tickline model compare --capture GOOG.pcap.gz --jobs 2 --json accuracy.json
  npx tickline model compare --capture GOOG.pcap.gz --networks logistic,bin-c-tabl --horizons 20 --seeds 1,2

The file of --json is written again after each horizon, so an interrupted
comparison keeps what it has.
Exit codes: 0 done; 2 usage, a capture or a preset that does not do.
`;

/** The verb. */
export function modelCompareCommand(): Command {
  return new Command("compare")
    .description("train networks side by side over horizons, labels and seeds; macro-F1 and MCC beside the baselines")
    .requiredOption("--capture <file>", "pcap or pcapng, gzip allowed")
    .option("--preset <file>", "which networks, trained how; YAML", PRESET)
    .option("--networks <names>", "only these rows of the preset, separated by commas")
    .option("--columns <name>", "levels, levels-N, book or derived, in place of the preset's")
    .option("--horizons <rows>", "rows ahead, separated by commas, in place of the preset's", numbers(1, 100_000, 20))
    .option("--labels <kinds>", "exact, smoothed or both, in place of the preset's", words(["exact", "smoothed"]))
    .option("--seeds <numbers>", "seeds in place of the preset's", numbers(0, 4294967295, 100))
    .option("--folds <n>", "walk-forward over this many parts in place of one split", number(1, 50, true))
    .option("--jobs <n>", "runs at the same time, a core each", number(1, 4, true), 1)
    .option("--json <file>", "write the rows as JSON")
    .addHelpText("after", HELP)
    .action(run);
}

function chosen(flags: Flags): Preset {
  const preset = loadPreset(resolve(flags.preset));
  const only = flags.networks?.split(",");
  const absent = only?.find((name) => preset.networks[name] === undefined);
  if (absent !== undefined) throw new TicklineError("TL_USAGE", `"${absent}" is not in ${flags.preset}; it has ${Object.keys(preset.networks).join(", ")}`);
  const networks = only === undefined ? preset.networks : Object.fromEntries(Object.entries(preset.networks).filter(([name]) => only.includes(name)));
  const labels = (flags.labels ?? preset.labels) as Preset["labels"];
  const { columns = preset.columns, horizons = preset.horizons, seeds = preset.seeds, folds = preset.folds } = flags;
  return { ...preset, networks, labels, columns, horizons, seeds, folds };
}

function spread({ mean, deviation }: Spread, digits: (x: number) => string): string {
  return deviation > 0 ? `${digits(mean)} +- ${digits(deviation)}` : digits(mean);
}

const HEAD = head("network", "+macro-F1 %", "+MCC", "+accuracy %", "?+ECE %", "?+parameters", "?+multiply-adds", "?+us", "?+train s");

/** One table for one kind of label and horizon. */
export function groupTable(rows: readonly Row[], width: number): string[] {
  const lines = rows.map((r) => [
    r.network, spread(r.macroF1, percent), spread(r.mcc, (x) => x.toFixed(3)), spread(r.accuracy, percent),
    r.ece === undefined ? "" : percent(r.ece.mean),
    ...(r.parameters === 0 ? ["", "", "", ""] : [whole(r.parameters), whole(r.multiplyAdds), (r.latencyNs / 1000).toFixed(2), r.seconds.toFixed(0)]),
  ]);
  const title = rows[0] === undefined ? [] : [`${rows[0].labels} labels, ${rows[0].horizon} rows ahead`];
  return [...title, ...table(HEAD, lines, width)];
}

async function run(flags: Flags): Promise<void> {
  const preset = chosen(flags);
  const show = meter();
  const rows: Row[] = [];
  for await (const group of compare({ capture: resolve(flags.capture), preset, jobs: flags.jobs }, (at) => show(at, at.name))) {
    rows.push(...group);
    if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify({ capture: flags.capture, preset, rows }, null, 1)}\n`);
    process.stdout.write(`${groupTable(group, process.stdout.columns || Infinity).join("\n")}\n\n`);
  }
}
