/** `tickline model train`: trains any ready-made network on a capture or on FI-2010. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { TicklineError } from "../kit/errors.ts";
import { train, type Data, type FiData } from "../trainer/main.ts";
import { RECIPES, recipeLine, recipeOf, type Recipe } from "../trainer/networks.ts";
import { calibrationPlot, confusionPlot, lossPlot } from "../trainer/plot.ts";
import { number, numbers } from "./option-values.ts";
import { report } from "./train.ts";
import { meter } from "./train-meter.ts";

interface Flags {
  readonly capture?: string;
  readonly symbols: string[];
  readonly fi2010?: string[];
  readonly columns?: string;
  readonly labels: "exact" | "smoothed";
  readonly horizon: number;
  readonly split: number[];
  readonly flatShare: number;
  readonly clip: number;
  readonly mirror?: boolean;
  readonly shuffleLabels?: number;
  readonly seed: number;
  readonly window?: number;
  readonly hidden?: number[];
  readonly dropout?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly steps?: number;
  readonly rate?: number;
  readonly decay?: number;
  readonly balance?: number;
  readonly adversary?: number;
  readonly hold?: number;
  readonly patience?: number;
  readonly out: string;
  readonly with: "tickline" | "tensorflow";
  readonly checkpoint?: string;
  readonly checkpointEvery: number;
  readonly plot?: string;
  readonly json?: true;
}

const HELP = `
Columns, mirroring and settings that are left out are the network's recipe,
which \`model compare\` trains by as well; the first line says what is in force.

Examples:
  npx tickline model train bin-c-tabl --capture GOOG.pcap.gz
  npx tickline model train lstm --capture GOOG.pcap.gz --symbols GOOG --labels smoothed --horizon 50 --plot lstm
  npx tickline model train deeplob --capture GOOG.pcap.gz --checkpoint deeplob.run
  npx tickline model train c-tabl --fi2010 Train_Dst_NoAuction_ZScore_CF_7.txt Test_Dst_NoAuction_ZScore_CF_7.txt

--with tensorflow takes @tensorflow/tfjs-node-gpu where it is installed in
ops/peers, else @tensorflow/tfjs (npm ci --ignore-scripts --prefix ops/peers).
Networks that it cannot build (GRU, TABL, attention, streaming convolutions)
are refused by layer; decay does not apply, dropout is not repeatable.

Use columns of the visible book only (all but derived) on captures that were
made from order-book files: the others may have seen the future. A model of
relative and flow columns can be tested on a stock that it never saw.
Exit codes: 0 done; 2 usage, a capture or settings that do not do.
`;

/** The verb. */
export function modelTrainCommand(): Command {
  return new Command("train")
    .description("train a network on a capture, test it on the rest of the day, and write its model file")
    .argument("<network>", Object.keys(RECIPES).join(", "))
    .option("--capture <file>", "pcap or pcapng, gzip allowed; or a journal")
    .option("--symbols <symbol...>", "symbols to learn from", ["GOOG"])
    .option("--fi2010 <file...>", "in place of a capture: training and test file of FI-2010 (149 rows each)")
    .option("--columns <name>", "levels, levels-N, relative, relative-N, flow, book, derived, or several joined by +; with --fi2010 levels or all")
    .addOption(new Option("--labels <kind>", "mid against mid, or mean of the mids to come against those past").choices(["exact", "smoothed"]).default("exact"))
    .option("--horizon <rows>", "rows ahead that labels look", number(1, 100_000, true), 50)
    .option("--split <percent>", "from,until,end: trains on from..until, tests on until..end of the rows", numbers(0, 100, 3), [0, 70, 100])
    .option("--flat-share <x>", "share of moves that count as flat", number(0, 0.9, false), 1 / 3)
    .option("--clip <x>", "scaled inputs are limited to this size", number(1, 1000, false), 10)
    .option("--mirror", "train on the part twice, as it was and turned over, bid for ask")
    .option("--no-mirror", "train on it once")
    .option("--shuffle-labels <seed>", "deal the training labels out at random: scores must fall to the majority's", number(0, 4294967295, true))
    .option("--seed <n>", "seed of weights and order", number(0, 4294967295, true), 1)
    .option("--window <rows>", "rows looked at", number(1, 1000, true))
    .option("--hidden <sizes>", "units of hidden layers, separated by commas", numbers(1, 1024, 8))
    .option("--dropout <x>", "share of numbers dropped while training", number(0, 0.9, false))
    .option("--epochs <n>", "passes over the training part", number(1, 10_000, true))
    .option("--batch <rows>", "rows a step, or stretches side by side", number(1, 100_000, true))
    .option("--steps <rows>", "rows a step of each stretch, where state is carried", number(1, 10_000, true))
    .option("--rate <x>", "highest learning rate of Adam", number(1e-7, 1, false))
    .option("--decay <x>", "weight decay", number(0, 10, false))
    .option("--balance <x>", "how far rare classes are weighted up, 0 to 1", number(0, 1, false))
    .option("--adversary <x>", "adversarial training: how far inputs are moved, in scaled units", number(0, 10, false))
    .option("--hold <x>", "share of the training part held out at its end: the pass with the lowest loss on it is kept", number(0, 0.5, false))
    .option("--patience <n>", "passes without a lower loss on what is held out that end the run", number(1, 1000, true))
    .option("--out <file>", "model file to write; NETWORK.tlm when left out", "")
    .addOption(new Option("--with <engine>", "what trains: our own engine, or TensorFlow.js, whose weights are then taken over").choices(["tickline", "tensorflow"]).default("tickline"))
    .option("--checkpoint <file>", "keep the run as it goes: the same command goes on from there after a crash")
    .option("--checkpoint-every <seconds>", "time between two of them", number(0, 86_400, false), 10)
    .option("--plot <prefix>", "write PREFIX.loss.svg, PREFIX.calibration.svg and PREFIX.confusion.svg")
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action(run);
}

