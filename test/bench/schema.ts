/**
 * What reading one small message costs: our view against the official runtime, naive (new objects a message) and reused,
 * in interleaved batches over the same bytes. Figures are nanoseconds a message.
 */
import * as flatbuffers from "flatbuffers";
import { SIGNAL_BYTES, SignalView, writePrefix } from "../../schemas/generated/signal.ts";
import { SignalBody } from "../../schemas/generated/official/signal-body.ts";
import { Signal } from "../../schemas/generated/official/signal.ts";
import type { Row } from "./row.ts";

const MESSAGES = 1024;
const BATCH = 1000;
const BATCHES = 2000;
const WARM = 200;

const memory = new DataView(new ArrayBuffer(MESSAGES * SIGNAL_BYTES));
const bytes = new Uint8Array(memory.buffer);
const view = new SignalView();
const reusedBuffer = new flatbuffers.ByteBuffer(bytes);
const reusedTable = new Signal();
const reusedBody = new SignalBody();

for (let i = 0; i < MESSAGES; i++) {
  writePrefix(memory, i * SIGNAL_BYTES);
  if (!view.wrap(memory, i * SIGNAL_BYTES)) throw new Error("our own prefix was refused");
  view.seq = i;
  view.price = 1_000_000 + i;
  view.qty = 100;
  view.confidence = i / MESSAGES;
  view.side = 1 + (i & 1);
}

/** Reads `BATCH` messages of 5 fields each from message `first` on and returns their sum. */
type Pass = (first: number) => number;

function ours(first: number): number {
  let sum = 0;
  for (let i = 0; i < BATCH; i++) {
    if (!view.wrap(memory, ((first + i) & (MESSAGES - 1)) * SIGNAL_BYTES)) return NaN;
    sum += view.seq + view.price + view.qty + view.confidence + view.side;
  }
  return sum;
}

function sumOf(body: SignalBody | null): number {
  if (body === null) return NaN;
  return Number(body.seq()) + body.price() + body.qty() + body.confidence() + body.side();
}

function naive(first: number): number {
  let sum = 0;
  for (let i = 0; i < BATCH; i++) {
    const at = ((first + i) & (MESSAGES - 1)) * SIGNAL_BYTES;
    sum += sumOf(Signal.getRootAsSignal(new flatbuffers.ByteBuffer(bytes.subarray(at, at + SIGNAL_BYTES))).body());
  }
  return sum;
}

function reused(first: number): number {
  let sum = 0;
  for (let i = 0; i < BATCH; i++) {
    reusedBuffer.setPosition(((first + i) & (MESSAGES - 1)) * SIGNAL_BYTES);
    sum += sumOf(Signal.getRootAsSignal(reusedBuffer, reusedTable).body(reusedBody));
  }
  return sum;
}

const CASES: { name: string; pass: Pass; note: string }[] = [
  { name: "in-place view", pass: ours, note: "wrap and 5 fields of a Signal, 136 bytes" },
  { name: "official, reused objects", pass: reused, note: "the same fields, npm flatbuffers" },
  { name: "official, new objects", pass: naive, note: "the same fields, npm flatbuffers" },
];

function rowOf(name: string, note: string, samples: Float64Array): Row {
  const sorted = samples.slice().sort();
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
  const p50 = at(0.5);
  return {
    bench: "schema", name, unit: "ns", p50, p99: at(0.99), p999: at(0.999), max: at(1), rate: 1e9 / p50,
    note: `${note}; percentiles over ${BATCHES} batches of ${BATCH}`,
  };
}

/**
 * Runs the benchmark: about a second.
 *
 * @throws Error when a peer reads other values than we do
 */
export async function benchSchema(): Promise<Row[]> {
  const samples = CASES.map(() => new Float64Array(BATCHES));
  for (let batch = -WARM; batch < BATCHES; batch++) {
    const wanted = ours(batch + WARM);
    CASES.forEach(({ name, pass }, i) => {
      const start = performance.now();
      const sum = pass(batch + WARM);
      const elapsed = performance.now() - start;
      if (sum !== wanted) throw new Error(`${name} read ${sum}, ours ${wanted}`);
      const list = samples[i];
      if (batch >= 0 && list !== undefined) list[batch] = (elapsed * 1e6) / BATCH;
    });
  }
  return CASES.map(({ name, note }, i) => rowOf(name, note, samples[i] ?? new Float64Array(0)));
}
