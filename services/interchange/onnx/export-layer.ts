/** One layer as ONNX operators: those that are not recurrent and not attention. */
import type { Activation, Layer, Sweep } from "../layer.ts";
import { paddingOf } from "../layer.ts";
import { features, tensorOf, type Node, type Shape } from "../model.ts";
import { channelsFirst, transposed } from "../transpose.ts";
import type { Builder, Form } from "./builder.ts";

/** What an export of one node is given. */
export interface Site {
  readonly build: Builder;
  readonly node: Node;
  readonly gives: Shape;
  readonly stateful: boolean;
}

/** A layer of one kind. */
export type Of<K extends Layer["kind"]> = Extract<Layer, { readonly kind: K }>;

/** Puts an activation behind a name in a form. Softmax is over all numbers at one time. */
export function activated(build: Builder, activation: Activation, name: string): string {
  switch (activation) {
    case "none": return name;
    case "relu": return build.put("Relu", [name]);
    case "tanh": return build.put("Tanh", [name]);
    case "sigmoid": return build.put("Sigmoid", [name]);
    case "hard_sigmoid": return build.put("HardSigmoid", [name]);
    case "swish": return build.put("Mul", [name, build.put("Sigmoid", [name])]);
    case "leaky_relu": return build.put("LeakyRelu", [name], { alpha: { float: Math.fround(0.01) } });
    case "softmax": return build.put("Softmax", [name], { axis: -1 });
  }
}

/** Forms in which the last axis holds all numbers at one time. */
function rowForm(build: Builder, of: number): Form {
  return build.shape(of).time === 1 ? "flat" : build.has(of, "steps") ? "steps" : "rows";
}

/** `x W + b` and its activation: Gemm for one time, else MatMul and Add. */
export function dense({ build, node, gives }: Site, { activation }: Of<"dense">): void {
  const [of = 0] = node.inputs;
  const form = rowForm(build, of);
  const { shape, data } = tensorOf(node, "weight");
  const weight = build.constant("weight", shape, data);
  const bias = build.constant("bias", [gives.channels], tensorOf(node, "bias").data);
  const x = build.form(of, form);
  const sum = form === "flat" ? build.put("Gemm", [x, weight, bias]) : build.put("Add", [build.put("MatMul", [x, weight]), bias]);
  build.value(gives, form, activated(build, activation, sum));
}

/** An activation alone, in the axis order the value was made in. */
export function activate({ build, node, gives }: Site, { activation }: Of<"activate">): void {
  const [of = 0] = node.inputs;
  const form = activation === "softmax" ? rowForm(build, of) : build.own(of);
  build.value(gives, form, activated(build, activation, build.form(of, form)));
}

/** The sum of all inputs. */
export function add({ build, node, gives }: Site): void {
  const form = build.own(node.inputs[0] ?? 0);
  const names = node.inputs.map((of) => build.form(of, form));
  build.value(gives, form, names.reduce((sum, name) => build.put("Add", [sum, name])));
}

/** The inputs' channels behind one another. */
export function concat({ build, node, gives }: Site): void {
  const images = node.inputs.every((of) => build.has(of, "image")) || gives.width > 1;
  const form: Form = images ? "image" : rowForm(build, node.inputs[0] ?? 0);
  build.value(gives, form, build.put("Concat", node.inputs.map((of) => build.form(of, form)), { axis: images ? 1 : -1 }));
}

/** The newest time alone. */
export function last({ build, node, gives }: Site): void {
  const [of = 0] = node.inputs;
  if (build.shape(of).time === 1) return build.alias(of, gives);
  const form = rowForm(build, of);
  const at = build.constant("at", [], [-1]);
  build.value(gives, "flat", build.put("Gather", [build.form(of, form), at], { axis: form === "steps" ? 0 : 1 }));
}

/** The image with what stands before and after it: pads of the operator, a state, or (`zeros`) a Pad operator. */
function swept(site: Site, sweep: Sweep, zeros: boolean): readonly [string, readonly number[]] {
  const { build, node, stateful } = site;
  const [of = 0] = node.inputs;
  const { time, width, channels } = build.shape(of);
  const [before, after] = paddingOf(sweep, time);
  const image = (): string => build.form(of, "image");
  if (before + after === 0) return [image(), [0, 0, 0, 0]];
  if (stateful) {
    const past = build.carryIn("past", ["batch", channels, before, width]);
    const whole = build.put("Concat", [past, image()], { axis: 2 });
    const [from, to, axis] = [[1], [1 + before], [2]].map((data, i) => build.constant(`slice${i}`, [1], data)) as [string, string, string];
    build.carryOut(past, build.put("Slice", [whole, from, to, axis]));
    return [whole, [0, 0, 0, 0]];
  }
  if (!zeros) return [image(), [before, 0, after, 0]];
  // Rows of zeros come before the axes are turned: onnxruntime would make a Pad right before a pool part of it, where it counts as nothing.
  const rows = build.put("Pad", [build.form(of, "rows"), build.constant("pads", [6], [0, before, 0, 0, after, 0])]);
  const sizes = build.constant("sizes", [4], [-1, before + time + after, width, channels]);
  return [build.put("Transpose", [build.put("Reshape", [rows, sizes])], { perm: [0, 3, 1, 2] }), [0, 0, 0, 0]];
}

