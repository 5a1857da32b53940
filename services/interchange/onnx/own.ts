/**
 * Reading back what was exported here: the layers stand in the metadata, the weights in tensors whose names say whose they are. A graph that
 * was changed since (its structure has another hash) is read operator by operator like anyone's; weights may have changed.
 */
import { createHash } from "node:crypto";
import { TicklineError } from "../../kit/errors.ts";
import type { Layer } from "../layer.ts";
import { verified, type Model, type Node, type Tensor } from "../model.ts";
import { passportOf } from "../passport.ts";
import { blocks, channelsLast, inverse, transposed } from "../transpose.ts";
import { GRU_GATES, LSTM_GATES } from "./export-sequence.ts";
import type { OnnxModel, OnnxTensor } from "./graph.ts";

/** The metadata that a passport stands under. */
export const METADATA = "tickline.model";

/** SHA-256 of everything but floats: operators, edges, attributes, sizes. */
export function structure(model: OnnxModel): string {
  const hash = createHash("sha256");
  for (const { op, domain, inputs, outputs, attributes } of model.nodes) {
    hash.update(JSON.stringify([op, domain, inputs, outputs, [...attributes].sort(([a], [b]) => (a < b ? -1 : 1))]));
  }
  for (const [name, { dims, data }] of [...model.initializers].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([name, dims, data instanceof Float32Array ? null : data]));
  }
  hash.update(JSON.stringify([model.inputs.map(({ name }) => name), model.outputs.map(({ name }) => name)]));
  return hash.digest("hex");
}

/** Names and shapes of a layer's tensors when it takes `features` numbers at each of `time` times. */
type Find = (name: string) => OnnxTensor & { data: Float32Array };

const plain = (find: Find, name: string, shape?: readonly number[]): [string, Tensor] => {
  const { dims, data } = find(name);
  return [name, { shape: shape ?? dims, data }];
};

function recurrent(find: Find, gates: readonly number[], units: number, gru: boolean): [string, Tensor][] {
  const [order, wide] = [inverse(gates), gates.length * units];
  const matrix = (name: string): [string, Tensor] => {
    const { dims: [, , rows = 0], data } = find(name);
    return [name, { shape: [rows, wide], data: blocks(transposed(data, wide, rows), order, units) }];
  };
  const biases = blocks(find("bias").data, order, units);
  const own = biases.slice(0, wide);
  // One bias is enough for an LSTM; another tool's training may have moved the second.
  if (!gru) biases.subarray(wide).forEach((b, at) => { own[at] = (own[at] as number) + b; });
  return [matrix("kernel"), matrix("recurrent"), ["bias", gru ? { shape: [2, wide], data: biases } : { shape: [wide], data: own }]];
}

/** A layer's tensors, as its export laid them out. */
function tensors(layer: Layer, find: Find): [string, Tensor][] {
  const turned = (name: string): [string, Tensor] => {
    const { dims: [rows = 0, columns = 0], data } = find(name);
    return [name, { shape: [columns, rows], data: transposed(data, rows, columns) }];
  };
  switch (layer.kind) {
    case "dense": return [plain(find, "weight"), plain(find, "bias")];
    case "lstm": return recurrent(find, LSTM_GATES, layer.units, false);
    case "gru": return recurrent(find, GRU_GATES, layer.units, true);
    case "bl": return [plain(find, "w1"), turned("w2"), plain(find, "bias")];
    case "tabl": return [plain(find, "w1"), turned("w"), plain(find, "l"), turned("w2"), plain(find, "bias")];
    case "bin": return ["y1", "y2", "l1", "b1", "l2", "b2"].map((name) => plain(find, name, [find(name).data.length]));
    case "batch_norm": return ["gamma", "beta", "mean", "variance"].map((name) => plain(find, name));
    case "attention": return [plain(find, "weight"), plain(find, "bias"), plain(find, "query", [layer.units])];
    case "linear_attention": case "local_attention": return ["query", "key", "value"].map((name) => plain(find, name));
    case "conv": {
      const { dims: [outputs = 0, channels = 0, time = 0, width = 0], data } = find("weight");
      return [["weight", { shape: [time, width, channels, outputs], data: channelsLast(data, time, width, channels, outputs) }], plain(find, "bias")];
    }
    default: return [];
  }
}

/** The model that was exported, with the weights that are there now; undefined when it is another's or its structure was changed. */
export function importOwn(onnx: OnnxModel, where: string): Model | undefined {
  const text = onnx.metadata.get(METADATA);
  if (text === undefined) return undefined;
  const { contract, layers } = passportOf(text, `${where}, metadata ${METADATA}`);
  if ((JSON.parse(text) as { structure?: unknown }).structure !== structure(onnx)) return undefined;
  const nodes = layers.map(({ layer, inputs }, at): Node => {
    const find = (name: string): OnnxTensor & { data: Float32Array } => {
      const full = `${at + 1}.${layer.kind}.${name}`;
      const tensor = onnx.initializers.get(full);
      if (!(tensor?.data instanceof Float32Array)) throw new TicklineError("TL_MODEL", `ONNX_FORMAT: ${where}: tensor ${full} is missing`);
      return { dims: tensor.dims, data: tensor.data };
    };
    return { layer, inputs, tensors: new Map(tensors(layer, find)) };
  });
  return verified({ contract, nodes });
}
