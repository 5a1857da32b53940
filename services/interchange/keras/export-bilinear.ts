/** Bilinear layers and their normalisation as layers that TensorFlow.js has: products over the last axis, with the axes turned between them. */
import { features, tensorOf } from "../model.ts";
import type { Given, Layers, Site, SiteOf } from "./builder.ts";

/** Below this a deviation counts as 1 (`crates/model/src/layer.rs`). */
const DEVIATION_MIN = 1e-4;
/** Turns what is above zero into 1 and what is below into 0 behind a hard sigmoid, however little it is. */
const STEEP = 1e20;
/** Columns of a bilinear layer's matrices are kept to this norm. */
const NORM = { kernel_constraint: { class_name: "MaxNorm", config: { max_value: 10, axis: 0 } } };

const linear = (units: number): Readonly<Record<string, unknown>> => ({ units, activation: "linear", use_bias: false });
const turned = (layers: Layers, name: string, from: Given): Given => layers.put("Permute", name, [from], { dims: [2, 1] });

/** The bias, a number for each time and feature, and the activation. */
function finished({ layers, node, name, gives }: Site, x: Given, activation: Parameters<Layers["activated"]>[1]): void {
  const bias = layers.numbers(`${name}_bias`, [gives.time, features(gives)], tensorOf(node, "bias").data);
  layers.value(gives, "rows", layers.activated(`${name}_activation`, activation, layers.put("Add", `${name}_sum`, [x, bias], {})));
}

/** `act(W2' x W1 + B)`. */
export function bl(site: SiteOf<"bl">): void {
  const { layers, node, name, layer } = site;
  layers.keep(site);
  const x = turned(layers, `${name}_turned`, layers.form(node.inputs[0] ?? 0, "rows"));
  const times = turned(layers, `${name}_back`, layers.put("Dense", `${name}_w2`, [x], { ...linear(layer.times), ...NORM }));
  finished(site, layers.put("Dense", `${name}_w1`, [times], { ...linear(layer.outputs), ...NORM }), layer.activation);
}

/** The attention bilinear layer, as `crates/model/src/layer.rs` defines it: `l X + (1 - l) X A = X A + l (X - X A)`. */
export function tabl(site: SiteOf<"tabl">): void {
  const { layers, node, name, layer } = site;
  const [of = 0] = node.inputs;
  const { time } = layers.shape(of);
  layers.keep(site, (tensor) => (tensor === "l" ? [1, 1] : undefined));
  const x = turned(layers, `${name}_turned`, layers.put("Dense", `${name}_w1`, [layers.form(of, "rows")], { ...linear(layer.outputs), ...NORM }));
  const shares = layers.put("Activation", `${name}_shares`, [layers.put("Dense", `${name}_w`, [x], linear(time))], { activation: "softmax" });
  const seen = layers.put("Multiply", `${name}_seen`, [x, shares], {});
  const less = layers.put("Rescaling", `${name}_less`, [seen], { scale: -1, offset: 0 });
  const rest = layers.scaled(`${name}_l`, layers.put("Add", `${name}_rest`, [x, less], {}), [layer.outputs, time], tensorOf(node, "l").data);
  const mixed = layers.put("Add", `${name}_mixed`, [seen, rest], {});
  finished(site, turned(layers, `${name}_back`, layers.put("Dense", `${name}_w2`, [mixed], { ...linear(layer.times), ...NORM })), layer.activation);
}

/**
 * Rows normalised along their last axis: less their mean, over their deviation where that is not too small. The choice is a hard sigmoid
 * that is so steep that it gives 0 or 1; the normalisation's own summand is below what a variance that is chosen can hold.
 */
function normalised(layers: Layers, name: string, x: Given, count: number): Given {
  const mean = layers.constant(`${name}_mean`, x, 1, new Float32Array(count).fill(1 / count));
  const centred = layers.put("Add", `${name}_centred`, [x, layers.put("Rescaling", `${name}_less`, [mean], { scale: -1, offset: 0 })], {});
  const square = layers.put("Multiply", `${name}_square`, [centred, centred], {});
  const variance = layers.constant(`${name}_variance`, square, 1, new Float32Array(count).fill(1 / count));
  const above = layers.put("Rescaling", `${name}_above`, [variance], { scale: STEEP, offset: -STEEP * DEVIATION_MIN ** 2 });
  const chosen = layers.put("Activation", `${name}_chosen`, [above], { activation: "hard_sigmoid" });
  const other = layers.put("Rescaling", `${name}_other`, [chosen], { scale: -1, offset: 1 });
  // A factor of 1 and a summand of 0: without them TensorFlow.js has no slopes.
  for (const [weight, value] of [["gamma", 1], ["beta", 0]] as const) layers.weights.set(`${name}_norm/${weight}`, { shape: [count], data: new Float32Array(count).fill(value) });
  const whole = layers.put("LayerNormalization", `${name}_norm`, [x], { axis: [-1], epsilon: 1e-20, center: true, scale: true, trainable: false });
  return layers.put("Add", `${name}_picked`, [layers.put("Multiply", `${name}_large`, [whole, chosen], {}), layers.put("Multiply", `${name}_small`, [centred, other], {})], {});
}

/** Bilinear normalisation: over time for each feature, over features for each time, weighted. */
export function bin(site: SiteOf<"bin">): void {
  const { layers, node, name, gives } = site;
  const [time, wide] = [gives.time, features(gives)];
  layers.keep(site, (tensor) => (tensor.startsWith("y") ? [1, 1] : tensor === "l1" ? [1, 1, time, 1] : tensor === "l2" ? [1, 1, wide, 1] : undefined));
  const x = layers.form(node.inputs[0] ?? 0, "rows");
  // A factor and a summand for each place of the last axis.
  const affine = (from: Given, nth: 1 | 2, rows: number, places: number): Given => {
    const image = layers.reshape(from, [rows, 1, places]);
    const config = { kernel_size: [1, 1], strides: [1, 1], padding: "valid", data_format: "channels_last", depth_multiplier: 1, activation: "linear", use_bias: true };
    const made = layers.reshape(layers.put("DepthwiseConv2D", `${name}_affine${nth}`, [image], config), [rows, places]);
    return layers.scaled(`${name}_y${nth}`, made, [rows, places], tensorOf(node, `y${nth}`).data);
  };
  const overTime = turned(layers, `${name}_time_back`, normalised(layers, `${name}_time`, turned(layers, `${name}_time_turned`, x), time));
  const overFeatures = turned(layers, `${name}_features_turned`, normalised(layers, `${name}_features`, x, wide));
  const [first, second] = [turned(layers, `${name}_features_back`, affine(overFeatures, 1, wide, time)), affine(overTime, 2, time, wide)];
  layers.value(gives, "rows", layers.put("Add", `${name}_sum`, [first, second], {}));
}
