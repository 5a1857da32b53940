/** An exported model that TensorFlow.js holds and trains: its parameters in our order, and the rules that ours keep. */
import { dataOf, type Model, type Tensor } from "../model.ts";
import type { Tf, TfModel, TfTensor } from "../peers.ts";
import { nameOf, placesOf } from "./names.ts";

/** The parameters in our order. */
export function parametersOf(net: TfModel, model: Model): Float32Array {
  const weights = new Map(net.layers.map((layer) => [layer.name, layer.getWeights()] as const));
  const nodes = model.nodes.map((node, at) => {
    const of = (suffix: string, nth: number): Float32Array => ((weights.get(`${nameOf(node, at)}${suffix}`) ?? [])[nth] as TfTensor).dataSync();
    const tensors = placesOf(node.layer.kind).map(([name, places]): [string, Tensor] => {
      const data = Float32Array.from(places.flatMap(([suffix, , nth]) => [...of(suffix, nth)]));
      return [name, { shape: [data.length], data }];
    });
    return { ...node, tensors: new Map(tensors) };
  });
  return dataOf({ contract: model.contract, nodes }).parameters;
}

/** What weights become that break a rule of their layer (`crates/model/src/layer.rs`); columns that are too long TensorFlow.js shortens itself. */
function ruled(kind: "bin" | "tabl", name: string, data: Float32Array): Float32Array | undefined {
  if (kind === "bin") return name === "y1" || name === "y2" ? data.map((y) => (y > 0 ? y : Math.fround(0.01))) : undefined;
  if (name === "l") return data.map((l) => Math.min(1, Math.max(0, l)));
  const time = Math.sqrt(data.length);
  return name === "w" ? data.map((w, at) => (Math.floor(at / time) === at % time ? 1 / time : w)) : undefined;
}

/** Makes weights obey the rules that ours obey after every step of training. */
export function obey(tf: Tf, net: TfModel, model: Model): void {
  model.nodes.forEach((node, at) => {
    const { kind } = node.layer;
    if (kind !== "bin" && kind !== "tabl") return;
    for (const [name, [[suffix] = [""]]] of placesOf(kind)) {
      const layer = net.layers.find((each) => each.name === `${nameOf(node, at)}${suffix}`);
      const [weights] = layer?.getWeights() ?? [];
      const right = weights === undefined ? undefined : ruled(kind, name, weights.dataSync());
      if (layer === undefined || weights === undefined || right === undefined) continue;
      const tensor = tf.tensor(right, weights.shape);
      layer.setWeights([tensor]);
      tensor.dispose();
    }
  });
}
