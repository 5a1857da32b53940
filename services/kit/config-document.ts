/** A YAML text that can say where each of its values stands, and refuse one in a sentence a person can act on. */
import { isMap, LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import { ConfigError, TicklineError, type ConfigPlace } from "./errors.ts";

type Key = string | number;

/** The part of a zod schema's definition that finding a field needs. */
interface Definition {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly values?: readonly unknown[];
}

function definition(schema: z.ZodType): Definition {
  return schema.def as unknown as Definition;
}

/** The schemas that may stand at `path`: more than one under a union. */
function schemasAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType[] {
  const def = definition(schema);
  if (def.innerType !== undefined) return schemasAt(def.innerType, path);
  const [key, ...rest] = path;
  if (def.options !== undefined && key !== undefined) return def.options.flatMap((option) => schemasAt(option, path));
  if (key === undefined) return [schema];
  const next = def.shape?.[String(key)] ?? (typeof key === "number" ? def.element : undefined);
  return next === undefined ? [] : schemasAt(next, rest);
}

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const found = schemasAt(schema, path).flatMap((one) => {
    const def = definition(one);
    const parts = def.options ?? [one];
    return parts.flatMap((part) => Object.keys(definition(part).shape ?? {}));
  });
  return [...new Set(found)];
}

/** What belongs at `path`, in words. */
function expected(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const found = schemasAt(schema, path);
  for (const one of found) {
    const expects = one.meta()?.["expects"];
    if (typeof expects === "string") return expects;
  }
  const literals = found.flatMap((one) => definition(one).values ?? []);
  if (literals.length > 0) return `one of ${literals.join(", ")}`;
  const keys = keysAt(schema, path);
  if (keys.length > 0) return `a map with ${keys.join(", ")}`;
  const type = found[0] === undefined ? "" : definition(found[0]).type;
  return type === "array" ? "a list" : type === "record" ? "a map of numbers" : "a number";
}

/** Edit distance of two words: insertions, deletions and replacements of a letter. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidate closest to `word`, if any is close enough to be meant. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < least) [best, least] = [candidate, d];
  }
  return best;
}

function shown(value: unknown): string {
  const source = typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value) ?? String(value);
  const readable = typeof value === "number" && !Number.isFinite(value) ? String(value) : source;
  return readable.length > 60 ? `${readable.slice(0, 57)}...` : readable;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${String(key)}`)).join("");
}

/** A parsed YAML text with its places. */
export class ConfigDocument {
  private readonly file: string;
  private readonly document: Document.Parsed;
  private readonly lines: LineCounter;

  constructor(file: string, document: Document.Parsed, lines: LineCounter) {
    this.file = file;
    this.document = document;
    this.lines = lines;
  }

  /** Where `path` stands: its key when it has one, else the nearest thing around it. */
  private placeOf(path: readonly PropertyKey[]): ConfigPlace {
    const name = dotted(path);
    for (let length = path.length; length > 0; length--) {
      const parent = this.document.getIn(path.slice(0, length - 1) as Key[], true);
      const key = path[length - 1];
      const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === String(key)) : undefined;
      const node = length === path.length && pair?.value != null ? pair.value : pair?.key ?? this.document.getIn(path.slice(0, length) as Key[], true);
      const range = (node as { range?: [number, number, number] | null } | undefined)?.range;
      if (range == null) continue;
      const at = this.lines.linePos(range[0]);
      return { file: this.file, line: at.line, column: at.col, path: name };
    }
    return { file: this.file, line: 1, column: 1, path: name };
  }

  private placeOfKey(path: readonly PropertyKey[], key: string): ConfigPlace {
    const parent = this.document.getIn(path as Key[], true);
    const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === key) : undefined;
    const range = (pair?.key as { range?: [number, number, number] } | undefined)?.range;
    const name = dotted([...path, key]);
    if (range === undefined) return this.placeOf([...path, key]);
    const at = this.lines.linePos(range[0]);
    return { file: this.file, line: at.line, column: at.col, path: name };
  }

  /** A refusal of the value at `path`. */
  refusal(path: readonly PropertyKey[], problem: string, fix: string): ConfigError {
    const value = path.length === 0 ? undefined : this.document.getIn(path as Key[]);
    return new ConfigError("TL_CONFIG_VALUE", this.placeOf(path), problem, fix, value === undefined ? "" : shown(value));
  }

  private fromIssue(schema: z.ZodType, issue: z.core.$ZodIssue, data: unknown): ConfigError {
    if (issue.code === "unrecognized_keys") {
      const key = issue.keys[0] ?? "";
      const allowed = keysAt(schema, issue.path);
      const near = closest(key, allowed);
      const fix = near === undefined ? `known here: ${allowed.join(", ")}` : `did you mean ${near}?`;
      return new ConfigError("TL_CONFIG_VALUE", this.placeOfKey(issue.path, key), "unknown key", fix, key);
    }
    if (issue.code === "custom") {
      const fix: unknown = issue.params?.["fix"];
      return this.refusal(issue.path, issue.message, typeof fix === "string" ? fix : "change it");
    }
    const value = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key], data);
    const expects = expected(schema, issue.path);
    if (value === undefined) return this.refusal(issue.path, "is missing", `add ${expects}`);
    const near = typeof value === "string" ? closest(value, expects.replace(/^one of /, "").split(", ")) : undefined;
    const fix = expects.startsWith("one of ") && near !== undefined ? `did you mean ${near}? (${expects})` : `give ${expects}`;
    const what = value !== null && typeof value === "object" ? (Array.isArray(value) ? "a list" : "a map") : shown(value);
    return this.refusal(issue.path, `${what} does not fit`, fix);
  }

  /**
   * Checks the whole document.
   *
   * @throws ConfigError for the first thing wrong; an unknown key comes before the missing one it probably stands for
   */
  parse<S extends z.ZodType>(schema: S): z.output<S> {
    const data: unknown = this.document.toJS();
    const result = schema.safeParse(data);
    if (result.success) return result.data;
    const { issues } = result.error;
    const first = issues.find((issue) => issue.code === "unrecognized_keys") ?? issues[0];
    if (first === undefined) throw new TicklineError("TL_INTERNAL", `${this.file} was refused without a reason`);
    throw this.fromIssue(schema, first, data);
  }
}

/**
 * Parses YAML.
 *
 * @throws ConfigError (`TL_CONFIG_SYNTAX`) when the text is not one YAML map
 */
export function openDocument(source: string, file: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) {
    const at = lines.linePos(error.pos[0]);
    const why = error.message.split("\n", 1)[0] ?? "not YAML";
    throw new ConfigError("TL_CONFIG_SYNTAX", { file, line: at.line, column: at.col, path: "" }, why, "correct the YAML here");
  }
  if (!isMap(document.contents)) {
    throw new ConfigError("TL_CONFIG_SYNTAX", { file, line: 1, column: 1, path: "" }, "not a map of settings", "start from a copy of ops/lines/demo.yaml");
  }
  return new ConfigDocument(file, document, lines);
}
