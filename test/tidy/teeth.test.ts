/**
 * Goal: every rule bites.
 * Method: for each, a few lines that must be found, by line and by the replacement named, and a few that must not.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { blank } from "./blank.ts";
import { citedInvariants, doors, forbidsUnsafe, unusedCodes } from "./doors.ts";
import { generated, lock, names, readmes, size, unread, wording } from "./files.ts";
import { hotRust, hotTypescript, marked } from "./hot.ts";
import { cargo, imports, packages } from "./rooms.ts";
import { barrels, documented, functionLength, goals } from "./shape.ts";
import { sourceFile, type Finding, type SourceFile } from "./tree.ts";

type Rule = (file: SourceFile) => Finding[];

/** `says` is found in `text`, once, on `line`. */
function bites(rule: Rule, path: string, text: string, says: RegExp, line?: number): void {
  const found = rule(sourceFile(path, text));
  assert.ok(found.length > 0, `nothing found in ${text}`);
  assert.ok(found.some((finding) => says.test(finding.says)), found.map((finding) => finding.says).join("; "));
  if (line !== undefined) assert.equal(found[0]?.line, line);
}

function passes(rule: Rule, path: string, text: string): void {
  assert.deepEqual(rule(sourceFile(path, text)), []);
}

const HOT_METHOD = (body: string): string => `// @hot\nexport class Feed {\n  work(): number {\n    ${body}\n    return 1;\n  }\n}\n`;

for (const [body, says] of [
  ["await this.next();", /never waits/],
  ["throw this.error;", /return a value/],
  ["const at = new DataView(b);", /in the constructor/],
  ["const wide = BigInt(1);", /uint32 halves/],
  ["const wide = 5n;", /uint32 halves/],
  ["const wide = view.getBigUint64(0);", /uint32 halves/],
  ["view.setBigInt64(0, wide, true);", /uint32 halves/],
  ["const text = JSON.stringify(a);", /keep text out/],
  ["call(...args);", /spread/],
  ["const text = `a${b}`;", /template string/],
  ["list.forEach((x) => this.add(x));", /closure/],
  ["const f = (x: number) => x + 1;", /closure/],
  ["function inner(): void {}", /nested function/],
  ["const point = { x: 1 };", /literal allocates/],
  ["const pair = [1, 2];", /literal allocates/],
  ["return { x: 1 };", /literal allocates/],
  ["console.log(1);", /no log/],
  ["context.log.info(1);", /no log/],
  ["const part = list.slice(1);", /index loop/],
  ["try { this.go(); } catch { }", /no exceptions/],
] as const) {
  test(`hot TypeScript: ${body} is found`, () => bites(hotTypescript, "services/feed/feed.ts", HOT_METHOD(body), says, 4));
}

test("hot TypeScript: a move of eight bytes passes", () => {
  passes(hotTypescript, "services/feed/feed.ts", HOT_METHOD("this.view.setBigInt64(this.at + 32, from.getBigInt64(at, true), true);"));
});

test("hot TypeScript: deep inside blocks is still inside", () => {
  bites(hotTypescript, "services/feed/feed.ts", HOT_METHOD("if (a) { for (;;) { while (b) { x = new Y(); } } }"), /new/, 4);
  bites(hotTypescript, "services/feed/feed.ts", "// @hot\nexport function go(a: number): number {\n  return `${a}`.length;\n}\n", /template/, 3);
  bites(hotTypescript, "services/feed/feed.ts", "// @hot\nexport const go = (a: number): number => {\n  throw a;\n};\n", /throw/, 3);
  bites(hotTypescript, "services/feed/feed.ts", "// @hot\nclass A {\n  get b(): number {\n    return new B().c;\n  }\n}\n", /new/, 4);
  bites(hotTypescript, "services/feed/feed.ts", '// @hot\nimport { readFileSync } from "node:fs";\n', /receive it as an argument/, 2);
});

test("hot TypeScript: what runs once is free, and so are words in comments and strings", () => {
  passes(hotTypescript, "services/feed/feed.ts", [
    "// @hot", "import type { Context } from \"./x.ts\";", "const TABLE = [1, 2].map((x) => x * 2);", "const EMPTY = new DataView(new ArrayBuffer(0));",
    "export interface Take { take(at: number): void; handler: (at: number) => void }", "export type Handler = (at: number) => void;",
    "export class Feed {", "  private readonly view = new View();", "  private readonly table = { a: 1 };",
    "  constructor(context: Context, private readonly limit = 3) {", "    this.onMessage = (view, at) => this.take(view, at);",
    "    if (limit < 0) { throw new RangeError(`limit ${limit}`); }", "  }",
    "  take(a: number, b: number): number {", "    // new, throw and `await` are words here", "    const name = this.names[\"new\"];",
    "    if (a >= b && a <= 3) this.sum += a / b / 2;", "    return a === b ? 1 : 0;", "  }", "}", "",
  ].join("\n"));
  passes(hotTypescript, "services/feed/main.ts", HOT_METHOD("throw new Error();").replace("// @hot\n", ""));
});

