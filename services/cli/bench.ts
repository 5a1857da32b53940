/** `tickline bench`: runs the benchmarks and sets their rows beside floor, peers and targets. It reports; it fails only when it cannot measure. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Argument, Command } from "commander";
import type { Row } from "../../test/bench/row.ts";
import { ROOT } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";
import { isPeer, judge, type Judged } from "./bench-targets.ts";
import { columns, table, whole } from "./columns.ts";
import { buildPrograms } from "./programs.ts";

interface BenchOptions {
  json?: string;
  peers?: true;
}

/** A benchmark's halves: a subcommand of `tickline-bench`, and a function of `test/bench` (which may run more of both). */
interface Source {
  readonly rust: boolean;
  readonly typescript?: () => Promise<Row[]>;
}

const SOURCES: Readonly<Record<string, Source>> = {
  ring: { rust: false, typescript: async () => (await import("../../test/bench/ring.ts")).benchRing() },
  decode: { rust: true },
  book: { rust: true },
  gate: { rust: true, typescript: async () => (await import("../../test/bench/gate.ts")).benchGate() },
  line: { rust: false, typescript: async () => (await import("../../test/bench/line.ts")).benchLine() },
  schema: { rust: false, typescript: async () => (await import("../../test/bench/schema.ts")).benchSchema() },
  model: { rust: true, typescript: async () => (await import("../../test/bench/model.ts")).benchModel() },
  venue: { rust: true },
  learning: { rust: false, typescript: async () => (await import("../../test/bench/learning.ts")).benchLearning() },
};

const HELP = `
Examples:
  npx tickline bench ring --peers
  npx tickline bench line
  npx tickline bench --json bench.json

Compare rows of one run only: this machine's floor moves. The verdicts are
against the targets of the reference machine.
Exit codes: 0 measured, whatever the verdicts; 2 usage; 4 a benchmark failed.
`;

/** The verb. */
export function benchCommand(): Command {
  return new Command("bench")
    .description("speed of the parts, with floor and peers of the same run beside them")
    .addArgument(new Argument("[what]", "one of them; all when left out").choices(Object.keys(SOURCES)))
    .option("--json <file>", "write the rows as JSON, - for standard output instead of the table")
    .option("--peers", "also show the rows of peers: other projects, and the plain way to do it")
    .addHelpText("after", HELP)
    .action(bench);
}

async function bench(what: string | undefined, options: BenchOptions): Promise<void> {
  const chosen = what === undefined ? Object.keys(SOURCES) : [what];
  const rows: Row[] = [];
  buildPrograms("tickline-bench", "tickline-exchange");
  for (const name of chosen) {
    const { rust, typescript } = SOURCES[name] as Source;
    if (rust) rows.push(...(JSON.parse(await collect(`${ROOT}target/release/tickline-bench`, [name])) as Row[]));
    if (typescript !== undefined) {
      process.stderr.write(`running test/bench/${name}.ts\n`);
      rows.push(...(await typescript()));
    }
  }
  const judged = judge(rows).filter(({ row }) => options.peers === true || !isPeer(row));
  const json = `${JSON.stringify(judged.map(({ row, target, passed }) => ({ ...row, target, passed: passed ?? null })), null, 2)}\n`;
  if (options.json === "-") process.stdout.write(json);
  else {
    process.stdout.write(`${benchTable(judged, process.stdout.columns ?? Infinity).join("\n")}\n`);
    if (options.json !== undefined) writeFileSync(options.json, json);
  }
}

function benchTable(judged: readonly Judged[], width: number): string[] {
  const rows = judged.map(({ row, target, passed }) => [
    row.bench, row.name, figure(row.p50), figure(row.p99) + interval(row), figure(row.p999), figure(row.max), row.unit, rate(row.rate),
    row.verdict ?? (passed === undefined ? "" : passed ? "PASS" : "MISS"), target,
  ]);
  return table(columns("bench", "measured", "+p50", "+p99", "?+p99.9", "?+max", "unit", "+rate/s", "verdict", "target"), rows, width);
}

function figure(value: number | null): string {
  if (value === null) return "-";
  return value >= 100 ? whole(value) : value.toPrecision(3);
}

/** The 95 % interval of a row's p99, where it has one. */
function interval({ interval: found }: Row): string {
  return found === undefined ? "" : ` (${figure(found[0])} to ${figure(found[1])})`;
}

function rate(value: number | null): string {
  if (value === null || value === 0) return "-";
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} M` : whole(value);
}

/** Runs a program from the repository's root and resolves to its standard output. */
function collect(command: string, args: readonly string[]): Promise<string> {
  process.stderr.write(`running ${command.startsWith(ROOT) ? command.slice(ROOT.length) : command} ${args.join(" ")}\n`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => { text += chunk; });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(text);
      else reject(new TicklineError("TL_INTERNAL", `${command} ${args.join(" ")} ended with exit code ${code}: its own message is above`));
    });
  });
}
