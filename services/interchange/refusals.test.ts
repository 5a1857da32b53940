/**
 * Goal: what cannot be read is refused by a precise error, and nothing is written.
 * Method: a model exported, then damaged in one way each; foreign graphs with one operator that is not read.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TicklineError } from "../kit/errors.ts";
import { exportKeras } from "./keras/export.ts";
import { importKeras } from "./keras/import.ts";
import { exportFile, importFile } from "./main.ts";
import { randomModel, verified, writeModel } from "./model.ts";
import { exportOnnx } from "./onnx/export.ts";
import { decode, encode, type OnnxModel, type OnnxNode } from "./onnx/graph.ts";
import { importOnnx } from "./onnx/import.ts";

const folder = mkdtempSync(join(tmpdir(), "interchange-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string): string => join(folder, name);

function refused(call: () => unknown, message: RegExp): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof TicklineError, String(error));
    assert.equal(error.code, "TL_MODEL");
    assert.match(error.message, message);
    return true;
  });
}

const mlp = randomModel("mlp", 1, 1);

test("an ONNX file cut anywhere is refused and nothing is written", () => {
  const bytes = encode(exportOnnx(randomModel("logistic", 1, 1)));
  for (let length = 0; length < bytes.length; length += 1 + Math.floor(bytes.length / 97)) {
    writeFileSync(file("cut.onnx"), bytes.subarray(0, length));
    refused(() => importFile(file("cut.onnx"), file("cut.tlm")), /cut\.onnx: (?:node .*)?.*(?:ONNX_FORMAT|ONNX_OPERATOR|MODEL_CONTRACT)/);
  }
  assert.ok(!existsSync(file("cut.tlm")));
});

test("an ONNX file with one byte changed is refused or is a model that the engine verified", () => {
  const bytes = encode(exportOnnx(randomModel("logistic", 1, 1)));
  let read = 0;
  for (let at = 0; at < bytes.length; at += 17) {
    const changed = Uint8Array.from(bytes);
    changed[at] = (changed[at] as number) ^ 0x81;
    try {
      importOnnx(decode(changed), "changed.onnx");
      read += 1;
    } catch (error) {
      assert.ok(error instanceof TicklineError, `byte ${at}: ${String(error)}`);
    }
  }
  // A byte of a weight makes another model; most bytes of this small one are names.
  assert.ok(read > 10);
});

function changed(change: (nodes: OnnxNode[]) => void): OnnxModel {
  const onnx = exportOnnx(mlp);
  const nodes = [...onnx.nodes];
  change(nodes);
  return { ...onnx, nodes };
}

test("an operator that is not read is named, with its node", () => {
  const onnx = changed((nodes) => { nodes[1] = { ...(nodes[1] as OnnxNode), op: "Erf" }; });
  refused(() => importOnnx(onnx, "net.onnx"), /^ONNX_OPERATOR: net\.onnx: node 1\.dense\/1\.Relu \(Erf\): operator Erf is not read; those that are: .*Gemm/);
  const foreign = changed((nodes) => { nodes[1] = { ...(nodes[1] as OnnxNode), domain: "com.microsoft", op: "Gelu" }; });
  refused(() => importOnnx(foreign, "net.onnx"), /operator com\.microsoft\.Gelu is not read/);
  const slope = changed((nodes) => { nodes[1] = { ...(nodes[1] as OnnxNode), op: "LeakyRelu", attributes: new Map([["alpha", { float: 0.2 }]]) }; });
  refused(() => importOnnx(slope, "net.onnx"), /\(LeakyRelu\): alpha 0\.2.*0\.01 is read/);
});

test("another operator set, element type, or weights elsewhere are refused", () => {
  refused(() => decode(encode({ ...exportOnnx(mlp), opset: 7 })), /ONNX_FORMAT: operator set 7; 11 to 23 are read/);
  refused(() => decode(new TextEncoder().encode("not a model")), /ONNX_FORMAT/);
  refused(() => decode(new Uint8Array(0)), /ONNX_FORMAT: not an ONNX model/);
});

test("NaN weights, and a contract of other columns, are refused by the engine's check", () => {
  const onnx = exportOnnx(randomModel("mlp", 1, 2));
  const weight = onnx.initializers.get("1.dense.weight")?.data as Float32Array;
  weight[5] = NaN;
  refused(() => importOnnx(onnx, "nan.onnx"), /MODEL_NOT_FINITE/);
  const few = { ...mlp.contract, columns: mlp.contract.columns.slice(1), mean: mlp.contract.mean.slice(1), scale: mlp.contract.scale.slice(1) };
  refused(() => importOnnx({ ...exportOnnx(mlp), metadata: new Map() }, "few.onnx", few), /MODEL_CONTRACT: few\.onnx: input input is \[batch,40\]; the contract has 39 columns/);
});

test("a contract file must say what is scaled how", () => {
  writeFileSync(file("bare.onnx"), encode({ ...exportOnnx(mlp), metadata: new Map() }));
  writeFileSync(file("contract.json"), JSON.stringify({ columns: mlp.contract.columns, mean: [0], scale: [...mlp.contract.scale], clip: 5 }));
  refused(() => importFile(file("bare.onnx"), file("bare.tlm"), file("contract.json")), /MODEL_CONTRACT.*40 columns but 1 means/);
  writeFileSync(file("contract.json"), JSON.stringify({ columns: mlp.contract.columns }));
  refused(() => importFile(file("bare.onnx"), file("bare.tlm"), file("contract.json")), /contract\.json: mean must be a list of numbers/);
  writeFileSync(file("contract.json"), "{");
  refused(() => importFile(file("bare.onnx"), file("bare.tlm"), file("contract.json")), /contract\.json: not JSON/);
  refused(() => importFile(file("absent.onnx"), file("bare.tlm")), /MODEL_IO: .*absent\.onnx/);
});

test("TensorFlow.js: missing bytes, quantised weights, shards elsewhere and unread layers are named", () => {
  writeModel(file("mlp.tlm"), mlp);
  exportFile(file("mlp.tlm"), file("model.json"));
  const shard = readFileSync(file("model.weights.bin"));
  const json = JSON.parse(readFileSync(file("model.json"), "utf8")) as { weightsManifest: [{ paths: string[]; weights: Record<string, unknown>[] }] };
  writeFileSync(file("model.weights.bin"), shard.subarray(0, 1000));
  refused(() => importFile(file("model.json"), file("tf.tlm")), /KERAS_FORMAT: .*weights end at byte 1000, inside dense_1\/kernel/);
  writeFileSync(file("model.weights.bin"), Buffer.concat([shard, shard]));
  refused(() => importFile(file("model.json"), file("tf.tlm")), /KERAS_FORMAT: .*where the manifest names/);
  const [group] = json.weightsManifest;
  writeFileSync(file("away.json"), JSON.stringify({ ...json, weightsManifest: [{ ...group, paths: ["../weights.bin"] }] }));
  refused(() => importFile(file("away.json"), file("tf.tlm")), /outside the model's folder/);
  writeFileSync(file("small.json"), JSON.stringify({ ...json, weightsManifest: [{ ...group, weights: [{ ...group.weights[0], quantization: {} }] }] }));
  refused(() => importFile(file("small.json"), file("tf.tlm")), /quantised; float32 is read/);
  const keras = exportKeras(mlp);
  const other = JSON.parse(JSON.stringify(keras.topology).replace("\"Dense\"", "\"Bidirectional\"")) as typeof keras.topology;
  refused(() => importKeras({ ...keras, topology: other }, "net.json"), /^KERAS_LAYER: net\.json: layer dense_1 \(Bidirectional\): a layer that is not read \(.*\); those that are: Dense/);
  assert.ok(!existsSync(file("tf.tlm")));
});

test("a layer that TensorFlow.js cannot have is refused by name and reason", () => {
  const { contract } = randomModel("gru-64", 1, 1);
  const tensors = new Map([["query", 160], ["key", 160], ["value", 120]].map(([name, size]) => [name as string, { shape: [size as number], data: new Float32Array(size as number).fill(0.1) }]));
  const linear = verified({ contract: { ...contract, classes: [] }, nodes: [{ layer: { kind: "linear_attention", keys: 4, outputs: 3, decay: 0.5 }, inputs: [0], tensors }] });
  refused(() => exportKeras(linear), /KERAS_LAYER: linear_attention_1 \(linear_attention\): it divides by a sum .* no layer that divides; export as ONNX/);
});
