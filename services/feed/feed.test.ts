/**
 * Goal: what the feed service promises at its edges: rows, admission and horizon in replay, recovery live, and its refusals.
 * Method: captures and datagrams written here byte by byte from the specifications, a real features ring and control block, the real
 * native half; rows are read with the line's own subscriber.
 */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FEATURES_BYTES, FeaturesView } from "../../schemas/generated/features.ts";
import { Collections } from "../../test/bench/collections.ts";
import { itch, mold as packet, pcap as capture, udp } from "../cli/capture-bytes.ts";
import type { Agent } from "../kit/agent.ts";
import type { ServiceContext } from "../kit/context.ts";
import { Subscriber } from "../kit/ring/broadcast.ts";
import { Control } from "../kit/ring/control.ts";
import { counter, hop } from "../kit/ring/names.ts";
import { createSegment, Segment } from "../kit/ring/segment.ts";
import { SEGMENT } from "../kit/segments.ts";
import { createFeed } from "./main.ts";

const folder = mkdtempSync("/dev/shm/tickline-test-");
after(() => rmSync(folder, { recursive: true, force: true }));

const STALE = 1;

/** ITCH A: 100 shares of AAA (locate 1) or BBB (2). */
function add(order: number, side: "B" | "S", price: number, symbol = "AAA"): Buffer {
  const bytes = itch("A", [8, BigInt(order)], [1, side], [4, 100n], [8, symbol], [4, BigInt(price)]);
  bytes.writeUInt16BE(symbol === "AAA" ? 1 : 2, 1);
  return bytes;
}

const mold = (sequence: number, messages: readonly Buffer[]): Buffer => packet(BigInt(sequence), messages);

/** A capture of payloads, so many ns after the first second. */
function pcap(frames: readonly (readonly [ns: number, payload: Buffer])[]): Buffer {
  return capture(frames.map(([, payload]) => udp([233, 54, 12, 111], 26_477, payload)), 1, (nth) => frames[nth]?.[0] ?? NaN);
}

interface Row {
  readonly instrument: number;
  readonly seq: number;
  readonly bid: number;
  readonly ask: number;
  readonly flags: number;
  readonly timeNs: number;
  readonly waitedNs: number;
}

/** A run folder with segments, a context over it, and a reader of its features. */
class Rig {
  readonly control: Control;
  readonly rows: Row[] = [];
  readonly #runDir: string;
  readonly #subscriber: Subscriber;
  readonly #view = new FeaturesView();

  constructor(name: string) {
    this.#runDir = `${folder}/${name}`;
    mkdirSync(this.#runDir);
    createSegment(`${this.#runDir}/${SEGMENT.features}`, { kind: "broadcast", slots: 1024, payload: FEATURES_BYTES });
    createSegment(`${this.#runDir}/${SEGMENT.control}`, { kind: "control" });
    this.control = new Control(Segment.open(`${this.#runDir}/${SEGMENT.control}`));
    this.control.line.arm();
    this.#subscriber = new Subscriber(Segment.open(`${this.#runDir}/${SEGMENT.features}`), "next");
  }

  context(source: unknown, replay: boolean, changes: object = {}): ServiceContext {
    const config = {
      instruments: [{ symbol: "AAA" }, { symbol: "BBB" }],
      feed: { source, window_events: 1000 },
      venue: { itch: {}, rerequest: {} },
      ...changes,
    };
    return { config, runDir: this.#runDir, replay, lineBlock: this.control.line, peer: (name: "execution") => this.control.service(name) } as unknown as ServiceContext;
  }

  replay(frames: Parameters<typeof pcap>[0], speed: number | "max" = "max"): Agent {
    const path = `${this.#runDir}/capture.pcap`;
    writeFileSync(path, pcap(frames));
    return createFeed(this.context({ kind: "pcap", path, speed }, true));
  }

  admit(ns: number): void {
    this.control.service("execution").admit.setNumber(ns);
  }

  horizon(): number {
    return this.control.service("feed").horizon.number();
  }

  counter(name: Parameters<typeof counter>[0]): number {
    return this.control.service("feed").counter(counter(name));
  }

  read(): Row[] {
    const from = this.rows.length;
    this.#subscriber.poll((view, at) => {
      const row = this.#view;
      assert.ok(row.wrap(view, at));
      this.rows.push({
        instrument: row.instrument,
        seq: row.seq,
        bid: row.bid,
        ask: row.ask,
        flags: row.flags,
        timeNs: row.timeNs,
        waitedNs: row.feedNs - row.dueNs,
      });
    }, 1000);
    return this.rows.slice(from);
  }
}

