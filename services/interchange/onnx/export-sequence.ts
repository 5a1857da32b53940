/** Layers over time as ONNX operators: recurrent ones and attention. */
import { features, tensorOf } from "../model.ts";
import { blocks, transposed } from "../transpose.ts";
import type { Of, Site } from "./export-layer.ts";

/** Places of ONNX's gates i, o, f, c among ours i, f, g, o. */
export const LSTM_GATES = [0, 3, 1, 2] as const;
/** Places of ONNX's gates z, r, h among ours: the same. */
export const GRU_GATES = [0, 1, 2] as const;

/** Put in place of what no query may look at: its exponential is 0 in `f32`. */
const NEVER = -1e9;

/** LSTM or GRU: gates in the order of ONNX, weights turned; h (and c) of a stateful one are states. */
export function recurrent(site: Site, layer: Of<"lstm"> | Of<"gru">): void {
  const { kind, units, gate } = layer;
  const { build, node, gives, stateful } = site;
  const [of = 0] = node.inputs;
  const gates: readonly number[] = kind === "lstm" ? LSTM_GATES : GRU_GATES;
  const wide = gates.length * units;
  const taken = features(build.shape(of));
  const matrix = (name: string, rows: number): Float32Array => transposed(blocks(tensorOf(node, name).data, gates, units), rows, wide);
  const biases = new Float32Array(2 * wide);
  biases.set(blocks(tensorOf(node, "bias").data, gates, units));
  const weights = [
    build.constant("kernel", [1, wide, taken], matrix("kernel", taken)),
    build.constant("recurrent", [1, wide, units], matrix("recurrent", units)),
    build.constant("bias", [1, 2 * wide], biases),
  ];
  const x = build.form(of, "steps");
  const attributes = {
    hidden_size: units, ...(layer.kind === "lstm" ? {} : { linear_before_reset: layer.reset === "after" ? 1 : 0 }),
    ...(gate === "sigmoid" ? {} : { activations: kind === "lstm" ? ["HardSigmoid", "Tanh", "Tanh"] : ["HardSigmoid", "Tanh"] }),
  };
  const op = kind === "lstm" ? "LSTM" : "GRU";
  const axis = build.constant("axis", [1], [1]);
  if (!stateful) {
    const [y = ""] = build.putMany(op, [x, ...weights], 1, attributes);
    return build.value(gives, "steps", build.put("Squeeze", [y, axis]));
  }
  const states = (kind === "lstm" ? ["h", "c"] : ["h"]).map((name) => build.carryIn(name, [1, "batch", units]));
  const [y = "", ...after] = build.putMany(op, [x, ...weights, "", ...states], 1 + states.length, attributes);
  states.forEach((state, i) => build.carryOut(state, after[i] as string));
  build.value(gives, "steps", build.put("Squeeze", [y, axis]));
}

/** Additive attention over time. */
export function attention({ build, node, gives }: Site, { units }: Of<"attention">): void {
  const x = build.form(node.inputs[0] ?? 0, "rows");
  const [weight, bias, query] = ["weight", "bias", "query"].map((name) => {
    const { shape, data } = tensorOf(node, name);
    return build.constant(name, name === "query" ? [units, 1] : shape, data);
  }) as [string, string, string];
  const hidden = build.put("Tanh", [build.put("Add", [build.put("MatMul", [x, weight]), bias])]);
  const share = build.put("Softmax", [build.put("MatMul", [hidden, query])], { axis: 1 });
  build.value(gives, "rows", build.put("MatMul", [build.put("Transpose", [share], { perm: [0, 2, 1] }), x]));
}

/** Queries, keys and values of a layer's input. */
function projections({ build, node }: Site): [string, string, string] {
  const x = build.form(node.inputs[0] ?? 0, "rows");
  return ["query", "key", "value"].map((name) => {
    const { shape, data } = tensorOf(node, name);
    return build.put("MatMul", [x, build.constant(name, shape, data)]);
  }) as [string, string, string];
}