function dataOf(flags: Flags, { columns, mirror }: Recipe): Data | FiData {
  const { capture, fi2010, horizon } = flags;
  if ((capture === undefined) === (fi2010 === undefined)) throw new TicklineError("TL_USAGE", "give either --capture FILE or --fi2010 TRAIN TEST");
  if (fi2010 !== undefined) {
    const [train, test] = fi2010;
    if (train === undefined || test === undefined || fi2010.length !== 2) throw new TicklineError("TL_USAGE", "--fi2010 takes two files: one to train on, one to test on");
    return { train, test, horizon, columns: flags.columns === undefined || flags.columns === "levels" ? 40 : 144 };
  }
  const [from = 0, cut = 0, to = 0] = flags.split;
  if (!(from < cut && cut < to)) throw new TicklineError("TL_USAGE", "--split takes three rising numbers, such as 0,70,100");
  const { symbols, labels, flatShare, clip, shuffleLabels: shuffle } = flags;
  return { capture: resolve(capture ?? ""), symbols, columns, labels, horizon, flatShare, clip, split: [from / 100, cut / 100, to / 100], mirror, shuffle };
}

/** The recipe as it applies to the data at hand. */
function inForce(recipe: Recipe, data: Data | FiData): string {
  return recipeLine("capture" in data ? recipe : { ...recipe, columns: `${data.columns} FI-2010`, mirror: false });
}

async function run(network: string, flags: Flags): Promise<void> {
  const { seed, labels, horizon } = flags;
  const recipe = recipeOf(network, flags);
  const { settings } = recipe;
  const data = dataOf(flags, recipe);
  const out = resolve(flags.out === "" ? `${network}.tlm` : flags.out);
  const source = flags.capture === undefined ? "FI-2010" : `capture ${flags.capture}`;
  const checkpoint = flags.checkpoint === undefined ? undefined : { file: resolve(flags.checkpoint), seconds: flags.checkpointEvery };
  if (flags.json !== true) process.stdout.write(`${network}: ${inForce(recipe, data)}; ${labels} labels, ${horizon} rows ahead, seed ${seed}\n`);
  const result = await train({ data, network, settings, seed, out, source, checkpoint, engine: flags.with }, meter());
  if (flags.plot !== undefined) {
    writeFileSync(`${flags.plot}.loss.svg`, lossPlot(result.losses, network));
    if (result.calibration !== undefined) writeFileSync(`${flags.plot}.calibration.svg`, calibrationPlot(result.calibration, network));
    if (result.score !== undefined) writeFileSync(`${flags.plot}.confusion.svg`, confusionPlot(result.confusion, network));
  }
  process.stdout.write(`${flags.json === true ? JSON.stringify(result, null, 2) : report(result, labels)}\n`);
}
