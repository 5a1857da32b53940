/**
 * Goal: the gate's refusals and the words of an order are one list in Rust, in the schemas and in TypeScript; a code added, renamed or
 * renumbered on one side alone fails here.
 * Method: the Rust sources and the schemas are read as text and compared with what TypeScript exports.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FillKind } from "../../schemas/generated/fill.ts";
import { OrderKind, TimeInForce } from "../../schemas/generated/order.ts";
import { Lane, Side } from "../../schemas/generated/terms.ts";
import { ROOT } from "../kit/config.ts";
import { ARMED } from "../kit/ring/control.ts";
import { POSITION_BYTES, TOKEN_BYTES } from "../kit/segments.ts";
import { MESSAGES_TOTAL, QTY_TOTAL } from "../risk/ledger.ts";
import { GATE_REFUSAL_NAMES, GATE_REFUSALS } from "./refusals.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface Row {
  readonly name: string;
  readonly code: number;
  readonly text: string;
}

/** The rows of the `refusals!` table. */
function inRust(source: string): Row[] {
  const table = /^refusals! \{\n([^]*?)^\}/m.exec(source)?.[1] ?? "";
  return [...table.matchAll(/^\s*(\w+)\s*=\s*(\d+)\s*"([^"]*)",?$/gm)].map(([, name = "", code = "", text = ""]) => ({ name, code: Number(code), text }));
}

const inTypeScript = (): Row[] => Object.entries(GATE_REFUSALS).map(([name, { code, text }]) => ({ name, code, text }));

test("the gate's refusals: names, codes and texts are the same list", () => {
  const source = read("crates/gate/src/refusal.rs");
  const rows = inRust(source);
  assert.ok(rows.length > 30, `${rows.length} rows were read`);
  assert.equal(rows.length, [...source.matchAll(/^\s+\w+ = \d+ "/gm)].length, "every row was understood");
  assert.deepEqual(inTypeScript(), rows);
});

test("the comparison bites: a code more, another number, another text", () => {
  const source = read("crates/gate/src/refusal.rs");
  for (const changed of [
    source.replace(/^\}\n\nimpl Refusal \{\n {4}\/\/\/ The stable/m, '    /// New.\n    Novel = 36 "something new",\n$&'),
    source.replace("QtyMax = 22", "QtyMax = 36"),
    source.replace("the token is torn", "the token is thorny"),
    source.replace(/^.*TokenLane = 17.*\n/m, ""),
  ]) {
    assert.notEqual(changed, source);
    assert.notDeepEqual(inTypeScript(), inRust(changed));
  }
});

test("a name's place is its code, with 0 for sent", () => {
  assert.deepEqual(GATE_REFUSAL_NAMES, ["Sent", ...inRust(read("crates/gate/src/refusal.rs")).map(({ name }) => name)]);
  inTypeScript().forEach(({ code }, at) => assert.equal(code, at + 1));
});

test("the codes after which risk reads the gate's totals again are those of the totals", () => {
  assert.deepEqual([QTY_TOTAL, MESSAGES_TOTAL], [GATE_REFUSALS.QtyTotal.code, GATE_REFUSALS.MessagesTotal.code]);
  assert.deepEqual(GATE_REFUSAL_NAMES.slice(QTY_TOTAL, MESSAGES_TOTAL + 1), ["QtyTotal", "NotionalTotal", "MessagesTotal"]);
});

/** The members of a schema's enum. */
function enumOf(path: string, name: string): Record<string, number> {
  const body = new RegExp(`^enum ${name} : uint8 \\{([^}]*)\\}`, "m").exec(read(path))?.[1] ?? "";
  return Object.fromEntries([...body.matchAll(/^\s*(\w+) = (\d+),?$/gm)].map(([, member = "", code = ""]) => [member, Number(code)]));
}

test("the schemas' words are TypeScript's", () => {
  assert.deepEqual(enumOf("schemas/order.fbs", "OrderKind"), { ...OrderKind });
  assert.deepEqual(enumOf("schemas/order.fbs", "TimeInForce"), { ...TimeInForce });
  assert.deepEqual(enumOf("schemas/fill.fbs", "FillKind"), { ...FillKind });
  assert.deepEqual(enumOf("schemas/terms.fbs", "Side"), { ...Side });
  assert.deepEqual(enumOf("schemas/terms.fbs", "Lane"), { ...Lane });
});

/** A numeric constant of a Rust file. */
function constant(path: string, name: string): number {
  const value = new RegExp(`^pub const ${name}: \\w+ = ([\\dA-Fx_]+);`, "m").exec(read(path))?.[1];
  assert.ok(value !== undefined, `${path}: ${name}`);
  return Number(value.replaceAll("_", ""));
}

test("the gate's own words are the schema's, and sizes and marks in shared memory are the same", () => {
  const order = (name: string): number => constant("crates/gate/src/order.rs", name);
  assert.deepEqual([order("KIND_ENTER"), order("KIND_CANCEL"), order("KIND_REPLACE")], [OrderKind.Enter, OrderKind.Cancel, OrderKind.Replace]);
  assert.deepEqual([order("TIF_DAY"), order("TIF_IOC")], [TimeInForce.Day, TimeInForce.ImmediateOrCancel]);
  assert.deepEqual([order("LANE_NORMAL"), order("LANE_PRIORITY")], [Lane.Normal, Lane.Priority]);
  assert.equal(constant("crates/gate/src/token.rs", "TOKEN_BYTES"), TOKEN_BYTES);
  assert.equal(constant("crates/port/src/rows.rs", "POSITION_BYTES"), POSITION_BYTES);
  assert.equal(constant("crates/gate/src/lib.rs", "ARMED"), ARMED);
});
