/**
 * Goal: the TypeScript ends keep the channels' promises and are interchangeable with the Rust ends on the same bytes.
 * Method: each pairing (TypeScript or Rust writes, TypeScript or Rust reads) moves a known stream through small rings with random
 * burst sizes; edges (full, lapped, late join, restart, sequence carry) are driven step by step.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { native } from "../native.ts";
import { Publisher, Subscriber } from "./broadcast.ts";
import { LatestReader, LatestWriter } from "./latest.ts";
import { AT_HEAD, AT_TAIL } from "./layout.ts";
import { Consumer, Producer } from "./lossless.ts";
import { Segment, createSegment, type Shape } from "./segment.ts";

const folder = mkdtempSync("/dev/shm/tickline-test-");
after(() => rmSync(folder, { recursive: true, force: true }));

const BYTES = 24;
const KIND = 9;
const template = new Uint8Array(BYTES).fill(0xab, 0, 8);
const stamp = new Uint32Array([0x89abcdef, 0x12]);
const STAMP_NS = 0x12 * 2 ** 32 + 0x89abcdef;
let made = 0;

function fresh(shape: Shape): string {
  made += 1;
  const path = join(folder, `segment-${made}`);
  createSegment(path, shape);
  return path;
}

/** A small deterministic generator, so that a failure repeats. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

/** Message `n` as the TypeScript writer makes it over the template. */
function fill(view: DataView, at: number, n: number): void {
  view.setUint32(at + 8, n, true);
  view.setFloat64(at + 16, n * 1.5, true);
}

function message(n: number): Uint8Array {
  const bytes = template.slice();
  fill(new DataView(bytes.buffer), 0, n);
  return bytes;
}

function read(view: DataView, at: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, BYTES).slice();
}

interface Writer {
  send(n: number): boolean;
}
interface Reader {
  poll(limit: number): Uint8Array[];
}

function typescriptWriter(outlet: Producer | Publisher): Writer {
  return {
    send(n) {
      const at = outlet.claim();
      if (at < 0) return false;
      fill(outlet.view, at, n);
      outlet.commit();
      return true;
    },
  };
}

function typescriptReader(inlet: Consumer | Subscriber): Reader {
  return {
    poll(limit) {
      const got: Uint8Array[] = [];
      inlet.poll((view, at) => got.push(read(view, at)), limit);
      return got;
    },
  };
}

const writers = {
  typescript: (path: string): Writer => typescriptWriter(new Producer(Segment.open(path), template, KIND, stamp)),
  rust: (path: string): Writer => {
    const probe = new native.LosslessProbe(path, true);
    return { send: (n) => probe.send(KIND, STAMP_NS, message(n)) > 0 };
  },
};
const readers = {
  typescript: (path: string): Reader => typescriptReader(new Consumer(Segment.open(path))),
  rust: (path: string): Reader => {
    const probe = new native.LosslessProbe(path, false);
    return {
      poll: (limit) =>
        probe.poll(limit).map((record) => {
          assert.equal(record.kind, KIND);
          assert.equal(record.stampNs, STAMP_NS);
          assert.equal(record.epoch, 1);
          return new Uint8Array(record.payload);
        }),
    };
  },
};

for (const [writerName, openWriter] of Object.entries(writers)) {
  for (const [readerName, openReader] of Object.entries(readers)) {
    test(`lossless: ${writerName} writes, ${readerName} reads, every record once and in order`, () => {
      const path = fresh({ kind: "lossless", slots: 8, payload: BYTES });
      const writer = openWriter(path);
      const reader = openReader(path);
      const pick = random(made);
      let sent = 0;
      let got = 0;
      while (got < 3000) {
        for (let burst = pick(12); burst > 0; burst -= 1) {
          const fits = sent - got < 8;
          assert.equal(writer.send(sent + 1), fits);
          if (fits) sent += 1;
        }
        for (const bytes of reader.poll(pick(10))) {
          got += 1;
          assert.deepEqual(bytes, message(got));
        }
      }
    });
  }
}

