/**
 * Reads a graph into layers. A tensor of the graph is a value of ours seen in some order of axes: each axis is a word of the letters n
 * (batch), t (time), w (width), c (channels), outermost first; letters of size 1 are left out, so an axis of size 1 is the empty word.
 */
import { TicklineError } from "../../kit/errors.ts";
import type { Layer } from "../layer.ts";
import { features, type Node, type Shape, type Tensor } from "../model.ts";
import type { Attribute, OnnxModel, OnnxNode, OnnxTensor } from "./graph.ts";

/** Larger graphs are no models of this kind; the engine takes 256 layers. */
const LAYERS_MAX = 2048;

/** Numbers made of constants in one graph. */
const NUMBERS_MAX = 1 << 24;

/** A value of ours in some order of axes. */
export interface Seen {
  readonly value: number;
  readonly axes: readonly string[];
  /** `shares`: the softmax over time of the value, as part of an attention; `carried`: a state that is given back and nothing else. */
  readonly only?: "shares" | "carried";
}

/** A node that is still being made. */
export interface Draft {
  layer: Layer;
  readonly inputs: readonly number[];
  readonly tensors: Map<string, Tensor>;
}

/** Says what is wrong with an operator, and ends the import. */
export type Refuse = (problem: string) => never;

/** The graph as read so far. */
export class Trace {
  readonly where: string;
  readonly stateful: boolean;
  readonly onnx: OnnxModel;
  readonly drafts: Draft[] = [];
  readonly shapes: Shape[];
  readonly #seen = new Map<string, Seen>();
  readonly #constants: Map<string, OnnxTensor>;
  readonly #uses = new Map<string, number>();
  #spent = 0;

  constructor(onnx: OnnxModel, where: string, input: Shape, stateful: boolean) {
    this.onnx = onnx;
    this.where = where;
    this.stateful = stateful;
    this.shapes = [input];
    this.#constants = new Map(onnx.initializers);
    for (const name of [...onnx.nodes.flatMap(({ inputs }) => inputs), ...onnx.outputs.map((output) => output.name)]) this.#uses.set(name, this.uses(name) + 1);
  }

  /** Counts numbers that are made while reading; false when they are too many. */
  spend(count: number): boolean {
    this.#spent += count;
    return this.#spent <= NUMBERS_MAX;
  }

  /** How many operators (and outputs) take a tensor. */
  uses(name: string): number {
    return this.#uses.get(name) ?? 0;
  }

  /** Adds a layer and gives its value. */
  push(layer: Layer, inputs: readonly number[], gives: Shape, tensors: readonly (readonly [string, Tensor])[] = []): number {
    if (this.drafts.length >= LAYERS_MAX) throw new TicklineError("TL_MODEL", `ONNX_FORMAT: ${this.where}: more than ${LAYERS_MAX} layers`);
    this.drafts.push({ layer, inputs, tensors: new Map(tensors) });
    this.shapes.push(gives);
    return this.drafts.length;
  }

  /** The layer that gives a value; undefined for the input. */
  draft(value: number): Draft | undefined {
    return this.drafts[value - 1];
  }

  shape(value: number): Shape {
    return this.shapes[value] as Shape;
  }

  /** A value in an order of axes; letters of size 1 are dropped. */
  see(name: string, value: number, axes: readonly string[], only?: Seen["only"]): void {
    this.#seen.set(name, { value, axes: axes.map((axis) => this.#word(value, axis)), ...(only === undefined ? {} : { only }) });
  }

  /** Letters that have a size above 1, and n. */
  #word(value: number, axis: string): string {
    return [...axis].filter((letter) => letter === "n" || this.size(value, letter) > 1).join("");
  }

  /** Size of a word's axis, the batch counting 1. */
  size(value: number, word: string): number {
    const { time, width, channels } = this.shape(value);
    const sizes: Readonly<Record<string, number>> = { n: 1, t: time, w: width, c: channels };
    return [...word].reduce((product, letter) => product * (sizes[letter] as number), 1);
  }

  /** The word of all numbers at one time. */
  row(value: number): string {
    return this.#word(value, "wc");
  }

  constant(name: string, tensor: OnnxTensor): void {
    this.#constants.set(name, tensor);
  }

  /** A constant, or undefined when it is computed. */
  known(name: string | undefined): OnnxTensor | undefined {
    return name === undefined ? undefined : this.#constants.get(name);
  }

  /** A value, or undefined when it is a constant, a state, or nothing. */
  seen(name: string | undefined): Seen | undefined {
    return name === undefined ? undefined : this.#seen.get(name);
  }

  /** Layers that the output needs, numbered anew. */
  nodes(output: number): Node[] {
    const needed = new Set<number>();
    const need = (value: number): void => {
      if (value === 0 || needed.has(value)) return;
      needed.add(value);
      this.draft(value)?.inputs.forEach(need);
    };
    need(output);
    const kept = [...needed].sort((a, b) => a - b);
    const places = new Map(kept.map((value, at) => [value, at + 1]));
    return kept.map((value) => {
      const { layer, inputs, tensors } = this.draft(value) as Draft;
      return { layer, inputs: inputs.map((each) => places.get(each) ?? 0), tensors };
    });
  }
}

