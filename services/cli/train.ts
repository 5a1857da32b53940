/** `tickline train`: trains a direction model on generated flow or on a capture. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { nowNs } from "../kit/clock.ts";
import { ROOT } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";
import { defaults, train, type TrainOptions, type TrainResult } from "../trainer/main.ts";
import type { Score } from "../trainer/score.ts";

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

function number(low: number, high: number, whole: boolean) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`give a ${whole ? "whole " : ""}number from ${low} to ${high}.`);
  };
}

function sizes(text: string): number[] {
  const list = text.split(",").map(Number);
  if (list.length <= 8 && list.every((size) => Number.isInteger(size) && size >= 1 && size <= 1024)) return list;
  throw new InvalidArgumentError("give sizes of hidden layers from 1 to 1024, separated by commas, at most 8.");
}

/** The venue's program, built by the set-up. */
function exchange(): string {
  const path = join(ROOT, "target/release/tickline-exchange");
  if (existsSync(path)) return path;
  throw new TicklineError("TL_CAPTURE", `${relative(ROOT, path)} is missing, so no flow can be generated; run: cargo build --release -p tickline-exchange`);
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

function percent(x: number): string {
  return (100 * x).toFixed(1).padStart(6);
}

function table(result: TrainResult): string {
  const row = (name: string, s: Score): string => {
    const f1 = s.classes.map((c) => percent(c.f1)).join(" ");
    return `  ${name.padEnd(12)} ${percent(s.macroF1)} ${percent(s.accuracy)} ${s.mcc.toFixed(3).padStart(7)}   ${f1}`;
  };
  const counts = (list: readonly number[]): string => ["down", "flat", "up"].map((name, i) => `${name} ${list[i]}`).join(", ");
  const confusion = result.confusion.map(
    (cells, i) => `  ${["down", "flat", "up"][i]?.padEnd(12)}${cells.map((cell) => String(cell).padStart(9)).join("")}`,
  );
  return [
    `rows: ${result.trainRows} to train (${counts(result.trainClasses)}), ${result.testRows} to test (${counts(result.testClasses)})`,
    `a move above ${result.threshold / 10_000} dollar counts; un-smoothed labels, threshold from the training part`,
    "",
    "  test, %      macroF1    acc     MCC   F1 down   flat     up",
    row("model", result.model),
    row("persistence", result.persistence),
    row("majority", result.majority),
    "",
    "  true \\ answer    down     flat       up",
    ...confusion,
    "",
    `${relative(process.cwd(), result.out) || result.out}: ${result.parameters} parameters, ${statSync(result.out).size} bytes, hash ${result.hash}`,
  ].join("\n");
}

/** Shows progress in one line on a terminal, and every tenth elsewhere. */
function meter(): (share: number, loss: number, rows: number) => void {
  const start = nowNs();
  let rows = 0;
  let shown = 0;
  return (share, loss, more) => {
    rows += more;
    const seconds = (nowNs() - start) / 1e9;
    const left = (seconds * (1 - share)) / share;
    const line = `training ${(100 * share).toFixed(0).padStart(3)} %  loss ${loss.toFixed(4)}  ${Math.round(rows / seconds)} rows/s  ${left.toFixed(0)} s left`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line}   ${share >= 1 ? "\n" : ""}`);
    else if (share >= 1 || share >= shown + 0.1) {
      shown = share;
      process.stderr.write(`${line}\n`);
    }
  };
}

function run(flags: Flags): void {
  const folder = mkdtempSync(join(tmpdir(), "tickline-train-"));
  try {
    const capture = flags.capture === undefined ? join(folder, "flow.pcap") : resolve(flags.capture);
    const source = flags.capture === undefined ? generate(flags, capture) : `capture ${flags.capture}`;
    const options: TrainOptions = {
      ...defaults, capture, source, symbols: flags.symbols, out: resolve(flags.out), horizon: flags.horizon, hidden: flags.hidden,
      seed: flags.seed, epochs: flags.epochs, batch: flags.batch, rate: flags.learningRate,
    };
    const show = meter();
    const result = train(options, ({ share, loss, rows }) => show(share, loss, rows));
    process.stdout.write(`${flags.json === true ? JSON.stringify(result, null, 2) : table(result)}\n`);
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
    .option("--horizon <events>", "events ahead that labels look", number(1, 100_000, true), defaults.horizon)
    .option("--hidden <sizes>", "sizes of the hidden layers", sizes, [...defaults.hidden])
    .option("--seed <n>", "seed of weights and order", number(0, 4294967295, true), defaults.seed)
    .option("--epochs <n>", "passes over the training part", number(1, 10_000, true), defaults.epochs)
    .option("--batch <rows>", "rows a step", number(1, 100_000, true), defaults.batch)
    .option("--learning-rate <x>", "highest learning rate of Adam", number(1e-7, 1, false), defaults.rate)
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  npx tickline train --seconds 600 --flow-seed 8 --out ops/models/demo.tlm\n")
    .action((flags: Flags) => run(flags));
}
