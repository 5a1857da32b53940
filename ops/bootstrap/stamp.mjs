// Stamps: what a set-up step was last done for, so that it is skipped when nothing it reads has changed.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { root } from "./child.mjs";

const folder = `${root}/.bootstrap`;

/** Files under `path` (a file or folder relative to the root), sorted; build outputs and packages are left out. */
function* filesUnder(path) {
  let entries;
  try {
    entries = readdirSync(`${root}/${path}`, { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOTDIR") yield path;
    else if (error.code !== "ENOENT") throw error;
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (["node_modules", "target"].includes(entry.name) || entry.name.endsWith(".node") || entry.name === "index.d.ts") continue;
    if (entry.isDirectory()) yield* filesUnder(`${path}/${entry.name}`);
    else if (entry.isFile()) yield `${path}/${entry.name}`;
  }
}

/** SHA-256 over names and bytes of everything under `paths`, and over `facts` (tool versions, flags). */
export function fingerprint(paths, facts) {
  const hash = createHash("sha256").update(JSON.stringify(facts));
  for (const path of paths) {
    for (const file of filesUnder(path)) hash.update(`\0${file}\0`).update(readFileSync(`${root}/${file}`));
  }
  return hash.digest("hex");
}

/** True when step `name` was completed for exactly this fingerprint. */
export function isCurrent(name, print) {
  try {
    return readFileSync(`${folder}/${name}`, "utf8") === print;
  } catch {
    return false;
  }
}

/** Records that step `name` is complete for this fingerprint. */
export function stamp(name, print) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}`, print);
}

/** Forgets step `name`: called before it runs, so that an interrupted step is done again. */
export function forget(name) {
  rmSync(`${folder}/${name}`, { force: true });
}
