/** Models from and to files of other formats. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { TicklineError } from "../kit/errors.ts";
import { exportKeras } from "./keras/export.ts";
import { filesOf, readKeras } from "./keras/files.ts";
import { importKeras } from "./keras/import.ts";
import { readModel, writeModel, type Contract, type Model } from "./model.ts";
import { exportOnnx } from "./onnx/export.ts";
import { decode, encode } from "./onnx/graph.ts";
import { importOnnx } from "./onnx/import.ts";
import { contractOf } from "./passport.ts";

export { INSTALL } from "./peers.ts";

/** Formats that are read and written. */
export const FORMATS = ["onnx", "tfjs"] as const;
/** A format. */
export type Format = (typeof FORMATS)[number];

/** What an export wrote. */
export interface Exported {
  readonly format: Format;
  readonly layers: number;
  readonly parameters: number;
  readonly bytes: number;
}

/** What an import wrote. */
export interface Imported {
  readonly format: Format;
  readonly layers: number;
  readonly parameters: number;
  /** First 8 bytes of the file's checksum, hexadecimal. */
  readonly hash: string;
}

/** Larger files are no models of this kind. */
const BYTES_MAX = 1 << 30;

function bytesOf(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= BYTES_MAX) return bytes;
  } catch (cause) {
    throw new TicklineError("TL_MODEL", `MODEL_IO: ${path}: ${(cause as Error).message}`, { cause });
  }
  throw new TicklineError("TL_MODEL", `MODEL_IO: ${path} is larger than ${BYTES_MAX} bytes`);
}

/** Writes a file whole or not at all. */
function write(path: string, bytes: Uint8Array | string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.partial`, bytes);
    renameSync(`${path}.partial`, path);
  } catch (cause) {
    throw new TicklineError("TL_MODEL", `MODEL_IO: ${path}: ${(cause as Error).message}`, { cause });
  }
}

function formatOf(path: string, wished: Format | undefined): Format {
  if (wished !== undefined) return wished;
  if (extname(path) === ".onnx") return "onnx";
  if (extname(path) === ".json") return "tfjs";
  throw new TicklineError("TL_USAGE", `${path}: the format does not show in the name; end it in .onnx or .json, or give --format`);
}

const parameters = (model: Model): number => model.nodes.reduce((sum, { tensors }) => sum + [...tensors.values()].reduce((all, { data }) => all + data.length, 0), 0);

/**
 * Writes a model file in another format.
 *
 * @throws TicklineError TL_MODEL for a file that cannot be read or written, a layer that the format does not have; TL_USAGE
 */
export function exportFile(path: string, out: string, wished?: Format): Exported {
  const format = formatOf(out, wished);
  const model = readModel(path);
  const done = (...sizes: number[]): Exported => ({ format, layers: model.nodes.length, parameters: parameters(model), bytes: sizes.reduce((sum, size) => sum + size, 0) });
  if (format === "onnx") {
    const bytes = encode(exportOnnx(model));
    write(out, bytes);
    return done(bytes.length);
  }
  const shard = `${basename(out, ".json")}.weights.bin`;
  const { json, bytes } = filesOf(exportKeras(model), shard);
  write(join(dirname(out), shard), bytes);
  write(out, json);
  return done(bytes.length, json.length);
}

/** The contract in a file: a model file's own, or JSON. @throws TicklineError TL_MODEL */
export function readContract(path: string): Contract {
  if (extname(path) !== ".json") return readModel(path).contract;
  let json: unknown;
  try {
    json = JSON.parse(bytesOf(path).toString("utf8"));
  } catch (cause) {
    if (cause instanceof TicklineError) throw cause;
    throw new TicklineError("TL_MODEL", `MODEL_CONTRACT: ${path}: not JSON: ${(cause as Error).message}`, { cause });
  }
  return contractOf(json, path);
}

/** Reads a model of another format. @throws TicklineError TL_MODEL */
export function readForeign(path: string, contract: Contract | undefined, wished?: Format): Model {
  if (formatOf(path, wished) === "tfjs") return importKeras(readKeras(path), path, contract);
  try {
    return importOnnx(decode(bytesOf(path)), path, contract);
  } catch (error) {
    if (error instanceof TicklineError && !error.message.includes(path)) throw new TicklineError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Makes a model file of a model in another format.
 *
 * @param contractPath a model file or JSON with columns and scaling; needed when the model does not carry them
 * @throws TicklineError TL_MODEL; nothing is written then
 */
export function importFile(path: string, out: string, contractPath?: string, wished?: Format): Imported {
  const model = readForeign(path, contractPath === undefined ? undefined : readContract(contractPath), wished);
  mkdirSync(dirname(out), { recursive: true });
  return { format: formatOf(path, wished), layers: model.nodes.length, parameters: parameters(model), hash: writeModel(out, model) };
}
