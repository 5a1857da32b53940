/** Orders of numbers that formats disagree on. Every change of order is exact and has its way back. */
import { TicklineError } from "../kit/errors.ts";

/** `[rows, columns]` as `[columns, rows]`. */
export function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c] as number;
  return out;
}

/** A kernel `[time, width, channels, outputs]` as `[outputs, channels, time, width]`. */
export function channelsFirst(data: Float32Array, time: number, width: number, channels: number, outputs: number): Float32Array {
  return reorder(data, time * width, channels, outputs, true);
}

/** The way back of `channelsFirst`. */
export function channelsLast(data: Float32Array, time: number, width: number, channels: number, outputs: number): Float32Array {
  return reorder(data, time * width, channels, outputs, false);
}

function reorder(data: Float32Array, places: number, channels: number, outputs: number, first: boolean): Float32Array {
  const out = new Float32Array(data.length);
  for (let p = 0; p < places; p++) {
    for (let c = 0; c < channels; c++) {
      for (let o = 0; o < outputs; o++) {
        const last = (p * channels + c) * outputs + o;
        const ahead = (o * channels + c) * places + p;
        if (first) out[ahead] = data[last] as number;
        else out[last] = data[ahead] as number;
      }
    }
  }
  return out;
}

/**
 * Blocks of `size` columns of a `[rows, blocks x size]` matrix in another order: block n of the result is block `order[n]` of the data.
 *
 * @throws TicklineError TL_MODEL (MODEL_SHAPE) for numbers that are no such matrix
 */
export function blocks(data: Float32Array, order: readonly number[], size: number): Float32Array {
  const wide = order.length * size;
  if (!(wide > 0) || data.length % wide !== 0) throw new TicklineError("TL_MODEL", `MODEL_SHAPE: ${data.length} numbers where rows of ${wide} are needed`);
  const out = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += wide) {
    order.forEach((from, to) => out.set(data.subarray(row + from * size, row + (from + 1) * size), row + to * size));
  }
  return out;
}

/** The order that undoes `order`. */
export function inverse(order: readonly number[]): number[] {
  return order.map((_, at) => order.indexOf(at));
}
