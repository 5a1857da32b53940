/** `tickline model bench`: the model engine's speed beside a plain loop and, with --peers, onnxruntime-node and TensorFlow.js in the same run. */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { Command } from "commander";
import { benchNetworks, NETWORKS } from "../../test/bench/networks.ts";
import type { Row } from "../../test/bench/row.ts";
import { INSTALL } from "../interchange/main.ts";
import { ROOT } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { columns, micros, table } from "./columns.ts";
import { buildPrograms } from "./programs.ts";

/** Largest medians in ns on the reference machine, by the beginning of a row's name. */
const TARGETS: readonly (readonly [string, number])[] = [
  ["mlp f32, rust", 300], ["lstm-64 f32, rust", 1000], ["lstm-64 int8, rust", 280], ["lstm-128 int8, rust", 840], ["stac-a f32, rust", 7400],
  ["stac-a int8, rust", 1700], ["bin-c-tabl f32, rust", 1000], ["deeplob-streaming f32, rust", 5000], ["deeplob-streaming int8, rust", 5000],
  ["mlp step of SGD", 4000], ["mlp step of Adam", 6000], ["lstm-64 50 rows back", 60_000], ["lstm-64 bf16 50 rows back", 60_000],
];

/** How often faster than a peer, on these networks. */
const RATIOS = { "peer onnxruntime-node": 20, "peer tfjs cpu": 100 } as const;
const RATIO_NETWORKS = ["mlp", "lstm-64"];

/** One comparison with what was asked. */
interface Verdict {
  readonly name: string;
  readonly target: string;
  readonly passed: boolean | null;
  /** Medians in ns: what was measured, and its floor in the same run: the sums alone; of a call, one that answers nothing. */
  readonly measured: number | null;
  readonly floor: number | null;
}

function verdicts(rows: readonly Row[]): Verdict[] {
  // What is asked of a recurrent network is its whole step; the answer alone, sooner, has a row of its own.
  const p50 = (name: string): number | null => rows.find((row) => row.name.startsWith(name) && !row.name.endsWith(", answer"))?.p50 ?? null;
  const speeds = TARGETS.map(([name, most]): Verdict => {
    const measured = p50(name);
    const floor = p50(`sums alone, ${name.replace(", rust", "")}`);
    return { name, target: `<= ${micros(most)} us`, passed: measured === null ? null : measured <= most, measured, floor };
  });
  const ratios = Object.entries(RATIOS).flatMap(([peer, times]) => RATIO_NETWORKS.map((network): Verdict => {
    const [slow, own] = [p50(`${peer}, ${network}`), p50(`${network} f32, from typescript`)];
    return { name: `${network}: ${peer.slice(5)} / from typescript`, target: `>= ${times} times`, passed: slow === null || own === null ? null : slow / own >= times, measured: null, floor: null };
  }));
  const calls = rows.filter(({ name }) => name.startsWith("a call from typescript")).map(({ name, p50: measured }): Verdict => {
    const floor = p50(name.replace("a call from typescript", "floor: a bare call"));
    return { name, target: "<= 0.030 us", passed: measured === null ? null : measured <= 30, measured, floor };
  });
  return [...speeds, ...ratios, ...calls];
}

function summary(rows: readonly Row[], peers: boolean): string[][] {
  const p50 = (name: string): number | null => rows.find((row) => row.name === name)?.p50 ?? null;
  const cell = (value: number | null): string => (value === null ? "-" : micros(value));
  return NETWORKS.map(([network]) => {
    const own = p50(`${network} f32, from typescript`);
    const times = (value: number | null): string => (value === null || own === null ? "-" : (value / own).toFixed(value / own < 10 ? 1 : 0));
    const others = peers ? ["peer onnxruntime-node", "peer tfjs cpu"].map((peer) => p50(`${peer}, ${network}`)) : [];
    return [
      network, ...["f32", "bf16", "int8"].map((precision) => cell(p50(`${network} ${precision}, rust`))), cell(own), cell(p50(`floor: plain loop, ${network}`)),
      ...others.flatMap((value) => [cell(value), times(value)]),
    ];
  });
}

function text(rows: readonly Row[], judged: readonly Verdict[], peers: boolean, width: number): string[] {
  const heads = ["network", "+f32", "+bf16", "+int8", "+from ts", "+plain loop", ...(peers ? ["+ort", "+times", "+tfjs", "+times"] : [])];
  const steps = rows.filter(({ name }) => / step of | back,/.test(name)).map(({ name, p50, p99 }) => [name, micros(p50 ?? NaN), micros(p99 ?? NaN)]);
  const cell = (value: number | null): string => (value === null ? "-" : micros(value));
  const verdict = ({ name, target, passed, measured, floor }: Verdict): string[] => [name, target, cell(measured), cell(floor), passed === null ? "not measured" : passed ? "PASS" : "MISS"];
  return [
    "us a tick, median, batch 1, one core; ort and tfjs against f32 from TypeScript", "",
    ...table(columns(...heads), summary(rows, peers), width), "",
    ...table(columns("learning, us", "+p50", "+p99"), steps, width), "",
    ...table(columns("target of the reference machine", "+wanted", "+measured", "+floor", "verdict"), judged.map(verdict), width), "",
    ...rows.filter(({ note }) => note.startsWith("not measured")).map(({ name, note }) => `${name}: ${note}`),
  ];
}

/** Runs it. */
async function bench(flags: { peers?: true; json?: string | true; millis: string }): Promise<void> {
  const millis = Number(flags.millis);
  if (!(millis >= 10 && millis <= 60_000)) throw new TicklineError("TL_USAGE", `--millis ${flags.millis}: give 10 to 60000`);
  buildPrograms("tickline-bench");
  const rows = await benchNetworks(flags.peers === true, millis);
  const judged = verdicts(rows);
  const { level } = native.modelInfo(`${ROOT}ops/models/demo.tlm`);
  const machine = { cpu: cpus()[0]?.model ?? "unknown", level, avx512: level.startsWith("avx512") };
  const json = `${JSON.stringify({ machine, rows, targets: judged }, null, 2)}\n`;
  if (typeof flags.json === "string") writeFileSync(flags.json, json);
  if (flags.json === true) {
    process.stdout.write(json);
    return;
  }
  const lacking = machine.avx512 ? "" : "; this machine lacks AVX-512, which the targets assume";
  process.stdout.write(`${machine.cpu}, ${level}${lacking}\n`);
  process.stdout.write(`${text(rows, judged, flags.peers === true, process.stdout.columns ?? Infinity).join("\n")}\n`);
  if (flags.peers === true && rows.some(({ name, p50 }) => name === "peer onnxruntime-node" && p50 === null)) process.stdout.write(`peers are installed with: ${INSTALL}\n`);
}

/** The verb. */
export function modelBenchCommand(): Command {
  return new Command("bench")
    .description("the engine's speed in every precision, in Rust and called from TypeScript, beside a plain loop and, if wanted, peers")
    .option("--peers", "also onnxruntime-node and TensorFlow.js, on the same networks exported, in the same run")
    .option("--json [file]", "write machine, rows and verdicts as JSON; without a file to standard output")
    .option("--millis <n>", "time for each variant of each network", "300")
    .addHelpText("after", `
Random weights: speed does not depend on them. Compare rows of one run only.
Peers are installed with: ${INSTALL}

Example:
  npx tickline model bench --peers --json bench.json
`)
    .action(bench);
}
