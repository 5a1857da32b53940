/**
 * Goal: the verb prints what it promises, streams through pipes, and says what is wrong with a file in one sentence.
 * Method: the real command as a child process, on captures made here, byte by byte.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const COMMAND = fileURLToPath(new URL("./tickline.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tickline-inspect-"));
after(() => rmSync(folder, { recursive: true }));

function inspect(...args: string[]): { code: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [COMMAND, "inspect", ...args], { encoding: "utf8", maxBuffer: 1 << 28 });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** An ITCH message: letter, then the fields after the header as [bytes, value]. Locate is 1, time is 0. */
function itch(letter: string, ...fields: [number, bigint | string][]): Buffer {
  const body = fields.map(([bytes, value]) => {
    if (typeof value === "string") return Buffer.from(value.padEnd(bytes));
    return Buffer.from(value.toString(16).padStart(bytes * 2, "0"), "hex");
  });
  return Buffer.concat([Buffer.from(letter), Buffer.from("00010000000000000000", "hex"), ...body]);
}

const add = (ref: bigint, side: string, shares: bigint, price: bigint): Buffer =>
  itch("A", [8, ref], [1, side], [4, shares], [8, "TEST"], [4, price]);

/** Ethernet, IPv4 and UDP around one MoldUDP64 packet. */
function frame(line: number, sequence: bigint, messages: Buffer[]): Buffer {
  const mold = Buffer.alloc(20);
  mold.write("SESSION001");
  mold.writeBigUInt64BE(sequence, 10);
  mold.writeUInt16BE(messages.length, 18);
  const blocks = messages.flatMap((message) => [Buffer.from([message.length >> 8, message.length & 255]), message]);
  const payload = Buffer.concat([mold, ...blocks]);
  const head = Buffer.alloc(42);
  head.writeUInt16BE(0x0800, 12);
  head[14] = 0x45;
  head.writeUInt16BE(28 + payload.length, 16);
  head[23] = 17;
  head.set([233, 0, 0, line], 30);
  head.writeUInt16BE(26_400, 36);
  head.writeUInt16BE(8 + payload.length, 38);
  return Buffer.concat([head, payload]);
}

/** A nanosecond pcap with one frame each microsecond. */
function pcap(frames: Buffer[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b23c4d, 0);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(1, 20);
  const records = frames.flatMap((bytes, nth) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1_700_000_000, 0);
    record.writeUInt32LE(nth * 1_000, 4);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(bytes.length, 12);
    return [record, bytes];
  });
  return Buffer.concat([head, ...records]);
}

const book = [
  frame(1, 1n, [add(1n, "B", 100n, 99_0000n), add(2n, "S", 200n, 101_0000n)]),
  frame(1, 3n, [add(3n, "S", 50n, 101_0000n)]),
  frame(1, 4n, [itch("E", [8, 1n], [4, 40n], [8, 7n])]),
  frame(1, 5n, [itch("D", [8, 2n])]),
];

test("a row per message of the symbol: sequence, then ask, size, bid, size per level, zeros where there is none", () => {
  const run = inspect(file("book.pcap", pcap(book)), "--book", "TEST", "--levels", "2", "--csv");
  assert.equal(run.err, "");
  assert.equal(
    run.out,
    [
      "1,0,0,990000,100,0,0,0,0",
      "2,1010000,200,990000,100,0,0,0,0",
      "3,1010000,250,990000,100,0,0,0,0",
      "4,1010000,250,990000,60,0,0,0,0",
      "5,1010000,50,990000,60,0,0,0,0",
      "",
    ].join("\n"),
  );
  assert.equal(run.code, 0);
});