for (const [line, says] of [
  ["let s = format!(\"{a}\");", /buffer made once/],
  ["let v = vec![0; 4];", /in `new`/],
  ["let v = Vec::with_capacity(4);", /in `new`/],
  ["let b = Box::new(4);", /in `new`/],
  ["let x = y.unwrap();", /return the refusal/],
  ["let x = y.expect(\"there\");", /return the refusal/],
  ["println!(\"{a}\");", /no log/],
  ["let s = a.to_string();", /text and copies/],
  ["let s: String = a;", /text and copies/],
  ["let v: Keep = it.collect();", /fill what exists/],
] as const) {
  test(`hot Rust: ${line} is found`, () => {
    bites(hotRust, "crates/book/src/apply.rs", `//! @hot\nfn apply(a: u8) {\n    ${line}\n}\n`, says, 3);
    passes(hotRust, "crates/book/src/apply.rs", `//! Cold.\nfn apply(a: u8) {\n    ${line}\n}\n`);
    passes(hotRust, "crates/book/src/apply.rs", `// @hot\nfn new() -> Self {\n    ${line}\n}\n#[cfg(test)]\nmod tests {\n fn t() { ${line} }\n}\n`);
  });
}

test("hot: a file that must be marked and is not, or is gone, is found", () => {
  const bare = sourceFile("crates/book/src/apply.rs", "//! Applies.\n");
  assert.match(marked([bare], [bare.path])[0]?.says ?? "", /first line/);
  assert.deepEqual(marked([sourceFile(bare.path, "// @hot\n//! Applies.\n")], [bare.path]), []);
  assert.match(marked([], [bare.path])[0]?.says ?? "", /is gone/);
  assert.match(marked([sourceFile("services/risk/main.ts", "")], [])[0]?.says ?? "", /no hot file/);
});

test("blanking: comments and strings vanish, code and lines stay", () => {
  const typescript = 'const a = "x\\"y"; // new\nconst r = /a"b[/]/g; /* new\n */ const t = `new ${b({ c: "}" })} new`; a / b; new C();';
  const out = blank(typescript, "typescript");
  assert.equal(out.length, typescript.length);
  assert.equal(out.split("\n").length, 3);
  assert.equal(out.match(/\bnew\b/g)?.length, 1);
  assert.ok(out.includes("b({ c:"));
  const rust = "let a = r#\"vec![\"#; let c = '\"'; let l: &'a str = \"\\\"vec!\"; /* /* vec! */ vec! */ b'\\''; vec![1]";
  assert.equal(blank(rust, "rust").match(/vec!/g)?.length, 1);
});

test("doors: atomics, time, Node-API, sockets and the environment are found outside their rooms", () => {
  bites(doors, "crates/book/src/a.rs", "use std::sync::atomic::AtomicU64;", /only crates\/ring/);
  bites(doors, "services/feed/a.ts", "Atomics.load(a, 0);", /services\/kit\/ring/);
  bites(doors, "crates/exchange/src/a.rs", "let t = std::time::Instant::now();", /tickline_clock/);
  bites(doors, "crates/exchange/src/a.rs", "let t = SystemTime::now();", /tickline_clock/);
  for (const call of ["Date.now()", "new Date()", "performance.now()", "process.hrtime.bigint()"]) {
    bites(doors, "services/supervisor/a.ts", `const t = ${call};`, /time is an argument/);
  }
  bites(doors, "crates/gate/src/a.rs", "#[napi]\nfn a() {}", /only crates\/addon/);
  bites(doors, "services/feed/a.ts", "createRequire(import.meta.url)", /native\.ts/);
  bites(doors, "crates/gate/src/a.rs", "println!(\"x\");", /no log/);
  bites(doors, "crates/venue/src/a.rs", "use std::net::UdpSocket;", /no socket/);
  bites(doors, "crates/book/src/a.rs", "std::env::var(\"X\")", /no environment/);
  bites(doors, "services/risk/a.ts", "if (process.env.X) go();", /use its configuration/);
});

test("doors: owners, listed exceptions and tests may", () => {
  passes(doors, "crates/ring/src/sync.rs", "use std::sync::atomic::AtomicU64;");
  passes(doors, "services/kit/ring/spsc.ts", "Atomics.store(a, 0, 1);");
  passes(doors, "crates/clock/src/lib.rs", "libc::clock_gettime(id, &mut at)");
  passes(doors, "services/feed/a.test.ts", "const t = performance.now();");
  passes(doors, "crates/book/src/a.rs", "#[cfg(test)]\nmod tests { fn t() { println!(\"x\"); } }");
  passes(doors, "services/feed/a.ts", "/** Date.now() is not for us. */\nconst updated = 1;");
});

