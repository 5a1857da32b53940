/** What may not stand in a file marked `@hot`: anything that allocates, throws or waits on the way of a message. */
import { findAll, lineAt, type Finding, type SourceFile } from "./tree.ts";

/** True when the file's first lines carry the mark. */
export function isHot(file: SourceFile): boolean {
  return /^\/\/[!/]? @hot\b/m.test(file.text.split("\n", 3).join("\n"));
}

type Context = "class" | "interface" | "constructor" | "function" | "object";

function contextOf(head: string, outer: Context | undefined): Context {
  if (/\b(?:interface|enum)\b[^;{}]*$/.test(head) || /\btype\s+\w+[^;{}]*=\s*$/.test(head)) return "interface";
  if (/\bclass\b[^;{}]*$/.test(head)) return "class";
  if (outer === "class" && /\bconstructor\s*\([^]*\)\s*$/.test(head)) return "constructor";
  if (outer === "constructor" || outer === "interface" || outer === "function") return outer;
  if (/\)\s*(?::[^;{}=]+)?$|=>\s*$|\b(?:get|set)\s+\w+\([^]*\)[^;{}]*$/.test(head)) return "function";
  return "object";
}

/** For every offset, whether it lies in a function that runs per message. */
function running(code: string): (offset: number) => boolean {
  const stack: Context[] = [];
  const inside = new Uint8Array(code.length);
  let headStart = 0;
  let parens = 0;
  for (let i = 0; i < code.length; i++) {
    const letter = code[i];
    if (letter === "(") parens++;
    else if (letter === ")") parens--;
    if (letter === "{") {
      stack.push(contextOf(code.slice(headStart, i), stack.at(-1)));
      headStart = i + 1;
    } else if (letter === "}") {
      stack.pop();
      headStart = i + 1;
    } else if (letter === ";" && parens === 0) headStart = i + 1;
    inside[i] = stack.includes("function") ? 1 : 0;
  }
  return (offset) => inside[offset] === 1;
}