test("counts: messages once, gaps exactly, and what the second capture filled", () => {
  const whole = file("whole.pcap.gz", gzipSync(pcap(book)));
  const lossy = file("lossy.pcap", pcap([book[0]!, frame(2, 1n, [add(1n, "B", 100n, 99_0000n)]), book[2]!, book[3]!]));
  const found = JSON.parse(inspect(lossy, "--json").out);
  assert.deepEqual([found.packets, found.messages, found.losses, found.by_type], [4, 4, 1, { A: 2, E: 1, D: 1 }]);
  assert.deepEqual([found.gaps[0].first, found.gaps[0].count], [3, 1]);
  assert.deepEqual(found.lines.map((line: { duplicates: number }) => line.duplicates), [0, 1]);

  const stale = inspect(lossy, "--book", "TEST", "--csv");
  assert.match(stale.err, /gap: 1 messages from 3 were lost/);
  const filled = inspect(lossy, "--book", "TEST", "--csv", "--fill", whole);
  assert.equal(filled.out, inspect(whole, "--book", "TEST", "--csv").out);
});

test("a long output passes through a slow pipe whole, and a reader that leaves early is no error", () => {
  const many = Array.from({ length: 20_000 }, (_, nth) => frame(1, BigInt(nth + 1), [add(BigInt(nth + 1), "B", 1n, 10_0000n)]));
  const path = file("many.pcap", pcap(many));
  const pipe = (reader: string) =>
    spawnSync("sh", ["-c", `"${process.execPath}" "${COMMAND}" inspect "${path}" --book TEST --csv | (${reader}); echo "$?"`], { encoding: "utf8" });
  assert.equal(pipe("sleep 0.3; wc -l").stdout.trim().split(/\s+/)[0], "20000");
  const early = pipe("head -1");
  assert.match(early.stdout, /^1,0,0,100000,1,/);
  assert.equal(early.stderr, "");
});

const udp = Buffer.concat([book[0]!.subarray(0, 42), Buffer.from("another protocol")]);
udp.writeUInt16BE(28 + 16, 16);
udp.writeUInt16BE(8 + 16, 38);
const wireless = pcap(book);
wireless.writeUInt32LE(105, 20);

for (const [name, bytes, sentence] of [
  ["empty.pcap", Buffer.alloc(0), /is empty \(0 bytes\)/],
  ["text.pcap", Buffer.from("time,price\n1,2\n"), /is a text file \(it starts with "time,pri"\)/],
  ["noise.pcap", Buffer.from([1, 2, 3, 4, 5]), /has no pcap, pcapng or gzip magic/],
  ["cut.pcap.gz", gzipSync(pcap(book)).subarray(0, 90), /the gzip stream stops after \d+ decompressed bytes/],
  ["other.pcap", pcap([udp]), /holds no MoldUDP64 packet in 1 frames, 1 of them UDP \(most, 1, to 233\.0\.0\.1:26400\)/],
  ["none.pcap", pcap([]), /holds no MoldUDP64 packet in 0 frames/],
  ["wireless.pcap", wireless, /has link type 105 \(802\.11 wireless\), not Ethernet/],
] as const) {
  test(`${name}: one sentence that names file, finding and fix; exit 2`, () => {
    const path = file(name, bytes);
    for (const mode of [["--json"], ["--book", "TEST", "--csv"]]) {
      const run = inspect(path, ...mode);
      assert.match(run.err, sentence);
      assert.ok(run.err.startsWith(`tickline: ${path}: `) && run.err.trim().split("\n").length === 1, run.err);
      assert.deepEqual([run.code, run.out], [2, ""]);
    }
  });
}

test("a capture that was cut off is used as far as it goes, and that is reported", () => {
  const found = JSON.parse(inspect(file("tail.pcap", pcap(book).subarray(0, -5)), "--json").out);
  assert.equal(found.messages, 4);
  assert.equal(typeof found.truncated_at, "number");
});

test("a symbol that is not there is named with those that are", () => {
  const run = inspect(file("symbols.pcap", pcap(book)), "--book", "NONE");
  assert.match(run.err, /no message of symbol NONE; it has TEST/);
  assert.equal(run.code, 2);
});