test("unsafe code is forbidden but in listed rooms", () => {
  bites(forbidsUnsafe, "crates/book/src/lib.rs", "pub mod a;", /forbid/);
  passes(forbidsUnsafe, "crates/book/src/lib.rs", "#![forbid(unsafe_code)]\npub mod a;");
  passes(forbidsUnsafe, "crates/ring/src/lib.rs", "pub mod a;");
});

test("errors: one without a code, and a code without a thrower, are found", () => {
  bites(doors, "services/risk/a.ts", 'throw new Error("no");', /code/);
  bites(doors, "services/risk/a.ts", "class RiskError extends Error {}", /code/);
  passes(doors, "services/risk/a.ts", 'throw new TicklineError("TL_USAGE", "no");');
  const thrower = sourceFile("services/risk/a.ts", 'throw new TicklineError("TL_USAGE", "no");');
  assert.deepEqual(unusedCodes([thrower], ["TL_USAGE"]), []);
  assert.match(unusedCodes([thrower], ["TL_USAGE", "TL_PORT"])[0]?.says ?? "", /^TL_PORT: nobody/);
});

test("an invariant that is cited and stated nowhere is found", () => {
  const stated = sourceFile("crates/ring/src/mapping.rs", "//! Memory.\n//! - I1: it is there.\n");
  const cites = (names: string): SourceFile => sourceFile("crates/ring/src/a.rs", `fn a() {\n    // SAFETY: ${names}.\n}\n`);
  assert.deepEqual(citedInvariants([stated, cites("I1")]), []);
  assert.deepEqual(citedInvariants([stated, cites("I1, I2")]).map(({ line, says }) => [line, says.slice(0, 3)]), [[2, "I2:"]]);
  assert.equal(citedInvariants([sourceFile("crates/model/src/m.rs", "//! - I1: elsewhere.\n"), cites("I1")]).length, 1);
});

test("rooms: a stage that learns of another stage, or a crate nobody drew, is found", () => {
  bites(cargo, "crates/book/Cargo.toml", "[dependencies]\ntickline-features.workspace = true\n", /book may not know features/, 2);
  bites(cargo, "crates/gate/Cargo.toml", "[package]\nname = \"x\"\n\n[dependencies]\nlibc.workspace = true\ntickline-order.workspace = true\n", /may know units/, 6);
  bites(cargo, "crates/novel/Cargo.toml", "[dependencies]\n", /code map/);
  passes(cargo, "crates/book/Cargo.toml", "[dependencies]\ntickline-wire.workspace = true\n[dev-dependencies]\ntickline-packet.workspace = true\n");
});

test("rooms: a service that learns of another service is found, the line's host is not", () => {
  bites(imports, "services/risk/a.ts", 'import { b } from "../execution/b.ts";', /services meet in a schema/, 1);
  bites(imports, "services/risk/a.ts", 'import type { B } from "../execution/b.ts";', /services meet in a schema/);
  bites(imports, "services/risk/a.ts", 'const b = await import("../feed/b.ts");', /services meet in a schema/);
  bites(imports, "services/kit/a.ts", 'import { b } from "../line/b.ts";', /kit may not know line/);
  bites(imports, "services/line/a.ts", 'import { b } from "../feed/burst.ts";', /main\.ts/);
  bites(imports, "services/feed/a.ts", 'import { b } from "../../test/tidy/tree.ts";', /nothing that runs/);
  bites(imports, "services/feed/a.ts", 'import { b } from "../../schemas/generated/official/fill.ts";', /generated view/);
  bites(imports, "schemas/a.ts", 'import { b } from "../services/kit/errors.ts";', /schemas know no service/);
  passes(imports, "services/line/a.ts", 'import { create } from "../feed/main.ts";\nimport { b } from "../kit/b.ts";');
  passes(imports, "services/risk/a.ts", '// import { b } from "../execution/b.ts";\nimport { c } from "../../schemas/generated/fill.ts";');
});

test("rooms: a package that is not listed is found", () => {
  const manifests = new Map([["kit", new Set(["pino", "zod"])], ["feed", new Set<string>()]]);
  const rule: Rule = (file) => packages(file, manifests);
  bites(rule, "services/feed/a.ts", 'import { z } from "zod";', /services\/feed\/package\.json/);
  passes(rule, "services/feed/a.ts", 'import type { Logger } from "pino";\nimport { readFileSync } from "node:fs";');
  passes(rule, "services/kit/a.ts", 'import { z } from "zod";');
});

