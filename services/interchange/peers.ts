/** Other engines: the oracles of tests, the peers of benchmarks. They are installed apart (`ops/peers`) and their absence stops nothing. */
import { createRequire } from "node:module";

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

type Engine = Tf & { setBackend(name: string): Promise<boolean>; env(): { set(flag: string, value: boolean): void } };

function engine(name: string): Engine | undefined {
  try {
    const tf = require(name) as Engine;
    // Keeps a hint to install another package off the terminal; it is printed when the backend first runs.
    tf.env().set("IS_TEST", true);
    return tf;
  } catch {
    return undefined;
  }
}

/** TensorFlow.js on its CPU backend, or undefined when it is not installed. */
export async function loadTf(): Promise<Tf | undefined> {
  const tf = engine("@tensorflow/tfjs");
  return (await tf?.setBackend("cpu")) === true ? tf : undefined;
}

/** TensorFlow.js to train in: on a GPU where `@tensorflow/tfjs-node-gpu` is installed beside the others, else on its CPU backend. */
export async function loadTfTrainer(): Promise<Tf | undefined> {
  return engine("@tensorflow/tfjs-node-gpu") ?? loadTf();
}
