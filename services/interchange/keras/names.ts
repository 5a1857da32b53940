/** What an export calls its layers and weights, and the place of its passport; reading back goes by the same names. */
import { createHash } from "node:crypto";
import type { Layer } from "../layer.ts";
import type { Node } from "../model.ts";
import type { Json } from "./files.ts";

/** The metadata that a passport stands under. */
export const METADATA = "tickline.model";

/** SHA-256 of a topology. */
export function structure(topology: Json): string {
  return createHash("sha256").update(JSON.stringify(topology)).digest("hex");
}

/** The name of a node's layer, the first being 1. Where several layers of Keras make one of ours, each has it with a suffix. */
export const nameOf = ({ layer }: Pick<Node, "layer">, at: number): string => `${layer.kind}_${at + 1}`;

/** A weight of Keras: the suffix of its layer, its name there, and which it is of the layer's weights. */
export type Place = readonly [suffix: string, weight: string, nth: number];

const kernel = (suffix: string): readonly [Place] => [[suffix, "kernel", 0]];
const bias = (suffix: string): readonly [Place] => [[suffix, "bias", 1]];

/** Our tensors in our order, each with the weights that it lies in, end to end. */
const PLACES: Partial<Record<Layer["kind"], readonly (readonly [tensor: string, places: readonly Place[]])[]>> = {
  dense: [["weight", kernel("")], ["bias", bias("")]],
  conv: [["weight", kernel("")], ["bias", bias("")]],
  lstm: [["kernel", kernel("")], ["recurrent", [["", "recurrent_kernel", 1]]], ["bias", [["", "bias", 2]]]],
  gru: [["kernel", kernel("_x")], ["recurrent", kernel("_h")], ["bias", [...bias("_x"), ...bias("_h")]]],
  bl: [["w1", kernel("_w1")], ["w2", kernel("_w2")], ["bias", kernel("_bias")]],
  tabl: [["w1", kernel("_w1")], ["w", kernel("_w")], ["l", kernel("_l")], ["w2", kernel("_w2")], ["bias", kernel("_bias")]],
  bin: [
    ["y1", kernel("_y1")], ["y2", kernel("_y2")], ["l1", [["_affine1", "depthwise_kernel", 0]]], ["b1", bias("_affine1")],
    ["l2", [["_affine2", "depthwise_kernel", 0]]], ["b2", bias("_affine2")],
  ],
  batch_norm: [["gamma", [["", "gamma", 0]]], ["beta", [["", "beta", 1]]], ["mean", [["", "moving_mean", 2]]], ["variance", [["", "moving_variance", 3]]]],
  attention: [["weight", kernel("")], ["bias", bias("")], ["query", kernel("_query")]],
  local_attention: [["query", kernel("_query")], ["key", kernel("_key")], ["value", kernel("_value")]],
};

/** Where a layer's tensors lie in an export. */
export const placesOf = (kind: Layer["kind"]): readonly (readonly [tensor: string, places: readonly Place[]])[] => PLACES[kind] ?? [];
