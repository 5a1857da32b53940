/**
 * Goal: ARCHITECTURE.md's invariants and the house style hold on every file of the tree.
 * Method: each rule is a function from files to findings; here they meet the tree and must find nothing. That each can
 * find something is shown in teeth.test.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ERRORS } from "../../services/kit/errors.ts";
import { generate } from "../../schemas/generate.ts";
import { citedInvariants, doors, forbidsUnsafe, unusedCodes } from "./doors.ts";
import { generated, lock, names, readmes, size, unread, wording } from "./files.ts";
import { HOT_RUST, hotRust, hotTypescript, marked } from "./hot.ts";
import { cargo, imports, packages } from "./rooms.ts";
import { barrels, documented, functionLength, goals } from "./shape.ts";
import { readTree, type Finding } from "./tree.ts";

const TREE = readTree();

const MANIFESTS = new Map(
  TREE.filter((file) => /^services\/[^/]+\/package\.json$/.test(file.path)).map((file) => {
    const { dependencies = {} } = JSON.parse(file.text) as { dependencies?: Record<string, string> };
    return [file.path.split("/")[1] ?? "", new Set(Object.keys(dependencies))] as const;
  }),
);

function none(findings: readonly Finding[]): void {
  assert.equal(findings.length, 0, `\n${findings.map(({ path, line, says }) => `  ${path}${line > 0 ? `:${line}` : ""}  ${says}`).join("\n")}\n`);
}

test("the tree is there", () => assert.ok(TREE.length > 100, `${TREE.length} files`));
test("crates depend only on the rooms that ARCHITECTURE.md lets them know", () => none(TREE.flatMap(cargo)));
test("services meet in a schema, not in each other", () => none(TREE.flatMap(imports)));
test("packages are imported where they are listed", () => none(TREE.flatMap((file) => packages(file, MANIFESTS))));
test("atomics, time, Node-API, sockets and the environment stay in their rooms", () => none(TREE.flatMap(doors)));
test("unsafe code is forbidden where it is not needed", () => none(TREE.flatMap(forbidsUnsafe)));
test("invariants that SAFETY comments cite are stated", () => none(citedInvariants(TREE)));
test("what every message passes is marked hot", () => none(marked(TREE, HOT_RUST)));
test("hot TypeScript allocates, throws and waits nowhere", () => none(TREE.flatMap(hotTypescript)));
test("hot Rust allocates, prints and panics nowhere", () => none(TREE.flatMap(hotRust)));
test("files are short", () => none(TREE.flatMap(size)));
test("functions fit a screen", () => none(TREE.flatMap(functionLength)));
test("exports say what they are", () => none(TREE.flatMap(documented)));
test("tests open with goal and method", () => none(TREE.flatMap(goals)));
test("names are imported from where they are defined", () => none(TREE.flatMap(barrels)));
test("files are named after what they hold", () => none(TREE.flatMap(names)));
test("no file names one machine's paths, a registry or a promise", () => none(TREE.flatMap(wording)));
test("the lock file names no host", () => none(TREE.flatMap(lock)));
test("every service's README has its five headings", () => none(readmes(TREE)));
test("no error code is unused", () => none(unusedCodes(TREE, Object.keys(ERRORS))));
test("no file is unread", () => none(unread(TREE)));
test("what says it is generated is", async () => none(generated(TREE, new Set((await generate()).keys()))));
