/** A TensorFlow.js layers model as plain data: the topology (Keras' JSON) and its weights; and its files, `model.json` and the shards beside it. */
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join, normalize, sep } from "node:path";
import { TicklineError } from "../../kit/errors.ts";
import type { Tensor } from "../model.ts";

/** JSON of an object. */
export type Json = Readonly<Record<string, unknown>>;

/** A model. */
export interface KerasModel {
  readonly topology: Json;
  /** Weights by their full names. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** What its makers kept with it. */
  readonly metadata: Json;
}

/** Larger shards are no models of this kind. */
const BYTES_MAX = 1 << 30;

/** Ends the import. */
export function refuse(where: string, problem: string): never {
  throw new TicklineError("TL_MODEL", `KERAS_FORMAT: ${where}: ${problem}`);
}

/** An object, or the end of the import. */
export function object(value: unknown, where: string, name: string): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : refuse(where, `${name} is missing or no object`);
}

/** A list, or the end of the import. */
export function list(value: unknown, where: string, name: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(where, `${name} is missing or no list`);
}

function read(path: string, where: string): Buffer {
  try {
    if (statSync(path).size > BYTES_MAX) refuse(where, `${basename(path)} is larger than ${BYTES_MAX} bytes`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof TicklineError) throw cause;
    throw new TicklineError("TL_MODEL", `KERAS_FORMAT: ${where}: ${(cause as Error).message}`, { cause });
  }
}

/** One group of the manifest: its shards end to end, cut into tensors. */
function group(value: unknown, path: string, read: (file: string) => Buffer): [string, Tensor][] {
  const entry = object(value, path, "an entry of weightsManifest");
  const shards = list(entry["paths"], path, "paths").map((name) => {
    const file = normalize(String(name));
    if (typeof name !== "string" || file.startsWith("..") || file.startsWith(sep)) refuse(path, `shard ${String(name)} lies outside the model's folder`);
    return read(file);
  });
  const bytes = Buffer.concat(shards);
  let at = 0;
  const tensors = list(entry["weights"], path, "weights").map((spec): [string, Tensor] => {
    const { name, shape, dtype, quantization } = object(spec, path, "a weight");
    const sizes = list(shape, path, `shape of ${String(name)}`) as readonly number[];
    const count = sizes.reduce((product, size) => product * size, 1);
    if (typeof name !== "string" || !sizes.every((size) => Number.isInteger(size) && size >= 0)) refuse(path, `a weight is called ${String(name)} and has sizes ${String(shape)}`);
    if (dtype !== "float32" || quantization !== undefined) refuse(path, `weight ${name} is ${quantization === undefined ? String(dtype) : "quantised"}; float32 is read, convert the model without quantisation`);
    if (at + 4 * count > bytes.length) refuse(path, `weights end at byte ${bytes.length}, inside ${name}, which needs ${at + 4 * count}; copy the files again`);
    const data = new Float32Array(new Uint8Array(bytes.subarray(at, at + 4 * count)).buffer);
    at += 4 * count;
    return [name, { shape: sizes, data }];
  });
  if (at !== bytes.length) refuse(path, `weights have ${bytes.length} bytes where the manifest names ${at}`);
  return tensors;
}

/**
 * Reads `model.json` and its shards.
 *
 * @throws TicklineError TL_MODEL (KERAS_FORMAT)
 */
export function readKeras(path: string): KerasModel {
  return kerasOf(read(path, path).toString("utf8"), path, (file) => read(join(dirname(path), file), path));
}

/**
 * Reads the text of a `model.json`.
 *
 * @param shard the bytes of a file beside it
 * @throws TicklineError TL_MODEL (KERAS_FORMAT)
 */
export function kerasOf(text: string, path: string, shard: (file: string) => Buffer): KerasModel {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TicklineError("TL_MODEL", `KERAS_FORMAT: ${path}: not JSON: ${(cause as Error).message}`, { cause });
  }
  const file = object(json, path, "the model");
  if (file["format"] === "graph-model") refuse(path, "a graph model, whose layers are gone; convert the Keras model to a layers model (tensorflowjs_converter --output_format tfjs_layers_model)");
  const weights = list(file["weightsManifest"], path, "weightsManifest").flatMap((entry) => group(entry, path, shard));
  const metadata = file["userDefinedMetadata"];
  return { topology: object(file["modelTopology"], path, "modelTopology"), weights: new Map(weights), metadata: typeof metadata === "object" && metadata !== null ? (metadata as Json) : {} };
}

/** The two files of a model: `model.json` and one shard called `shard`. */
export function filesOf({ topology, weights, metadata }: KerasModel, shard: string): { json: string; bytes: Uint8Array } {
  const specs = [...weights].map(([name, { shape }]) => ({ name, shape, dtype: "float32" }));
  const parts = [...weights.values()].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  const json = { format: "layers-model", generatedBy: "tickline", convertedBy: null, modelTopology: topology, weightsManifest: [{ paths: [shard], weights: specs }], userDefinedMetadata: metadata };
  return { json: JSON.stringify(json), bytes: Buffer.concat(parts) };
}
