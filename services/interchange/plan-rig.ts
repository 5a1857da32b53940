/** Random small networks of every layer, from a seed. Tests only. */
import { ACTIVATIONS, GATES, PADDINGS, paddingOf, RESETS, type Activation, type Layer, type Sweep } from "./layer.ts";
import { features, randomModel, verified, type Contract, type Model, type Node, type Shape, type Tensor } from "./model.ts";

/** Seeded numbers (Mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1. */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.unit() * end);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** Numbers between -reach and reach. */
  numbers(count: number, reach = 1): Float32Array {
    return Float32Array.from({ length: count }, () => (this.unit() * 2 - 1) * reach);
  }
}

/** Kinds that take one value and may stand anywhere. */
export const KINDS = ["dense", "activate", "reshape", "flatten", "last", "dropout", "lstm", "gru", "bl", "tabl", "bin", "conv", "pool", "batch_norm", "attention", "linear_attention", "local_attention", "add", "concat"] as const satisfies readonly Layer["kind"][];
/** One of them. */
export type Kind = (typeof KINDS)[number];
/** Kinds that look at a whole window. */
export const WINDOWED: readonly Kind[] = ["flatten", "bl", "tabl", "bin", "attention"];

/** Sizes of a layer's tensors when it takes `x`, as `crates/model/src/layer/tensors.rs` has them. */
function sizesOf(layer: Layer, x: Shape): Record<string, readonly number[]> {
  const wide = features(x);
  switch (layer.kind) {
    case "dense": return { weight: [wide, layer.outputs], bias: [layer.outputs] };
    case "lstm": return { kernel: [wide, 4 * layer.units], recurrent: [layer.units, 4 * layer.units], bias: [4 * layer.units] };
    case "gru": return { kernel: [wide, 3 * layer.units], recurrent: [layer.units, 3 * layer.units], bias: [2, 3 * layer.units] };
    case "bl": return { w1: [wide, layer.outputs], w2: [x.time, layer.times], bias: [layer.times, layer.outputs] };
    case "tabl": return { w1: [wide, layer.outputs], w: [x.time, x.time], l: [1], w2: [x.time, layer.times], bias: [layer.times, layer.outputs] };
    case "bin": return { y1: [1], y2: [1], l1: [x.time], b1: [x.time], l2: [wide], b2: [wide] };
    case "conv": return { weight: [layer.sweep.kernelTime, layer.sweep.kernelWidth, x.channels, layer.outputs], bias: [layer.outputs] };
    case "batch_norm": return { gamma: [x.channels], beta: [x.channels], mean: [x.channels], variance: [x.channels] };
    case "attention": return { weight: [wide, layer.units], bias: [layer.units], query: [layer.units] };
    case "linear_attention": case "local_attention": return { query: [wide, layer.keys], key: [wide, layer.keys], value: [wide, layer.outputs] };
    default: return {};
  }
}

/** Weights of a size that keeps sums near 1, within the rules of training. */
function tensor(dice: Dice, name: string, shape: readonly number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const [time = 1] = shape;
  if (name === "l" || name === "y1" || name === "y2") return { shape, data: Float32Array.of(0.1 + 0.8 * dice.unit()) };
  const data = dice.numbers(count, 1 / Math.sqrt(Math.max(1, count / (shape.at(-1) ?? 1))));
  if (name === "variance") return { shape, data: data.map((x) => Math.abs(x) + 0.5) };
  return { shape, data: name === "w" ? data.map((x, at) => (Math.floor(at / time) === at % time ? 1 / time : x)) : data };
}

/** A window over `x` that fits. */
function sweepOf(dice: Dice, { time, width }: Shape, stateful: boolean, pools: boolean): Sweep {
  const padding = stateful ? "causal" : dice.pick(PADDINGS);
  const kernelTime = 1 + dice.below(padding === "valid" ? Math.min(3, time) : 3);
  // A pool that is padded is one over time alone there: TensorFlow.js pads both axes.
  const wide = pools && padding === "same" ? 1 : 1 + dice.below(Math.min(3, width));
  return { kernelTime, kernelWidth: wide, strideTime: stateful ? 1 : 1 + dice.below(2), strideWidth: pools && padding === "same" ? 1 : 1 + dice.below(2), padding };
}

