/** Rows of the Rust half: what `tickline-bench` prints. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Row } from "./row.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PRINTED_MAX = 1 << 24;

/** Runs a program of `target/release` from the repository's root and resolves to what it printed; its last words are the error's. */
export async function runProgram(name: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(`${ROOT}target/release/${name}`, args, { cwd: ROOT, maxBuffer: PRINTED_MAX });
  return stdout;
}

/** Runs one subcommand of `tickline-bench`. */
export async function rustRows(...args: readonly string[]): Promise<Row[]> {
  return JSON.parse(await runProgram("tickline-bench", args)) as Row[];
}
