/** Reading back what was exported here: layers from the passport, weights by the names they were given. */
import type { Layer } from "../layer.ts";
import { verified, type Model, type Node, type Tensor } from "../model.ts";
import { passportOf } from "../passport.ts";
import { refuse, type KerasModel } from "./files.ts";
import { METADATA, nameOf, structure } from "./names.ts";

/** Our tensors' names and Keras', in our order. */
function names(kind: Layer["kind"]): readonly (readonly [string, string])[] {
  if (kind === "dense" || kind === "conv") return [["weight", "kernel"], ["bias", "bias"]];
  if (kind === "lstm") return [["kernel", "kernel"], ["recurrent", "recurrent_kernel"], ["bias", "bias"]];
  return kind === "batch_norm" ? [["gamma", "gamma"], ["beta", "beta"], ["mean", "moving_mean"], ["variance", "moving_variance"]] : [];
}

/** The model that was exported, with the weights that are there now; undefined when it is another's or its layers were changed. */
export function importOwn({ topology, weights, metadata }: KerasModel, where: string): Model | undefined {
  const kept = metadata[METADATA];
  if (kept === undefined || (kept as { structure?: unknown }).structure !== structure(topology)) return undefined;
  const { contract, layers } = passportOf(JSON.stringify(kept), `${where}, metadata ${METADATA}`);
  const nodes = layers.map(({ layer, inputs }, at): Node => {
    const tensors = names(layer.kind).map(([ours, theirs]): [string, Tensor] => {
      const full = `${nameOf({ layer }, at)}/${theirs}`;
      return [ours, weights.get(full) ?? refuse(where, `weight ${full} is missing`)];
    });
    return { layer, inputs, tensors: new Map(tensors) };
  });
  return verified({ contract, nodes });
}
