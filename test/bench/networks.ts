/**
 * Ready-made networks through the addon's door, and the same networks, exported, in onnxruntime-node and TensorFlow.js: the same rows, in turns, in one
 * process, one thread each. The Rust rows are `tickline-bench networks`'.
 */
import { answers, noise } from "../../services/interchange/answers.ts";
import { exportKeras } from "../../services/interchange/keras/export.ts";
import { filesOf } from "../../services/interchange/keras/files.ts";
import { dataOf, features, randomModel, type Model } from "../../services/interchange/model.ts";
import { exportOnnx } from "../../services/interchange/onnx/export.ts";
import { encode } from "../../services/interchange/onnx/graph.ts";
import { loadOrt, loadTf, type Ort, type OrtTensor, type Tf, type TfTensor } from "../../services/interchange/peers.ts";
import { native } from "../../services/kit/native.ts";
import type { Row } from "./row.ts";
import { rustRows } from "./rust-rows.ts";

/** Networks by name, and the rows that they look at. */
export const NETWORKS = [["mlp", 1], ["lstm-64", 1], ["lstm-128", 1], ["stac-a", 1], ["bin-c-tabl", 10], ["cnn-lstm-attention", 10], ["cnn-lstm-attention-streaming", 10], ["deeplob", 100], ["deeplob-streaming", 1]] as const;

const ROWS = 256;
const TURNS = 6;
/** Calls that answer nothing, timed at once. */
const BARE = 256;

/** One engine with one network. */
interface Runner {
  readonly name: string;
  readonly note: string;
  /** Answers row `n` and gives the first number. */
  call(n: number): number | Promise<number>;
  /** Answers `count` rows from row `n` on. Engines that answer at once do not make anyone wait: that would cost more than some answers. */
  many(n: number, count: number): undefined | Promise<void>;
  readonly samples: number[];
}

/** `many` of a call that answers at once. */
function oneByOne(call: (n: number) => number): Runner["many"] {
  return (first, count) => {
    for (let n = first; n < first + count; n++) call(n);
    return undefined;
  };
}

function rowsOf(model: Model): Float32Array {
  return noise(ROWS * model.contract.columns.length);
}

/** A network through the addon's door, bound to rows. */
function bound(model: Model, rows: Float32Array): { net: InstanceType<typeof native.NativeNetwork>; answer: Float32Array } {
  const end = model.shapes.at(-1) ?? { time: 0, width: 0, channels: 0 };
  const outputs = end.time * features(end);
  const answer = new Float32Array(outputs + (outputs & 1));
  const net = native.NativeNetwork.of(dataOf(model));
  net.bind(rows.buffer as ArrayBuffer, answer.buffer);
  return { net, answer };
}

function ours(model: Model, rows: Float32Array, name: string): Runner {
  const { net, answer } = bound(model, rows);
  const predict = net.predictor();
  const call = (n: number): number => {
    predict(n % ROWS);
    return answer[0] as number;
  };
  for (let n = 0; n < model.contract.window; n++) call(n);
  return { name: `${name} ${model.contract.precision}, from typescript`, note: "a Node-API call each, on bound memory", call, many: oneByOne(call), samples: [] };
}

/**
 * What a call from TypeScript costs: as many answers by a call each and by one call, right behind one another, and the difference; and calls
 * that answer nothing. A network whose weights fill the nearest cache leaves nothing of what a call needs in it, so its calls cost more.
 */
