/** The native programs of benchmarks, built before they are run: cargo decides whether anything is to be done, and says nothing unless it fails. */
import { spawnSync } from "node:child_process";
import { ROOT } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";

/** Builds programs by the names of their packages, into `target/release`; TL_INTERNAL when that fails. */
export function buildPrograms(...names: readonly string[]): void {
  const done = spawnSync(process.execPath, ["ops/bootstrap/bootstrap.mjs", "programs", ...names], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  if (done.status !== 0) throw new TicklineError("TL_INTERNAL", `${names.join(" and ")} could not be built: the cause is above`);
}