const SECOND = 1e9;
const FOREVER = 2 ** 62;

test("replay: one row for each frame and instrument touched, in capture time, then the end", () => {
  const rig = new Rig("rows");
  rig.admit(FOREVER);
  const feed = rig.replay([
    [100, mold(1, [add(1, "B", 9900), add(2, "S", 10100), add(3, "B", 50, "BBB")])],
    [200, mold(4, [])],
    [300, mold(4, [add(4, "B", 9950)])],
  ]);
  assert.equal(rig.horizon(), SECOND + 100);
  const work = [feed.doWork(), feed.doWork(), feed.doWork(), feed.doWork(), feed.doWork()];
  assert.deepEqual(work, [1, 1, 1, 0, 0]);
  const rows = rig.read();
  assert.deepEqual(rows.map(({ instrument, seq, bid, ask, timeNs }) => [instrument, seq, bid, ask, timeNs]), [
    [0, 2, 9900, 10100, SECOND + 100],
    [1, 3, 50, 0, SECOND + 100],
    [0, 4, 9950, 10100, SECOND + 300],
  ]);
  assert.ok(rows.every(({ waitedNs }) => waitedNs >= 0 && waitedNs < SECOND));
  assert.ok(rig.control.service("feed").horizon.atLeast(0xffffffff, 0xffffffff));
  assert.deepEqual((["frames", "messages", "heartbeats", "features", "books", "gaps"] as const).map((name) => rig.counter(name)), [3, 4, 1, 3, 2, 0]);
  assert.equal(rig.control.service("feed").histograms[hop("feed")]?.count(), 3);
  const summary = feed.summary?.() as { ended: boolean; book_hash: string; instruments: { bid: number }[] };
  assert.equal(summary.ended, true);
  assert.match(summary.book_hash, /^[0-9a-f]{16}$/);
  assert.deepEqual(summary.instruments.map(({ bid }) => bid), [9950, 50]);
  assert.equal(feed.descriptor?.(), -1);
  feed.close();
});

test("replay: a frame is released at its admission time, not one ns before, and the horizon waits with it", () => {
  const rig = new Rig("admission");
  const feed = rig.replay([[100, mold(1, [add(1, "B", 9900)])], [500, mold(2, [add(2, "S", 10100)])]]);
  assert.equal(feed.doWork(), 0);
  rig.admit(SECOND + 99);
  assert.deepEqual([feed.doWork(), feed.doWork()], [0, 0]);
  assert.equal(rig.counter("admit_waits"), 1, "one wait, however often it was asked");
  rig.admit(SECOND + 100);
  assert.equal(feed.doWork(), 1);
  assert.equal(rig.horizon(), SECOND + 500);
  rig.admit(SECOND + 499);
  assert.equal(feed.doWork(), 0);
  assert.equal(rig.horizon(), SECOND + 500);
  assert.equal(rig.read().length, 1);
  rig.admit(SECOND + 500);
  assert.equal(feed.doWork(), 1);
  assert.equal(rig.read().length, 1);
  assert.equal(rig.counter("admit_waits"), 2);
  feed.close();
});

test("replay: waiting for the venue alone does not count as the line's lateness, waiting with work undone does", () => {
  const HELD_MS = 200;
  for (const idle of [true, false]) {
    const rig = new Rig(`held-${idle}`);
    const feed = rig.replay([[100, mold(1, [add(1, "B", 9900)])], [500, mold(2, [add(2, "S", 10100)])]], 1);
    rig.admit(SECOND + 100);
    assert.equal(feed.doWork(), 1);
    // Everything before the second frame is handled, or is not.
    rig.control.service("execution").horizon.setNumber(idle ? SECOND + 500 : SECOND + 499);
    while (rig.counter("admit_waits") === 0) feed.doWork();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HELD_MS);
    rig.admit(SECOND + 500);
    while (feed.doWork() === 0);
    const waitedMs = (rig.read()[1]?.waitedNs ?? NaN) / 1e6;
    assert.ok(idle ? waitedMs < HELD_MS / 2 : waitedMs >= HELD_MS, `${waitedMs} ms with the line ${idle ? "idle" : "at work"}`);
    feed.close();
  }
});