function crossing(model: Model, rows: Float32Array, name: string, millis: number): Row[] {
  const { net } = bound(model, rows);
  const next = net.nextPredictor();
  const each = (count: number): void => {
    for (let n = 0; n < count; n++) next(1);
  };
  const timed = (answer: (count: number) => void, count: number): number => {
    const began = performance.now();
    answer(count);
    return ((performance.now() - began) * 1e6) / count;
  };
  for (let n = 0; n < 2000; n++) timed(each, 1);
  const tick = timed(next, 64);
  // A call is lost in the noise of an answer that takes thousands of times as long.
  if (tick > 20_000) return [];
  // Samples of some 20 us, or of two answers.
  const count = Math.min(64, Math.max(2, Math.round(20_000 / tick)));
  const nothing = (calls: number): void => {
    for (let n = 0; n < calls; n++) next(0);
  };
  const samples: number[] = [];
  const bare: number[] = [];
  for (const start = performance.now(); performance.now() - start < millis;) {
    const one = timed(next, count);
    samples.push(timed(each, count) - one);
    bare.push(timed(nothing, BARE));
  }
  const note = `a call each less one call for all, each answer begun when the one before is there; mean of ${count}`;
  return [
    rowOf({ name: `floor: a bare call, ${name}`, note: `answers nothing; mean of ${BARE}`, samples: bare }),
    rowOf({ name: `a call from typescript, ${name}`, note, samples }),
  ];
}

/** Inputs are views of the rows: a window starts at row `n`. */
function windows(model: Model, rows: Float32Array): (n: number) => Float32Array {
  const { columns, window } = model.contract;
  const last = ROWS - window;
  return (n) => rows.subarray((n % (last + 1)) * columns.length, (n % (last + 1)) * columns.length + window * columns.length);
}

async function onnxruntime(ort: Ort, model: Model, rows: Float32Array, name: string): Promise<Runner> {
  const onnx = exportOnnx(model);
  const session = await ort.InferenceSession.create(encode(onnx), { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential", graphOptimizationLevel: "all" });
  const dims = (onnx.inputs[0]?.dims ?? []).map((size) => (typeof size === "number" ? size : 1));
  const input = windows(model, rows);
  const empty = onnx.inputs.slice(1).map(({ name: state, dims: sizes }): [string, OrtTensor] => {
    const shape = sizes.map((size) => (typeof size === "number" ? size : 1));
    return [state, new ort.Tensor("float32", new Float32Array(shape.reduce((product, size) => product * size, 1)), shape)];
  });
  let states: Record<string, OrtTensor> = Object.fromEntries(empty);
  const call = async (n: number): Promise<number> => {
    const out = await session.run({ input: new ort.Tensor("float32", input(n), dims), ...states });
    states = Object.fromEntries(empty.map(([state]) => [state, out[`${state}.next`] as OrtTensor]));
    return out["output"]?.data[0] as number;
  };
  const many = async (first: number, count: number): Promise<void> => {
    for (let n = first; n < first + count; n++) await call(n);
  };
  return { name: `peer onnxruntime-node, ${name}`, note: "session.run, states given back, one thread", call, many, samples: [] };
}

async function tensorflow(tf: Tf, model: Model, rows: Float32Array, name: string): Promise<Runner | Row> {
  const label = `peer tfjs cpu, ${name}`;
  try {
    const { json, bytes } = filesOf(exportKeras(model), "weights.bin");
    const { modelTopology, weightsManifest: [group] } = JSON.parse(json) as { modelTopology: object; weightsManifest: [{ weights: object[] }] };
    const net = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: group.weights, weightData: new Uint8Array(bytes).buffer }));
    const { columns, window } = model.contract;
    const shape = window === 1 ? [1, columns.length] : [1, window, columns.length];
    const input = windows(model, rows);
    // The pasts of a stream are inputs and outputs of the layers model, each given back at the next row.
    let states = net.inputs.slice(1).map(({ shape: past }) => {
      const sizes = [1, ...(past.slice(1) as number[])];
      return tf.tensor(new Float32Array(sizes.reduce((product, size) => product * size, 1)), sizes);
    });
    const call = (n: number): number => {
      const x = tf.tensor(input(n), shape);
      const given = net.predict([x, ...states]);
      const [answer, ...next] = (Array.isArray(given) ? given : [given]) as [TfTensor, ...TfTensor[]];
      const [number] = answer.dataSync();
      for (const old of [x, answer, ...states]) old.dispose();
      states = next;
      return number as number;
    };
    return { name: label, note: `${tf.version.tfjs}, predict and dataSync, states given back`, call, many: oneByOne(call), samples: [] };
  } catch (error) {
    return absent(label, (error as Error).message);
  }
}

