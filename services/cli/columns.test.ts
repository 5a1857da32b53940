// Goal: text for people fits the terminal and loses nothing that matters.
// Method: properties over random texts and tables, and named cases for figures.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { columns, dollars, micros, table, whole, wrap } from "./columns.ts";

const word = fc.stringMatching(/^[a-zA-Z0-9.,:/_-]{1,60}$/);
const sentence = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => words.join(" "));
const width = fc.integer({ min: 4, max: 200 });

test("wrapped lines fit, keep every character that is no space, in order, and break a word only when it is wider than a line", () => {
  fc.assert(fc.property(sentence, width, (text, limit) => {
    const lines = wrap(text, limit);
    for (const line of lines) assert.ok(line.length <= limit, `${line.length} > ${limit}: ${line}`);
    assert.equal(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
    // A moved word has the indent's two characters less.
    if (text.split(" ").every((one) => one.length <= limit - 2)) assert.deepEqual(lines.flatMap((line) => line.trim().split(" ")), text.split(" "));
  }));
});

test("a text that fits, or has no limit, is one line as it is", () => {
  assert.deepEqual(wrap("a  b", 4), ["a  b"]);
  assert.deepEqual(wrap("x ".repeat(1000), Infinity), ["x ".repeat(1000)]);
  assert.deepEqual(wrap("one\ntwo", 80), ["one", "two"]);
  assert.deepEqual(wrap("garbage collections: execution 3, inference 12", 34), ["garbage collections: execution 3,", "  inference 12"]);
});

test("a table that is too wide first does without its explanations, and keeps every other cell", () => {
  const head = columns("hop", "?from -> to", "+p50", "?+p90", "+max");
  const rows = [["feed", "due -> features", "4.58", "9.99", "1111"]];
  assert.deepEqual(table(head, rows, 80), ["hop   from -> to        p50   p90   max", "feed  due -> features  4.58  9.99  1111"]);
  assert.deepEqual(table(head, rows, 38), ["hop   from -> to        p50   max", "feed  due -> features  4.58  1111"]);
  assert.deepEqual(table(head, rows, 30), ["hop    p50   max", "feed  4.58  1111"]);
  const narrow = table(head, rows, 12).join(" ");
  for (const cell of ["feed", "4.58", "1111"]) assert.ok(narrow.includes(cell), narrow);
});

test("figures: thousands, microseconds with three digits that count, dollars to the ten-thousandth", () => {
  assert.deepEqual([0, 999, 1000, 1_234_567].map(whole), ["0", "999", "1,000", "1,234,567"]);
  assert.deepEqual([412, 4120, 41_200, 412_000, 41_200_000].map(micros), ["0.412", "4.12", "41.2", "412", "41200"]);
  assert.deepEqual([0, 5, -12_345_678, 100_000_000, 2.5].map(dollars), ["$0.0000", "$0.0005", "-$1,234.5678", "$10,000.0000", "$0.00025"]);
});