test("replay: nothing is released before the line is armed; once begun, a disarmed line still sees the market", () => {
  const rig = new Rig("arming");
  rig.admit(FOREVER);
  rig.control.line.disarm(1, 0, "test");
  const feed = rig.replay([[100, mold(1, [add(1, "B", 9900)])], [200, mold(2, [add(2, "S", 10100)])]]);
  assert.deepEqual([feed.doWork(), feed.doWork()], [0, 0]);
  rig.control.line.arm();
  assert.equal(feed.doWork(), 1);
  rig.control.line.disarm(1, 0, "test");
  assert.equal(feed.doWork(), 1);
  assert.equal(rig.read().length, 2);
  feed.close();
});

test("replay: 20,000 frames and 3,000,000 idle cycles do not fill the young generation once", async () => {
  const rig = new Rig("garbage");
  // Halves above 2^31: a number that is boxed when it is passed on unsigned.
  rig.control.service("execution").admit.set(0xffffffff, 0xffffffff);
  const feed = rig.replay(Array.from({ length: 20_000 }, (_, n) => [n * 10, mold(n + 1, [add(n + 1, "B", 9000 + (n % 100))])] as const));
  for (let n = 0; n < 5_000; n += 1) feed.doWork();
  let moved = 0;
  const collections = await new Collections().during(() => {
    for (let n = 0; n < 3_015_000; n += 1) moved += feed.doWork();
  });
  assert.equal(moved, 15_000);
  assert.equal(collections, 0);
  feed.close();
});

test("replay: at speed 1 frames keep their distance, and a row's latency counts from when it was due", async () => {
  const rig = new Rig("pace");
  rig.admit(FOREVER);
  const feed = rig.replay([[0, mold(1, [add(1, "B", 9900)])], [30_000_000, mold(2, [add(2, "B", 9901)])]], 1);
  assert.equal(feed.doWork(), 1);
  assert.equal(feed.doWork(), 0, "the second is not due");
  await sleep(60);
  assert.equal(feed.doWork(), 1);
  const rows = rig.read();
  assert.equal(rows.length, 2);
  const waited = (rows[1] as Row).waitedNs;
  assert.ok(waited > 20e6 && waited < 10e9, `slept 60 ms, due after 30 ms, waited ${waited} ns`);
  feed.close();
});

test("replay: two runs of one capture give the same rows and the same book hash; another book another hash", () => {
  const frames = Array.from({ length: 50 }, (_, n) => [n * 10, mold(n + 1, [add(n + 1, n % 2 === 0 ? "B" : "S", n % 2 === 0 ? 9000 + n : 11000 - n)])] as const);
  const run = (name: string, some: typeof frames): [Row[], unknown] => {
    const rig = new Rig(name);
    rig.admit(FOREVER);
    const feed = rig.replay(some);
    while (feed.doWork() > 0);
    const { book_hash } = feed.summary?.() as { book_hash: string };
    return [rig.read().map((row) => ({ ...row, waitedNs: 0 })), book_hash];
  };
  assert.deepEqual(run("same-1", frames), run("same-2", frames));
  assert.notEqual(run("less", frames.slice(0, 49))[1], run("same-3", frames)[1]);
});

test("replay: a gap is reported exactly, and from there on every row is stale", () => {
  const rig = new Rig("gap");
  rig.admit(FOREVER);
  const feed = rig.replay([
    [0, mold(1, [add(1, "B", 9900)])],
    [100, mold(4, [add(4, "B", 9910)])],
    [5_000_000, mold(5, [add(5, "B", 9920)])],
  ]);
  while (feed.doWork() > 0);
  assert.deepEqual(rig.read().map(({ instrument, flags }) => [instrument, flags & STALE]), [[0, 0], [0, STALE], [1, STALE]]);
  const { gap_list } = feed.summary?.() as { gap_list: { first: number; count: number }[] };
  assert.deepEqual(gap_list.map(({ first, count }) => [first, count]), [[2, 2]]);
  assert.deepEqual([rig.counter("gaps"), rig.counter("gap_messages")], [1, 2]);
});