for (const writerName of ["typescript", "rust"]) {
  for (const readerName of ["typescript", "rust"]) {
    test(`broadcast: ${writerName} writes, ${readerName} reads; a lapped reader goes on at the newest and counts`, () => {
      const path = fresh({ kind: "broadcast", slots: 8, payload: BYTES });
      const probe = writerName === "rust" ? new native.BroadcastProbe(path, true) : undefined;
      const publisher = probe ? undefined : new Publisher(Segment.open(path), template, KIND, stamp);
      const own = publisher ? typescriptWriter(publisher) : undefined;
      const send = (n: number) => (probe ? probe.publish(KIND, STAMP_NS, message(n)) > 0 : (own as Writer).send(n));
      const rust = readerName === "rust" ? new native.BroadcastProbe(path, false) : undefined;
      const subscriber = rust ? undefined : new Subscriber(Segment.openReadOnly(path), "next");
      const poll = (limit: number) =>
        rust ? rust.poll(limit).map((record) => new Uint8Array(record.payload)) : typescriptReader(subscriber as Subscriber).poll(limit);
      const pick = random(made);
      let sent = 0;
      let next = 1;
      let lost = 0;
      while (sent < 3000) {
        for (let burst = pick(14); burst > 0; burst -= 1) assert.ok(send((sent += 1)));
        const limit = pick(10);
        if (limit > 0 && sent - next + 1 > 8) {
          lost += sent - next;
          next = sent;
        }
        for (const bytes of poll(limit)) {
          assert.deepEqual(bytes, message(next));
          next += 1;
        }
        assert.equal(rust ? rust.lost() : (subscriber as Subscriber).lost, lost);
      }
      assert.ok(lost > 0);
    });
  }
}

test("a full channel refuses and takes again when the reader has freed a slot", () => {
  const path = fresh({ kind: "lossless", slots: 4, payload: BYTES });
  const producer = new Producer(Segment.open(path), template, KIND, stamp);
  const consumer = new Consumer(Segment.open(path));
  const writer = typescriptWriter(producer);
  assert.deepEqual([1, 2, 3, 4, 5].map((n) => writer.send(n)), [true, true, true, true, false]);
  assert.equal(consumer.poll(() => {}, 1), 1);
  assert.deepEqual([5, 6].map((n) => writer.send(n)), [true, false]);
});

test("a claim begins as the template, whatever the slot held before; a commit without a claim does nothing", () => {
  const path = fresh({ kind: "lossless", slots: 2, payload: BYTES });
  const producer = new Producer(Segment.open(path), template, KIND, stamp);
  const consumer = new Consumer(Segment.open(path));
  for (let n = 1; n <= 5; n += 1) {
    const dropped = producer.claim();
    fill(producer.view, dropped, 99);
    const at = producer.claim();
    assert.deepEqual([at, read(producer.view, at)], [dropped, template]);
    fill(producer.view, at, n);
    producer.commit();
    producer.commit();
    assert.deepEqual(typescriptReader(consumer).poll(9), [message(n)]);
  }
});

test("a template that its slots cannot hold, or that doubles cannot carry, is refused", () => {
  const segment = Segment.open(fresh({ kind: "lossless", slots: 2, payload: BYTES }));
  const open = (bytes: Uint8Array) => () => new Producer(segment, bytes, KIND, stamp);
  assert.throws(open(new Uint8Array(segment.payloadMax + 1)), { code: "TL_SEGMENT", message: /does not fit/ });
  assert.throws(open(new Uint8Array(0)), { code: "TL_SEGMENT", message: /does not fit/ });
  assert.throws(open(new Uint8Array(BYTES).fill(0xff, 8, 16)), { code: "TL_SEGMENT", message: /bytes 8 to 15 .* no number/ });
  assert.equal(new Producer(segment, new Uint8Array(segment.payloadMax), KIND, stamp).epoch, 1, "a refused writer is none");
});

test("a new writer goes on after the last commit, and the old one is refused", () => {
  const path = fresh({ kind: "lossless", slots: 4, payload: BYTES });
  const old = new Producer(Segment.open(path), template, KIND, stamp);
  const consumer = new Consumer(Segment.open(path));
  typescriptWriter(old).send(1);
  fill(old.view, old.claim(), 99);
  const next = new Producer(Segment.open(path), template, KIND, stamp);
  assert.equal(next.epoch, 2);
  typescriptWriter(next).send(2);
  assert.deepEqual(typescriptReader(consumer).poll(9), [message(1), message(2)]);
  assert.equal(consumer.epoch, 2);
  assert.throws(() => old.claim(), { code: "TL_SEGMENT", message: /another writer/ });
});

/** Sets head and tail of a fresh channel: the low half of a sequence and a number of half turns. */
function setSequences(segment: Segment, low: number, halfTurns: number): void {
  for (const at of [AT_HEAD, AT_TAIL]) {
    segment.view.setInt32(at, low, true);
    segment.view.setInt32(at + 4, halfTurns, true);
  }
}

