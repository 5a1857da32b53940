/** Layers by name: what `schemas/model.fbs` and `crates/model/src/layer.rs` say in numbers. */
import { TicklineError } from "../kit/errors.ts";

/** Activations, each at its number in the file. */
export const ACTIVATIONS = ["none", "relu", "swish", "tanh", "sigmoid", "softmax", "leaky_relu", "hard_sigmoid"] as const;
/** An activation. */
export type Activation = (typeof ACTIVATIONS)[number];

/** What opens and closes the gates of a recurrent layer, each at its number in the file. */
export const GATES = ["sigmoid", "hard_sigmoid"] as const;
/** A gate. */
export type Gate = (typeof GATES)[number];

/** Where the reset gate of a GRU stands, before or after the recurrent product, each at its number in the file. */
export const RESETS = ["after", "before"] as const;
/** A place of the reset gate. */
export type Reset = (typeof RESETS)[number];

/** Paddings over time, each at its number in the file. */
export const PADDINGS = ["valid", "same", "causal"] as const;
/** A padding over time. */
export type Padding = (typeof PADDINGS)[number];

/** A sliding window over time and width; the width is never padded. */
export interface Sweep {
  readonly kernelTime: number;
  readonly kernelWidth: number;
  readonly strideTime: number;
  readonly strideWidth: number;
  readonly padding: Padding;
}

/** A layer; the documentation of each is `crates/model/src/layer.rs`. */
export type Layer =
  | { readonly kind: "dense"; readonly outputs: number; readonly activation: Activation }
  | { readonly kind: "activate"; readonly activation: Activation }
  | { readonly kind: "add" | "concat" | "flatten" | "last" | "bin" }
  | { readonly kind: "reshape"; readonly width: number; readonly channels: number }
  | { readonly kind: "dropout"; readonly rate: number }
  | { readonly kind: "lstm"; readonly units: number; readonly gate: Gate }
  | { readonly kind: "gru"; readonly units: number; readonly gate: Gate; readonly reset: Reset }
  | { readonly kind: "bl"; readonly outputs: number; readonly times: number; readonly activation: Activation }
  | { readonly kind: "tabl"; readonly outputs: number; readonly times: number; readonly activation: Activation }
  | { readonly kind: "conv"; readonly outputs: number; readonly sweep: Sweep; readonly activation: Activation }
  | { readonly kind: "pool"; readonly average: boolean; readonly sweep: Sweep }
  | { readonly kind: "batch_norm"; readonly epsilon: number; readonly momentum: number }
  | { readonly kind: "attention"; readonly units: number }
  | { readonly kind: "linear_attention"; readonly keys: number; readonly outputs: number; readonly decay: number }
  | { readonly kind: "local_attention"; readonly keys: number; readonly outputs: number; readonly span: number };

/** Kinds, each at its number in the file. */
export const KINDS = [
  "dense", "activate", "add", "concat", "reshape", "flatten", "last", "dropout", "lstm", "gru", "bl", "tabl", "bin", "conv", "pool",
  "batch_norm", "attention", "linear_attention", "local_attention",
] as const satisfies readonly Layer["kind"][];

/** A layer as the file's numbers. */
export interface LayerNumbers {
  readonly kind: number;
  readonly activation: number;
  readonly sizes: number[];
  readonly rates: number[];
}

function sweepOf(sizes: readonly number[]): Sweep {
  const [kernelTime = 0, kernelWidth = 0, strideTime = 0, strideWidth = 0, padding = -1] = sizes;
  return { kernelTime, kernelWidth, strideTime, strideWidth, padding: PADDINGS[padding] ?? "valid" };
}

