/** `tickline train`: trains the shipped direction model on generated flow or on a capture. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { Command } from "commander";
import { ROOT } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";
import { EXCHANGE } from "../kit/exchange.ts";
import { shipped, train, type TrainResult } from "../trainer/main.ts";
import { number, numbers } from "./option-values.ts";
import { meter } from "./train-meter.ts";
import { calibrationTable, classTable, counts, percent, scoreTable } from "./train-tables.ts";

const OUT = "ops/models/demo.tlm";

interface Flags {
  readonly capture?: string;
  readonly symbols: string[];
  readonly seconds: number;
  readonly flowSeed: number;
  readonly rate: number;
  readonly out: string;
  readonly horizon: number;
  readonly hidden: number[];
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly json?: boolean;
}

/** The venue's program, built by the set-up. */
function exchange(): string {
  if (existsSync(EXCHANGE)) return EXCHANGE;
  throw new TicklineError("TL_CAPTURE", `${relative(ROOT, EXCHANGE)} is missing, so no flow can be generated; run: cargo build --release -p tickline-exchange`);
}

function generate(flags: Flags, file: string): string {
  const flow = ["--seconds", String(flags.seconds), "--seed", String(flags.flowSeed), "--rate", String(flags.rate)];
  try {
    execFileSync(exchange(), ["--generate", file, ...flow, ...flags.symbols.flatMap((symbol) => ["--symbols", symbol])], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (cause) {
    if (cause instanceof TicklineError) throw cause;
    const said = String((cause as { stderr?: Buffer }).stderr ?? "").trim();
    throw new TicklineError("TL_CAPTURE", `the venue could not generate flow: ${said || String(cause)}`, { cause });
  }
  return `generated, seed ${flags.flowSeed}, ${flags.seconds} s, ${flags.rate} events/s each`;
}

/** What a training run says at its end. */
export function report(result: TrainResult, labels: string): string {
  const width = process.stdout.columns || Infinity;
  const { score, calibration, confusion, explained, majority, persistence, out, held } = result;
  const tested =
    score === undefined || calibration === undefined
      ? [`the network gives back ${percent(explained ?? 0)} % of the variance of rows it has not seen`]
      : [
          Number.isFinite(result.threshold) ? `a move above ${result.threshold / 10_000} dollar counts; ${labels} labels, threshold and scaling from the training part` : "labels and scaling are the files' own",
          "",
          ...scoreTable([["model", score], ["persistence", persistence], ["majority", majority]], width),
          "",
          ...classTable(score, confusion, width),
          "",
          ...calibrationTable(calibration, width),
        ];
  return [
    `rows to train ${counts(result.trainClasses)}`,
    `rows to test  ${counts(result.testClasses)}`,
    ...(held === undefined ? [] : [`held out: loss ${held.losses.map((loss) => loss.toFixed(4)).join(", ")} after each pass; the weights are those after pass ${held.best + 1}`]),
    ...tested,
    "",
    `${relative(process.cwd(), out) || out}: ${result.parameters} parameters, ${result.multiplyAdds} multiply-adds, ${statSync(out).size} bytes, hash ${result.hash}`,
    `trained in ${result.seconds.toFixed(1)} s; an answer takes ${(result.latencyNs / 1000).toFixed(2)} us`,
  ].join("\n");
}

async function run(flags: Flags): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tickline-train-"));
  try {
    const capture = flags.capture === undefined ? join(folder, "flow.pcap") : resolve(flags.capture);
    const source = flags.capture === undefined ? generate(flags, capture) : `capture ${flags.capture}`;
    const { symbols, horizon, hidden, epochs, batch, learningRate: rate, seed } = flags;
    const data = { ...shipped.data, capture, symbols, horizon };
    const settings = { ...shipped.settings, hidden, epochs, batch, rate };
    const result = await train({ data, network: shipped.network, settings, seed, out: resolve(flags.out), source }, meter());
    process.stdout.write(`${flags.json === true ? JSON.stringify(result, null, 2) : report(result, data.labels)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The verb. */
export function trainCommand(): Command {
  return new Command("train")
    .description("train a direction model on generated flow (default) or on a capture, and write its model file")
    .option("--capture <file>", "learn from this capture instead of generated flow")
    .option("--symbols <symbol...>", "symbols to learn from", ["TLKA", "TLKB"])
    .option("--seconds <n>", "length of the generated flow", number(10, 86_400, false), 600)
    .option("--flow-seed <n>", "seed of the generated flow", number(0, 4294967295, true), 8)
    .option("--rate <n>", "generated events a second of each symbol", number(1, 100_000, false), 400)
    .option("--out <file>", "model file to write", OUT)
    .option("--horizon <events>", "events ahead that labels look", number(1, 100_000, true), shipped.data.horizon)
    .option("--hidden <sizes>", "sizes of the hidden layers", numbers(1, 1024, 8), [...shipped.settings.hidden])
    .option("--seed <n>", "seed of weights and order", number(0, 4294967295, true), shipped.seed)
    .option("--epochs <n>", "passes over the training part", number(1, 10_000, true), shipped.settings.epochs)
    .option("--batch <rows>", "rows a step", number(1, 100_000, true), shipped.settings.batch)
    .option("--learning-rate <x>", "highest learning rate of Adam", number(1e-7, 1, false), shipped.settings.rate)
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  npx tickline train --seconds 600 --flow-seed 8 --out ops/models/demo.tlm\n")
    .action((flags: Flags) => run(flags));
}
