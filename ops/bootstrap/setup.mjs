// The set-up steps: npm packages (with the pinned Node), then the native programs and the addon. Each is skipped when current.
import { existsSync, readdirSync } from "node:fs";
import { mustRun, root, runChild, versionLine } from "./child.mjs";
import { buildPrograms } from "./programs.mjs";
import { SetupError, say } from "./say.mjs";
import { fingerprint, forget, isCurrent, stamp } from "./stamp.mjs";
import { atLeast } from "./tools.mjs";

/** The oldest Node that runs this repository's TypeScript, when the pinned one has no build for the platform. */
const NODE_LINE_MIN = "24.0.0";

/** What the line runs: the venue process, and the addon that the services load, with its declarations for tsc. */
const BUILT = ["target/release/tickline-exchange", "crates/addon/tickline.node", "crates/addon/index.d.ts"];

/** Installs npm packages exactly as locked, when the lock or a manifest changed since the last time. */
export async function installPackages() {
  const manifests = readdirSync(`${root}/services`).map((name) => `services/${name}/package.json`);
  const print = fingerprint(["package-lock.json", "package.json", ...manifests], [process.platform, process.arch]);
  if (isCurrent("packages", print) && existsSync(`${root}/node_modules/.package-lock.json`)) {
    say("packages", "current");
    return;
  }
  forget("packages");
  say("packages", "installing as locked (npm ci)");
  const code = await runChild("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (code !== 0) throw new SetupError(`npm ci failed with exit code ${code}: its own message is above; check the network and package-lock.json, then run this again.`);
  stamp("packages", print);
  say("packages", "installed");
}

/**
 * Installs the engines that models are checked against (`ops/peers`), when their lock changed. No install script runs, so nothing but the
 * packages is fetched. Where they cannot be installed the tests that need them skip and say so.
 */
export async function installPeers() {
  const print = fingerprint(["ops/peers/package-lock.json"], [process.platform, process.arch]);
  if (isCurrent("peers", print) && existsSync(`${root}/ops/peers/node_modules/.package-lock.json`)) {
    say("peers", "current");
    return;
  }
  forget("peers");
  say("peers", "installing onnxruntime-node and TensorFlow.js as locked, to check models against (npm ci --ignore-scripts --prefix ops/peers)");
  const code = await runChild("npm", ["ci", "--prefix", "ops/peers", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (code !== 0) {
    say("peers", `could not be installed (npm ci ended with ${code}); the tests against them are skipped`);
    return;
  }
  stamp("peers", print);
  say("peers", "installed");
}

/** Path of the Node that runs TypeScript here: the one pinned through npm, else a system Node that is new enough. */
export function pinnedNode() {
  const pinned = `${root}/node_modules/.bin/node`;
  const version = existsSync(pinned) ? versionLine(pinned, ["--version"]) : undefined;
  if (version !== undefined) {
    say("node", `${version.slice(1)} (pinned in package-lock.json)`);
    return pinned;
  }
  const system = process.versions.node;
  if (!atLeast(system, NODE_LINE_MIN)) {
    throw new SetupError(`The pinned Node has no build for ${process.platform} ${process.arch} and the system's Node ${system} is older than ${NODE_LINE_MIN}: install Node ${NODE_LINE_MIN.split(".")[0]} or newer.`);
  }
  say("node", `${system} (the system's: the pinned one has no build for ${process.platform} ${process.arch})`);
  return process.execPath;
}

/** Builds the native programs and the addon (with its type declarations) in release mode, when any Rust source, manifest or tool changed. */
export async function buildNative() {
  const facts = [versionLine("cargo", ["--version"]) ?? "", process.env.RUSTFLAGS ?? ""];
  const print = fingerprint(["Cargo.toml", "Cargo.lock", "package-lock.json", "rust-toolchain.toml", ".cargo/config.toml", "crates"], facts);
  if (isCurrent("native", print) && BUILT.every((path) => existsSync(`${root}/${path}`))) {
    say("native", "current");
    return;
  }
  forget("native");
  say("native", "building (cargo; the first time takes a minute or two)");
  await buildPrograms(["tickline-exchange"]);
  say("native", "building the addon");
  await mustRun("npm", ["run", "--silent", "addon"], { env: { ...process.env, CARGO_TARGET_DIR: `${root}/target` } });
  stamp("native", print);
  say("native", "built");
}
