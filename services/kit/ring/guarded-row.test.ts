/**
 * Goal: a row is read whole or not at all, at every step of a write and across the wrap of its number.
 * Method: a writer is stopped after each of its steps, and a reader looks.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { beginRow, endRow, rowHeld, rowNumber, sharedWord } from "./guarded-row.ts";

const BEGIN = 0;
const END = 15;

function row(number = 0): Int32Array {
  const words = new Int32Array(new SharedArrayBuffer(64));
  words[BEGIN] = number;
  words[END] = number;
  return words;
}

test("a row never written has number 0 and holds", () => {
  const words = row();
  assert.equal(rowNumber(words, BEGIN), 0);
  assert.ok(rowHeld(words, BEGIN, END, 0));
});

test("a row being written is not read, at any step", () => {
  const words = row();
  const before = rowNumber(words, BEGIN);
  const even = beginRow(words, BEGIN);
  assert.equal(rowNumber(words, BEGIN), -1);
  assert.equal(rowHeld(words, BEGIN, END, before), false);
  assert.equal(rowHeld(words, BEGIN, END, -1), false);
  Atomics.store(words, END, even);
  assert.equal(rowHeld(words, BEGIN, END, even), false);
  endRow(words, BEGIN, END, even);
  assert.equal(rowNumber(words, BEGIN), even);
  assert.ok(rowHeld(words, BEGIN, END, even));
});

test("a row rewritten between number and look is refused", () => {
  const words = row();
  endRow(words, BEGIN, END, beginRow(words, BEGIN));
  const number = rowNumber(words, BEGIN);
  endRow(words, BEGIN, END, beginRow(words, BEGIN));
  assert.equal(rowHeld(words, BEGIN, END, number), false);
});

test("numbers wrap past 2^32 without ever being 0 or odd when whole", () => {
  const words = row(-4);
  const seen: number[] = [];
  for (let i = 0; i < 4; i++) {
    endRow(words, BEGIN, END, beginRow(words, BEGIN));
    seen.push(rowNumber(words, BEGIN));
  }
  assert.deepEqual(seen, [-2, 2, 4, 6]);
  assert.equal(sharedWord(row(-4), BEGIN), 4294967292);
});

test("a writer that died in the middle leaves a row that the next writer heals", () => {
  const words = row(8);
  beginRow(words, BEGIN);
  assert.equal(rowNumber(words, BEGIN), -1);
  const even = beginRow(words, BEGIN);
  endRow(words, BEGIN, END, even);
  assert.ok(rowHeld(words, BEGIN, END, rowNumber(words, BEGIN)));
});
