/** A model as an ONNX model. Its input is scaled by the contract, which travels in the metadata. */
import { features, type Model } from "../model.ts";
import { passport } from "../passport.ts";
import { Builder } from "./builder.ts";
import { activate, add, batchNorm, bin, bl, concat, conv, dense, last, pool, tabl, type Site } from "./export-layer.ts";
import { attention, linearAttention, localAttention, recurrent } from "./export-sequence.ts";
import { OPSET, type OnnxModel } from "./graph.ts";
import { METADATA, structure } from "./own.ts";

/** Puts one layer's operators. */
function put(site: Site): void {
  const { build, node: { layer, inputs: [of = 0] }, gives } = site;
  switch (layer.kind) {
    case "dense": return dense(site, layer);
    case "activate": return activate(site, layer);
    case "add": return add(site);
    case "concat": return concat(site);
    case "reshape": case "dropout": return build.alias(of, gives);
    case "flatten": return build.value(gives, "flat", build.form(of, "flat"));
    case "last": return last(site);
    case "lstm": case "gru": return recurrent(site, layer);
    case "bl": return bl(site, layer);
    case "tabl": return tabl(site, layer);
    case "bin": return bin(site);
    case "conv": return conv(site, layer);
    case "pool": return pool(site, layer);
    case "batch_norm": return batchNorm(site, layer);
    case "attention": return attention(site, layer);
    case "linear_attention": return linearAttention(site, layer);
    case "local_attention": return localAttention(site, layer);
  }
}

function describe({ contract }: Model): string {
  const shape = contract.window === 1 ? "[batch, columns]" : "[batch, time, columns], oldest row first";
  const state = contract.stateful ? " Each further input is a state: zeros at first, then what the output of its name followed by .next gave." : "";
  return `Input: ${shape}, each column scaled as clamp((x - mean) / scale, -clip, clip) with the numbers of the metadata ${METADATA}.${state}`;
}

/** Exports a model. Sizes but the batch are fixed; the same model gives the same bytes. */
export function exportOnnx(model: Model): OnnxModel {
  const { contract, nodes, shapes } = model;
  const build = new Builder();
  const { window, columns, stateful } = contract;
  build.inputs.push({ name: "input", dims: window === 1 ? ["batch", columns.length] : ["batch", window, columns.length] });
  build.value({ time: window, width: columns.length, channels: 1 }, window === 1 ? "flat" : "rows", "input");
  nodes.forEach((node, at) => {
    build.enter(`${at + 1}.${node.layer.kind}`);
    put({ build, node, gives: shapes[at + 1] ?? { time: 0, width: 0, channels: 0 }, stateful });
  });
  build.enter("output");
  const end = build.shape(nodes.length);
  const answer = build.form(nodes.length, end.time === 1 ? "flat" : "rows");
  build.outputs.unshift({ name: "output", dims: end.time === 1 ? ["batch", features(end)] : ["batch", end.time, features(end)] });
  build.nodes.push({ name: "output", op: "Identity", domain: "", inputs: [answer], outputs: ["output"], attributes: new Map() });
  const made: OnnxModel = {
    producer: "tickline", opset: OPSET, name: contract.name, doc: describe(model), metadata: new Map(),
    nodes: build.nodes, initializers: build.initializers, inputs: build.inputs, outputs: build.outputs,
  };
  return { ...made, metadata: new Map([[METADATA, JSON.stringify({ ...passport(model), structure: structure(made) })]]) };
}
