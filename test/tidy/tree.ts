/** The repository's own text files, read once. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { blank, type Language } from "./blank.ts";

/** The repository's root. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** One file as the rules see it. */
export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** `text` with comments and the insides of strings blanked; same length, same lines. Equals `text` where neither is known. */
  readonly code: string;
  readonly generated: boolean;
}

/** Something to correct. */
export interface Finding {
  readonly path: string;
  /** From 1; 0 when the file as a whole is meant. */
  readonly line: number;
  /** What is wrong and what to do instead. */
  readonly says: string;
}

const SKIPPED = new Set(["node_modules", "target", ".git", ".bootstrap", ".run", "corpus", "artifacts", "__pycache__", "index.d.ts"]);
const TEXT = new Set([".ts", ".mjs", ".rs", ".fbs", ".md", ".json", ".toml", ".yaml", ".yml", ".lock", ".sh", ""]);

function language(path: string): Language | undefined {
  const kind = extname(path);
  return kind === ".ts" || kind === ".mjs" ? "typescript" : kind === ".rs" ? "rust" : undefined;
}

/** A file from text, for the tree and for fixtures. */
export function sourceFile(path: string, text: string): SourceFile {
  const known = language(path);
  const generated = /^(?:\/\/|\/\/!|# ?).*[Gg]enerated by /m.test(text.slice(0, 400)) && !path.startsWith("schemas/generator/");
  return { path, text, code: known === undefined ? text : blank(text, known), generated };
}

function list(folder: string, into: string[]): void {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (SKIPPED.has(entry.name)) continue;
    if (entry.isDirectory()) list(path, into);
    else if (entry.isFile() && TEXT.has(extname(basename(path)))) into.push(path);
  }
}

/** Every text file of the repository, build outputs apart. */
export function readTree(): SourceFile[] {
  const paths: string[] = [];
  list("", paths);
  return paths.sort().map((path) => sourceFile(path, readFileSync(join(ROOT, path), "utf8")));
}

/** One finding for every match of `pattern` in `text`. */
export function findAll(file: SourceFile, text: string, pattern: RegExp, says: string): Finding[] {
  return [...text.matchAll(pattern)].map((match) => ({ path: file.path, line: lineAt(text, match.index), says: `${match[0].trim()}: ${says}` }));
}

/** The line, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < offset; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

/** True for tests and for the rooms that exist to test or measure. */
export function isTest(path: string): boolean {
  return path.startsWith("test/") || path.endsWith(".test.ts") || /^crates\/[^/]+\/(?:tests|benches|examples)\//.test(path) || /\/tests?\.rs$/.test(path);
}