/** A random layer of a kind over `x`, and what it gives. */
function layerOf(dice: Dice, kind: Kind, x: Shape, stateful: boolean): readonly [Layer, Shape] {
  const size = 1 + dice.below(7);
  const activation: Activation = dice.pick(ACTIVATIONS);
  const rows = (time: number, channels: number): Shape => ({ time, width: 1, channels });
  const swept = (sweep: Sweep, channels: number): Shape => {
    const [before, after] = stateful ? [0, 0] : paddingOf(sweep, x.time);
    const time = stateful ? 1 : Math.floor((x.time + before + after - sweep.kernelTime) / sweep.strideTime) + 1;
    return { time, width: Math.floor((x.width - sweep.kernelWidth) / sweep.strideWidth) + 1, channels };
  };
  switch (kind) {
    case "dense": return [{ kind, outputs: size, activation }, rows(x.time, size)];
    case "activate": return [{ kind, activation }, x];
    case "add": case "concat": case "bin": return [{ kind }, x];
    case "reshape": {
      const wide = features(x);
      const width = dice.pick(Array.from({ length: wide }, (_, at) => at + 1).filter((each) => wide % each === 0));
      return [{ kind, width, channels: wide / width }, { time: x.time, width, channels: wide / width }];
    }
    case "flatten": return [{ kind }, rows(1, x.time * features(x))];
    case "last": return [{ kind }, { ...x, time: 1 }];
    case "dropout": return [{ kind, rate: 0.25 }, x];
    case "lstm": return [{ kind, units: size, gate: dice.pick(GATES) }, rows(x.time, size)];
    case "gru": return [{ kind, units: size, gate: dice.pick(GATES), reset: dice.pick(RESETS) }, rows(x.time, size)];
    case "bl": case "tabl": {
      const times = 1 + dice.below(x.time);
      return [{ kind, outputs: size, times, activation }, rows(times, size)];
    }
    case "conv": {
      const sweep = sweepOf(dice, x, stateful, false);
      return [{ kind, outputs: size, sweep, activation }, swept(sweep, size)];
    }
    case "pool": {
      const sweep = sweepOf(dice, x, stateful, true);
      return [{ kind, average: dice.below(2) === 0, sweep }, swept(sweep, x.channels)];
    }
    case "batch_norm": return [{ kind, epsilon: Math.fround(1e-3), momentum: Math.fround(0.9) }, x];
    case "attention": return [{ kind, units: size }, rows(1, features(x))];
    case "linear_attention": return [{ kind, keys: 1 + dice.below(4), outputs: size, decay: Math.fround(0.5 + 0.4 * dice.unit()) }, rows(x.time, size)];
    case "local_attention": return [{ kind, keys: 1 + dice.below(4), outputs: size, span: 1 + dice.below(4) }, rows(x.time, size)];
  }
}

const origin = randomModel("logistic", 1, 1).contract;

/** A contract of so many columns that scales nothing. */
export function contractOf(columns: number, window: number, stateful: boolean): Contract {
  const names = origin.columns.slice(0, columns);
  return { ...origin, columns: names, mean: new Float32Array(columns), scale: new Float32Array(columns).fill(1), clip: 100, window, stateful, classes: [] };
}

/** A random network of up to five layers, `wanted` among them. */
export function randomPlan(seed: number, wanted: Kind, allowed: readonly Kind[] = KINDS): Model {
  const dice = new Dice(seed);
  const stateful = !WINDOWED.includes(wanted) && dice.below(2) === 0;
  const [columns, window] = [2 + dice.below(7), stateful ? 1 : 1 + dice.below(6)];
  // What normalises stands first: behind other layers it would enlarge their rounding by what it divides by.
  const kinds = allowed.filter((kind) => kind !== "bin" && !(stateful && WINDOWED.includes(kind)));
  const chosen = Array.from({ length: 1 + dice.below(5) }, () => dice.pick(kinds));
  chosen[wanted === "bin" ? 0 : dice.below(chosen.length)] = wanted;
  const nodes: Node[] = [];
  const shapes: Shape[] = [{ time: window, width: columns, channels: 1 }];
  for (const kind of chosen) {
    const x = shapes.at(-1) as Shape;
    const [layer, gives] = layerOf(dice, kind, x, stateful);
    const alike = shapes.flatMap((shape, at) => (shape.time === x.time && shape.width === x.width && shape.channels === x.channels ? [at] : []));
    const joins = kind === "add" || kind === "concat";
    const inputs = joins ? [shapes.length - 1, ...Array.from({ length: dice.below(3) }, () => dice.pick(alike))] : [shapes.length - 1];
    const tensors = new Map(Object.entries(sizesOf(layer, x)).map(([name, shape]) => [name, tensor(dice, name, shape)]));
    nodes.push({ layer, inputs, tensors });
    shapes.push(kind === "concat" ? { ...x, channels: x.channels * inputs.length } : gives);
  }
  return verified({ contract: contractOf(columns, window, stateful), nodes });
}
