/** What an export calls its layers and the place of its passport; reading back goes by the same names. */
import { createHash } from "node:crypto";
import type { Node } from "../model.ts";
import type { Json } from "./files.ts";

/** The metadata that a passport stands under. */
export const METADATA = "tickline.model";

/** SHA-256 of a topology. */
export function structure(topology: Json): string {
  return createHash("sha256").update(JSON.stringify(topology)).digest("hex");
}

/** The name of a node's layer, the first being 1. */
export const nameOf = ({ layer }: Pick<Node, "layer">, at: number): string => `${layer.kind}_${at + 1}`;