/** One operator being read. */
export class Reading {
  readonly trace: Trace;
  readonly node: OnnxNode;
  readonly refuse: Refuse;

  constructor(trace: Trace, node: OnnxNode) {
    this.trace = trace;
    this.node = node;
    this.refuse = (problem) => {
      throw new TicklineError("TL_MODEL", `ONNX_OPERATOR: ${trace.where}: node ${node.name} (${node.op}): ${problem}`);
    };
  }

  /** Name of the operator's output. */
  get out(): string {
    return this.node.outputs[0] ?? "";
  }

  /** The value at an input. */
  seen(at: number): Seen {
    const seen = this.trace.seen(this.node.inputs[at]);
    if (seen?.only === "shares" && this.node.op !== "MatMul" && this.node.op !== "Transpose") this.refuse("a softmax over time is read as part of an additive attention only");
    if (seen?.only === "carried" && this.node.op !== "Identity") this.refuse("takes a cell state, which is only given back");
    return seen ?? this.refuse(`input ${this.node.inputs[at] ?? at} is no value that comes from the model's input`);
  }

  /** The constant at an input, or undefined when the input is left out. */
  constant(at: number): OnnxTensor | undefined {
    const name = this.node.inputs[at];
    if (name === undefined || name === "") return undefined;
    return this.trace.known(name) ?? this.refuse(`input ${name} must be a constant`);
  }

  /** The float constant at an input. */
  floats(at: number): OnnxTensor & { data: Float32Array } {
    const tensor = this.constant(at);
    if (!(tensor?.data instanceof Float32Array)) return this.refuse(`input ${at} must be a constant of floats`);
    return { dims: tensor.dims, data: tensor.data };
  }

  /** A whole-number attribute. */
  int(name: string, fallback: number): number {
    const value = this.node.attributes.get(name);
    return value === undefined ? fallback : typeof value === "number" ? value : this.refuse(`attribute ${name} must be a whole number`);
  }

  /** A number attribute. */
  float(name: string, fallback: number): number {
    const value = this.node.attributes.get(name);
    return value === undefined ? fallback : typeof value === "object" && "float" in value && Number.isFinite(value.float) ? value.float : this.refuse(`attribute ${name} must be a finite number`);
  }

  /** A text attribute. */
  text(name: string, fallback: string): string {
    const value = this.node.attributes.get(name);
    return value === undefined ? fallback : typeof value === "string" ? value : this.refuse(`attribute ${name} must be a text`);
  }

  /** A list of whole numbers: an attribute, or since some operator set the input at `at`. */
  ints(name: string, at?: number): readonly number[] | undefined {
    const value: Attribute | undefined = this.node.attributes.get(name);
    if (value !== undefined) return Array.isArray(value) && value.every(Number.isSafeInteger) ? (value as readonly number[]) : this.refuse(`attribute ${name} must be a list of whole numbers`);
    const tensor = at === undefined ? undefined : this.constant(at);
    return tensor === undefined ? undefined : [...tensor.data];
  }

  /** An axis counted from the end when negative. */
  axis(at: number, count: number): number {
    const axis = at < 0 ? at + count : at;
    return axis >= 0 && axis < count ? axis : this.refuse(`axis ${at} of ${count}`);
  }

  /** A value whose numbers at each time are its channels alone. */
  asChannels(value: number): number {
    const shape = this.trace.shape(value);
    if (shape.width === 1) return value;
    return this.trace.push({ kind: "reshape", width: 1, channels: features(shape) }, [value], { time: shape.time, width: 1, channels: features(shape) });
  }

  /** A value whose numbers at each time are places of one channel. */
  asPlaces(value: number): number {
    const shape = this.trace.shape(value);
    if (shape.channels === 1) return value;
    return this.trace.push({ kind: "reshape", width: features(shape), channels: 1 }, [value], { time: shape.time, width: features(shape), channels: 1 });
  }
}
