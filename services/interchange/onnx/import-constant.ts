/**
 * Operators over constants and sizes, computed while reading: exporters make initial states and new shapes out of the input's, whose batch
 * counts 1 here.
 */
import type { OnnxTensor } from "./graph.ts";
import type { Reading } from "./trace.ts";

/** Larger ones are no shapes, states or biases. */
const COUNT_MAX = 1 << 20;

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, size) => product * size, 1);

/** The same kind of numbers. */
function like({ data }: OnnxTensor, dims: readonly number[], numbers: readonly number[]): OnnxTensor {
  return { dims, data: data instanceof Float32Array ? Float32Array.from(numbers) : numbers };
}

/** Sizes of a tensor that is to be made. */
function sizes(reading: Reading, { data }: OnnxTensor): number[] {
  const dims = [...data];
  if (!dims.every((size) => Number.isSafeInteger(size) && size >= 0) || !(sizeOf(dims) <= COUNT_MAX)) reading.refuse(`a constant of sizes ${dims.join("x")}`);
  return dims;
}

/** `from` repeated to `dims`, as operators broadcast. */
function expanded(reading: Reading, from: OnnxTensor, wanted: readonly number[]): OnnxTensor {
  const rank = Math.max(from.dims.length, wanted.length);
  const pad = (dims: readonly number[]): number[] => [...Array.from({ length: rank - dims.length }, () => 1), ...dims];
  const [own, other] = [pad(from.dims), pad(wanted)];
  const dims = own.map((size, at) => (size === 1 ? (other[at] as number) : size));
  if (own.some((size, at) => size !== 1 && other[at] !== 1 && other[at] !== size)) reading.refuse(`repeats ${from.dims.join("x")} to ${wanted.join("x")}`);
  sizes(reading, { dims: [rank], data: dims });
  const out = Array.from({ length: sizeOf(dims) }, (_, nth) => {
    let [rest, at, step] = [nth, 0, 1];
    for (let axis = rank - 1; axis >= 0; axis--) {
      const place = rest % (dims[axis] as number);
      rest = Math.floor(rest / (dims[axis] as number));
      if (own[axis] !== 1) at += place * step;
      step *= own[axis] as number;
    }
    return from.data[at] as number;
  });
  return like(from, dims, out);
}

/** Rows along an axis, picked by their numbers; a single number takes the axis away. */
function gathered(reading: Reading, from: OnnxTensor, index: OnnxTensor): OnnxTensor {
  const axis = reading.axis(reading.int("axis", 0), from.dims.length);
  if (axis !== 0 || index.dims.length > 1) reading.refuse("picks from a constant along another axis than the first");
  const [rows = 0, ...rest] = from.dims;
  const size = sizeOf(rest);
  sizes(reading, { dims: [2], data: [index.data.length, size] });
  const picked = [...index.data].flatMap((nth) => {
    const at = reading.axis(nth, rows);
    return Array.from({ length: size }, (_, inner) => from.data[at * size + inner] as number);
  });
  return like(from, [...index.dims, ...rest], picked);
}

function filled(reading: Reading, shape: OnnxTensor): OnnxTensor {
  const dims = sizes(reading, shape);
  const value = reading.node.attributes.get("value");
  const tensor = typeof value === "object" && "dims" in value ? (value as OnnxTensor) : { dims: [1], data: Float32Array.of(0) };
  return like(tensor, dims, Array.from({ length: sizeOf(dims) }, () => tensor.data[0] ?? 0));
}

function cast(reading: Reading, from: OnnxTensor): OnnxTensor {
  const to = reading.int("to", 0);
  if (to === 1) return { dims: from.dims, data: Float32Array.from(from.data) };
  return to === 6 || to === 7 ? { dims: from.dims, data: [...from.data].map(Math.trunc) } : reading.refuse(`casts to element type ${to}; float, int32 and int64 are read`);
}

function joined(reading: Reading, parts: readonly OnnxTensor[]): OnnxTensor {
  const [first] = parts;
  if (first === undefined || parts.some(({ dims }) => dims.length !== 1)) return reading.refuse("joins constants that are no lists");
  const all = parts.flatMap(({ data }) => [...data]);
  return like(first, [all.length], all);
}

