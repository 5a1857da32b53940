/**
 * Goal: a gate passes only when what it says was measured and holds.
 * Method: both sides of each operator, malformed texts, and a random expression against JavaScript's own evaluation.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { evaluateGate, GateError, parseGate } from "./gate-expression.ts";

const measured = new Map([["line.p50", 4_999], ["line.p99", 20_000], ["orders", 12], ["ack.max", Infinity], ["nan", NaN]]);
const passes = (text: string): boolean => evaluateGate(parseGate(text), measured).passed;

test("units: 5us is 5,000 ns, and a limit is not passed by equality with <", () => {
  assert.equal(passes("line.p50<5us"), true);
  assert.equal(passes("line.p99<20us"), false);
  assert.equal(passes("line.p99<=20us"), true);
  assert.equal(passes("line.p99<0.021ms"), true);
  assert.equal(passes("orders == 12"), true);
  assert.equal(passes("orders != 12"), false);
});

test("an answer that never came is infinite and fails an upper bound; NaN fails everything", () => {
  assert.equal(passes("ack.max < 10s"), false);
  for (const operator of ["<", "<=", ">", ">=", "==", "!="]) assert.equal(passes(`nan ${operator} 1`), false);
});

test("&& binds tighter than ||, parentheses override", () => {
  assert.equal(passes("orders>0 || orders>0 && orders<0"), true);
  assert.equal(passes("(orders>0 || orders>0) && orders<0"), false);
});

test("a name that was not measured is an error, even where the other side decides", () => {
  assert.throws(() => passes("orders>0 || line.p42<1us"), (e) => e instanceof GateError && e.message.includes("line.p42"));
});

test("malformed expressions say where", () => {
  for (const [text, at] of [["", 0], ["orders >", 8], ["orders > 1 2", 11], ["(orders>1", 9], ["orders = 1", 7], ["orders > 1kg", 9], ["5us > line.p50", 0], ["orders>1 &&", 11]] as const) {
    assert.throws(() => parseGate(text), (e) => e instanceof GateError && e.at === at, `${text} at ${at}`);
  }
});

test("the report lists every comparison with its measured value", () => {
  const result = evaluateGate(parseGate("line.p50<5us && line.p99<20us"), measured);
  assert.equal(result.passed, false);
  assert.deepEqual(result.checks.map((c) => [c.text, c.measured, c.passed]), [["line.p50<5us", 4_999, true], ["line.p99<20us", 20_000, false]]);
});

test("equals direct evaluation for random expressions", () => {
  const leaf = fc.record({ v: fc.integer({ min: 0, max: 9 }), op: fc.constantFrom("<", "<=", ">", ">="), n: fc.integer({ min: 0, max: 9 }) });
  fc.assert(
    fc.property(fc.array(fc.tuple(leaf, fc.constantFrom("&&", "||")), { minLength: 1, maxLength: 8 }), (parts) => {
      const names = new Map(parts.map(([part], i) => [`x${i}`, part.v]));
      const text = parts.map(([part, join], i) => `x${i}${part.op}${part.n}${i + 1 < parts.length ? ` ${join} ` : ""}`).join("");
      const direct = parts.map(([part, join], i) => `(${part.v}${part.op}${part.n})${i + 1 < parts.length ? join : ""}`).join("");
      assert.equal(evaluateGate(parseGate(text), names).passed, new Function(`return ${direct}`)() as boolean);
    }),
  );
});
