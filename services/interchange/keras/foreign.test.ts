/**
 * Goal: models that TensorFlow.js itself built and saved, layer names, layout and all, come in by the command's own way and answer alike.
 * Method: Sequential and functional models of each layer that is read, random weights, saved as `model.json` and a shard, as
 * `model.save("file://...")` does; the same random rows through both. Skipped where TensorFlow.js is not installed.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { answers, noise } from "../answers.ts";
import { importFile } from "../main.ts";
import { randomModel, readModel } from "../model.ts";
import { INSTALL, loadTf, type Tf, type TfArtifacts, type TfModel, type TfTensor } from "../peers.ts";

/** What builds models, beyond what the product uses of TensorFlow.js. */
interface Builder extends Tf {
  readonly layers: Readonly<Record<string, (options: object) => { apply(input: unknown): unknown }>>;
  sequential(options: { readonly layers: readonly unknown[] }): Built;
  input(options: object): unknown;
  model(options: object): Built;
}

interface Built extends TfModel {
  setWeights(weights: readonly TfTensor[]): void;
}

const tf = (await loadTf()) as Builder | undefined;
const absent = tf === undefined ? `TensorFlow.js is not installed: ${INSTALL}` : false;
const folder = mkdtempSync(join(tmpdir(), "tickline-foreign-"));
after(() => rmSync(folder, { recursive: true }));

const COLUMNS = 6;
const WINDOW = 8;

const MODELS: Readonly<Record<string, (tf: Builder) => Built>> = {
  "dense, ReLU, softmax": ({ layers, sequential }) => sequential({ layers: [
    layers["dense"]?.({ inputShape: [COLUMNS], units: 9, activation: "relu" }), layers["dropout"]?.({ rate: 0.3 }), layers["dense"]?.({ units: 3, activation: "softmax" }),
  ] }),
  "a skip connection": ({ layers, input, model }) => {
    const x = input({ shape: [COLUMNS] });
    const a = layers["dense"]?.({ units: 5, activation: "tanh" }).apply(x);
    const b = layers["dense"]?.({ units: 5, activation: "sigmoid" }).apply(a);
    const sum = layers["add"]?.({}).apply([a, b]);
    return model({ inputs: x, outputs: layers["dense"]?.({ units: 3, activation: "softmax" }).apply(sum) });
  },
  "two LSTM": ({ layers, sequential }) => sequential({ layers: [
    layers["lstm"]?.({ inputShape: [WINDOW, COLUMNS], units: 5, recurrentActivation: "sigmoid", returnSequences: true }),
    layers["lstm"]?.({ units: 4, recurrentActivation: "sigmoid" }), layers["dense"]?.({ units: 3, activation: "softmax" }),
  ] }),
  "an LSTM as it is by default, with hard sigmoids": ({ layers, sequential }) => sequential({ layers: [
    layers["lstm"]?.({ inputShape: [WINDOW, COLUMNS], units: 7 }), layers["dense"]?.({ units: 4, activation: "hardSigmoid" }), layers["dense"]?.({ units: 3, activation: "softmax" }),
  ] }),
  "a GRU as it is, over time": ({ layers, sequential }) => sequential({ layers: [
    layers["gru"]?.({ inputShape: [WINDOW, COLUMNS], units: 5, returnSequences: true }), layers["gru"]?.({ units: 4, recurrentActivation: "sigmoid", useBias: false }),
    layers["dense"]?.({ units: 3, activation: "softmax" }),
  ] }),
  "the mean and the largest over time": ({ layers, input, model }) => {
    const x = input({ shape: [WINDOW, COLUMNS] });
    const a = layers["conv1d"]?.({ filters: 4, kernelSize: 3, padding: "same", activation: "hardSigmoid" }).apply(x);
    const both = layers["concatenate"]?.({}).apply([layers["globalAveragePooling1d"]?.({}).apply(a), layers["globalMaxPooling1d"]?.({}).apply(a)]);
    return model({ inputs: x, outputs: layers["dense"]?.({ units: 3, activation: "softmax" }).apply(both) });
  },
  "convolution over time": ({ layers, sequential }) => sequential({ layers: [
    layers["conv1d"]?.({ inputShape: [WINDOW, COLUMNS], filters: 4, kernelSize: 3, activation: "relu" }), layers["batchNormalization"]?.({}),
    layers["maxPooling1d"]?.({ poolSize: 2 }), layers["flatten"]?.({}), layers["dense"]?.({ units: 3, activation: "softmax" }),
  ] }),
};

