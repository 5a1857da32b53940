/** Reading back what was exported here: layers from the passport, weights by the names they were given. */
import { verified, type Model, type Node, type Tensor } from "../model.ts";
import { passportOf } from "../passport.ts";
import { refuse, type KerasModel } from "./files.ts";
import { METADATA, nameOf, placesOf, structure } from "./names.ts";

/** The model that was exported, with the weights that are there now; undefined when it is another's or its layers were changed. */
export function importOwn({ topology, weights, metadata }: KerasModel, where: string): Model | undefined {
  const kept = metadata[METADATA];
  if (typeof kept !== "object" || kept === null || (kept as { structure?: unknown }).structure !== structure(topology)) return undefined;
  const { contract, layers } = passportOf(JSON.stringify(kept), `${where}, metadata ${METADATA}`);
  const nodes = layers.map(({ layer, inputs }, at): Node => {
    const found = (suffix: string, weight: string): Float32Array => {
      const full = `${nameOf({ layer }, at)}${suffix}/${weight}`;
      return (weights.get(full) ?? refuse(where, `weight ${full} is missing`)).data;
    };
    const tensors = placesOf(layer.kind).map(([name, places]): [string, Tensor] => {
      const parts = places.map(([suffix, weight]) => found(suffix, weight));
      const data = parts.length === 1 ? (parts[0] as Float32Array) : Float32Array.from(parts.flatMap((part) => [...part]));
      return [name, { shape: [data.length], data }];
    });
    return { layer, inputs, tensors: new Map(tensors) };
  });
  return verified({ contract, nodes });
}
