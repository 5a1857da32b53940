/** An ONNX model as plain data, and its bytes. Source: onnx/onnx.proto of the ONNX standard, IR version 8, operator set 17. */
import { readFileSync } from "node:fs";
import protobuf from "protobufjs";
import { TicklineError } from "../../kit/errors.ts";

/** The operator set that exports are written in. */
export const OPSET = 17;
/** The version of the format that exports are written in. */
export const IR_VERSION = 8;
/** Operator sets that imports are read in: earlier ones give operators other inputs. */
export const OPSETS = { low: 11, high: 23 } as const;

/** Larger graphs are no models of this kind. */
const OPERATORS_MAX = 20_000;

/** Element types of the standard that are read. */
const ELEMENT = { float: 1, int32: 6, int64: 7, double: 11 } as const;

/** Numbers with sizes; int64 ones as numbers. */
export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | readonly number[];
}

/** An attribute's value. */
export type Attribute = number | string | readonly number[] | readonly string[] | OnnxTensor | { readonly float: number };

/** An operator in its place. */
export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** An input or output: name and sizes, a name where a size is free. */
export interface OnnxValue {
  readonly name: string;
  readonly dims: readonly (number | string)[];
}

/** A model. */
export interface OnnxModel {
  readonly producer: string;
  readonly opset: number;
  readonly name: string;
  readonly doc: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

const proto = protobuf.parse(readFileSync(new URL("onnx.proto", import.meta.url), "utf8"), { keepCase: true }).root.lookupType("onnx.ModelProto");

function refuse(problem: string): never {
  throw new TicklineError("TL_MODEL", `ONNX_FORMAT: ${problem}`);
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function tensorMessage(name: string, { dims, data }: OnnxTensor): object {
  if (data instanceof Float32Array) return { name, dims, data_type: ELEMENT.float, raw_data: bytesOf(data) };
  return { name, dims, data_type: ELEMENT.int64, raw_data: new Uint8Array(BigInt64Array.from(data, BigInt).buffer) };
}

function attributeMessage([name, value]: readonly [string, Attribute]): object {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  if (typeof value === "number") return { name, type: 2, i: value };
  if (typeof value === "string") return { name, type: 3, s: bytes(value) };
  if ("float" in value) return { name, type: 1, f: value.float };
  if ("dims" in value) return { name, type: 4, t: tensorMessage("", value) };
  const list = [...value];
  if (typeof list[0] === "string") return { name, type: 8, strings: list.map((each) => bytes(String(each))) };
  return list.every(Number.isInteger) ? { name, type: 7, ints: list } : { name, type: 6, floats: list };
}

/** The model's bytes. */
export function encode(model: OnnxModel): Uint8Array {
  const value = ({ name, dims }: OnnxValue): object => {
    const dim = dims.map((size) => (typeof size === "string" ? { dim_param: size } : { dim_value: size }));
    return { name, type: { tensor_type: { elem_type: ELEMENT.float, shape: { dim } } } };
  };
  const node = ({ name, op, domain, inputs, outputs, attributes }: OnnxNode): object => (
    { name, op_type: op, domain, input: inputs, output: outputs, attribute: [...attributes].map(attributeMessage) }
  );
  const graph = {
    name: model.name, node: model.nodes.map(node), initializer: [...model.initializers].map(([name, each]) => tensorMessage(name, each)),
    input: model.inputs.map(value), output: model.outputs.map(value),
  };
  const metadata_props = [...model.metadata].map(([key, text]) => ({ key, value: text }));
  const opset_import = [{ domain: "", version: model.opset }];
  return proto.encode(proto.create({ ir_version: IR_VERSION, opset_import, producer_name: model.producer, doc_string: model.doc, graph, metadata_props })).finish();
}

interface TensorRead { name: string; dims: number[]; data_type: number; float_data: number[]; int32_data: number[]; int64_data: number[]; double_data: number[]; raw_data: Uint8Array; data_location: number }
interface AttributeRead { name: string; type: number; f: number; i: number; s: Uint8Array; t?: TensorRead; floats: number[]; ints: number[]; strings: Uint8Array[] }
interface NodeRead { input: string[]; output: string[]; name: string; op_type: string; domain: string; attribute: AttributeRead[] }
interface ValueRead { name: string; type?: { tensor_type?: { elem_type: number; shape?: { dim: { dim_value?: number; dim_param?: string }[] } } } }
interface ModelRead {
  producer_name: string; doc_string: string; opset_import: { domain: string; version: number }[]; metadata_props: { key: string; value: string }[];
  graph?: { name: string; node: NodeRead[]; initializer: TensorRead[]; input: ValueRead[]; output: ValueRead[] };
}

function tensorRead(tensor: TensorRead, where: string): OnnxTensor {
  const { dims, raw_data: raw, data_type: type } = tensor;
  if (tensor.data_location !== 0) refuse(`${where}: its numbers are in another file; save the model with its data inside`);
  const count = dims.reduce((product, size) => product * size, 1);
  if (!dims.every((size) => Number.isSafeInteger(size) && size >= 0) || !(count <= 1 << 28)) refuse(`${where}: sizes ${dims.join("x")}`);
  // Raw bytes may start at any offset: they are copied before they are seen as numbers.
  const copied = (): ArrayBuffer => new Uint8Array(raw).buffer;
  const raws = (width: number): boolean => {
    if (raw.length > 0 && raw.length !== count * width) refuse(`${where}: ${raw.length} bytes for ${count} numbers of ${width}`);
    return raw.length > 0;
  };
  let data: Float32Array | number[];
  if (type === ELEMENT.float) data = raws(4) ? new Float32Array(copied()) : Float32Array.from(tensor.float_data);
  else if (type === ELEMENT.double) data = Float32Array.from(raws(8) ? new Float64Array(copied()) : tensor.double_data);
  else if (type === ELEMENT.int64) data = raws(8) ? Array.from(new BigInt64Array(copied()), Number) : tensor.int64_data;
  else if (type === ELEMENT.int32) data = raws(4) ? Array.from(new Int32Array(copied())) : tensor.int32_data;
  else refuse(`${where}: element type ${type}; float, double, int32 and int64 are read, export the model in 32-bit floats`);
  if (data.length !== count) refuse(`${where}: ${data.length} numbers where its sizes ${dims.join("x")} say ${count}`);
  return { dims, data };
}

function attributeRead(attribute: AttributeRead, where: string): Attribute {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  switch (attribute.type) {
    case 1: return { float: attribute.f };
    case 2: return attribute.i;
    case 3: return text(attribute.s);
    case 4: return tensorRead(attribute.t ?? refuse(`${where}: attribute ${attribute.name} is empty`), `${where}, attribute ${attribute.name}`);
    case 6: return attribute.floats;
    case 7: return attribute.ints;
    case 8: return attribute.strings.map(text);
    default: return refuse(`${where}: attribute ${attribute.name} has type ${attribute.type}, which is not read`);
  }
}

/**
 * Reads a model's bytes.
 *
 * @throws TicklineError TL_MODEL (ONNX_FORMAT) for bytes that are no ONNX model, a foreign operator set, numbers that do not fit their sizes
 */
export function decode(bytes: Uint8Array): OnnxModel {
  let read: ModelRead;
  try {
    read = proto.toObject(proto.decode(bytes), { longs: Number, defaults: true, arrays: true }) as ModelRead;
  } catch (cause) {
    throw new TicklineError("TL_MODEL", `ONNX_FORMAT: not an ONNX model, or cut short: ${(cause as Error).message}`, { cause });
  }
  const { graph } = read;
  if (graph === undefined || graph === null || graph.node.length === 0) refuse("not an ONNX model, or one without a graph");
  if (graph.node.length > OPERATORS_MAX) refuse(`${graph.node.length} operators; at most ${OPERATORS_MAX} are read`);
  const opset = read.opset_import.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version ?? 0;
  if (!(opset >= OPSETS.low && opset <= OPSETS.high)) refuse(`operator set ${opset}; ${OPSETS.low} to ${OPSETS.high} are read, convert the model`);
  const value = ({ name, type }: ValueRead): OnnxValue => {
    const dim = type?.tensor_type?.shape?.dim ?? [];
    return { name, dims: dim.map(({ dim_value: size, dim_param: free }) => (free !== undefined && free !== "" ? free : (size ?? 0) > 0 ? (size as number) : "?")) };
  };
  const node = (each: NodeRead, at: number): OnnxNode => {
    const name = each.name || `#${at}`;
    const attributes = each.attribute.map((attribute): [string, Attribute] => [attribute.name, attributeRead(attribute, `node ${name} (${each.op_type})`)]);
    return { name, op: each.op_type, domain: each.domain, inputs: each.input, outputs: each.output, attributes: new Map(attributes) };
  };
  const initializers = new Map(graph.initializer.map((each): [string, OnnxTensor] => [each.name, tensorRead(each, `tensor ${each.name}`)]));
  return {
    producer: read.producer_name, opset, name: graph.name, doc: read.doc_string, initializers,
    metadata: new Map(read.metadata_props.map(({ key, value: text }) => [key, text])),
    nodes: graph.node.map(node),
    inputs: graph.input.filter(({ name }) => !initializers.has(name)).map(value),
    outputs: graph.output.map(value),
  };
}
