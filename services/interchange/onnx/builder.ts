/** Makes a graph operator by operator, keeping every value in the axis orders that operators ask for. */
import { TicklineError } from "../../kit/errors.ts";
import { features, type Shape } from "../model.ts";
import type { Attribute, OnnxNode, OnnxTensor, OnnxValue } from "./graph.ts";

/**
 * Axis orders of a value: `flat` [batch, time x features], `rows` [batch, time, features], `steps` [time, batch, features],
 * `image` [batch, channels, time, width].
 */
export type Form = "flat" | "rows" | "steps" | "image";

/** Kept for a value of the model: its name in each form made so far. */
interface Value {
  readonly shape: Shape;
  readonly names: Map<Form, string>;
}

/** A state carried from row to row: a graph input of zeros at first, and the output to be given back. */
export interface Carried {
  readonly name: string;
  readonly dims: readonly (number | string)[];
}

/** Makes one graph. */
export class Builder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, OnnxTensor>();
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  readonly #values: Value[] = [];
  #scope = "input";
  #made = 0;

  /** Names what follows after a node of the model. */
  enter(scope: string): void {
    this.#scope = scope;
    this.#made = 0;
  }

  /** A tensor under a name of its own scope; a list of whole numbers becomes int64. */
  constant(name: string, dims: readonly number[], data: Float32Array | readonly number[]): string {
    const full = `${this.#scope}.${name}`;
    this.initializers.set(full, { dims, data });
    return full;
  }

  /** One float, as a tensor without sizes. */
  scalar(name: string, value: number): string {
    return this.constant(name, [], Float32Array.of(value));
  }

  /** Puts an operator with one output and gives the output's name. */
  put(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.putMany(op, inputs, 1, attributes)[0] as string;
  }

  /** Puts an operator with several outputs; those it has beyond `count` are not asked for. */
  putMany(op: string, inputs: readonly string[], count: number, attributes: Readonly<Record<string, Attribute>> = {}): string[] {
    const name = `${this.#scope}/${this.#made++}.${op}`;
    const outputs = Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}.${i}`));
    this.nodes.push({ name, op, domain: "", inputs, outputs, attributes: new Map(Object.entries(attributes)) });
    return outputs;
  }

  /** Declares a state; gives the name of what comes in. */
  carryIn(name: string, dims: readonly (number | string)[]): string {
    const full = `${this.#scope}.${name}`;
    this.inputs.push({ name: full, dims });
    return full;
  }

  /** Gives a state back under its name followed by `.next`. */
  carryOut(state: string, value: string): void {
    const dims = this.inputs.find(({ name }) => name === state)?.dims ?? [];
    this.outputs.push({ name: `${state}.next`, dims });
    this.nodes.push({ name: `${state}.next`, op: "Identity", domain: "", inputs: [value], outputs: [`${state}.next`], attributes: new Map() });
  }

  /** Declares the next value of the model, there in one form. */
  value(shape: Shape, form: Form, name: string): void {
    this.#values.push({ shape, names: new Map([[form, name]]) });
  }

  /** Declares the next value as the same numbers as an earlier one; forms carry over where the shape is the same. */
  alias(of: number, shape: Shape): void {
    const { shape: from, names } = this.#at(of);
    const same = from.time === shape.time && from.width === shape.width && from.channels === shape.channels;
    const kept = [...names].filter(([form]) => same || form !== "image");
    this.#values.push({ shape, names: new Map(kept.length > 0 ? kept : [["rows", this.form(of, "rows")]]) });
  }

  /** A value's shape. */
  shape(of: number): Shape {
    return this.#at(of).shape;
  }

  /** The form that a value was made in. */
  own(of: number): Form {
    return this.#at(of).names.keys().next().value ?? "rows";
  }

  /** True when a value is there in this form already. */
  has(of: number, form: Form): boolean {
    return this.#at(of).names.has(form);
  }

  /** A value's name in a form, converted where it is not there yet. */
  form(of: number, form: Form): string {
    const { shape, names } = this.#at(of);
    const there = names.get(form);
    if (there !== undefined) return there;
    const { time, width, channels } = shape;
    const reshaped = (from: string, ...dims: number[]): string => this.put("Reshape", [from, this.#sizes([-1, ...dims])]);
    let made: string;
    if (form === "rows") {
      if (names.has("steps")) made = this.put("Transpose", [this.form(of, "steps")], { perm: [1, 0, 2] });
      else if (names.has("image")) made = reshaped(this.put("Transpose", [this.form(of, "image")], { perm: [0, 2, 3, 1] }), time, features(shape));
      else made = reshaped(this.form(of, "flat"), time, features(shape));
    } else if (form === "flat") made = reshaped(this.form(of, "rows"), time * features(shape));
    else if (form === "steps") made = this.put("Transpose", [this.form(of, "rows")], { perm: [1, 0, 2] });
    else made = this.put("Transpose", [reshaped(this.form(of, "rows"), time, width, channels)], { perm: [0, 3, 1, 2] });
    names.set(form, made);
    return made;
  }

  #sizes(dims: readonly number[]): string {
    const name = `sizes.${dims.join("x")}`;
    if (!this.initializers.has(name)) this.initializers.set(name, { dims: [dims.length], data: dims });
    return name;
  }

  #at(of: number): Value {
    const value = this.#values[of];
    if (value === undefined) throw new TicklineError("TL_INTERNAL", `value ${of} is not there yet`);
    return value;
  }
}
