/** A model as a TensorFlow.js layers model. Its numbers lie there as they lie here: time, width, channels; gates in the same order. */
import type { Activation, Layer, Sweep } from "../layer.ts";
import { paddingOf } from "../layer.ts";
import { features, type Model, type Shape } from "../model.ts";
import { passport } from "../passport.ts";
import { KERAS, Layers, refuse, rowForm, type Form, type Given, type Site, type SiteOf } from "./builder.ts";
import { bin, bl, tabl } from "./export-bilinear.ts";
import { attention, gru, localAttention, lstm } from "./export-sequence.ts";
import type { KerasModel } from "./files.ts";
import { METADATA, nameOf, structure } from "./names.ts";

/** What follows a layer that Keras has no activation for. */
function finished({ layers, name, gives }: Site, activation: Activation, form: Form, made: Given): void {
  layers.value(gives, form, activation === "leaky_relu" ? layers.activated(`${name}_leaky`, activation, made) : made);
}

/** What stands before a sweep's first time: the state of a stateful one, Keras' own padding, or rows of zeros before a valid one. */
function padded(site: SiteOf<"conv" | "pool">, zeros: boolean): readonly [Given, string] {
  const { layers, node, name, model, layer: { sweep } } = site;
  const [of = 0] = node.inputs;
  const x = layers.form(of, "image");
  const { time, width, channels } = layers.shape(of);
  const [before, after] = paddingOf(sweep, time);
  if (before + after === 0) return [x, "valid"];
  if (model.contract.stateful) {
    const past = layers.carryIn(`${name}_past`, [before, width, channels]);
    const whole = layers.put("Concatenate", `${name}_whole`, [past, x], { axis: 1 });
    layers.carryOut(past, layers.put("Cropping2D", `${name}_kept`, [whole], { cropping: [[1, 0], [0, 0]], data_format: "channels_last" }));
    return [whole, "valid"];
  }
  if (sweep.padding === "same" && sweep.kernelWidth === 1 && sweep.strideWidth === 1) return [x, "same"];
  if (!zeros) refuse(site, "a pool padded over time alone and wider than 1");
  return [layers.put("ZeroPadding2D", `${name}_pad`, [x], { padding: [[before, after], [0, 0]], data_format: "channels_last" }), "valid"];
}

const strides = (sweep: Sweep): readonly [number, number] => [sweep.strideTime, sweep.strideWidth];

function dense(site: SiteOf<"dense">): void {
  const { layers, node, name, layer } = site;
  const [of = 0] = node.inputs;
  const form = rowForm(layers.shape(of));
  layers.keep(site);
  finished(site, layer.activation, form, layers.put("Dense", name, [layers.form(of, form)], { units: layer.outputs, activation: KERAS[layer.activation], use_bias: true }));
}

function conv(site: SiteOf<"conv">): void {
  const { layers, name, gives, layer: { sweep, activation, outputs } } = site;
  const [x, padding] = padded(site, true);
  const soft = activation === "softmax";
  const config = { filters: outputs, kernel_size: [sweep.kernelTime, sweep.kernelWidth], strides: strides(sweep), padding, data_format: "channels_last", activation: soft ? "linear" : KERAS[activation], use_bias: true };
  layers.keep(site);
  const made = layers.put("Conv2D", name, [x], config);
  if (!soft) return finished(site, activation, "image", made);
  layers.value(gives, "rows", layers.activated(`${name}_softmax`, activation, layers.reshape(made, [gives.time, features(gives)])));
}

function pool(site: SiteOf<"pool">): void {
  const { layers, name, gives, layer: { sweep, average } } = site;
  const [x, padding] = padded(site, sweep.padding === "causal");
  const config = { pool_size: [sweep.kernelTime, sweep.kernelWidth], strides: strides(sweep), padding, data_format: "channels_last" };
  layers.value(gives, "image", layers.put(average ? "AveragePooling2D" : "MaxPooling2D", name, [x], config));
}