/** Saves a model as TensorFlow.js does, with weights that are noise; its import by the command's own way. */
async function taken(net: Built, name: string, window: number): Promise<ReturnType<typeof readModel>> {
  const engine = tf as Builder;
  // Deviations of a batch normalisation are among them.
  net.setWeights(net.getWeights().map((weights) => engine.tensor(noise(weights.dataSync().length).map((x) => Math.abs(x) / 2 + 0.05), weights.shape)));
  let saved: TfArtifacts | undefined;
  await net.save(engine.io.withSaveHandler((artifacts) => {
    saved = artifacts;
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
  }));
  const { modelTopology, weightSpecs, weightData } = saved as TfArtifacts;
  writeFileSync(join(folder, "weights.bin"), new Uint8Array(weightData as ArrayBuffer));
  const json = { format: "layers-model", generatedBy: "TensorFlow.js", convertedBy: null, modelTopology, weightsManifest: [{ paths: ["weights.bin"], weights: weightSpecs }] };
  writeFileSync(join(folder, "model.json"), JSON.stringify(json));
  const columns = randomModel("mlp", 1, 1).contract.columns.slice(0, COLUMNS);
  writeFileSync(join(folder, "contract.json"), JSON.stringify({ name, columns, mean: columns.map(() => 0), scale: columns.map(() => 1), clip: 100, window, classes: ["down", "flat", "up"], horizon: 10 }));
  const out = join(folder, "net.tlm");
  importFile(join(folder, "model.json"), out, join(folder, "contract.json"));
  return readModel(out);
}

for (const [name, make] of Object.entries(MODELS)) {
  test(`${name}: built and saved by TensorFlow.js, it answers alike here`, { skip: absent }, async () => {
    const engine = tf as Builder;
    const net = make(engine);
    const window = /LSTM|time/.test(name) ? WINDOW : 1;
    const model = await taken(net, name, window);
    const rows = noise((window + 2) * COLUMNS);
    const ours = answers(model, rows);
    assert.equal(ours.length, 3);
    ours.forEach((answer, nth) => {
      const x = rows.slice(nth * COLUMNS, (nth + window) * COLUMNS);
      const theirs = engine.tidy(() => net.predict(engine.tensor(x, window === 1 ? [1, COLUMNS] : [1, window, COLUMNS])).dataSync());
      answer.forEach((value, at) => assert.ok(Math.abs(value - (theirs[at] ?? NaN)) < 1e-5, `answer ${nth}, ${at}: ${value}, theirs ${theirs[at]}`));
    });
    assert.ok(Math.max(...ours.flatMap((answer) => [...answer])) < 0.999, "answers that say something");
    net.dispose();
  });
}

/** Layers that are refused: how TensorFlow.js makes them, and what is said. */
const REFUSED: Readonly<Record<string, readonly [(tf: Builder) => unknown, RegExp]>> = {
  bidirectional: [({ layers }) => layers["bidirectional"]?.({ layer: layers["lstm"]?.({ units: 2 }), inputShape: [WINDOW, COLUMNS], mergeMode: "concat" }), /\(Bidirectional\): .*future/],
  "going backwards": [({ layers }) => layers["lstm"]?.({ inputShape: [WINDOW, COLUMNS], units: 2, goBackwards: true }), /\(LSTM\): goes backwards/],
  masking: [({ layers }) => layers["masking"]?.({ inputShape: [WINDOW, COLUMNS], maskValue: 0 }), /\(Masking\): .*every row counts/],
  "a state where the contract has a window": [({ layers }) => layers["lstm"]?.({ batchInputShape: [1, WINDOW, COLUMNS], units: 2, stateful: true }), /\(LSTM\): is stateful, .* stateful: true/],
  "a simple recurrent layer": [({ layers }) => layers["simpleRNN"]?.({ inputShape: [WINDOW, COLUMNS], units: 2 }), /\(SimpleRNN\): .*LSTM or GRU/],
  "a layer for each time": [({ layers }) => layers["timeDistributed"]?.({ inputShape: [WINDOW, COLUMNS], layer: layers["dense"]?.({ units: 2 }) }), /\(TimeDistributed\): .*by itself/],
};

for (const [name, [make, says]] of Object.entries(REFUSED)) {
  test(`${name} is refused by layer, with what to do`, { skip: absent }, async () => {
    const { layers, sequential } = tf as Builder;
    const net = sequential({ layers: [make(tf as Builder), layers["flatten"]?.({}), layers["dense"]?.({ units: 3, activation: "softmax" })].filter((each, at) => at !== 1 || !/backwards|bidirectional|simple|state/.test(name)) });
    await assert.rejects(taken(net, name, WINDOW), (error) => {
      assert.match(String(error), /KERAS_LAYER: .*model\.json: layer /);
      assert.match(String(error), says);
      return true;
    });
    net.dispose();
  });
}