test("an owner that died between the two words of its head or tail is understood", () => {
  for (const [low, high, turns] of [[-3, 6, 13], [0x7fffffff, 7, 14]] as const) {
    for (const died of [0, 1]) {
      const path = fresh({ kind: "lossless", slots: 4, payload: BYTES });
      setSequences(Segment.open(path), low, turns + died);
      const writer = typescriptWriter(new Producer(Segment.open(path), template, KIND, stamp));
      const reader = typescriptReader(new Consumer(Segment.open(path)));
      const rust = new native.LosslessProbe(path, false);
      for (let n = 0; n < 4; n += 1) assert.ok(writer.send(n));
      assert.equal(reader.poll(9).length, 4);
      const sequences = rust.poll(9).map((record) => record.sequence);
      assert.deepEqual(sequences, [0, 1, 2, 3].map((n) => high * 2 ** 32 + (low >>> 0) + n));
    }
  }
});

test("sequences pass 32 bits without a gap, in both languages", () => {
  const path = fresh({ kind: "lossless", slots: 4, payload: BYTES });
  const segment = Segment.open(path);
  setSequences(segment, -3, 13);
  const writer = typescriptWriter(new Producer(segment, template, KIND, stamp));
  const rust = new native.LosslessProbe(path, false);
  const sequences: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    assert.ok(writer.send(n));
    sequences.push(...rust.poll(9).map((record) => record.sequence));
  }
  assert.deepEqual(sequences, [-3, -2, -1, 0, 1].map((n) => 7 * 2 ** 32 + n));
  const after = new native.LosslessProbe(path, true);
  const consumer = typescriptReader(new Consumer(Segment.open(path)));
  assert.equal(after.send(KIND, 0, message(5)), 7 * 2 ** 32 + 2);
  assert.deepEqual(consumer.poll(9), [message(5)]);
});

test("late readers join where they ask to", () => {
  const path = fresh({ kind: "broadcast", slots: 8, payload: BYTES });
  const writer = typescriptWriter(new Publisher(Segment.open(path), template, KIND, stamp));
  for (let n = 1; n <= 20; n += 1) writer.send(n);
  const first = (where: "next" | "newest" | "oldest") =>
    typescriptReader(new Subscriber(Segment.openReadOnly(path), where)).poll(1)[0];
  assert.equal(first("next"), undefined);
  assert.deepEqual(first("newest"), message(20));
  assert.deepEqual(first("oldest"), message(14));
});

test("a reader that looks at the head of a payload gets the head and nothing else", () => {
  const path = fresh({ kind: "broadcast", slots: 8, payload: BYTES });
  const reader = typescriptReader(new Subscriber(Segment.openReadOnly(path), "next", 12));
  const writer = typescriptWriter(new Publisher(Segment.open(path), template, KIND, stamp));
  for (let n = 1; n <= 20; n += 1) {
    writer.send(n);
    assert.deepEqual(reader.poll(1), [message(n).fill(0, 12)]);
  }
});

test("latest gives nothing, then the newest value", () => {
  const path = fresh({ kind: "latest", payload: 16 });
  const writer = new LatestWriter(Segment.open(path), 16);
  const reader = new LatestReader(Segment.openReadOnly(path), 16);
  assert.equal(reader.read(), false);
  for (let n = 1; n <= 10; n += 1) {
    writer.view.setFloat64(0, n, true);
    writer.view.setFloat64(8, -n, true);
    writer.publish();
    assert.equal(reader.version(), n);
    if (n % 3 === 0) continue;
    assert.equal(reader.read(), true);
    assert.deepEqual([reader.view.getFloat64(0, true), reader.view.getFloat64(8, true)], [n, -n]);
  }
  assert.throws(() => new LatestReader(Segment.openReadOnly(path), 12), { code: "TL_SEGMENT" });
});

test("an impossible record ends the reader instead of being delivered", () => {
  const path = fresh({ kind: "lossless", slots: 4, payload: BYTES });
  const segment = Segment.open(path);
  typescriptWriter(new Producer(segment, template, KIND, stamp)).send(1);
  const consumer = new Consumer(segment);
  segment.view.setInt32(512 + segment.stride, 1 << 20, true);
  assert.throws(() => consumer.poll(() => assert.fail("delivered"), 1), { code: "TL_SEGMENT", message: /impossible/ });
  const rust = new native.LosslessProbe(path, false);
  assert.throws(() => rust.poll(1), /RING_CORRUPT: record 1 at byte 576 has an impossible length/);
});
