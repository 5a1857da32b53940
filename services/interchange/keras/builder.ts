/** Makes a layers model layer by layer, keeping every value in the forms that layers ask for. */
import { TicklineError } from "../../kit/errors.ts";
import type { Activation, Layer } from "../layer.ts";
import { tensorOf, type Model, type Node, type Shape, type Tensor } from "../model.ts";
import type { Json } from "./files.ts";
import { placesOf, type Place } from "./names.ts";

/** Shapes without the batch: `flat` [features], `rows` [time, features], `image` [time, width, channels]. */
export type Form = "flat" | "rows" | "image";

/** What a layer gives at one of its uses. */
export type Given = readonly [layer: string, use: number];

interface Made {
  readonly class_name: string;
  readonly name: string;
  readonly config: Json;
  readonly inbound_nodes: (readonly [string, number, number, Json])[][];
}

/** A layer of ours being written. */
export interface Site<L extends Layer = Layer> {
  readonly layers: Layers;
  readonly node: Node;
  readonly layer: L;
  readonly name: string;
  readonly gives: Shape;
  readonly model: Model;
}

/** A site of layers of one kind. */
export type SiteOf<K extends Layer["kind"]> = Site<Extract<Layer, { readonly kind: K }>>;

/** Keras' names of activations; the leaky one is a layer of its own. */
export const KERAS: Readonly<Record<Activation, string>> = {
  none: "linear", relu: "relu", swish: "swish", tanh: "tanh", sigmoid: "sigmoid", softmax: "softmax", leaky_relu: "linear", hard_sigmoid: "hard_sigmoid",
};

/** The form of a value in which the last axis holds all numbers at one time. */
export const rowForm = (shape: Shape): Form => (shape.time === 1 ? "flat" : "rows");

const sizes = ({ time, width, channels }: Shape, form: Form): number[] => (form === "flat" ? [time * width * channels] : form === "rows" ? [time, width * channels] : [time, width, channels]);

const taken = (inputs: readonly Given[]): (readonly [string, number, number, Json])[] => inputs.map(([name, use]) => [name, use, 0, {}]);

/** Ends the export. @throws TicklineError TL_MODEL (KERAS_LAYER) naming the layer and why TensorFlow.js cannot have it */
export function refuse({ layer, name }: Pick<Site, "layer" | "name">, why: string): never {
  throw new TicklineError("TL_MODEL", `KERAS_LAYER: ${name} (${layer.kind}): ${why}; export as ONNX`);
}

/** Makes one model. */
export class Layers {
  readonly made: Made[] = [];
  readonly weights = new Map<string, Tensor>();
  /** States of a stateful model: the input each comes in by, and what it is next. */
  readonly states: { readonly from: Given; readonly next: Given }[] = [];
  readonly #batch: number | null;
  readonly #values: { readonly shape: Shape; readonly forms: Map<Form, Given> }[] = [];
  readonly #named = new Map<string, Made>();
  #fresh = 0;
  #one: Given | undefined;

  constructor(batch: number | null) {
    this.#batch = batch;
  }

  /** Declares the next value, there in one form. */
  value(shape: Shape, form: Form, given: Given): void {
    this.#values.push({ shape, forms: new Map([[form, given]]) });
  }