const TYPESCRIPT: readonly [RegExp, string][] = [
  [/\bawait\b/g, "a hot file never waits; return and be polled again"],
  [/\basync\b/g, "a hot file never waits; return and be polled again"],
  [/\bthrow\b/g, "return a value that says no; errors belong to doors"],
  [/\bnew\b/g, "make it once, in the constructor"],
  [/\bBigInt\b|\bBig(?:Int|Uint)64Array\b|\.[gs]etBig\w+|\b\d+n\b/g, "use two uint32 halves, a number below 2^53, or move the 8 bytes in one statement"],
  [/\bJSON\b/g, "keep text out of hot files; counters tell the story"],
  [/\.\.\./g, "a spread allocates; copy field by field"],
  [/`/g, "a template string allocates; count with an integer code"],
  [/=>/g, "a closure allocates; use a method, a top-level function or a function made in the constructor"],
  [/\bfunction\b/g, "a nested function allocates; move it to the top level"],
  [/(?<![=!<>])=\s*[{[](?!\s*\w*\s*[}\]]\s*=)|\breturn\s*[{[]/g, "a literal allocates; make it once and refill it"],
  [/\bconsole\b|\blog\.\w+\(/g, "no log on the path; count it in the control block"],
  [/\.(?:map|filter|slice|concat|forEach|reduce|split|toString|toFixed|subarray)\(/g, "it allocates; use an index loop over what exists"],
  [/\btry\s*\{|\bcatch\s*\(/g, "no exceptions in the message path; return a value"],
];

/** Eight bytes moved from view to view: optimised code makes no BigInt of them. */
const MOVE = /\.setBigInt64\([^;]*?, \w+\.getBigInt64\([^;()]*, true\), true\)/g;

/** Findings in a hot TypeScript file. Top-level code and constructors run once and are free. */
export function hotTypescript(file: SourceFile): Finding[] {
  if (!file.path.endsWith(".ts") || !isHot(file)) return [];
  const runs = running(file.code);
  const found: Finding[] = [];
  for (const match of file.text.matchAll(/^import (?!type)[^;]*from "(node:[\w/]*)"/gm)) {
    found.push({ path: file.path, line: lineAt(file.text, match.index), says: `${match[1]}: a hot file imports no node: module; receive it as an argument` });
  }
  const code = file.code.replace(MOVE, (move) => " ".repeat(move.length));
  for (const [pattern, says] of TYPESCRIPT) {
    for (const match of code.matchAll(pattern)) {
      if (!runs(match.index)) continue;
      found.push({ path: file.path, line: lineAt(file.code, match.index), says: `${match[0].trim()}: ${says}` });
    }
  }
  return found;
}

const RUST: readonly [RegExp, string][] = [
  [/\bformat!/g, "it allocates; write into a buffer made once"],
  [/\bvec!|\bVec::(?:new|with_capacity|from)\b/g, "make it once, in `new`"],
  [/\bBox::new\b|\bRc::new\b|\bArc::new\b/g, "make it once, in `new`"],
  [/\.unwrap\(\)|\.expect\(/g, "return the refusal, or prove it with a match"],
  [/\be?print(?:ln)?!|\bdbg!/g, "no log on the path; count it in the control block"],
  [/\.to_string\(\)|\.to_owned\(\)|\.to_vec\(\)|\bString\b/g, "text and copies allocate; keep codes and borrowed bytes"],
  [/\.collect(?:::<[^(]*>)?\(\)/g, "it allocates; fill what exists"],
  [/\bSystemTime\b|\bInstant\b/g, "time is an argument"],
];

/** The code of a Rust file without its test modules, offsets kept. */
export function withoutTests(code: string): string {
  const at = code.search(/#\[cfg\((?:all\()?test\b/);
  return at < 0 ? code : code.slice(0, at);
}

/** Blanks the bodies of functions that run once: those that return `Self`, and `new`, `with_*`, `open*`, `create*`. */
function withoutConstruction(code: string): string {
  let out = code;
  for (const match of code.matchAll(/\bfn (?:(?:new|with_\w+|open\w*|create\w*)\b[^{;]*|\w+(?:<[^{;]*>)?\([^{;]*->\s*(?:(?:Result|Option)<)?Self\b[^{;]*)\{/g)) {
    let depth = 1;
    let i = match.index + match[0].length;
    const start = i;
    for (; i < code.length && depth > 0; i++) depth += code[i] === "{" ? 1 : code[i] === "}" ? -1 : 0;
    out = out.slice(0, start) + code.slice(start, i).replace(/[^\n]/g, " ") + out.slice(i);
  }
  return out;
}

/** Findings in a hot Rust file. Tests and constructors are free. */
export function hotRust(file: SourceFile): Finding[] {
  if (!file.path.endsWith(".rs") || !isHot(file)) return [];
  const code = withoutConstruction(withoutTests(file.code));
  return RUST.flatMap(([pattern, says]) => findAll(file, code, pattern, says));
}

/** Rust files on the way of every message; each carries the mark, so that the rules above see it. */
export const HOT_RUST = [
  "crates/book/src/apply.rs", "crates/book/src/books.rs", "crates/book/src/hash.rs", "crates/book/src/level.rs", "crates/book/src/slab.rs",
  "crates/features/src/features.rs", "crates/features/src/snapshot.rs", "crates/features/src/window.rs",
  "crates/gate/src/check.rs", "crates/gate/src/decisions.rs", "crates/gate/src/gate.rs", "crates/gate/src/rate.rs",
  "crates/model/src/digit.rs", "crates/model/src/kernel.rs", "crates/model/src/product.rs", "crates/model/src/tick.rs",
  "crates/model/src/lanes/avx2.rs", "crates/model/src/lanes/avx512.rs", "crates/model/src/lanes/portable.rs",
  "crates/order/src/executions.rs", "crates/order/src/ledger.rs", "crates/order/src/orders.rs", "crates/order/src/positions.rs",
  "crates/packet/src/arbiter.rs", "crates/packet/src/arbiter/line.rs", "crates/packet/src/arbiter/window.rs",
  "crates/pipeline/src/desk.rs", "crates/pipeline/src/pipeline.rs",
  "crates/ring/src/control/histogram.rs", "crates/ring/src/lossless.rs",
  "crates/wire/src/ethernet.rs", "crates/wire/src/ouch/outbound.rs", "crates/wire/src/soup/framer.rs",
] as const;

/** Services with a pure, hot verb file. */
const HOT_SERVICES = ["feed", "inference", "risk", "execution", "learner"];

/** Files that must be marked and are not. */
export function marked(files: readonly SourceFile[], rust: readonly string[]): Finding[] {
  const found: Finding[] = [];
  for (const path of rust) {
    const file = files.find((one) => one.path === path);
    if (file === undefined) found.push({ path, line: 0, says: "is gone: correct HOT_RUST in test/tidy/hot.ts" });
    else if (!isHot(file)) found.push({ path, line: 1, says: "every message passes here: put // @hot on the first line" });
  }
  for (const service of HOT_SERVICES) {
    const own = files.filter((file) => file.path.startsWith(`services/${service}/`) && file.path.endsWith(".ts"));
    if (own.length > 0 && !own.some(isHot)) found.push({ path: `services/${service}`, line: 0, says: "has no hot file: put // @hot on the first line of its verb" });
  }
  return found;
}
