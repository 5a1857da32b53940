/** For tests: the command as a person runs it, to its end. What goes on beside a test is started by `test/fault/command.ts`. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What Node runs. */
export const COMMAND = fileURLToPath(new URL("./tickline.mjs", import.meta.url));

/** Exit code, null after a signal, and all that was printed, up to 256 MB. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `tickline` with these arguments in a folder, or in this one; the test waits for it. */
export function run(args: readonly string[], cwd?: string): Ended {
  const { status: code, stdout: out, stderr: err } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: "utf8", maxBuffer: 1 << 28, cwd });
  return { code, out, err };
}
