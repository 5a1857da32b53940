/** Damage of every kind done to models in both formats, from a seed, and what becomes of them. Tests only. */
import { nowNs } from "../kit/clock.ts";
import { TicklineError } from "../kit/errors.ts";
import { exportKeras } from "./keras/export.ts";
import { filesOf, kerasOf } from "./keras/files.ts";
import { importKeras } from "./keras/import.ts";
import type { Contract } from "./model.ts";
import { exportOnnx } from "./onnx/export.ts";
import { decode, encode, type Attribute, type OnnxModel, type OnnxNode } from "./onnx/graph.ts";
import { importOnnx } from "./onnx/import.ts";
import { Dice, KINDS, randomPlan } from "./plan-rig.ts";

/** A model in both formats. */
interface Seed {
  readonly onnx: OnnxModel;
  readonly bytes: Uint8Array;
  readonly json: string;
  readonly shard: Buffer;
  readonly contract: Contract;
}

/** What became of damaged models. */
export interface Tally {
  tried: number;
  /** Read, the damage having made another model of them. */
  read: number;
  /** By the code of the refusal. */
  readonly refused: Map<string, number>;
  /** What was thrown that is no refusal, and where; each kind once. */
  readonly wrong: Map<string, string>;
  /** In ms. */
  slowest: number;
}

/** Values that upset readers: limits of numbers, empty and foreign kinds. */
const ODD: readonly unknown[] = [null, true, 0, -1, 1, 2, 3, 0.5, 255, 65_536, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, -1e308, "", "x", "0", "linear", "same", "__proto__", "constructor", [], [[]], [0], [-1], [1, 2], [1e9, 1e9], {}, { name: 1 }];

/** Small networks of every kind that TensorFlow.js can have, without and with their passport in turn. */
export function seedsOf(count: number): Seed[] {
  const kinds = KINDS.filter((kind) => kind !== "linear_attention");
  return Array.from({ length: count }, (_, at) => {
    const model = randomPlan(1000 + at, kinds[at % kinds.length] ?? "dense", kinds);
    const [whole, keras] = [exportOnnx(model), exportKeras(model)];
    const onnx = at % 2 === 0 ? whole : { ...whole, metadata: new Map<string, string>() };
    const { json, bytes } = filesOf(at % 2 === 0 ? keras : { ...keras, metadata: {} }, "weights.bin");
    return { onnx, bytes: encode(onnx), json, shard: Buffer.from(bytes), contract: model.contract };
  });
}

function damagedBytes(dice: Dice, from: Uint8Array, other: Uint8Array): Uint8Array {
  const out = Uint8Array.from(from);
  const at = dice.below(out.length);
  switch (dice.below(7)) {
    case 0: return out.subarray(0, at);
    case 1: return Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + 1 + dice.below(9))]);
    case 2: return Uint8Array.from([...out.subarray(0, at), ...Array.from({ length: 1 + dice.below(9) }, () => dice.below(256)), ...out.subarray(at)]);
    case 3: return Uint8Array.from([...out.subarray(0, at), ...other.subarray(dice.below(other.length))]);
    case 4: return Uint8Array.from({ length: dice.below(64) }, () => dice.below(256));
    default:
      for (let left = 1 + dice.below(4); left > 0; left--) out[dice.below(out.length)] = dice.pick([0, 1, 8, 0x7f, 0x80, 0xff, dice.below(256)]);
      return out;
  }
}

function oddAttribute(dice: Dice): Attribute {
  return dice.pick<Attribute>([0, 1, -1, 7, 2 ** 31, 2 ** 40, "", "NOTSET", "SAME_LOWER", [], [0], [-1, -1], [1, 1], [2 ** 31, 1], [3, 0, 2, 1], ["Tanh"], { float: 0.5 }, { float: NaN }, { dims: [2], data: [1, 2] }]);
}

