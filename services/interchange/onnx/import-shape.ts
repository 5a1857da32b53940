/** Operators that only see the same numbers in other axes, or the last time alone. */
import type { Reading } from "./trace.ts";

/** The same value in another order of axes. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function transpose(reading: Reading): void {
  const { value, axes, only } = reading.seen(0);
  const perm = reading.ints("perm") ?? axes.map((_, at) => axes.length - 1 - at);
  if (perm.length !== axes.length || axes.some((_, at) => !perm.includes(at))) reading.refuse(`perm ${perm.join()} of ${axes.length} axes`);
  reading.trace.see(reading.out, value, perm.map((at) => axes[at] ?? reading.refuse(`perm ${perm.join()}`)), only);
}

/** The same value: operators that do nothing when answering. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function same(reading: Reading): void {
  const training = reading.node.op === "Dropout" ? reading.constant(2) : undefined;
  if (training !== undefined && training.data[0] !== 0) reading.refuse("drops numbers while answering (training_mode); export the model in evaluation mode");
  const { value, axes, only } = reading.seen(0);
  reading.trace.see(reading.out, value, axes, only);
}

/** Without axes of size 1. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function squeeze(reading: Reading): void {
  const { value, axes } = reading.seen(0);
  const gone = reading.ints("axes", 1)?.map((at) => reading.axis(at, axes.length)) ?? axes.flatMap((axis, at) => (axis === "" ? [at] : []));
  if (gone.some((at) => axes[at] !== "")) reading.refuse("takes away an axis that is larger than 1");
  reading.trace.see(reading.out, value, axes.filter((_, at) => !gone.includes(at)));
}

/** With further axes of size 1. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function unsqueeze(reading: Reading): void {
  const { value, axes } = reading.seen(0);
  const given = reading.ints("axes", 1) ?? [];
  const count = axes.length + given.length;
  const fresh = given.map((at) => reading.axis(at, count));
  const old = [...axes];
  reading.trace.see(reading.out, value, Array.from({ length: count }, (_, at) => (fresh.includes(at) ? "" : (old.shift() ?? ""))));
}

/** All axes but the batch as one; a layer is made of it where a product follows. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function flatten(reading: Reading): void {
  const { value, axes } = reading.seen(0);
  const at = reading.int("axis", 1);
  const [front, back] = [axes.slice(0, at).join(""), axes.slice(at).join("")];
  if (front !== "n") reading.refuse("only a flattening of everything but the batch is read");
  reading.trace.see(reading.out, value, [front, back]);
}

/** Sizes with 0 (as before) and -1 (the rest) filled in, the batch counting 1. */
function resolved(reading: Reading, sizes: readonly number[], before: readonly number[]): number[] {
  const filled = sizes.map((size, at) => (size === 0 ? (before[at] ?? reading.refuse(`size 0 at ${at}`)) : size));
  const all = before.reduce((product, size) => product * size, 1);
  const others = filled.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  return filled.map((size) => (size === -1 ? all / others : size));
}

/** New axes are runs of the old letters; numbers at one time may also be split into places and channels. */
export function reshape(reading: Reading): void {
  const { trace, refuse } = reading;
  const seen = reading.seen(0);
  let { value } = seen;
  const before = seen.axes.map((axis) => trace.size(value, axis));
  const wanted = reading.ints("shape", 1) ?? refuse("its sizes must be constant");
  if (reading.int("allowzero", 0) !== 0 && wanted.includes(0)) refuse("allowzero with a size of 0");
  const sizes = resolved(reading, wanted, before);
  const rest = [...seen.axes.join("")];
  const axes: string[] = [];
  for (let at = 0; at < sizes.length; at++) {
    const size = sizes[at] as number;
    let word = rest[0] === "n" && (size === 1 || trace.size(value, rest.slice(0, 2).join("")) <= size) ? (rest.shift() as string) : "";
    while (rest.length > 0 && trace.size(value, word + (rest[0] as string)) <= size && trace.size(value, word) < size) word += rest.shift() as string;
    const [letter = ""] = rest;
    const { time, width, channels } = trace.shape(value);
    if (trace.size(value, word) !== size && word.replace("n", "") === "" && rest.length === 1 && (width === 1 || channels === 1) && letter !== "t") {
      const wide = sizes.slice(at + 1).reduce((product, each) => product * each, 1);
      value = trace.push({ kind: "reshape", width: size, channels: wide }, [value], { time, width: size, channels: wide });
      rest.splice(0, 1, "c");
      word += "w";
    }
    if (trace.size(value, word) !== size) refuse(`[${before.join()}] as [${sizes.join()}] splits or joins axes in a way that is not read`);
    axes.push(word);
  }
  if (rest.length > 0) refuse(`[${before.join()}] as [${sizes.join()}] loses numbers`);
  trace.see(reading.out, value, axes);
}

/** The last time of a value. */
export function lastOf(reading: Reading, value: number): number {
  const shape = reading.trace.shape(value);
  return shape.time === 1 ? value : reading.trace.push({ kind: "last" }, [value], { ...shape, time: 1 });
}

/** The last time, by its index. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function gather(reading: Reading): void {
  const { value, axes } = reading.seen(0);
  const at = reading.axis(reading.int("axis", 0), axes.length);
  const index = reading.constant(1);
  const [nth = 0] = index?.data ?? [];
  const { time } = reading.trace.shape(value);
  const isLast = axes[at] === "t" && index?.data.length === 1 && (nth === -1 || nth === time - 1);
  if (!isLast && !(axes[at] === "" && index?.data.length === 1 && (nth === 0 || nth === -1))) reading.refuse("picks something else than the last time");
  const kept = index?.dims.length === 0 ? [] : [""];
  reading.trace.see(reading.out, isLast ? lastOf(reading, value) : value, [...axes.slice(0, at), ...kept, ...axes.slice(at + 1)]);
}

/** The last time, as a run of length 1. @throws TicklineError TL_MODEL (ONNX_OPERATOR) */
export function slice(reading: Reading): void {
  const { value, axes } = reading.seen(0);
  const [starts = [], ends = []] = [reading.ints("starts", 1), reading.ints("ends", 2)];
  const [at = 0] = reading.ints("axes", 3) ?? [0];
  const [step = 1] = reading.ints("steps", 4) ?? [1];
  const { time } = reading.trace.shape(value);
  const [from = 0, to = 0] = [starts[0], ends[0]];
  const place = reading.axis(at, axes.length);
  const toEnd = to >= time || to === 0x7fff_ffff;
  if (starts.length !== 1 || axes[place] !== "t" || step !== 1 || !(from === -1 || from === time - 1) || !toEnd) reading.refuse("picks something else than the last time");
  reading.trace.see(reading.out, lastOf(reading, value), axes.map((axis, each) => (each === place ? "" : axis)));
}
