/**
 * Goal: every file that is no capture of order flow is refused by `inspect` and by `replay` in exactly one sentence that names file,
 * finding and fix, with exit code 2, and nothing is started for it; a capture that is good up to a cut-off tail is played.
 * Method: the real commands on files made here, byte by byte.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { add, arp, frame, itch, pcap, tcp, udp } from "../../services/cli/capture-bytes.ts";
import type { ReplayReport } from "../../services/cli/replay-report.ts";
import { tickline } from "./command.ts";
import { generate } from "./flow.ts";
import { lineOfTests } from "./line-file.ts";

const folder = mkdtempSync(join(tmpdir(), "tickline-captures-"));
const line = lineOfTests((document) => { Object.assign(document, { instruments: [] }); });
after(() => { rmSync(folder, { recursive: true }); });

const good = pcap([frame(1, 1n, [add(1n, "B", 100n, 99_0000n), add(2n, "S", 200n, 101_0000n)]), frame(1, 3n, [itch("D", [8, 2n])])]);
const query = Buffer.from("123401000001000000000000076578616d706c6503636f6d0000010001", "hex");
const wireless = Buffer.from(good);
wireless.writeUInt32LE(105, 20);
const huge = Buffer.from(good);
huge.writeUInt32LE(0x7fff_ffff, 24 + 8);

const BAD: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ["empty.pcap", Buffer.alloc(0), /is empty \(0 bytes\); copy or record the capture again/],
  ["text.pcap", Buffer.from("time,price\n1,2\n"), /is a text file \(it starts with "time,pri"\); give a pcap or pcapng file/],
  ["noise.pcap", Buffer.from([1, 2, 3, 4, 5]), /has no pcap, pcapng or gzip magic .*; give a pcap or pcapng file/],
  ["text.pcap.gz", gzipSync("time,price\n1,2\n"), /is a text file/],
  ["cut.pcap.gz", gzipSync(good).subarray(0, 60), /the gzip stream stops after \d+ decompressed bytes, before its end; copy the file again/],
  ["head.pcap", good.subarray(0, 17), /is damaged at byte 17: the file ends inside the file header; copy or record the capture again/],
  ["headless.pcap.gz", gzipSync(Buffer.alloc(0)), /is empty \(0 bytes\); copy or record the capture again/],
  ["huge.pcap", huge, /is damaged at byte 24: .*; copy or record the capture again/],
  ["dns.pcap", pcap([udp([10, 0, 0, 2], 53, query)]), /holds no MoldUDP64 packet in 1 frames, 1 of them UDP \(most, 1, to 10\.0\.0\.2:53\); give a capture of the ITCH multicast lines/],
  ["arp.pcap", pcap([arp(), arp()]), /holds no MoldUDP64 packet in 2 frames, 0 of them UDP \(.*\); give a capture/],
  ["tcp.pcap", pcap([tcp([10, 0, 0, 2], 443, Buffer.from("GET / HTTP/1.1\r\n\r\n"))]), /holds no MoldUDP64 packet in 1 frames, 0 of them UDP \(.*TCP.*\); give a capture/],
  ["none.pcap", pcap([]), /holds no MoldUDP64 packet in 0 frames/],
  ["wireless.pcap", wireless, /has link type 105 \(802\.11 wireless\), not Ethernet \(1\); record on the network interface itself/],
];

async function refuses(path: string, sentence: RegExp): Promise<void> {
  for (const verb of [["inspect", path], ["inspect", path, "--book", "TEST", "--csv"], ["replay", path, "--line", line.file, "--json", "-"]]) {
    const run = await tickline(...verb);
    assert.match(run.err, sentence);
    assert.ok(run.err.startsWith(`tickline: ${path}: `), run.err);
    assert.match(run.err, /^[^\n]+\n$/, "one line");
    assert.deepEqual([run.code, run.out], [2, ""], verb.join(" "));
  }
}

for (const [name, bytes, sentence] of BAD) {
  test(`${name}: one sentence that names file, finding and fix; exit code 2`, async () => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    await refuses(path, sentence);
  });
}

test("a missing file and a folder: one sentence; exit code 2", async () => {
  await refuses(join(folder, "missing.pcap"), /cannot be read \(no such file or directory\); give the path of a capture file/);
  const path = join(folder, "folder.pcap");
  mkdirSync(path);
  await refuses(path, /is a folder without a journal segment; give a capture file/);
});

test("a replay without any symbol to trade says so; exit code 2", async () => {
  const path = join(folder, "heartbeats.pcap");
  writeFileSync(path, pcap([frame(1, 1n, []), frame(1, 1n, [])]));
  const run = await tickline("replay", path, "--line", line.file);
  assert.deepEqual([run.code, run.out, run.err], [2, "", `tickline: ${path}: no symbol in it; a replay needs order flow\n`]);
});

test("a capture whose tail is cut off is replayed as far as it goes, and the report notes it", async () => {
  const path = join(folder, "flow.pcap");
  const frames = generate(path, 2, 1, "--symbols", "TLKA");
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, -3));
  const json = join(folder, "report.json");
  const run = await tickline("replay", path, "--line", line.file, "--speed", "max", "--no-rehearse", "--json", json);
  assert.equal(run.code, 0, run.err);
  const report = JSON.parse(readFileSync(json, "utf8")) as ReplayReport;
  assert.deepEqual([report.outcome, report.frames, report.gaps], ["finished", frames - 1, 0]);
  assert.ok(report.truncated_at !== null && report.truncated_at > 24 && report.truncated_at < whole.length);
  assert.match(run.out, new RegExp(`note: the capture's last record, at byte ${report.truncated_at}, is cut off; what came before it was played`));
});
