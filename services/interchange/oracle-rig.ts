/** What other engines answer to the rows that ours is asked with: the side of an oracle that is theirs. Tests only. */
import { filesOf, type KerasModel } from "./keras/files.ts";
import type { Model } from "./model.ts";
import { encode, type OnnxModel } from "./onnx/graph.ts";
import type { Ort, OrtTensor, Tf, TfModel, TfTensor } from "./peers.ts";

/** Ready-made networks and the rows that they look at. */
export const NETWORKS = [
  ["mlp", 1], ["mlp-skip", 5], ["logistic", 4], ["lstm-64", 1], ["gru-64", 1], ["c-tabl", 10], ["bin-c-tabl", 10], ["cnn-lstm-attention", 12],
  ["cnn-lstm-attention-streaming", 5], ["deeplob", 24], ["deeplob-streaming", 1], ["stac-a", 1], ["stac-a-window", 50], ["autoencoder", 1],
] as const;
/** How far the answers of two engines to these may lie apart: f32 sums in another order. */
export const BOUND = 1e-5;

const count = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

/** onnxruntime's answers to an export; its states are given back row by row. */
export async function ofOrt(ort: Ort, onnx: OnnxModel, { contract: { columns, window } }: Model, rows: Float32Array): Promise<Float32Array[]> {
  const session = await ort.InferenceSession.create(encode(onnx), { intraOpNumThreads: 1 });
  const wide = columns.length;
  let states: Record<string, OrtTensor> = Object.fromEntries(onnx.inputs.slice(1).map(({ name, dims }) => {
    const sizes = dims.map((size) => (typeof size === "number" ? size : 1));
    return [name, new ort.Tensor("float32", new Float32Array(count(sizes)), sizes)];
  }));
  const given: Float32Array[] = [];
  for (let row = window - 1; row < rows.length / wide; row++) {
    const input = new ort.Tensor("float32", rows.slice((row - window + 1) * wide, (row + 1) * wide), window === 1 ? [1, wide] : [1, window, wide]);
    const out = await session.run({ input, ...states });
    states = Object.fromEntries(Object.keys(states).map((name) => [name, out[`${name}.next`] as OrtTensor]));
    given.push((out["output"] as OrtTensor).data);
  }
  await session.release();
  return given;
}

/** An export as TensorFlow.js loads it. */
export function loadedInTf(tf: Tf, keras: KerasModel): Promise<TfModel> {
  const { json, bytes } = filesOf(keras, "weights.bin");
  const { modelTopology, weightsManifest: [group] } = JSON.parse(json) as { modelTopology: object; weightsManifest: [{ weights: object[] }] };
  return tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: group.weights, weightData: new Uint8Array(bytes).buffer }));
}

/** TensorFlow.js' answers to a model that it has loaded; its states are given back row by row. */
export function ofTf(tf: Tf, net: TfModel, { contract: { columns, window } }: Model, rows: Float32Array): Float32Array[] {
  const wide = columns.length;
  let states: TfTensor[] = net.inputs.slice(1).map(({ shape }) => tf.tensor(new Float32Array(count(shape.slice(1) as number[])), [1, ...(shape.slice(1) as number[])]));
  return Array.from({ length: rows.length / wide - window + 1 }, (_, row) => {
    const x = tf.tensor(rows.slice(row * wide, (row + window) * wide), window === 1 ? [1, wide] : [1, window, wide]);
    const given = net.predict([x, ...states]);
    const [answer, ...next] = (Array.isArray(given) ? given : [given]) as [TfTensor, ...TfTensor[]];
    const numbers = answer.dataSync();
    for (const old of [x, answer, ...states]) old.dispose();
    states = next;
    return numbers;
  });
}

/** The largest difference between answers, in parts of 1 and of the answer where that is larger; NaN where one is none or they are not as many. */
export function apart(given: readonly Float32Array[], wanted: readonly Float32Array[]): number {
  if (given.length !== wanted.length || wanted.length === 0) return NaN;
  let most = 0;
  for (const [nth, answer] of wanted.entries()) {
    const other = given[nth] as Float32Array;
    if (other.length !== answer.length || other.some(Number.isNaN)) return NaN;
    answer.forEach((value, at) => { most = Math.max(most, Math.abs(value - (other[at] as number)) / Math.max(1, Math.abs(value))); });
  }
  return most;
}