/** The layer of the file's numbers. @throws TicklineError TL_MODEL for a kind that this build does not know */
export function layerOf({ kind, activation: code, sizes, rates }: LayerNumbers): Layer {
  const name = KINDS[kind];
  const activation = ACTIVATIONS[code] ?? "none";
  const [a = 0, b = 0, c = 0] = sizes;
  const [rate = 0, momentum = 0] = rates;
  switch (name) {
    case "dense": return { kind: name, outputs: a, activation };
    case "activate": return { kind: name, activation };
    case "add": case "concat": case "flatten": case "last": case "bin": return { kind: name };
    case "reshape": return { kind: name, width: a, channels: b };
    case "dropout": return { kind: name, rate };
    case "lstm": return { kind: name, units: a, gate: GATES[b] ?? "sigmoid" };
    case "gru": return { kind: name, units: a, gate: GATES[b] ?? "sigmoid", reset: RESETS[c] ?? "after" };
    case "bl": case "tabl": return { kind: name, outputs: a, times: b, activation };
    case "conv": return { kind: name, outputs: a, sweep: sweepOf(sizes.slice(1)), activation };
    case "pool": return { kind: name, average: a === 1, sweep: sweepOf(sizes.slice(1)) };
    case "batch_norm": return { kind: name, epsilon: rate, momentum };
    case "attention": return { kind: name, units: a };
    case "linear_attention": return { kind: name, keys: a, outputs: b, decay: rate };
    case "local_attention": return { kind: name, keys: a, outputs: b, span: c };
    default: throw new TicklineError("TL_MODEL", `MODEL_LAYER: layer kind ${String(kind)} is unknown to this build, which knows 0 to ${KINDS.length - 1}`);
  }
}

function sweepNumbers(s: Sweep): number[] {
  return [s.kernelTime, s.kernelWidth, s.strideTime, s.strideWidth, PADDINGS.indexOf(s.padding)];
}

/** The file's numbers of a layer. */
export function numbersOf(layer: Layer): LayerNumbers {
  const activation = "activation" in layer ? ACTIVATIONS.indexOf(layer.activation) : 0;
  const numbers = (sizes: number[], rates: number[] = []): LayerNumbers => ({ kind: KINDS.indexOf(layer.kind), activation, sizes, rates });
  switch (layer.kind) {
    case "dense": return numbers([layer.outputs]);
    case "activate": case "add": case "concat": case "flatten": case "last": case "bin": return numbers([]);
    case "reshape": return numbers([layer.width, layer.channels]);
    case "dropout": return numbers([], [layer.rate]);
    case "lstm": return numbers(layer.gate === "sigmoid" ? [layer.units] : [layer.units, GATES.indexOf(layer.gate)]);
    case "gru": {
      const [gate, reset] = [GATES.indexOf(layer.gate), RESETS.indexOf(layer.reset)];
      return numbers(reset > 0 ? [layer.units, gate, reset] : gate > 0 ? [layer.units, gate] : [layer.units]);
    }
    case "attention": return numbers([layer.units]);
    case "bl": case "tabl": return numbers([layer.outputs, layer.times]);
    case "conv": return numbers([layer.outputs, ...sweepNumbers(layer.sweep)]);
    case "pool": return numbers([layer.average ? 1 : 0, ...sweepNumbers(layer.sweep)]);
    case "batch_norm": return numbers([], [layer.epsilon, layer.momentum]);
    case "linear_attention": return numbers([layer.keys, layer.outputs], [layer.decay]);
    case "local_attention": return numbers([layer.keys, layer.outputs, layer.span]);
  }
}

/** Rows of padding before the first and after the last of `time` times. */
export function paddingOf(sweep: Sweep, time: number): readonly [before: number, after: number] {
  const { kernelTime: kernel, strideTime: stride, padding } = sweep;
  if (padding === "valid") return [0, 0];
  const given = Math.ceil(time / stride);
  const missing = Math.max(0, (given - 1) * stride + kernel - time);
  return padding === "causal" ? [kernel - 1, Math.max(0, missing - (kernel - 1))] : [Math.floor(missing / 2), missing - Math.floor(missing / 2)];
}