function batchNorm(site: SiteOf<"batch_norm">): void {
  const { layers, node, name, gives, layer } = site;
  const [of = 0] = node.inputs;
  const shape = layers.shape(of);
  const form: Form = shape.width === 1 ? rowForm(shape) : "image";
  layers.keep(site);
  layers.value(gives, form, layers.put("BatchNormalization", name, [layers.form(of, form)], { axis: -1, momentum: layer.momentum, epsilon: layer.epsilon, center: true, scale: true }));
}

function last({ layers, node, name, gives }: Site): void {
  const [of = 0] = node.inputs;
  const { time } = layers.shape(of);
  if (time === 1) return layers.value(gives, "flat", layers.form(of, "flat"));
  layers.value(gives, "image", layers.put("Cropping2D", name, [layers.form(of, "image")], { cropping: [[time - 1, 0], [0, 0]], data_format: "channels_last" }));
}

/** Layers without weights whose answer is one layer of Keras, or none. */
function plain(site: Site): void {
  const { layers, node, name, gives, layer } = site;
  const [of = 0] = node.inputs;
  const form = rowForm(layers.shape(of));
  const all = (as: Form): Given[] => node.inputs.map((each) => layers.form(each, as));
  switch (layer.kind) {
    case "activate": return layers.value(gives, form, layers.activated(name, layer.activation, layers.form(of, form)));
    case "add": return layers.value(gives, form, node.inputs.length === 1 ? layers.form(of, form) : layers.put("Add", name, all(form), {}));
    case "concat": return layers.value(gives, "image", node.inputs.length === 1 ? layers.form(of, "image") : layers.put("Concatenate", name, all("image"), { axis: -1 }));
    case "dropout": return layers.value(gives, form, layers.put("Dropout", name, [layers.form(of, form)], { rate: layer.rate }));
    case "flatten": return layers.value(gives, "flat", layers.form(of, "flat"));
    default: return layers.value(gives, form, layers.form(of, form));
  }
}

function put(site: Site): void {
  const as = <K extends Layer["kind"]>(write: (site: SiteOf<K>) => void): void => write(site as unknown as SiteOf<K>);
  switch (site.layer.kind) {
    case "dense": return as(dense);
    case "activate": case "add": case "concat": case "reshape": case "dropout": case "flatten": return plain(site);
    case "last": return last(site);
    case "lstm": return as(lstm);
    case "gru": return as(gru);
    case "bl": return as(bl);
    case "tabl": return as(tabl);
    case "bin": return as(bin);
    case "conv": return as(conv);
    case "pool": return as(pool);
    case "batch_norm": return as(batchNorm);
    case "attention": return as(attention);
    case "local_attention": return as(localAttention);
    case "linear_attention": return refuse(site, "it divides by a sum of what it was given, and TensorFlow.js has no layer that divides");
  }
}

/**
 * Exports a model. A stateful one takes one row of one stream at a time, batch 1: an LSTM keeps its state inside (`resetStates`), any other
 * state is a further input, zeros at first, and a further output, called the same with `_next` behind.
 *
 * @throws TicklineError TL_MODEL (KERAS_LAYER) naming the first layer that TensorFlow.js cannot have, and why
 */
export function exportKeras(model: Model): KerasModel {
  const { contract: { window, columns, stateful, name }, nodes, shapes } = model;
  const layers = new Layers(stateful ? 1 : null);
  const form: Form = window === 1 ? "flat" : "rows";
  const input = layers.input("input", form === "flat" ? [columns.length] : [window, columns.length]);
  layers.value(shapes[0] as Shape, form, input);
  nodes.forEach((node, at) => put({ layers, node, layer: node.layer, name: nameOf(node, at), gives: shapes[at + 1] as Shape, model }));
  const output = layers.form(nodes.length, rowForm(layers.shape(nodes.length)));
  const ends = (all: readonly Given[]): unknown[] => all.map(([layer, use]) => [layer, use, 0]);
  const config = { name: "tickline", layers: layers.made, input_layers: ends([input, ...layers.states.map(({ from }) => from)]), output_layers: ends([output, ...layers.states.map(({ next }) => next)]) };
  const topology = { class_name: "Model", config, keras_version: "tfjs-layers 4.22.0", backend: "tensor_flow.js" };
  return { topology, weights: layers.weights, metadata: { [METADATA]: { ...passport(model), structure: structure(topology) }, name } };
}
