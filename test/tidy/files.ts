/** What files are called, how long they are, who reads them, and what no file may say. */
import { basename, dirname } from "node:path";
import { importsOf, resolveImport } from "./rooms.ts";
import { findAll, isTest, type Finding, type SourceFile } from "./tree.ts";

const LINES_MAX = 400;

/** Files that may be longer, each with its reason. */
const LONG = new Map<string, string>([
  ["crates/wire/src/itch/message.rs", "all 23 ITCH messages, a struct each"],
  ["crates/exchange/tests/loopback.rs", "one venue process and one client, step by step"],
  ["crates/features/tests/model.rs", "one slow definition for each of 40 values"],
]);

/** Source files stay short enough to read in one sitting. */
export function size(file: SourceFile): Finding[] {
  if (file.generated || !/\.(?:ts|mjs|rs)$/.test(file.path) || LONG.has(file.path)) return [];
  const lines = file.text.split("\n").length - 1;
  return lines <= LINES_MAX ? [] : [{ path: file.path, line: LINES_MAX + 1, says: `${lines} lines; split it by noun, ${LINES_MAX} at most` }];
}

/** No drawers for what has no name. */
export function names(file: SourceFile): Finding[] {
  const drawer = file.path.split("/").find((part) => /^(?:utils?|common|helpers?|misc|shared|stuff)(?:\.|$)/.test(part));
  const found: Finding[] = [];
  if (drawer !== undefined) found.push({ path: file.path, line: 0, says: `${drawer}: name it after the noun it holds` });
  const stem = basename(file.path).replace(/\..*$/, "");
  if (/^(?:services|schemas|test)\//.test(file.path) && file.path.endsWith(".ts") && !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(stem)) {
    found.push({ path: file.path, line: 0, says: "kebab-case, please" });
  }
  return found;
}

const HOME = ["/work/", "/root/", "/home/", "/Users/"];
const LATER = ["TODO", "FIXME", "XXX", "HACK"];
const REGISTRY = ["npmjs.org", "npmjs.com", "artifactory", "index.crates.io"];

/** Words that no file holds: places of one machine, promises, registries. */
export function wording(file: SourceFile): Finding[] {
  const found: Finding[] = [];
  if (file.path === "test/tidy/files.ts") return found;
  const ban = (words: readonly string[], edge: string, says: string): void => {
    const pattern = new RegExp(`${edge}(?:${words.map((word) => word.replace(/[./]/g, "\\$&")).join("|")})`, "g");
    found.push(...findAll(file, file.text, pattern, says));
  };
  ban(HOME, "(?<![\\w.*-])", "an absolute path of one machine; start from the repository's root");
  ban(REGISTRY, "", "no registry host; npm and cargo know where packages are");
  if (/\.(?:ts|mjs|rs|fbs|yaml|toml)$/.test(file.path)) ban(LATER, "\\b", "do it now, or open an issue");
  return found;
}

/** package-lock.json resolves nothing to a host. */
export function lock(file: SourceFile): Finding[] {
  if (basename(file.path) !== "package-lock.json" && basename(file.path) !== "package.json") return [];
  return findAll(file, file.text, /"resolved":\s*"https?:[^"]*"|"(?:git\+)?https?:\/\/[^"]*\.tgz"/g, "run npm install with omit-lockfile-registry-resolved");
}

const HEADINGS = ["In", "Out", "Limits", "Fails how", "Not here"];

/** Every service says in its README what goes in and out. */
export function readmes(files: readonly SourceFile[]): Finding[] {
  const folders = new Set(files.map((file) => /^services\/[^/]+(?=\/)/.exec(file.path)?.[0]).filter((folder) => folder !== undefined));
  const found: Finding[] = [];
  for (const folder of folders) {
    if (!files.some((file) => dirname(file.path) === folder && file.path.endsWith(".ts"))) continue;
    const path = `${folder}/README.md`;
    const readme = files.find((file) => file.path === path);
    const missing = readme === undefined ? HEADINGS : HEADINGS.filter((heading) => !new RegExp(`^## ${heading}\\s*$`, "m").test(readme.text));
    if (missing.length > 0) found.push({ path, line: 0, says: `add the headings ${missing.map((heading) => `"## ${heading}"`).join(", ")}` });
  }
  return found;
}

/** Files that something other than an import starts, each with what does. */
const STARTED = new Map([
  ["schemas/generate.ts", "npm run schemas"],
  ["services/cli/main.ts", "services/cli/tickline.mjs"],
  ["test/bench/ring-end.ts", "test/bench/ring-pair.ts, as a process"],
  ["ops/bootstrap/lock.mjs", "a person, after a change of dependencies"],
]);

function startedByPath(file: SourceFile, files: readonly SourceFile[]): boolean {
  const name = basename(file.path);
  return files.some((other) => other.path !== file.path && /\.(?:ts|mjs|json|rs|yaml)$/.test(other.path) && (other.text.includes(`/${name}"`) || other.text.includes(`"${name}"`) || other.text.includes(file.path)));
}

/** TypeScript that nobody imports or starts, and Rust that no `mod` names. */
export function unread(files: readonly SourceFile[]): Finding[] {
  const reached = new Set<string>();
  for (const file of files) for (const { target } of importsOf(file)) reached.add(resolveImport(file, target) ?? "");
  const modules = new Map<string, Set<string>>();
  for (const file of files) {
    const crate = /^(?:crates|test)\/[^/]+/.exec(file.path)?.[0];
    if (crate === undefined || !file.path.endsWith(".rs")) continue;
    const known = modules.get(crate) ?? new Set();
    for (const match of file.code.matchAll(/\bmod (\w+)\s*;/g)) known.add(match[1] ?? "");
    for (const match of file.text.matchAll(/#\[path = "([^"]+)"\]/g)) known.add(basename(match[1] ?? "", ".rs"));
    modules.set(crate, known);
  }
  const found: Finding[] = [];
  for (const file of files) {
    if (/^(?:services|schemas|test|ops)\/.*\.(?:ts|mjs)$/.test(file.path) && !/\.(?:test|d)\.ts$/.test(file.path) && !file.generated) {
      if (!reached.has(file.path) && !STARTED.has(file.path) && !startedByPath(file, files)) {
        found.push({ path: file.path, line: 0, says: "nobody imports or starts it: use it or delete it" });
      }
    }
    const crate = /^((?:crates|test)\/[^/]+)\/src\/(?!bin\/).*\.rs$/.exec(file.path)?.[1];
    if (crate === undefined || /\/(?:lib|main|build)\.rs$/.test(file.path)) continue;
    const stem = file.path.endsWith("/mod.rs") ? basename(dirname(file.path)) : basename(file.path, ".rs");
    if (!(modules.get(crate)?.has(stem) ?? false)) found.push({ path: file.path, line: 0, says: `no \`mod ${stem};\` names it: use it or delete it` });
  }
  return found;
}

/** Every file that says it is generated is one that the generator writes. */
export function generated(files: readonly SourceFile[], listed: ReadonlySet<string>): Finding[] {
  return files
    .filter((file) => file.generated && /\.(?:ts|rs)$/.test(file.path) && !listed.has(file.path) && !isTest(file.path))
    .map((file) => ({ path: file.path, line: 1, says: "says it is generated, but schemas/generate.ts does not write it" }));
}