function absent(name: string, why: string): Row {
  return { bench: "networks", name, unit: "ns", p50: null, p99: null, p999: null, max: null, rate: null, note: `not measured: ${why}` };
}

/** Calls timed at once, so that one sample takes some 20 us or one call. */
async function blockOf({ call }: Runner): Promise<number> {
  for (let n = 0; n < 20; n++) await call(n);
  const began = performance.now();
  let n = 0;
  for (; n < 32 && performance.now() - began < 50; n++) await call(n);
  return Math.min(64, Math.max(1, Math.round((0.02 * n) / (performance.now() - began))));
}

/** Times runners in turns, `millis` each. */
async function race(runners: readonly Runner[], millis: number): Promise<Row[]> {
  const blocks: number[] = [];
  for (const runner of runners) blocks.push(await blockOf(runner));
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [at, { many, samples }] of runners.entries()) {
      const [start, block] = [performance.now(), blocks[at] as number];
      let n = 0;
      do {
        const began = performance.now();
        const answered = many(n, block);
        if (answered !== undefined) await answered;
        n += block;
        samples.push(((performance.now() - began) * 1e6) / block);
      } while (performance.now() - start < millis / TURNS);
    }
  }
  return runners.map(({ name, note, samples }, at) => rowOf({ name, note: `${note}; mean of ${blocks[at]} calls`, samples }));
}

function rowOf({ name, note, samples }: Pick<Runner, "name" | "note" | "samples">): Row {
  const sorted = samples.sort((a, b) => a - b);
  const share = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
  return { bench: "networks", name, unit: "ns", p50: share(0.5), p99: share(0.99), p999: share(0.999), max: share(1), rate: 1e9 / share(0.5), note: `${note}; ${sorted.length} samples` };
}

/** Peers must answer what we answer, or their time says nothing. */
async function agree(model: Model, runner: Runner, rows: Float32Array): Promise<void> {
  const [first] = answers(model, rows.slice(0, model.contract.window * model.contract.columns.length));
  const given = await runner.call(0);
  if (!(Math.abs(given - (first?.[0] ?? NaN)) <= 1e-4)) throw new Error(`${runner.name} answers ${given}, we ${first?.[0]}`);
}

async function network(name: string, window: number, millis: number, ort: Ort | undefined, tf: Tf | undefined): Promise<Row[]> {
  const model = randomModel(name, window, 7);
  const rows = rowsOf(model);
  const runners = [ours(model, rows, name)];
  const missing: Row[] = [];
  if (ort !== undefined) runners.push(await onnxruntime(ort, model, rows, name));
  if (tf !== undefined) {
    const runner = await tensorflow(tf, model, rows, name);
    if ("call" in runner) runners.push(runner);
    else missing.push(runner);
  }
  for (const runner of runners.slice(1)) await agree(model, runner, rows);
  return [...(await race(runners, millis)), ...crossing(model, rows, name, millis), ...missing];
}

/**
 * Runs the benchmark: about half a second of each engine and network.
 *
 * @throws Error when a peer answers something else than we do
 */
export async function benchNetworks(peers: boolean, millis = 300): Promise<Row[]> {
  const rows = await rustRows("networks", "--millis", String(millis));
  const ort = peers ? loadOrt() : undefined;
  const tf = peers ? await loadTf() : undefined;
  for (const [name, window] of NETWORKS) rows.push(...(await network(name, window, millis, ort, tf)));
  if (peers && ort === undefined) rows.push(absent("peer onnxruntime-node", "not installed"));
  if (peers && tf === undefined) rows.push(absent("peer tfjs cpu", "not installed"));
  return rows;
}