/** One of the axes taken away or put in: the numbers stay. */
function reshaped(reading: Reading, from: OnnxTensor): OnnxTensor {
  const given = reading.node.op === "Reshape" ? [...(reading.ints("shape", 1) ?? [])] : undefined;
  const axes = reading.node.op === "Reshape" ? [] : (reading.ints("axes", 1) ?? (reading.node.op === "Squeeze" ? from.dims.flatMap((size, at) => (size === 1 ? [at] : [])) : []));
  let dims: number[];
  if (given !== undefined) {
    const rest = sizeOf(given.filter((size) => size !== -1));
    dims = given.map((size) => (size === -1 ? from.data.length / rest : size));
  } else if (reading.node.op === "Squeeze") dims = from.dims.filter((_, at) => !axes.some((axis) => reading.axis(axis, from.dims.length) === at));
  else {
    const count = from.dims.length + axes.length;
    const [fresh, old] = [axes.map((axis) => reading.axis(axis, count)), [...from.dims]];
    dims = Array.from({ length: count }, (_, at) => (fresh.includes(at) ? 1 : (old.shift() ?? 1)));
  }
  return dims.every((size) => size >= 0) && sizeOf(dims) === from.data.length ? { dims, data: from.data } : reading.refuse(`makes ${dims.join("x")} of ${from.dims.join("x")}`);
}

function turned(reading: Reading, from: OnnxTensor): OnnxTensor {
  const [rows = 0, columns = 0] = from.dims;
  if (from.dims.length !== 2 || String(reading.ints("perm") ?? [1, 0]) !== "1,0") return reading.refuse("turns a constant that is no matrix");
  return like(from, [columns, rows], Array.from({ length: rows * columns }, (_, at) => from.data[(at % rows) * columns + Math.floor(at / rows)] as number));
}

/** A list's numbers from one place to another. */
function sliced(reading: Reading, from: OnnxTensor): OnnxTensor {
  const [[start = 0] = [], [end = 0] = [], [step = 1] = []] = [reading.ints("starts", 1), reading.ints("ends", 2), reading.ints("steps", 4)];
  if (from.dims.length !== 1 || step !== 1) return reading.refuse("cuts a constant that is no list");
  const part = [...from.data].slice(start, end);
  return like(from, [part.length], part);
}

const FOLDED: ReadonlyMap<string, (reading: Reading, from: OnnxTensor, others: readonly OnnxTensor[]) => OnnxTensor> = new Map(Object.entries({
  Identity: (_: Reading, from: OnnxTensor) => from, Cast: cast, ConstantOfShape: filled, Squeeze: reshaped, Unsqueeze: reshaped, Reshape: reshaped, Slice: sliced, Transpose: turned,
  Gather: (reading: Reading, from: OnnxTensor, [index]: readonly OnnxTensor[]) => gathered(reading, from, index as OnnxTensor),
  Expand: (reading: Reading, from: OnnxTensor, [shape]: readonly OnnxTensor[]) => expanded(reading, from, sizes(reading, shape as OnnxTensor)),
  Concat: (reading: Reading, from: OnnxTensor, others: readonly OnnxTensor[]) => joined(reading, [from, ...others]),
}));

/** Computes an operator whose inputs are constants, or the sizes of a value; false when it is none of these. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function folded(reading: Reading): boolean {
  const { trace, node, out } = reading;
  if (node.op === "Shape") {
    const known = trace.known(node.inputs[0]);
    const dims = known?.dims ?? reading.seen(0).axes.map((axis) => trace.size(reading.seen(0).value, axis));
    const [from, to] = [reading.int("start", 0), reading.int("end", dims.length)];
    const part = dims.slice(from, to);
    trace.constant(out, { dims: [part.length], data: part });
    return true;
  }
  const fold = FOLDED.get(node.op);
  const inputs = node.inputs.filter((name) => name !== "").map((name) => trace.known(name));
  const [first, ...others] = inputs;
  if (fold === undefined || first === undefined || inputs.includes(undefined)) return false;
  if (["Gather", "Expand"].includes(node.op) && others.length === 0) reading.refuse("an input is missing");
  const made = fold(reading, first, others as OnnxTensor[]);
  if (!trace.spend(made.data.length)) reading.refuse("makes more constants than a model of this kind has");
  trace.constant(out, made);
  return true;
}
