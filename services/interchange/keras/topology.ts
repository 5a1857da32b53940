/** Keras' JSON as a list of layers, each with the layers it takes, in the order in which they can be computed. */
import { list, object, refuse, type Json } from "./files.ts";

/** Larger models are none of this kind. */
const LAYERS_MAX = 2048;

/** A layer of Keras. */
export interface KerasLayer {
  readonly name: string;
  readonly kind: string;
  readonly config: Json;
  readonly inputs: readonly string[];
}

/** A network of them. */
export interface Topology {
  readonly layers: readonly KerasLayer[];
  readonly output: string;
}

/** Names in Keras' ways of saying which layers a layer takes: lists up to version 2, `keras_history` in version 3. */
function taken(value: unknown, where: string): string[] {
  if (!Array.isArray(value)) return [];
  if (value.length === 0) return [];
  if (value.length > 1) refuse(where, "it is used more than once (shared); give each use a layer of its own");
  const [node] = value as unknown[];
  if (Array.isArray(node)) return node.map((each) => (Array.isArray(each) && typeof each[0] === "string" ? each[0] : refuse(where, "inbound_nodes does not name the layers that it takes")));
  const names: string[] = [];
  const walk = (each: unknown): void => {
    if (Array.isArray(each)) each.forEach(walk);
    else if (typeof each === "object" && each !== null) {
      const config = (each as Json)["config"] as Json | null | undefined;
      const history = config?.["keras_history"];
      if (Array.isArray(history)) names.push(String(history[0]));
      else Object.values(each).forEach(walk);
    }
  };
  walk(object(node, where, "what it takes")["args"]);
  return names;
}

function ordered(layers: readonly KerasLayer[], where: string): KerasLayer[] {
  const known = new Set<string>();
  const left = [...layers];
  const done: KerasLayer[] = [];
  while (left.length > 0) {
    const at = left.findIndex(({ inputs }) => inputs.every((input) => known.has(input)));
    if (at < 0) refuse(where, `layer ${left[0]?.name} takes a layer that is not there, or itself`);
    const [next] = left.splice(at, 1) as [KerasLayer];
    known.add(next.name);
    done.push(next);
  }
  return done;
}

/** The name at the end of `output_layers`, in any of Keras' nestings. */
function outputOf(value: unknown, where: string): string {
  let name = value;
  if (Array.isArray(value) && Array.isArray(value[0]) && value.length > 1) refuse(where, "more than one output; one is read");
  while (Array.isArray(name)) name = name[0] as unknown;
  return typeof name === "string" ? name : refuse(where, "output_layers names no layer");
}

/**
 * Reads a topology.
 *
 * @throws TicklineError TL_MODEL (KERAS_FORMAT) for another kind of model, shared layers, several outputs
 */
export function topologyOf(json: Json, where: string): Topology {
  const whole = json["model_config"] === undefined ? json : object(json["model_config"], where, "model_config");
  const kind = whole["class_name"];
  const config = object(whole["config"], where, "config");
  const listed = list(config["layers"], where, "layers");
  if (listed.length > LAYERS_MAX) refuse(where, `${listed.length} layers; at most ${LAYERS_MAX} are read`);
  const entries = listed.map((entry, at) => {
    const layer = object(entry, where, `layer ${at}`);
    const own = object(layer["config"], where, `config of layer ${at}`);
    return { name: String(layer["name"] ?? own["name"] ?? `layer ${at}`), kind: String(layer["class_name"]), config: own, nodes: layer["inbound_nodes"] };
  });
  if (kind === "Sequential") {
    const rest = entries.filter((entry) => entry.kind !== "InputLayer");
    const layers = rest.map(({ name, kind: each, config: own }, at): KerasLayer => ({ name, kind: each, config: own, inputs: [at === 0 ? "input" : (rest[at - 1]?.name ?? "")] }));
    const first = entries[0]?.config ?? {};
    const shape = { batch_input_shape: first["batch_input_shape"] ?? first["batch_shape"] };
    return { layers: [{ name: "input", kind: "InputLayer", config: shape, inputs: [] }, ...layers], output: layers.at(-1)?.name ?? refuse(where, "no layers") };
  }
  if (kind !== "Model" && kind !== "Functional") refuse(where, `a ${String(kind)} model; Sequential and Functional models are read`);
  const layers = entries.map(({ name, kind: each, config: own, nodes }): KerasLayer => ({ name, kind: each, config: own, inputs: taken(nodes, `${where}: layer ${name}`) }));
  return { layers: ordered(layers, where), output: outputOf(config["output_layers"], where) };
}
