/** Layers over time as layers that TensorFlow.js has: recurrent ones and attention. */
import type { Given, SiteOf } from "./builder.ts";

/** Added to the score of what no query may look at: its exponential is 0 in `f32`. */
const NEVER = -1e9;

/** True when nobody wants more than the last time of what a layer gives. */
function lastOnly({ model, node, gives }: SiteOf<"lstm" | "gru">): boolean {
  const takers = model.nodes.filter(({ inputs }) => inputs.includes(model.nodes.indexOf(node) + 1));
  return gives.time > 1 && takers.length > 0 && takers.every((taker) => taker.layer.kind === "last");
}

/** An LSTM; a stateful one keeps its state inside. */
export function lstm(site: SiteOf<"lstm">): void {
  const { layers, node, name, gives, model, layer } = site;
  const last = lastOnly(site);
  const config = {
    units: layer.units, activation: "tanh", recurrent_activation: layer.gate, use_bias: true, unit_forget_bias: true, return_sequences: !last, return_state: false,
    go_backwards: false, stateful: model.contract.stateful, unroll: false, implementation: 1,
    // Weights follow; the default, an orthogonal matrix, takes seconds to make.
    recurrent_initializer: { class_name: "Zeros", config: {} },
  };
  layers.keep(site);
  const made = layers.put("LSTM", name, [layers.form(node.inputs[0] ?? 0, "rows")], config);
  layers.value(last ? { ...gives, time: 1 } : gives, last ? "flat" : "rows", made);
}

/**
 * A GRU, of which TensorFlow.js' own has one bias and its reset gate before the recurrent product: a step of its two products, sums and gates, used
 * again for each time. Sums lie as images of three rows: z, r and n. Each use of a layer needs the one before, since TensorFlow.js numbers
 * uses in the order in which it can make them.
 */
export function gru(site: SiteOf<"gru">): void {
  const { layers, node, name, gives, model, layer: { units, gate, reset: place } } = site;
  const [of = 0] = node.inputs;
  const { time } = layers.shape(of);
  layers.keep(site);
  const part = (kind: string, suffix: string, config: Readonly<Record<string, unknown>> = {}) => (...inputs: readonly Given[]): Given => layers.again(kind, `${name}_${suffix}`, inputs, config);
  const crop = (suffix: string, before: number, after: number): ((...inputs: readonly Given[]) => Given) => part("Cropping2D", suffix, { cropping: [[before, after], [0, 0]], data_format: "channels_last" });
  const wide = { units: 3 * units, activation: "linear", use_bias: true };
  const [kept, asImage, flat] = [part("Dense", "h", wide), part("Reshape", "sums", { target_shape: [3, units, 1] }), part("Reshape", "flat", { target_shape: [units] })];
  const [cutZ, cutR, cutN] = [crop("cut_z", 0, 2), crop("cut_r", 1, 1), crop("cut_n", 2, 0)];
  const [closeZ, closeR] = [part("Activation", "z", { activation: gate }), part("Activation", "r", { activation: gate })];
  const [both, reset, before, squash] = [part("Add", "both"), part("Multiply", "reset"), part("Add", "before"), part("Activation", "squash", { activation: "tanh" })];
  const [rest, old, fresh, next] = [part("Rescaling", "rest", { scale: -1, offset: 1 }), part("Multiply", "old"), part("Multiply", "new"), part("Add", "next")];
  const given = layers.reshape(layers.put("Dense", `${name}_x`, [layers.form(of, time === 1 ? "flat" : "rows")], wide), [3 * time, units, 1]);
  const state = model.contract.stateful ? layers.carryIn(`${name}_state`, [units]) : undefined;
  let h: Given | undefined = state === undefined ? undefined : layers.reshape(state, [1, units, 1]);
  const seen: Given[] = [];
  for (let t = 0; t < time; t++) {
    const after = 3 * (time - 1 - t);
    const [x, xn] = [time === 1 ? given : crop(`row_${t}`, 3 * t, after)(given), crop(`row_${t}_n`, 3 * t + 2, after)(given)];
    h ??= part("Rescaling", "nothing", { scale: 0, offset: 0 })(xn);
    const sums = asImage(kept(flat(h)));
    const all = both(x, sums);
    const [z, r] = [closeZ(cutZ(all)), closeR(cutR(all))];
    const through = place === "after" ? reset(r, cutN(sums)) : cutN(asImage(kept(flat(reset(r, h)))));
    const n = squash(before(xn, through));
    h = next(old(z, h), fresh(rest(z), n));
    seen.push(h);
  }
  const end = flat(h as Given);
  if (state !== undefined) layers.carryOut(state, end);
  if (time === 1 || lastOnly(site)) return layers.value({ ...gives, time: 1 }, "flat", end);
  const row = part("Reshape", "answer", { target_shape: [1, units] });
  layers.value(gives, "rows", layers.put("Concatenate", name, seen.map((each) => row(each)), { axis: 1 }));
}