test("files: length, drawers, paths of one machine, promises and registries are found", () => {
  bites(size, "services/feed/a.ts", "a;\n".repeat(401), /split it by noun/);
  passes(size, "services/feed/a.ts", "a;\n".repeat(400));
  bites(names, "services/kit/utils.ts", "", /noun it holds/);
  bites(names, "crates/book/src/helpers/a.rs", "", /noun it holds/);
  bites(names, "services/kit/lineConfig.ts", "", /kebab/);
  passes(names, "services/kit/line-config.ts", "");
  bites(wording, "README.md", `see ${"/ro"}ot/x`, /repository's root/);
  bites(wording, "ops/lines/a.yaml", `path: ${"/wo"}rk/main`, /repository's root/);
  bites(wording, "services/feed/a.ts", `// ${"TO"}DO later`, /do it now/);
  bites(wording, "package.json", `"registry": "https://registry.${"npm"}js.org"`, /no registry host/);
  passes(wording, "README.md", "crates/work/lib and ./root/x");
  bites(lock, "package-lock.json", '"resolved": "https://example.com/a.tgz"', /omit-lockfile/);
  passes(lock, "package-lock.json", '"resolved": "services/cli"');
});

test("shape: a function of 71 lines is found, one of 70 is not", () => {
  const rust = (lines: number): string => `impl A {\n    fn long(a: [u8; 4]) -> u8 {\n${"        a;\n".repeat(lines - 2)}    }\n}\n`;
  bites(functionLength, "crates/book/src/a.rs", rust(71), /long has 71 lines/, 2);
  passes(functionLength, "crates/book/src/a.rs", rust(70));
  const typescript = (lines: number): string => `export function long(a: { b: number }): void {\n${"  a;\n".repeat(lines - 2)}}\n`;
  bites(functionLength, "services/feed/a.ts", typescript(71), /long has 71 lines/, 1);
  passes(functionLength, "services/feed/a.ts", typescript(70));
  const method = (lines: number): string => `class A {\n  private long(a: number): void {\n${"    a;\n".repeat(lines - 2)}  }\n}\n`;
  bites(functionLength, "services/feed/a.ts", method(71), /long has 71 lines/, 2);
  passes(functionLength, "services/feed/a.ts", method(70));
});

test("shape: an export without a docstring and a barrel are found", () => {
  bites(documented, "services/feed/a.ts", "/** A. */\nexport const A = 1;\n\nexport function b(): void {}\n", /^b: say/, 4);
  passes(documented, "services/feed/a.ts", "/** A. */\nexport const A = { X: 1 } as const;\n\nexport type A = 1;\n");
  bites(barrels, "services/feed/a.ts", 'export * from "./b.ts";\n', /no barrels/, 1);
  passes(barrels, "services/feed/a.ts", "export { b };\n");
});

test("shape: a test without goal or method is found", () => {
  bites(goals, "crates/book/tests/a.rs", "//! Goal: x.\nuse a;\n", /Method/);
  passes(goals, "crates/book/tests/a.rs", "//! Goal: x.\n//! Method: y.\n");
  bites(goals, "services/feed/a.test.ts", "import a;\n", /Goal/);
});

test("doors: randomness is found", () => {
  bites(doors, "services/risk/a.ts", "const x = Math.random();", /seeded/);
  bites(doors, "crates/venue/src/a.rs", "let x: u8 = rand::random();", /seeded/);
});

test("files: a service without its headings is found", () => {
  const whole = "## In\n\n## Out\n\n## Limits\n\n## Fails how\n\n## Not here\n";
  const code = sourceFile("services/feed/main.ts", "");
  assert.equal(readmes([code]).length, 1);
  assert.match(readmes([code, sourceFile("services/feed/README.md", whole.replace("## Limits", ""))])[0]?.says ?? "", /"## Limits"$/);
  assert.deepEqual(readmes([code, sourceFile("services/feed/README.md", whole)]), []);
});

test("files: what nobody reads, and a forged generated file, are found", () => {
  const reader = sourceFile("services/feed/main.test.ts", 'import { a } from "./a.ts";');
  const a = sourceFile("services/feed/a.ts", "");
  assert.deepEqual(unread([reader, a]), []);
  assert.match(unread([a])[0]?.says ?? "", /nobody imports/);
  const library = sourceFile("crates/book/src/lib.rs", "mod apply;");
  const apply = sourceFile("crates/book/src/apply.rs", "");
  assert.deepEqual(unread([library, apply]), []);
  assert.match(unread([apply])[0]?.says ?? "", /no `mod apply;`/);
  const forged = sourceFile("services/feed/b.ts", "// Generated by schemas/generate.ts\n");
  assert.equal(generated([forged], new Set()).length, 1);
  assert.equal(generated([forged], new Set(["services/feed/b.ts"])).length, 0);
});
