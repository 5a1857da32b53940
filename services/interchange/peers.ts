/** Other engines: the oracles of tests, the peers of benchmarks. They are installed apart (`ops/peers`) and their absence stops nothing. */
import { createRequire } from "node:module";
import { TicklineError } from "../kit/errors.ts";

const require = createRequire(new URL("../../ops/peers/package.json", import.meta.url));

/** How to get them; no install script runs, so nothing is downloaded but the packages. */
export const INSTALL = "npm ci --ignore-scripts --prefix ops/peers";

/** Numbers with sizes, as onnxruntime has them. */
export interface OrtTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** A model that onnxruntime has loaded. */
export interface OrtSession {
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** The part of onnxruntime-node that is used here. */
export interface Ort {
  readonly env: { readonly versions: Readonly<Record<string, string>> };
  readonly InferenceSession: { create(bytes: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession> };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OrtTensor;
}

/** A tensor of TensorFlow.js. */
export interface TfTensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
  dispose(): void;
}

/** A layer of TensorFlow.js. */
export interface TfLayer {
  readonly name: string;
  getWeights(): TfTensor[];
  setWeights(weights: readonly TfTensor[]): void;
}

/** What TensorFlow.js makes of a layers model when it is saved. */
export interface TfArtifacts {
  readonly modelTopology: object;
  readonly weightSpecs?: readonly object[];
  readonly weightData?: ArrayBuffer;
  readonly userDefinedMetadata?: object;
}

/** A layers model of TensorFlow.js. */
export interface TfModel {
  readonly layers: readonly TfLayer[];
  /** Their shapes begin with the batch, null where it is free. */
  readonly inputs: readonly { readonly shape: readonly (number | null)[] }[];
  predict(x: TfTensor): TfTensor;
  /** A tensor for each input and output; one alone is given back alone. */
  predict(x: readonly TfTensor[]): TfTensor | TfTensor[];
  compile(options: Readonly<Record<string, unknown>>): void;
  trainOnBatch(x: TfTensor, y: TfTensor): Promise<number>;
  getWeights(): TfTensor[];
  save(handler: object): Promise<unknown>;
  dispose(): void;
}

/** The part of TensorFlow.js that is used here, on its plain JavaScript backend. */
export interface Tf {
  readonly version: { readonly tfjs: string };
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  tidy<T>(call: () => T): T;
  readonly train: { sgd(rate: number): object; adam(rate: number, beta1?: number, beta2?: number, epsilon?: number): { learningRate: number } };
  readonly io: { fromMemory(artifacts: TfArtifacts): object; withSaveHandler(handler: (artifacts: TfArtifacts) => Promise<object>): object };
  loadLayersModel(handler: object): Promise<TfModel>;
}

/** onnxruntime-node, or undefined when it is not installed or has no build for this platform. */
export function loadOrt(): Ort | undefined {
  try {
    return require("onnxruntime-node") as Ort;
  } catch {
    return undefined;
  }
}

/** Finds a package by its name, as Node does; a test may find others. */
export type Resolve = (name: string) => unknown;

/** Finds packages among the peers. */
export const installed: Resolve = require;

type Engine = Tf & {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  env(): { set(flag: string, value: boolean): void };
  add(a: TfTensor, b: TfTensor): TfTensor;
};

/** The package that runs on a GPU; not among those that are installed here, since it loads hundreds of megabytes. */
export const GPU = "@tensorflow/tfjs-node-gpu";

/** True when a package is not there, as opposed to one that is and fails. */
function isAbsent(error: unknown, name: string): boolean {
  return (error as { code?: unknown } | null)?.code === "MODULE_NOT_FOUND" && String((error as Error).message).includes(`'${name}'`);
}

/** Keeps a hint to install another package off the terminal; it is printed when the backend first runs. */
function quiet(tf: Engine): Engine {
  tf.env().set("IS_TEST", true);
  return tf;
}

/** TensorFlow.js on its CPU backend, or undefined when it is not installed. */
export async function loadTf(resolve: Resolve = installed): Promise<Tf | undefined> {
  try {
    const tf = quiet(resolve("@tensorflow/tfjs") as Engine);
    return (await tf.setBackend("cpu")) ? tf : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What Node took away in version 23 and tfjs-node-gpu 4.22.0, its newest, calls at every operation. Put back for the process that trains
 * with it and for no other.
 */
function withOldUtil(): void {
  const util = require("node:util") as { isNullOrUndefined?: (value: unknown) => boolean; isArray?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= (value) => Array.isArray(value);
}

/**
 * TensorFlow.js to train in: on a GPU where `@tensorflow/tfjs-node-gpu` is installed beside the others, else on its CPU backend; undefined when
 * neither is.
 *
 * @throws TicklineError TL_USAGE when the package for GPUs is installed and does not work: a person who put it there wants to know
 */
export async function loadTfTrainer(resolve: Resolve = installed): Promise<Tf | undefined> {
  try {
    const tf = quiet(resolve(GPU) as Engine);
    withOldUtil();
    // Without its native half it fails at the first operation, not before.
    const sum = tf.tidy(() => tf.add(tf.tensor(Float32Array.of(1), [1]), tf.tensor(Float32Array.of(2), [1])).dataSync()[0]);
    if (sum !== 3) throw new TicklineError("TL_USAGE", `1 + 2 is ${sum} on its backend ${tf.getBackend()}`);
    return tf;
  } catch (cause) {
    if (isAbsent(cause, GPU)) return loadTf(resolve);
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new TicklineError("TL_USAGE", `${GPU} is installed and does not work: ${reason}; build it (npm rebuild ${GPU} --build-addon-from-source) or remove it, and the CPU is used`, { cause });
  }
}