  /** A value's shape. */
  shape(of: number): Shape {
    return (this.#values[of] as { shape: Shape }).shape;
  }

  /** A value in a form. With one time rows are flat, with one place images are rows; still they differ in rank, so they are reshaped. */
  form(of: number, form: Form): Given {
    const { shape, forms } = this.#values[of] as { shape: Shape; forms: Map<Form, Given> };
    const there = forms.get(form);
    if (there !== undefined) return there;
    const [from = ["", 0] as const] = forms.values();
    const made = this.reshape(from, sizes(shape, form));
    forms.set(form, made);
    return made;
  }

  /** Puts a layer. What it takes twice it takes once as a copy: TensorFlow.js lets go of the numbers after the first. */
  put(kind: string, name: string, inputs: readonly Given[], config: Json): Given {
    const first = (at: number): boolean => inputs.findIndex(([layer, use]) => layer === inputs[at]?.[0] && use === inputs[at]?.[1]) === at;
    const apart = inputs.map((input, at) => (first(at) ? input : this.put("Activation", `${name}_copy_${at}`, [input], { activation: "linear" })));
    const made: Made = { class_name: kind, name, config: { name, trainable: true, ...config }, inbound_nodes: inputs.length === 0 ? [] : [taken(apart)] };
    this.made.push(made);
    this.#named.set(name, made);
    return [name, 0];
  }

  /** Puts a layer, or uses it once more when it is there: the same weights at another place. */
  again(kind: string, name: string, inputs: readonly Given[], config: Json): Given {
    const made = this.#named.get(name);
    return made === undefined ? this.put(kind, name, inputs, config) : [name, made.inbound_nodes.push(taken(inputs)) - 1];
  }

  /** The same numbers in another shape. */
  reshape(from: Given, shape: readonly number[]): Given {
    return this.put("Reshape", `reshape_${++this.#fresh}`, [from], { target_shape: [...shape] });
  }

  /** An input of the model. */
  input(name: string, shape: readonly number[]): Given {
    return this.put("InputLayer", name, [], { batch_input_shape: [this.#batch, ...shape], dtype: "float32", sparse: false });
  }

  /** A product without a bias, of weights that stay as they are. */
  constant(name: string, from: Given, units: number, data: Float32Array): Given {
    this.weights.set(`${name}/kernel`, { shape: [data.length / units, units], data });
    return this.put("Dense", name, [from], { units, activation: "linear", use_bias: false, trainable: false });
  }

  /** Numbers that come from no input: the weights of a product with the number 1. */
  numbers(name: string, shape: readonly number[], data: Float32Array, trainable = true): Given {
    if (this.#one === undefined) {
      const from = this.form(0, "flat");
      const { time, width, channels } = this.shape(0);
      this.weights.set("one/kernel", { shape: [time * width * channels, 1], data: new Float32Array(time * width * channels) });
      this.weights.set("one/bias", { shape: [1], data: Float32Array.of(1) });
      this.#one = this.put("Dense", "one", [from], { units: 1, activation: "linear", use_bias: true, trainable: false });
    }
    this.weights.set(`${name}/kernel`, { shape: [1, data.length], data });
    return this.reshape(this.put("Dense", name, [this.#one], { units: data.length, activation: "linear", use_bias: false, trainable }), shape);
  }

  /** Every number times one weight, which is a layer's own. */
  scaled(name: string, from: Given, shape: readonly number[], data: Float32Array): Given {
    const flat = this.reshape(from, [shape.reduce((product, size) => product * size, 1), 1]);
    this.weights.set(`${name}/kernel`, { shape: [1, 1], data });
    return this.reshape(this.put("Dense", name, [flat], { units: 1, activation: "linear", use_bias: false }), shape);
  }

  /** Keeps a node's tensors under the names of their places; `sizesOf` gives a weight's sizes where they are not the tensor's. */
  keep({ node, layer, name }: Site, sizesOf: (tensor: string, place: Place) => readonly number[] | undefined = () => undefined): void {
    for (const [tensor, places] of placesOf(layer.kind)) {
      const { shape, data } = tensorOf(node, tensor);
      const each = data.length / places.length;
      places.forEach((place, nth) => {
        const given = sizesOf(tensor, place) ?? (places.length === 1 ? shape : shape.slice(1));
        this.weights.set(`${name}${place[0]}/${place[1]}`, { shape: given, data: data.subarray(nth * each, (nth + 1) * each) });
      });
    }
  }

  /** An activation as a layer of its own. */
  activated(name: string, activation: Activation, from: Given): Given {
    if (activation === "none") return from;
    return activation === "leaky_relu" ? this.put("LeakyReLU", name, [from], { alpha: 0.01 }) : this.put("Activation", name, [from], { activation: KERAS[activation] });
  }

  /** What a stateful layer was left at: comes in by an input called `name`, zeros at first. */
  carryIn(name: string, shape: readonly number[]): Given {
    return this.input(name, shape);
  }

  /** What it is left at now, to be given back: an output called `name_next`. */
  carryOut(from: Given, value: Given): void {
    this.states.push({ from, next: this.put("Activation", `${from[0]}_next`, [value], { activation: "linear" }) });
  }
}
