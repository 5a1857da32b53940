/** A model between formats: contract, layers with their tensors, record. Reading and writing go through the model engine, which verifies all of it. */
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { layerOf, numbersOf, type Layer } from "./layer.ts";

type ModelData = ReturnType<typeof native.modelRead>;

/** Time, width and channels of a value, stored in that order. */
export interface Shape {
  readonly time: number;
  readonly width: number;
  readonly channels: number;
}

/** Numbers at one time. */
export const features = (shape: Shape): number => shape.width * shape.channels;

/** A named block of numbers, outermost size first. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A layer in its place. */
export interface Node {
  readonly layer: Layer;
  /** Values taken: 0 the network's input, n what node n - 1 gives. */
  readonly inputs: readonly number[];
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** What a model takes, and what is said about it. */
export interface Contract {
  readonly name: string;
  readonly columns: readonly string[];
  /** A scaled input is `clamp((x - mean) / scale, -clip, clip)`. */
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  readonly clip: number;
  readonly window: number;
  readonly stateful: boolean;
  readonly classes: readonly string[];
  readonly horizon: number;
  readonly precision: string;
  readonly reach: Float32Array;
  readonly training: string;
  readonly seed: bigint;
  readonly rows: bigint;
  readonly dataHash: bigint;
}

/** A whole model. */
export interface Model {
  readonly contract: Contract;
  readonly nodes: readonly Node[];
  /** Shape of each value, the input's first. */
  readonly shapes: readonly Shape[];
}

/** A tensor of a node. @throws TicklineError TL_INTERNAL when the layer has none of this name */
export function tensorOf(node: Node, name: string): Tensor {
  const tensor = node.tensors.get(name);
  if (tensor === undefined) throw new TicklineError("TL_INTERNAL", `a ${node.layer.kind} has no tensor ${name}`);
  return tensor;
}

function door<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw text.startsWith("MODEL_") ? new TicklineError("TL_MODEL", text, { cause }) : cause;
  }
}

/** A model of the engine's data. @throws TicklineError TL_MODEL for a layer that this build does not know */
export function ofData(data: ModelData): Model {
  const { nodes, parameters, columns, ...rest } = data;
  const node = (each: ModelData["nodes"][number]): Node => {
    const tensors = (each.tensors ?? []).map(({ name, shape, at }): [string, Tensor] => {
      const count = shape.reduce((product, size) => product * size, 1);
      return [name, { shape, data: parameters.slice(at, at + count) }];
    });
    return { layer: layerOf(each), inputs: each.inputs, tensors: new Map(tensors) };
  };
  const shape = ([time = 0, width = 0, channels = 0]: readonly number[]): Shape => ({ time, width, channels });
  const input: Shape = { time: rest.window, width: columns.length, channels: 1 };
  return { contract: { ...rest, columns }, nodes: nodes.map(node), shapes: [input, ...nodes.map((each) => shape(each.gives ?? []))] };
}

/** The data that the engine's doors take. */
export function dataOf({ contract, nodes }: Pick<Model, "contract" | "nodes">): ModelData {
  const tensors = nodes.flatMap((node) => [...node.tensors.values()]);
  const parameters = new Float32Array(tensors.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of tensors) {
    parameters.set(data, at);
    at += data.length;
  }
  const { columns, classes, ...rest } = contract;
  return { ...rest, columns: [...columns], classes: [...classes], nodes: nodes.map((node) => ({ ...numbersOf(node.layer), inputs: [...node.inputs] })), parameters };
}

/** Reads a model file. @throws TicklineError TL_MODEL, its text beginning with the engine's MODEL_* code */
export function readModel(path: string): Model {
  return ofData(door(() => native.modelRead(path)));
}

/** Verifies a model as the engine would and fills in its shapes. @throws TicklineError TL_MODEL */
export function verified(model: Pick<Model, "contract" | "nodes">): Model {
  return ofData(door(() => native.modelCheck(dataOf(model))));
}

/** Writes a model file and gives its hash. @throws TicklineError TL_MODEL */
export function writeModel(path: string, model: Model): string {
  return door(() => native.modelWrite(path, dataOf(model)));
}

/** A ready-made network with random weights; for checks and benchmarks. @throws TicklineError TL_MODEL */
export function randomModel(name: string, window: number, seed: number): Model {
  return ofData(door(() => native.modelRandom(name, window, seed)));
}