/** Additive attention over time. */
export function attention(site: SiteOf<"attention">): void {
  const { layers, node, name, gives, layer } = site;
  const x = layers.form(node.inputs[0] ?? 0, "rows");
  layers.keep(site, (tensor) => (tensor === "query" ? [layer.units, 1] : undefined));
  const hidden = layers.put("Dense", name, [x], { units: layer.units, activation: "tanh", use_bias: true });
  const scores = layers.put("Permute", `${name}_scores`, [layers.put("Dense", `${name}_query`, [hidden], { units: 1, activation: "linear", use_bias: false })], { dims: [2, 1] });
  const shares = layers.put("Activation", `${name}_shares`, [scores], { activation: "softmax" });
  layers.value(gives, "rows", layers.put("Dot", `${name}_sum`, [shares, x], { axes: [2, 1], normalize: false }));
}

/** Softmax attention over the last times: over a window as a band, stateful by the keys and values kept. */
export function localAttention(site: SiteOf<"local_attention">): void {
  const { layers, node, name, gives, model, layer: { keys, outputs, span } } = site;
  const x = layers.form(node.inputs[0] ?? 0, "rows");
  layers.keep(site);
  const product = (suffix: string, units: number): Given => layers.put("Dense", `${name}_${suffix}`, [x], { units, activation: "linear", use_bias: false });
  const [query, newKeys, newValues] = [product("query", keys), product("key", keys), product("value", outputs)];
  let [known, values]: [Given, Given] = [newKeys, newValues];
  let mask: Given;
  if (model.contract.stateful && span > 1) {
    const carried = (what: string, wide: number, newest: Given): Given => {
      const past = layers.carryIn(`${name}_${what}`, [span - 1, wide]);
      const whole = layers.put("Concatenate", `${name}_${what}_whole`, [past, newest], { axis: 1 });
      const image = layers.reshape(whole, [span, wide, 1]);
      const kept = layers.put("Cropping2D", `${name}_${what}_kept`, [image], { cropping: [[1, 0], [0, 0]], data_format: "channels_last" });
      layers.carryOut(past, layers.reshape(kept, [span - 1, wide]));
      return whole;
    };
    [known, values] = [carried("keys", keys, newKeys), carried("values", outputs, newValues)];
    // 1 for each time that was there: before the stream began there is nothing to attend to.
    const seen = carried("seen", 1, layers.numbers(`${name}_here`, [1, 1], Float32Array.of(1), false));
    const absent = layers.put("Rescaling", `${name}_absent`, [seen], { scale: -NEVER, offset: NEVER });
    mask = layers.put("Permute", `${name}_mask`, [absent], { dims: [2, 1] });
  } else {
    const { time } = gives;
    const band = Float32Array.from({ length: time * time }, (_, at) => {
      const age = Math.floor(at / time) - (at % time);
      return age >= 0 && age < span ? 0 : NEVER;
    });
    mask = layers.numbers(`${name}_band`, [time, time], band, false);
  }
  const scores = layers.put("Dot", `${name}_scores`, [query, known], { axes: [2, 2], normalize: false });
  const scaled = layers.put("Rescaling", `${name}_scaled`, [scores], { scale: 1 / Math.sqrt(keys), offset: 0 });
  const shares = layers.put("Activation", `${name}_shares`, [layers.put("Add", `${name}_masked`, [scaled, mask], {})], { activation: "softmax" });
  layers.value(gives, "rows", layers.put("Dot", `${name}_sum`, [shares, values], { axes: [2, 1], normalize: false }));
}