test("refusals name what is wrong and how to mend it", () => {
  const rig = new Rig("refusals");
  const refuses = (context: ServiceContext, code: string, pattern: RegExp): void => {
    assert.throws(() => createFeed(context), (error: { code?: string; message: string }) => error.code === code && pattern.test(error.message));
  };
  const capture = { kind: "pcap", path: `${folder}/absent.pcap`, speed: "max" };
  refuses(rig.context(capture, true), "TL_CAPTURE", /absent\.pcap/);
  writeFileSync(`${folder}/empty.pcap`, "");
  refuses(rig.context({ ...capture, path: `${folder}/empty.pcap` }, true), "TL_CAPTURE", /empty\.pcap/);
  refuses(rig.context(capture, false), "TL_CONFIG_VALUE", /feed\.source\.kind.*replay/);
  refuses(rig.context({ kind: "socket", wait: "spin" }, true), "TL_CONFIG_VALUE", /feed\.source\.kind.*pcap/);
  refuses(rig.context(capture, true, { feed: { source: capture, window_events: 999 } }), "TL_CONFIG_VALUE", /window_events is 999.*1000/);
  refuses(rig.context(capture, true, { instruments: [] }), "TL_CONFIG_VALUE", /at least one/);
  const good = `${folder}/good.pcap`;
  writeFileSync(good, pcap([[0, mold(1, [add(1, "B", 1)])]]));
  refuses({ ...rig.context({ ...capture, path: good }, true), runDir: `${folder}/nowhere` }, "TL_SEGMENT", /RING_IO/);
});

/** A port that is free on the loopback right now. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  await new Promise<void>((closed) => socket.close(closed));
  return port;
}

async function until(what: string, done: () => boolean): Promise<void> {
  for (let n = 0; n < 2000; n += 1) {
    if (done()) return;
    await sleep(1);
  }
  assert.fail(`${what} did not happen within 2 s`);
}

test("live: joining late asks for the beginning, marks rows stale while it catches up, and then follows the line", async (t) => {
  const rig = new Rig("live");
  const sockets: Socket[] = [];
  t.after(() => sockets.forEach((socket) => socket.close()));
  const past = [add(1, "B", 9900), add(2, "S", 10100), add(3, "B", 9910), add(4, "B", 50, "BBB")];
  const server = createSocket("udp4");
  sockets.push(server);
  const asked: number[] = [];
  server.on("message", (request, from) => {
    const first = Number(request.readBigUInt64BE(10));
    asked.push(first);
    // At most two messages an answer: answers may be partial.
    server.send(mold(first, past.slice(first - 1, first + 1)), from.port, from.address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  const itch = { interface: "127.0.0.1", a: { group: "239.77.201.1", port: await freePort() }, b: { group: "239.77.201.2", port: await freePort() } };
  const rerequest = { host: "127.0.0.1", port: server.address().port };
  const feed = createFeed(rig.context({ kind: "socket", wait: "block" }, false, { venue: { itch, rerequest } }));
  assert.ok((feed.descriptor?.() ?? -1) >= 0);

  const sender = createSocket("udp4");
  sockets.push(sender);
  sender.bind(0, "127.0.0.1");
  await once(sender, "listening");
  sender.setMulticastInterface("127.0.0.1");
  sender.setMulticastLoopback(true);
  const live = mold(5, [add(5, "B", 9920)]);
  sender.send(live, itch.a.port, itch.a.group);
  sender.send(live, itch.b.port, itch.b.group);
  await until("the row of message 5", () => {
    feed.doWork();
    rig.read();
    return rig.rows.some(({ seq }) => seq === 5);
  });
  assert.deepEqual(asked, [1, 3]);
  const fresh = rig.rows.filter(({ flags }) => (flags & STALE) === 0);
  assert.deepEqual(fresh.map(({ instrument, bid }) => [instrument, bid]), [[0, 9920], [1, 50]]);
  assert.ok(rig.rows.length > fresh.length, "rows of the first answer are stale");
  await until("line B's copy", () => {
    feed.doWork();
    return rig.counter("duplicates") === 1;
  });
  assert.deepEqual([rig.counter("gaps"), rig.counter("resyncs")], [0, 1]);

  sender.send(mold(6, [add(6, "B", 9930)]), itch.b.port, itch.b.group);
  await until("line B alone", () => {
    feed.doWork();
    return rig.read().some(({ seq, bid, flags }) => seq === 6 && bid === 9930 && (flags & STALE) === 0);
  });
  feed.close();
});
