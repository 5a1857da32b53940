// Child processes of the set-up.
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { SetupError } from "./say.mjs";

/** The repository root, with no trailing slash. */
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** Lines a tool prints for its version, or undefined when it cannot be run. */
export function versionLines(command, args) {
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  if (done.error !== undefined || done.status !== 0) return undefined;
  return done.stdout.split("\n").map((line) => line.trim());
}

/** The first of them. */
export function versionLine(command, args) {
  return versionLines(command, args)?.[0];
}

/**
 * Runs a command to its end with the terminal's own streams and resolves to its exit code (128 + number after a signal).
 * SIGINT and SIGTERM go on to the child, which decides how to stop. `onText` also receives everything it prints.
 */
export function runChild(command, args, { env = process.env, onText } = {}) {
  return new Promise((resolve, reject) => {
    const output = onText === undefined ? "inherit" : "pipe";
    const child = spawn(command, args, { cwd: root, env, stdio: ["inherit", output, output] });
    const forward = (signal) => { child.kill(signal); };
    process.on("SIGTERM", forward).on("SIGINT", forward);
    if (onText !== undefined) {
      for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
        from.setEncoding("utf8").on("data", (text) => { to.write(text); onText(text); });
      }
    }
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGTERM", forward).off("SIGINT", forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** As `runChild`; throws SetupError when the command fails. */
export async function mustRun(command, args, options) {
  const code = await runChild(command, args, options);
  if (code !== 0) throw new SetupError(`${command} ${args.slice(0, 3).join(" ")} failed with exit code ${code}: its own message is above.`);
}
