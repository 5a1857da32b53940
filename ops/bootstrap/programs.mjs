// Native programs in release mode. They are built for a target that is named, as napi builds the addon: cargo keeps what is built for a
// named target apart, so the crates under both are compiled once.
import { copyFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { mustRun, root, versionLines } from "./child.mjs";
import { SetupError } from "./say.mjs";

/** Where programs are run from. */
const PROGRAMS = `${root}/target/release`;

/** Builds programs by the names of their packages and puts them into `target/release`; cargo decides whether anything is to be done. */
export async function buildPrograms(names, { quiet = false } = {}) {
  const host = versionLines("rustc", ["-vV"])?.find((line) => line.startsWith("host: "))?.slice("host: ".length);
  if (host === undefined) throw new SetupError("rustc -vV names no host: check the Rust installation (rustup show).");
  const packages = names.flatMap((name) => ["-p", name]);
  await mustRun("cargo", ["build", ...packages, "--release", "--locked", ...(quiet ? ["--quiet"] : []), "--target", host, "--target-dir", `${root}/target`]);
  mkdirSync(PROGRAMS, { recursive: true });
  for (const name of names) put(`${root}/target/${host}/release/${name}`, `${PROGRAMS}/${name}`);
}

/** Copies a program where it is another one now; one that runs meanwhile keeps its file. */
function put(from, to) {
  const [built, present] = [statSync(from), statSync(to, { throwIfNoEntry: false })];
  if (present !== undefined && present.mtimeMs >= built.mtimeMs && present.size === built.size) return;
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}
