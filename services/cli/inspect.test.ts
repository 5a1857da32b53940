/**
 * Goal: the verb prints what it promises, streams through pipes, and notes what makes its output doubtful.
 * Method: the real command as a child process, on captures made here, byte by byte.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { add, frame, itch, pcap } from "./capture-bytes.ts";
import { COMMAND, run, type Ended } from "./command-rig.ts";

const folder = mkdtempSync(join(tmpdir(), "tickline-inspect-"));
after(() => rmSync(folder, { recursive: true }));

const inspect = (...args: string[]): Ended => run(["inspect", ...args]);

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
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

test("a capture that was cut off is used as far as it goes, and every mode notes it", () => {
  const whole = pcap(book);
  const path = file("tail.pcap", whole.subarray(0, -5));
  // Where the last record begins: its header and its frame before the end.
  const at = whole.length - 16 - book[3]!.length;
  const found = JSON.parse(inspect(path, "--json").out);
  assert.deepEqual([found.messages, found.truncated_at], [4, at]);
  assert.match(inspect(path).out, new RegExp(`truncated +the last record, at byte ${at}, is cut off`));
  assert.equal(JSON.parse(inspect(path, "--book", "TEST", "--json").out).truncated_at, at);
  assert.match(inspect(path, "--book", "TEST").out, new RegExp(`the capture's last record, at byte ${at}, is cut off`));
  for (const [mode, lines] of [[["--book", "TEST", "--csv"], 4], [["--messages"], 4]] as const) {
    const run = inspect(path, ...mode);
    assert.equal(run.err, `tickline: the capture's last record, at byte ${at}, is cut off; what came before it was read\n`);
    assert.deepEqual([run.code, run.out.trimEnd().split("\n").length], [0, lines], run.out);
  }
});

test("a capture of an order session has no book, but its messages can be printed", () => {
  const heartbeat = Buffer.alloc(14 + 20 + 20 + 3);
  heartbeat.writeUInt16BE(0x0800, 12);
  heartbeat[14] = 0x45;
  heartbeat.writeUInt16BE(20 + 20 + 3, 16);
  heartbeat[23] = 6;
  heartbeat[46] = 0x50;
  heartbeat.set([0, 1, 0x52], 54);
  const path = file("orders.pcap", pcap([heartbeat]));
  const counts = inspect(path, "--json");
  assert.equal(counts.code, 2);
  assert.match(counts.err, /holds no MoldUDP64 packet .*, or see its order messages with --messages\n$/);
  const printed = inspect(path, "--messages", "--json");
  assert.deepEqual(JSON.parse(printed.out), { frame: 1, capture_ns: 1_700_000_000_000_000_000, packet_length: 1, packet_type: "R", name: "Client Heartbeat" });
});

test("a symbol that is not there is named with those that are", () => {
  const run = inspect(file("symbols.pcap", pcap(book)), "--book", "NONE");
  assert.match(run.err, /no message of symbol NONE; it has TEST/);
  assert.equal(run.code, 2);
});
