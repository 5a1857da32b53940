/**
 * Packet to order on the wire: `tickline replay`, fused, at the pace of a capture that the project generates itself. Times count from
 * the moment a frame was due. The floor is one loopback TCP send of an order's bytes, measured right before and after the replay.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseDocument } from "yaml";
import type { Row } from "./row.ts";
import { runProgram, rustRows } from "./rust-rows.ts";

/** How much to measure. */
export interface LineOptions {
  /** Length of the capture, which is played at its own pace. */
  readonly seconds: number;
  /** Events a second of each of its two symbols. */
  readonly rate: number;
  /** Sends of the floor. */
  readonly sends: number;
}

const DEFAULT: LineOptions = { seconds: 10, rate: 1_000, sends: 5_000 };
const SEED = 7;
/** Bytes of the orders that the replay sends: SoupBinTCP's header (3) and OUCH's Enter Order without optional fields (47). */
const ORDER_BYTES = 50;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What `tickline replay` runs by itself. */
const LINE = fileURLToPath(new URL("../../ops/lines/replay.yaml", import.meta.url));
const CLI = fileURLToPath(new URL("../../services/cli/main.ts", import.meta.url));
/** Hops in the order of the data flow; `line` is from due to sent. */
const HOPS = ["feed", "inference", "strategy", "risk", "gate", "send", "line"] as const;

interface Hop {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

interface Report {
  readonly sent: number;
  readonly frames: number;
  readonly latency: Readonly<Partial<Record<string, Hop>>>;
  readonly gc: Readonly<Record<string, number>>;
}

/** Runs the benchmark: the capture's length and some seconds. */
export async function benchLine(options: LineOptions = DEFAULT): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), "tickline-bench-"));
  try {
    const capture = join(dir, "flow.pcap");
    await runProgram("tickline-exchange", ["--generate", capture, "--seconds", String(options.seconds), "--rate", String(options.rate), "--seed", String(SEED)]);
    const send = ["send", "--bytes", String(ORDER_BYTES), "--messages", String(options.sends)];
    const before = await rustRows(...send);
    const report = await replay(capture, await ownLine(join(dir, "line.yaml")), join(dir, "report.json"));
    const after = await rustRows(...send);
    return [...before.map((row, at) => mean(row, after[at] ?? row)), ...hops(report, options)];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The line of a plain replay under a name and ports of its own, so that it meets no other run on this host; returns its file. */
export async function ownLine(file: string): Promise<string> {
  const line = parseDocument(readFileSync(LINE, "utf8"));
  const [feed, rerequest, ouch] = await freePorts(3);
  line.set("line", `bench-${process.pid}`);
  for (const path of [["itch", "a"], ["itch", "b"]]) line.setIn(["venue", ...path, "port"], feed);
  line.setIn(["venue", "rerequest", "port"], rerequest);
  line.setIn(["venue", "ouch", "port"], ouch);
  writeFileSync(file, String(line));
  return file;
}

/** Ports that nobody listens on now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

async function replay(capture: string, line: string, file: string): Promise<Report> {
  await promisify(execFile)(process.execPath, [CLI, "replay", capture, "--line", line, "--placement", "fused", "--speed", "1", "--json", file], { cwd: ROOT });
  return JSON.parse(readFileSync(file, "utf8")) as Report;
}

/** One floor from the two measurements around the replay. */
function mean(before: Row, after: Row): Row {
  // What could not be measured stays so.
  if (before.p50 === null || after.p50 === null) return before;
  const of = (key: "p50" | "p99" | "p999"): number => ((before[key] ?? NaN) + (after[key] ?? NaN)) / 2;
  return { ...before, p50: of("p50"), p99: of("p99"), p999: of("p999"), max: Math.max(before.max ?? 0, after.max ?? 0), note: `${before.note}; mean of before and after` };
}

function hops({ sent, frames, latency, gc }: Report, { seconds }: LineOptions): Row[] {
  const collections = Object.values(gc).reduce((all, one) => all + one, 0);
  return HOPS.flatMap((name) => {
    const hop = latency[name];
    if (hop === undefined) return [];
    const note = name === "line"
      ? `${hop.count} orders of ${frames} frames in ${seconds} s, speed 1, from due to sent (${sent} messages); ${collections} garbage collections`
      : `${hop.count} times`;
    return [{
      bench: "line", name: name === "line" ? "fused, packet to order on the wire" : `hop ${name}`, unit: "ns",
      p50: hop.p50, p99: hop.p99, p999: hop.p999, max: hop.max, rate: null, note,
    }];
  });
}