/** Linear attention with forgetting: over a window as a matrix of fading shares, stateful by its two sums. */
export function linearAttention(site: Site, { keys, outputs, decay }: Of<"linear_attention">): void {
  const { build, gives, stateful } = site;
  const [queries, given, values] = projections(site);
  const one = build.scalar("one", 1);
  const positive = (name: string): string => build.put("Where", [build.put("Greater", [name, build.scalar("zero", 0)]), build.put("Add", [name, one]), build.put("Exp", [name])]);
  const [q, k] = [positive(queries), positive(given)];
  const least = build.scalar("least", Math.fround(1e-6));
  const turned = (name: string): string => build.put("Transpose", [name], { perm: [0, 2, 1] });
  if (stateful) {
    const rate = build.scalar("decay", decay);
    const sums = [["s", outputs, values], ["z", 1, ""]] as const;
    const [s, z] = sums.map(([name, wide, by]) => {
      const state = build.carryIn(name, ["batch", keys, wide]);
      const added = name === "s" ? build.put("MatMul", [turned(k), by]) : turned(k);
      const next = build.put("Add", [build.put("Mul", [state, rate]), added]);
      build.carryOut(state, next);
      return next;
    }) as [string, string];
    const divisor = build.put("Add", [build.put("MatMul", [q, z]), least]);
    return build.value(gives, "rows", build.put("Div", [build.put("MatMul", [q, s]), divisor]));
  }
  const { time } = gives;
  const fading = Float32Array.from({ length: time * time }, (_, at) => {
    const age = Math.floor(at / time) - (at % time);
    return age < 0 ? 0 : decay ** age;
  });
  const shares = build.put("Mul", [build.put("MatMul", [q, turned(k)]), build.constant("fading", [time, time], fading)]);
  const all = build.put("Add", [build.put("ReduceSum", [shares, build.constant("axis", [1], [2])], { keepdims: 1 }), least]);
  build.value(gives, "rows", build.put("Div", [build.put("MatMul", [shares, values]), all]));
}

/** Softmax attention over the last times: over a window as a band, stateful by the keys and values kept. */
export function localAttention(site: Site, { keys, outputs, span }: Of<"local_attention">): void {
  const { build, gives, stateful } = site;
  const [q, newK, newV] = projections(site);
  let [k, v] = [newK, newV];
  let mask: string;
  if (stateful && span > 1) {
    const range = (first: number): string[] => [[first], [first + span - 1], [1]].map((data, i) => build.constant(`slice${i}`, [1], data));
    const carried = (name: string, wide: number, fresh: string): string => {
      const past = build.carryIn(name, ["batch", span - 1, wide]);
      const whole = build.put("Concat", [past, fresh], { axis: 1 });
      build.carryOut(past, build.put("Slice", [whole, ...range(1)]));
      return whole;
    };
    k = carried("k", keys, newK);
    v = carried("v", outputs, newV);
    // 1 for each time that was there: before the stream began there is nothing to attend to.
    const one = build.scalar("one", 1);
    const here = build.put("Exp", [build.put("Mul", [build.put("ReduceSum", [newK, build.constant("last", [1], [2])], { keepdims: 1 }), build.scalar("zero", 0)])]);
    const seen = carried("seen", 1, here);
    const absent = build.put("Mul", [build.put("Sub", [one, seen]), build.scalar("never", NEVER)]);
    mask = build.put("Transpose", [absent], { perm: [0, 2, 1] });
  } else {
    const { time } = gives;
    const band = Float32Array.from({ length: time * time }, (_, at) => {
      const age = Math.floor(at / time) - (at % time);
      return age >= 0 && age < span ? 0 : NEVER;
    });
    mask = build.constant("band", [time, time], band);
  }
  const scores = build.put("MatMul", [q, build.put("Transpose", [k], { perm: [0, 2, 1] })]);
  const scaled = build.put("Mul", [scores, build.scalar("scale", Math.fround(1 / Math.sqrt(keys)))]);
  const shares = build.put("Softmax", [build.put("Add", [scaled, mask])], { axis: -1 });
  build.value(gives, "rows", build.put("MatMul", [shares, v]));
}
