/** What travels with a model into other formats: contract, layers and training record, as JSON; everything but the weights. */
import { TicklineError } from "../kit/errors.ts";
import { layerOf, numbersOf, type LayerNumbers } from "./layer.ts";
import type { Contract, Model } from "./model.ts";

/** The version of the JSON written here. */
const VERSION = 1;

/** JSON of a contract: as in `--contract` files. */
export interface ContractJson {
  readonly name?: string;
  readonly columns: readonly string[];
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly clip: number;
  readonly window?: number;
  readonly stateful?: boolean;
  readonly classes?: readonly string[];
  readonly horizon?: number;
  readonly precision?: string;
  readonly reach?: readonly number[];
  readonly training?: string;
  readonly seed?: string;
  readonly rows?: string;
  readonly dataHash?: string;
}

/** A layer without its weights. */
export interface LayerJson extends LayerNumbers {
  readonly inputs: readonly number[];
}

/** Everything but the weights. */
export interface Passport {
  readonly version: number;
  readonly contract: ContractJson;
  readonly layers: readonly LayerJson[];
}

/** A model's passport. Numbers are exact: a float's shortest decimal form reads back as the same float. */
export function passport({ contract, nodes }: Model): Passport {
  const { mean, scale, reach, seed, rows, dataHash, ...rest } = contract;
  const numbers = (list: Float32Array): number[] => [...list];
  return {
    version: VERSION,
    contract: { ...rest, mean: numbers(mean), scale: numbers(scale), reach: numbers(reach), seed: `${seed}`, rows: `${rows}`, dataHash: `${dataHash}` },
    layers: nodes.map(({ layer, inputs }) => ({ ...numbersOf(layer), inputs })),
  };
}

function refuse(where: string, problem: string): never {
  throw new TicklineError("TL_MODEL", `MODEL_CONTRACT: ${where}: ${problem}`);
}

function list<T extends "string" | "number">(value: unknown, type: T, where: string, name: string): T extends "string" ? string[] : number[] {
  const right = Array.isArray(value) && value.every((each) => typeof each === type);
  return (right ? value : refuse(where, `${name} must be a list of ${type}s`)) as T extends "string" ? string[] : number[];
}

function whole(value: unknown, fallback: bigint, where: string, name: string): bigint {
  if (value === undefined) return fallback;
  return typeof value === "string" && /^\d{1,20}$/.test(value) ? BigInt(value) : refuse(where, `${name} must be a whole number in quotes`);
}

/**
 * The contract of a JSON value. Means, scales and what they mean for a model are checked later by the engine.
 *
 * @throws TicklineError TL_MODEL (MODEL_CONTRACT) naming what is missing
 */
export function contractOf(json: unknown, where: string): Contract {
  if (typeof json !== "object" || json === null) refuse(where, "not a JSON object with columns, mean, scale and clip");
  const value = json as Readonly<Record<string, unknown>>;
  const text = (name: string, fallback: string): string => {
    const given = value[name] ?? fallback;
    return typeof given === "string" ? given : refuse(where, `${name} must be a text`);
  };
  const number = (name: string, fallback?: number): number => {
    const given = value[name] ?? fallback;
    return typeof given === "number" ? given : refuse(where, `${name} must be a number`);
  };
  return {
    name: text("name", "imported"),
    columns: list(value["columns"], "string", where, "columns"),
    mean: Float32Array.from(list(value["mean"], "number", where, "mean")),
    scale: Float32Array.from(list(value["scale"], "number", where, "scale")),
    clip: number("clip"), window: number("window", 1), stateful: value["stateful"] === true,
    classes: list(value["classes"] ?? [], "string", where, "classes"),
    horizon: number("horizon", 0), precision: text("precision", "f32"),
    reach: Float32Array.from(list(value["reach"] ?? [], "number", where, "reach")),
    training: text("training", ""),
    seed: whole(value["seed"], 0n, where, "seed"), rows: whole(value["rows"], 0n, where, "rows"), dataHash: whole(value["dataHash"], 0n, where, "dataHash"),
  };
}

/**
 * The passport in a text.
 *
 * @throws TicklineError TL_MODEL (MODEL_CONTRACT)
 */
export function passportOf(json: string, where: string): { contract: Contract; layers: (LayerJson & { layer: ReturnType<typeof layerOf> })[] } {
  let value: Partial<Passport>;
  try {
    value = JSON.parse(json) as Partial<Passport>;
  } catch (cause) {
    throw new TicklineError("TL_MODEL", `MODEL_CONTRACT: ${where}: not JSON`, { cause });
  }
  if (value?.version !== VERSION) refuse(where, `version ${value?.version}; this build reads ${VERSION}`);
  if (!Array.isArray(value.layers)) refuse(where, "layers are missing");
  const layers = value.layers.map((each: LayerJson | null, at) => {
    const place = `${where}, layer ${at + 1}`;
    if (typeof each !== "object" || each === null) refuse(place, "not a JSON object");
    const numbers = { kind: each.kind, activation: each.activation, sizes: list(each.sizes, "number", place, "sizes"), rates: list(each.rates, "number", place, "rates") };
    return { ...numbers, inputs: list(each.inputs, "number", place, "inputs"), layer: layerOf(numbers) };
  });
  return { contract: contractOf(value.contract, where), layers };
}