/** A convolution with its activation; the past of a stateful one is a state. */
export function conv(site: Site, { sweep, activation, outputs }: Of<"conv">): void {
  const { build, node, gives } = site;
  const { shape, data } = tensorOf(node, "weight");
  const [time = 1, width = 1, channels = 1] = shape;
  const weight = build.constant("weight", [outputs, channels, time, width], channelsFirst(data, time, width, channels, outputs));
  const bias = build.constant("bias", [outputs], tensorOf(node, "bias").data);
  const [x, pads] = swept(site, sweep, false);
  const sum = build.put("Conv", [x, weight, bias], { kernel_shape: [time, width], strides: [sweep.strideTime, sweep.strideWidth], pads });
  if (activation !== "softmax") return build.value(gives, "image", activated(build, activation, sum));
  const rows = build.put("Transpose", [sum], { perm: [0, 2, 3, 1] });
  const sizes = build.constant("sizes", [3], [-1, gives.time, features(gives)]);
  build.value(gives, "rows", activated(build, activation, build.put("Reshape", [rows, sizes])));
}

/** A pool; the past of a stateful one is a state. */
export function pool(site: Site, { sweep, average }: Of<"pool">): void {
  // What stands before a causal pool counts as zeros; beside a `same` pool there is nothing.
  const [x, pads] = swept(site, sweep, sweep.padding === "causal");
  const attributes = { kernel_shape: [sweep.kernelTime, sweep.kernelWidth], strides: [sweep.strideTime, sweep.strideWidth], pads };
  site.build.value(site.gives, "image", site.build.put(average ? "AveragePool" : "MaxPool", [x], attributes));
}

/** Batch normalisation with its measured statistics. */
export function batchNorm({ build, node, gives }: Site, { epsilon }: Of<"batch_norm">): void {
  const [of = 0] = node.inputs;
  const names = ["gamma", "beta", "mean", "variance"].map((name) => build.constant(name, [gives.channels], tensorOf(node, name).data));
  const form: Form = gives.time === 1 && gives.width === 1 && build.has(of, "flat") ? "flat" : "image";
  build.value(gives, form, build.put("BatchNormalization", [build.form(of, form), ...names], { epsilon: { float: Math.fround(epsilon) } }));
}

/** `act(W2' x + B)`, the second half of both bilinear layers. */
function overTime({ build, node, gives }: Site, x: string, activation: Activation): void {
  const { shape: [time = 1, times = 1], data } = tensorOf(node, "w2");
  const w2 = build.constant("w2", [times, time], transposed(data, time, times));
  const bias = tensorOf(node, "bias");
  const sum = build.put("Add", [build.put("MatMul", [w2, x]), build.constant("bias", bias.shape, bias.data)]);
  build.value(gives, "rows", activated(build, activation, sum));
}

/** `act(W2' x W1 + B)`. */
export function bl(site: Site, { activation }: Of<"bl">): void {
  const { build, node } = site;
  const w1 = tensorOf(node, "w1");
  const x = build.put("MatMul", [build.form(node.inputs[0] ?? 0, "rows"), build.constant("w1", w1.shape, w1.data)]);
  overTime(site, x, activation);
}

/** The attention bilinear layer, as `crates/model/src/layer.rs` defines it. */
export function tabl(site: Site, { activation }: Of<"tabl">): void {
  const { build, node } = site;
  const [of = 0] = node.inputs;
  const { time } = build.shape(of);
  const w1 = tensorOf(node, "w1");
  const x = build.put("MatMul", [build.form(of, "rows"), build.constant("w1", w1.shape, w1.data)]);
  const fixed = tensorOf(node, "w").data.slice();
  for (let t = 0; t < time; t++) fixed[t * time + t] = 1 / time;
  const energy = build.put("MatMul", [build.constant("w", [time, time], transposed(fixed, time, time)), x]);
  const attention = build.put("Softmax", [energy], { axis: 1 });
  const l = build.constant("l", [1], tensorOf(node, "l").data);
  const share = build.put("Add", [l, build.put("Mul", [build.put("Sub", [build.scalar("one", 1), l]), attention])]);
  overTime(site, build.put("Mul", [x, share]), activation);
}

/** Bilinear normalisation: over features and over time, weighted. */
export function bin({ build, node, gives }: Site): void {
  const x = build.form(node.inputs[0] ?? 0, "rows");
  const parameter = (name: string, ...dims: number[]): string => build.constant(name, dims, tensorOf(node, name).data);
  const half = (axis: number, nth: 1 | 2, ...dims: number[]): string => {
    const centred = build.put("Sub", [x, build.put("ReduceMean", [x], { axes: [axis], keepdims: 1 })]);
    const square = build.put("Mul", [centred, centred]);
    const deviation = build.put("Sqrt", [build.put("ReduceMean", [square], { axes: [axis], keepdims: 1 })]);
    const small = build.put("Less", [deviation, build.scalar("least", Math.fround(1e-4))]);
    const divisor = build.put("Where", [small, build.scalar("one", 1), deviation]);
    const scaled = build.put("Mul", [build.put("Div", [centred, divisor]), parameter(`l${nth}`, ...dims)]);
    return build.put("Mul", [build.put("Add", [scaled, parameter(`b${nth}`, ...dims)]), parameter(`y${nth}`, 1)]);
  };
  const sum = build.put("Add", [half(2, 1, gives.time, 1), half(1, 2, features(gives))]);
  build.value(gives, "rows", sum);
}
