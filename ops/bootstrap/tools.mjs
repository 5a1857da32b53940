// Checks the tools that must already be on the machine; each fault is one sentence with the fix.
import { readFileSync } from "node:fs";
import { root, versionLine } from "./child.mjs";
import { SetupError, say } from "./say.mjs";

/** The oldest system Node that can run the set-up. */
const NODE_MIN = "20.0.0";

/** True when dotted version `have` is `need` or newer; missing parts count as 0. */
export function atLeast(have, need) {
  const parts = (text) => text.split(/[.-]/).slice(0, 3).map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [parts(have), parts(need)];
  for (let i = 0; i < 3; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** The workspace's own `rust-version`. */
export function rustVersion(cargoToml = readFileSync(`${root}/Cargo.toml`, "utf8")) {
  const found = /^rust-version\s*=\s*"([^"]+)"/m.exec(cargoToml)?.[1];
  if (found === undefined) throw new SetupError("Cargo.toml names no rust-version: restore the line under [workspace.package].");
  return found;
}

function need(text, fault) {
  if (text === undefined) throw new SetupError(fault);
  return text;
}

/** Throws SetupError at the first tool that is missing or too old. `lints` also asks for rustfmt and clippy. */
export function checkTools({ lints }) {
  if (process.platform !== "linux") {
    throw new SetupError(`Tickline needs Linux (shared memory under /dev/shm, ppoll, FIFOs), and this is ${process.platform}: run it in a Linux machine or container.`);
  }
  const node = process.versions.node;
  if (!atLeast(node, NODE_MIN)) throw new SetupError(`Node ${node} is too old for the set-up, which needs ${NODE_MIN} or newer: install a current Node.js.`);
  const npm = need(versionLine("npm", ["--version"]), "npm was not found: install it (it comes with Node.js; on Debian: apt-get install npm).");
  const cargo = need(versionLine("cargo", ["--version"]), "cargo was not found: install Rust with rustup, then open a new shell so that ~/.cargo/bin is on PATH.");
  const have = cargo.split(" ")[1] ?? "0";
  const want = rustVersion();
  if (!atLeast(have, want)) throw new SetupError(`cargo ${have} is too old, this workspace needs ${want} or newer: run rustup update stable.`);
  need(versionLine("cc", ["--version"]), "cc, the C linker that cargo calls, was not found: install a C toolchain (on Debian: apt-get install build-essential).");
  if (lints) {
    need(versionLine("cargo", ["fmt", "--version"]), "rustfmt was not found: run rustup component add rustfmt.");
    need(versionLine("cargo", ["clippy", "--version"]), "clippy was not found: run rustup component add clippy.");
  }
  say("tools", `node ${node}, npm ${npm}, cargo ${have}, cc`);
}
