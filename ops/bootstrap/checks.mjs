// What `npm test` runs, in order. Every section runs even when an earlier one failed, so one run shows every fault.
import { dirname } from "node:path";
import { root, runChild } from "./child.mjs";
import { elapsed } from "./say.mjs";
import { closingLine, emptyTally, tallySink } from "./tally.mjs";

const TESTS = ["schemas", "services", "ops", "test"];

/** In the long mode every test tries more (`crates/trials`, `test/trials.ts`), and property tests that name no number of cases do too. */
const LONG = { TICKLINE_LONG: "1", PROPTEST_CASES: "5000" };
/** About 20 s, and one to two minutes. */
const FUZZ_INPUTS = { short: "2500000", long: "10000000" };

function sections(node, long) {
  const bin = `${root}/node_modules/.bin`;
  const target = ["--target-dir", `${root}/target`];
  return [
    { name: "generated schemas are current", run: [node, "schemas/generate.ts", "--check"] },
    { name: "rustfmt", run: ["cargo", "fmt", "--all", "--check"] },
    { name: "clippy", run: ["cargo", "clippy", "--workspace", "--lib", "--bins", "--tests", "--benches", "--locked", "--quiet", ...target, "--", "-D", "warnings"] },
    { name: "tsc", run: [node, `${bin}/tsc`, "--noEmit"] },
    { name: "oxlint", run: [node, `${bin}/oxlint`, "--deny-warnings", ...TESTS] },
    { name: "cargo test", run: ["cargo", "test", "--workspace", "--locked", "--no-fail-fast", ...(long ? ["--profile", "long"] : []), ...target], counts: true },
    { name: "loom, the ring's protocols", run: ["npm", "run", "--silent", "loom"], counts: true },
    { name: "benchmarks and fuzzer build", run: [node, "ops/bootstrap/bootstrap.mjs", "programs", "tickline-bench", "tickline-fuzz"] },
    { name: "node --test", run: [node, "--test", "--test-reporter=spec", ...TESTS.map((folder) => `${folder}/**/*.test.{ts,mjs}`)], counts: true },
    { name: "fuzz", run: [`${root}/target/release/tickline-fuzz`, "--inputs", long ? FUZZ_INPUTS.long : FUZZ_INPUTS.short] },
    ...(long ? [{ name: "miri, the ring's channels", run: ["npm", "run", "--silent", "miri"], counts: true }] : []),
  ];
}

/** Runs one section; a section that failed without counting a failed test counts as one. Resolves to true when it passed. */
async function runSection({ name, run: [command, ...args], counts = false }, env, total) {
  process.stdout.write(`\n== ${name} (at ${elapsed()})\n`);
  const began = performance.now();
  const tally = emptyTally();
  const code = await runChild(command, args, counts ? { env, onText: tallySink(tally) } : { env });
  if (code !== 0 && tally.failed === 0) tally.failed = 1;
  for (const key of Object.keys(total)) total[key] += tally[key];
  const passed = code === 0 && tally.failed === 0;
  process.stdout.write(`-- ${name}: ${passed ? "ok" : `FAILED (exit code ${code})`} in ${((performance.now() - began) / 1000).toFixed(1)}s\n`);
  return passed;
}

/** Runs every section, in the long mode with more of everything, and prints the closing line. Resolves to 0 when all passed, else 1. */
export async function runChecks(node, { long }) {
  // Tests start `node` by name too: the pinned one must come first.
  const env = { ...process.env, ...(long ? LONG : {}), PATH: `${dirname(node)}:${process.env.PATH ?? ""}` };
  const total = emptyTally();
  const failed = [];
  for (const section of sections(node, long)) {
    if (!(await runSection(section, env, total))) failed.push(section.name);
  }
  if (total.passed === 0) failed.push("no test ran");
  process.stdout.write(`\n${failed.length === 0 ? "Every section passed" : `Failed: ${failed.join("; ")}`} (${elapsed()})\n`);
  process.stdout.write(`${closingLine(total)}\n`);
  return failed.length === 0 ? 0 : 1;
}
