/** Which room may know which: Cargo dependencies, imports between services, packages. */
import { dirname, posix } from "node:path";
import { isTest, lineAt, type Finding, type SourceFile } from "./tree.ts";

/** Crates of ours that each crate may depend on; ARCHITECTURE.md says why. */
const CRATES = new Map<string, readonly string[]>([
  ["units", []],
  ["trials", []],
  ["clock", ["units"]],
  ["ring", []],
  ["wire", ["units"]],
  ["journal", ["units", "wire"]],
  ["recorder", ["units", "wire", "ring", "journal"]],
  ["packet", ["units", "wire", "journal"]],
  ["book", ["units", "wire"]],
  ["features", ["units", "book", "wire"]],
  ["model", []],
  ["weights", ["ring", "model"]],
  ["learn", ["ring", "model", "weights"]],
  ["dataset", ["units", "wire", "packet", "features", "pipeline", "model"]],
  ["gate", ["units"]],
  ["order", ["units", "wire", "gate"]],
  ["port", ["units", "clock", "ring", "wire", "gate", "order"]],
  ["venue", ["units", "wire", "book"]],
  ["inspect", ["units", "wire", "packet", "book"]],
  ["pipeline", ["units", "wire", "packet", "book", "features"]],
  ["exchange", ["units", "clock", "ring", "wire", "packet", "venue"]],
  ["addon", ["units", "clock", "ring", "wire", "packet", "book", "features", "model", "dataset", "weights", "learn", "gate", "order", "pipeline", "port", "inspect", "journal", "recorder"]],
]);

/** Services that may import others besides kit. Agents meet only in a schema. */
const SERVICES = new Map<string, readonly string[]>([
  ["kit", []],
  ["feed", []],
  ["inference", []],
  ["risk", []],
  ["execution", []],
  ["learner", []],
  ["recorder", []],
  ["line", ["feed", "inference", "risk", "execution", "learner", "recorder"]],
  ["supervisor", []],
  ["cli", ["supervisor", "line", "trainer", "interchange"]],
  ["trainer", ["interchange"]],
  ["interchange", []],
]);

/** The only files of a service that another room may reach: its doors. */
const DOOR = /\/(?:main|config|create|names|api)\.ts$/;

/** Findings in one Cargo.toml: dependencies, not dev-dependencies. */
export function cargo(file: SourceFile): Finding[] {
  const crate = /^crates\/([^/]+)\/Cargo\.toml$/.exec(file.path)?.[1];
  if (crate === undefined) return [];
  const allowed = CRATES.get(crate);
  if (allowed === undefined) return [{ path: file.path, line: 1, says: `crates/${crate} is not in ARCHITECTURE.md's code map; add it there and in test/tidy/rooms.ts` }];
  const section = /^\[dependencies\]\n([^[]*)/m.exec(file.text);
  if (section === null) return [];
  return [...(section[1] ?? "").matchAll(/^tickline-([a-z]+)/gm)]
    .filter((match) => !allowed.includes(match[1] ?? ""))
    .map((match) => ({
      path: file.path,
      line: lineAt(file.text, section.index + section[0].indexOf(match[0])),
      says: `${crate} may not know ${match[1]}; it may know ${allowed.join(", ") || "no other crate"}: pass values instead`,
    }));
}

/** One import or re-export: what it names and where. */
export interface Import {
  readonly target: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

/** Imports of a TypeScript file, dynamic ones with a literal included. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  for (const match of file.text.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^"';]*?from\s+)?["']([^"'\n]+)["']/gm)) {
    if (!/^\s*(?:import|export)\b/.test(file.code.slice(match.index, match.index + match[0].length))) continue;
    found.push({ target: match[2] ?? "", line: lineAt(file.text, match.index + match[0].search(/\S/)), typeOnly: match[1] !== undefined });
  }
  for (const match of file.text.matchAll(/\bimport\(\s*["']([^"'\n]+)["']/g)) {
    if (file.code.startsWith("import(", match.index)) found.push({ target: match[1] ?? "", line: lineAt(file.text, match.index), typeOnly: false });
  }
  return found;
}

/** A relative import's path from the root; undefined for packages. */
export function resolveImport(file: SourceFile, target: string): string | undefined {
  return target.startsWith(".") ? posix.normalize(posix.join(dirname(file.path), target)) : undefined;
}

/** Findings in the imports of one TypeScript file. */
export function imports(file: SourceFile): Finding[] {
  const here = /^(services|schemas)(?:\/([^/]+))?\//.exec(file.path);
  if (here === null || !/\.(?:ts|mjs)$/.test(file.path) || isTest(file.path)) return [];
  const [, top = "", service = ""] = here;
  const found: Finding[] = [];
  for (const { target, line, typeOnly } of importsOf(file)) {
    const path = resolveImport(file, target);
    if (path === undefined) continue;
    const refuse = (says: string): void => void found.push({ path: file.path, line, says: `${target}: ${says}` });
    const [root, room = ""] = path.split("/");
    if (top === "schemas" && root !== "schemas") refuse("schemas know no service");
    else if (root === "test" && service !== "cli") refuse("nothing that runs imports test/");
    else if (top === "services" && root === "services" && room !== service && room !== "kit") {
      const allowed = SERVICES.get(service) ?? [];
      if (!allowed.includes(room)) refuse(`${service} may not know ${room}; services meet in a schema (schemas/generated) or in kit`);
      else if (service === "line" && !DOOR.test(path)) refuse("enter another service through its main.ts or config.ts");
    } else if (top === "services" && root === "schemas" && /\/official\/|\/generator\//.test(path)) refuse("use the generated view, not the official class or the generator");
    else if (root === "crates" && !(typeOnly && file.path === "services/kit/native.ts")) refuse("TypeScript reaches crates only through the addon, services/kit/native.ts");
  }
  return found;
}

/** Packages that a service imports stand in its own package.json or in kit's. */
export function packages(file: SourceFile, manifests: ReadonlyMap<string, ReadonlySet<string>>): Finding[] {
  const service = /^services\/([^/]+)\//.exec(file.path)?.[1];
  if (service === undefined || !file.path.endsWith(".ts") || isTest(file.path)) return [];
  return importsOf(file)
    .filter(({ target }) => !target.startsWith(".") && !target.startsWith("node:"))
    .map(({ target, line, typeOnly }) => ({ name: target.split("/").slice(0, target.startsWith("@") ? 2 : 1).join("/"), line, typeOnly }))
    .filter(({ name, typeOnly }) => !(manifests.get(service)?.has(name) ?? false) && !(typeOnly && manifests.get("kit")?.has(name)))
    .map(({ name, line }) => ({ path: file.path, line, says: `${name}: list it in services/${service}/package.json, or ask kit` }));
}
