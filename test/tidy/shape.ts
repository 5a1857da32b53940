/** The shape of code inside a file: functions short, exports documented, nothing re-exported wholesale. */
import { withoutTests } from "./hot.ts";
import { isTest, lineAt, type Finding, type SourceFile } from "./tree.ts";

const FUNCTION_LINES_MAX = 70;

const EXPORT = /^export (?:declare )?(?:abstract )?(?:async )?(?:const|function\*?|class|interface|type) (\w+)/;

/** Functions that may be longer, each with its reason. */
const LONG = new Map<string, string>([]);

/** Offset just past the brace that closes the one at `open`. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let i = open; i < code.length; i++) {
    if (code[i] === "{") depth++;
    else if (code[i] === "}" && --depth === 0) return i + 1;
  }
  return code.length;
}

/** Where a function's body opens, given the offset just past its name; -1 when it has none. */
function bodyOf(code: string, from: number): number {
  let parens = 0;
  for (let i = from; i < code.length; i++) {
    const letter = code[i];
    if (letter === "(" || letter === "[") parens++;
    else if (letter === ")" || letter === "]") parens--;
    else if (parens === 0 && letter === ";") return -1;
    else if (parens === 0 && letter === "{") return i;
  }
  return -1;
}

/** Functions longer than a screen. */
export function functionLength(file: SourceFile): Finding[] {
  const rust = file.path.endsWith(".rs");
  if (file.generated || isTest(file.path) || !(rust || file.path.endsWith(".ts"))) return [];
  const code = rust ? withoutTests(file.code) : file.code;
  const head = rust ? /\bfn (\w+)/g : /\bfunction\*? (\w+)|^ {2}(?:(?:private|override|static|async|get|set) )*(?!if\b|for\b|while\b|switch\b|return\b)(\w+)(?=\([^;]*\{$)/gm;
  const found: Finding[] = [];
  for (const match of code.matchAll(head)) {
    const name = match[1] ?? match[2] ?? "";
    const open = bodyOf(code, match.index + match[0].length);
    if (open < 0) continue;
    const [first, last] = [lineAt(code, match.index), lineAt(code, closing(code, open) - 1)];
    const lines = last - first + 1;
    if (lines > FUNCTION_LINES_MAX && !LONG.has(`${file.path} ${name}`)) {
      found.push({ path: file.path, line: first, says: `${name} has ${lines} lines; ${FUNCTION_LINES_MAX} at most: name its steps` });
    }
  }
  return found;
}

/** Exports without a docstring. Rust's are the compiler's business (`missing_docs`). */
export function documented(file: SourceFile): Finding[] {
  if (file.generated || isTest(file.path) || !/^(?:services|schemas)\/.*\.ts$/.test(file.path)) return [];
  const lines = file.text.split("\n");
  const found: Finding[] = [];
  // The docstring that opens a file speaks for its first export and for its first class.
  const opened = /^(?:\/\/ @hot\n)?\/\*\*/.test(file.text);
  const firstClass = lines.findIndex((line) => /^export (?:abstract )?class /.test(line));
  let first = true;
  lines.forEach((line, i) => {
    const name = EXPORT.exec(line)?.[1];
    if (name === undefined) return;
    let above = i - 1;
    // Constants in a row share the docstring or comment above them.
    while (lines[above]?.startsWith("export const ") === true) above--;
    const said = /\*\/\s*$|^\s*\/\/ (?!@hot)/.test(lines[above] ?? "");
    // The value and the type of one name share theirs.
    const twin = lines.slice(0, i).some((earlier) => new RegExp(`^export const ${name}\\b`).test(earlier));
    const spoken = opened && (first || i === firstClass);
    if (!said && !twin && !spoken) found.push({ path: file.path, line: i + 1, says: `${name}: say in a /** */ above it what it does, units, ranges and errors` });
    first = false;
  });
  return found;
}

/** Barrels: a file that passes on another's names. */
export function barrels(file: SourceFile): Finding[] {
  if (file.generated || !file.path.endsWith(".ts")) return [];
  return [...file.code.matchAll(/^export \*/gm)].map((match) => ({
    path: file.path, line: lineAt(file.code, match.index), says: "export *: no barrels; import from the file that defines the name",
  }));
}

/** Tests that do not open with what they show and how. */
export function goals(file: SourceFile): Finding[] {
  if (file.generated || !(file.path.endsWith(".test.ts") || /^crates\/[^/]+\/tests\/[^/]+\.rs$/.test(file.path))) return [];
  const head = file.text.split("\n", 10).join("\n");
  return /\bGoal:/.test(head) && /\bMethod:/.test(head) ? [] : [{ path: file.path, line: 1, says: 'open with "Goal: ..." and "Method: ..."' }];
}
