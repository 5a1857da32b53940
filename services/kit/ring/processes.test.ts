/**
 * Goal: the order that `order.ts` relies on holds between processes: no torn, lost or repeated record, whoever is lapped or killed.
 * Method: a second Node process writes without pause while this one reads and checks every word of every message. A lossless writer is
 * killed with SIGKILL at a random moment and replaced, again and again; a broadcast reader is lapped in a ring of a few large slots.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Subscriber } from "./broadcast.ts";
import { Consumer } from "./lossless.ts";
import { Segment, createSegment } from "./segment.ts";

const WRITER = fileURLToPath(new URL("processes-writer.ts", import.meta.url));
/** How long to wait for what takes milliseconds on a quiet machine. */
const PATIENCE_MS = 20_000;
const folder = mkdtempSync("/dev/shm/tickline-test-");
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A process that writes message after message: words `writer`, `n`, `n + 2`, `n + 3` and so on. Resolves when it has begun. */
async function writer(kind: "lossless" | "broadcast", path: string, bytes: number, number: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [WRITER, kind, path, String(bytes), String(number)], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

/** Reads a message that must be whole, and returns its number `n`. */
function whole(view: DataView, at: number, bytes: number): number {
  const n = view.getInt32(at + 4, true);
  for (let word = 2; word < bytes / 4; word += 1) {
    if (view.getInt32(at + 4 * word, true) !== ((n + word) | 0)) assert.fail(`message ${n} is torn at word ${word}`);
  }
  return n;
}

test("lossless: writers killed at random, the reader misses nothing that was committed and sees nothing twice", async () => {
  const BYTES = 200;
  const path = `${folder}/lossless`;
  createSegment(path, { kind: "lossless", slots: 256, payload: BYTES });
  const consumer = new Consumer(Segment.open(path));
  let [from, last, records] = [0, 0, 0];
  const take = (view: DataView, at: number): void => {
    const by = view.getInt32(at, true);
    const n = whole(view, at, BYTES);
    assert.deepEqual([by >= from, n], [true, by === from ? last + 1 : 1], `message ${n} of writer ${by} after ${last} of ${from}`);
    [from, last] = [by, n];
    records += 1;
  };
  for (let number = 1; number <= 12; number += 1) {
    const child = await writer("lossless", path, BYTES, number);
    const until = performance.now() + PATIENCE_MS;
    for (let left = 100 + Math.floor(Math.random() * 2000); left > 0 && performance.now() < until; ) {
      left -= consumer.poll(take, 1 + Math.floor(Math.random() * 256));
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    while (consumer.poll(take, 256) > 0);
    assert.equal(from, number, "every writer got through");
  }
  assert.ok(records > 1000, `${records} records`);
  assert.equal(consumer.epoch, 12);
});

test("broadcast: a reader that is lapped in the middle of a copy never sees it", async () => {
  const BYTES = 1024;
  const path = `${folder}/broadcast`;
  createSegment(path, { kind: "broadcast", slots: 4, payload: BYTES });
  const subscriber = new Subscriber(Segment.openReadOnly(path), "next");
  const child = await writer("broadcast", path, BYTES, 1);
  let [last, records] = [0, 0];
  const until = performance.now() + PATIENCE_MS;
  while ((records < 2000 || subscriber.lost < 2000) && performance.now() < until) {
    records += subscriber.poll((view, at) => {
      const n = whole(view, at, BYTES);
      assert.ok(n > last, `message ${n} after ${last}`);
      last = n;
    }, 64);
  }
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(records >= 2000 && subscriber.lost >= 2000, `${records} records, ${subscriber.lost} lost`);
});