/** One thing of a graph changed that keeps it a graph: an operator, an edge, an attribute, a size. */
function damagedGraph(dice: Dice, onnx: OnnxModel): OnnxModel {
  const at = dice.below(onnx.nodes.length);
  const node = onnx.nodes[at] as OnnxNode;
  const put = (changed: Partial<OnnxNode>): OnnxModel => ({ ...onnx, nodes: onnx.nodes.map((each, nth) => (nth === at ? { ...each, ...changed } : each)) });
  const names = [...onnx.initializers.keys(), ...onnx.nodes.flatMap(({ outputs }) => outputs), "", "nowhere"];
  const keys = [...node.attributes.keys(), "axis", "axes", "pads", "perm", "strides", "dilations", "kernel_shape", "group", "hidden_size", "direction", "clip", "layout", "ceil_mode", "auto_pad"];
  switch (dice.below(6)) {
    case 0: return put({ op: dice.pick(["Relu", "Gemm", "MatMul", "Add", "Mul", "Conv", "LSTM", "GRU", "Reshape", "Transpose", "Slice", "Gather", "Squeeze", "Unsqueeze", "Concat", "Softmax", "MaxPool", "GlobalAveragePool", "BatchNormalization", "Flatten", "Constant", "Shape", "Expand", "ConstantOfShape", "Cast", "ReduceMean", "Identity", "Erf"]) });
    case 1: return put({ inputs: node.inputs.map((input) => (dice.below(2) === 0 ? dice.pick(names) : input)) });
    case 2: return put({ attributes: new Map([...node.attributes, [dice.pick(keys), oddAttribute(dice)]]) });
    case 3: return { ...onnx, nodes: onnx.nodes.filter((_, nth) => nth !== at) };
    case 4: return { ...onnx, inputs: onnx.inputs.map((input) => ({ ...input, dims: input.dims.map((size) => (dice.below(2) === 0 ? dice.pick<number | string>([1, 2, 5, 2 ** 31, 2 ** 52, "n", size]) : size)) })) };
    default: {
      const [name, tensor] = dice.pick([...onnx.initializers, ["none", { dims: [0], data: [] }] as const]);
      const data = dice.below(2) === 0 ? tensor.data : [...tensor.data].map((x) => dice.pick([x, -x, 0, 1e9]));
      const dims = dice.pick([tensor.dims, [...tensor.dims].reverse(), [1, ...tensor.dims], [tensor.data.length], [tensor.data.length, 1], [0, ...tensor.dims]]);
      return { ...onnx, initializers: new Map([...onnx.initializers, [name, { dims, data: tensor.data instanceof Float32Array ? Float32Array.from(data) : data }]]) };
    }
  }
}

/** One value of a JSON text changed, by its place in the tree. */
function damagedJson(dice: Dice, text: string): string {
  const root = JSON.parse(text) as Record<string, unknown>;
  const topology = root["modelTopology"];
  let at: Record<string, unknown> = typeof topology === "object" && topology !== null && dice.below(3) > 0 ? (topology as Record<string, unknown>) : root;
  for (let depth = 0; depth < 12; depth++) {
    const keys = Object.keys(at);
    if (keys.length === 0) break;
    const key = dice.pick(keys);
    const below = at[key];
    if (typeof below !== "object" || below === null || dice.below(8) === 0) {
      if (dice.below(5) === 0) delete at[key];
      else at[key] = dice.pick(ODD);
      break;
    }
    at = below as Record<string, unknown>;
  }
  return JSON.stringify(root);
}

function readOnnx(dice: Dice, seed: Seed, other: Seed): void {
  const graph = (): Uint8Array => encode(damagedGraph(dice, dice.below(3) === 0 ? damagedGraph(dice, seed.onnx) : seed.onnx));
  const bytes = dice.below(2) === 0 ? damagedBytes(dice, seed.bytes, other.bytes) : graph();
  importOnnx(decode(bytes), "damaged.onnx", dice.below(4) === 0 ? undefined : seed.contract);
}

function readKeras(dice: Dice, seed: Seed, other: Seed): void {
  let text = seed.json;
  if (dice.below(4) === 0) text = Buffer.from(damagedBytes(dice, Buffer.from(text), Buffer.from(other.json))).toString("utf8");
  else for (let left = 1 + dice.below(3); left > 0; left--) text = damagedJson(dice, text);
  const shard = dice.below(6) === 0 ? Buffer.from(damagedBytes(dice, seed.shard, other.shard)) : seed.shard;
  importKeras(kerasOf(text, "model.json", () => shard), "model.json", dice.below(4) === 0 ? undefined : seed.contract);
}

/** Reads `count` damaged models of each format. */
export function damage(count: number, first: number, seeds: readonly Seed[]): Tally {
  const tally: Tally = { tried: 0, read: 0, refused: new Map(), wrong: new Map(), slowest: 0 };
  for (let nth = 0; nth < 2 * count; nth++) {
    const dice = new Dice(first + nth);
    const [seed, other] = [dice.pick(seeds), dice.pick(seeds)];
    const start = nowNs();
    tally.tried++;
    try {
      (nth % 2 === 0 ? readOnnx : readKeras)(dice, seed, other);
      tally.read++;
    } catch (error) {
      if (error instanceof TicklineError && error.code === "TL_MODEL") {
        const code = /^(?:.*?: )?([A-Z]+_[A-Z_]+):/.exec(error.message)?.[1] ?? error.message.slice(0, 80);
        tally.refused.set(code, (tally.refused.get(code) ?? 0) + 1);
      } else {
        const [what = "", where = ""] = [error instanceof Error ? error.message : String(error), error instanceof Error ? (error.stack ?? "").split("\n").find((line) => line.includes("interchange")) : ""];
        const key = `${what.slice(0, 60)} ${where.trim()}`;
        if (!tally.wrong.has(key)) tally.wrong.set(key, `seed ${first + nth}`);
      }
    }
    tally.slowest = Math.max(tally.slowest, (nowNs() - start) / 1e6);
  }
  return tally;
}
