/**
 * Rings between two processes: the raw floor, our channel in Rust and in TypeScript, rtrb between two threads. All pairs live for the
 * whole run and take turns of some milliseconds (A B C D A B C D), so that what the machine does meanwhile meets all alike. A figure
 * is the median over the turns; `max` is the largest of all.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { native } from "../../services/kit/native.ts";
import { createSegment } from "../../services/kit/ring/segment.ts";
import { Pair, type Answer } from "./ring-pair.ts";
import type { Row } from "./row.ts";

/** How much to measure. */
export interface RingOptions {
  /** Turns that count; as many as a tenth of them, and 5, come before to warm up. */
  readonly turns: number;
  /** Round trips of each pair in a turn. */
  readonly trips: number;
  /** Messages of each pair one way in a turn. */
  readonly pour: number;
}

const DEFAULT: RingOptions = { turns: 31, trips: 20_000, pour: 400_000 };
const WARM = 5;
const SIZE = 64;
/** Records of a channel, as the links of a line have. */
const SLOTS = 1024;
const SHM = "/dev/shm";
const RUST = fileURLToPath(new URL("../../target/release/tickline-bench", import.meta.url));
const END = fileURLToPath(new URL("ring-end.ts", import.meta.url));

interface Carrier {
  readonly name: string;
  readonly pair: Pair;
  readonly rate: boolean;
  readonly note: string;
  readonly trips: Answer[];
  readonly pours: Answer[];
}

/** Runs the benchmark: about ten seconds. */
export async function benchRing(options: RingOptions = DEFAULT): Promise<Row[]> {
  const dir = mkdtempSync(`${SHM}/tickline-bench-`);
  const carriers: Carrier[] = [];
  try {
    carriers.push(...open(dir));
    const clock = await takeTurns(carriers, options);
    return [...carriers.flatMap((carrier) => rowsOf(carrier, carriers[0] as Carrier, options)), clockRow(clock, options)];
  } finally {
    for (const { pair } of carriers) pair.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Makes the segments and starts the ends; the floor first. */
function open(dir: string): Carrier[] {
  const [nearCore, farCore] = coresOf(native.processCores());
  const folder = (name: string): string => {
    mkdirSync(`${dir}/${name}`);
    if (name === "floor") createSegment(`${dir}/${name}/floor`, { kind: "plain", bytes: 4096 });
    else for (const way of ["there", "back"]) createSegment(`${dir}/${name}/${way}`, { kind: "lossless", slots: SLOTS, payload: SIZE });
    return `${dir}/${name}`;
  };
  const rust = (by: string, at: string): Pair => {
    const end = (side: string, core: readonly string[]): string[] => [RUST, "ring-end", "--by", by, "--side", side, "--dir", at, ...core];
    const near = end("near", nearCore === undefined ? [] : ["--core", nearCore]);
    if (by === "rtrb") return new Pair(farCore === undefined ? near : [...near, "--far-core", farCore]);
    return new Pair(near, end("far", farCore === undefined ? [] : ["--core", farCore]));
  };
  const node = (at: string): Pair => new Pair([process.execPath, END, "near", at, nearCore ?? ""], [process.execPath, END, "far", at, farCore ?? ""]);
  const carrier = (name: string, note: string, rate: boolean, pair: Pair): Carrier => ({ name, pair, rate, note, trips: [], pours: [] });
  return [
    carrier("floor: raw flag and payload", "two processes, no protocol", false, rust("floor", folder("floor"))),
    carrier("rust lossless", "two processes", true, rust("lossless", folder("rust"))),
    carrier("typescript lossless", "two Node processes", true, node(folder("typescript"))),
    carrier("peer rtrb", "two threads, on the heap", true, rust("rtrb", dir)),
  ];
}

/** A core for each end, where there are two. */
function coresOf(cores: readonly number[]): [string | undefined, string | undefined] {
  const [near, far] = cores.slice(-2).map(String);
  return near === undefined || far === undefined ? [undefined, undefined] : [near, far];
}

/** Lets the pairs take turns, and returns what the clock said in its own. */
async function takeTurns(carriers: readonly Carrier[], { turns, trips, pour }: RingOptions): Promise<Answer[]> {
  const clock: Answer[] = [];
  for (let turn = -WARM - Math.ceil(turns / 10); turn < turns; turn++) {
    const counts = turn >= 0;
    const said = await (carriers[0] as Carrier).pair.askNear(`clock ${trips}`);
    if (counts) clock.push(said);
    for (const { pair, rate, trips: tripped, pours } of carriers) {
      // A reading of the clock costs twice as much in Node as in Rust; each trip holds one, which is taken off for both alike.
      const { p50: reading } = await pair.askNear(`clock ${trips}`);
      const answer = await pair.ask(`trips ${trips}`);
      if (counts) tripped.push(without(answer, reading));
      if (!rate) continue;
      const poured = await pair.ask(`pour ${pour}`);
      if (counts) pours.push(poured);
    }
  }
  return clock;
}

/** A round trip's times without the reading of the clock in each. */
function without(answer: Answer, reading: number): Answer {
  const { p50, p99, p999, max } = answer;
  return { ...answer, p50: p50 - reading, p99: p99 - reading, p999: p999 - reading, max: max - reading };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? NaN;
}

function row(name: string, answers: readonly Answer[], note: string): Row {
  const of = (key: "p50" | "p99" | "p999"): number => median(answers.map((answer) => answer[key]));
  return {
    bench: "ring", name, unit: "ns", p50: of("p50"), p99: of("p99"), p999: of("p999"),
    max: Math.max(...answers.map(({ max }) => max)), rate: null, note,
  };
}

function rowsOf(carrier: Carrier, floor: Carrier, options: RingOptions): Row[] {
  const { name, note, trips, pours } = carrier;
  const ratio = median(trips.map(({ p50 }, at) => p50 / (floor.trips[at]?.p50 ?? NaN)));
  const collections = [...trips, ...pours].reduce((all, { gc = 0 }) => all + gc, 0);
  const about = [
    `${SIZE} B round trip, ${note}, spinning, every word checked, less one reading of the near end's clock; median of ${options.turns} turns of ${options.trips}`,
    ...(carrier === floor ? [] : [`${ratio.toFixed(2)} x the floor of the same turn`]),
    ...(/typescript/.test(name) ? [`${collections} garbage collections`] : []),
  ];
  const [peer, rest] = name.startsWith("peer ") ? ["peer ", name.slice(5)] : ["", name];
  const rows = [row(`${peer}rtt ${rest}`, trips, about.join("; "))];
  if (pours.length === 0) return rows;
  const rate = median(pours.map(({ ns }) => ((options.pour - 1) / ns) * 1e9));
  const one = `${SIZE} B one way, ${note}; median of ${options.turns} turns of ${options.pour}`;
  return [...rows, { bench: "ring", name: `${peer}rate ${rest}`, unit: "ns", p50: null, p99: null, p999: null, max: null, rate, note: one }];
}

function clockRow(clock: readonly Answer[], { trips }: RingOptions): Row {
  return row("jitter: gaps between readings of the clock", clock, `turns of ${trips}; p50 is the cost of one reading, the rest is what the machine takes away`);
}
