/** What our engine answers, and the rows it is asked with: the side of an oracle that is ours. */
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { dataOf, features, type Model } from "./model.ts";

/** Numbers between -1 and 1 that look random and are the same every time. */
export function noise(count: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/**
 * Our engine's answers to rows, those of a window that is not full left out.
 *
 * @param rows unscaled, row by row, at the start of their buffer
 * @throws TicklineError TL_MODEL when a row gets no answer
 */
export function answers(model: Model, rows: Float32Array): Float32Array[] {
  const { columns, window } = model.contract;
  const end = model.shapes.at(-1) ?? { time: 0, width: 0, channels: 0 };
  const outputs = end.time * features(end);
  const net = native.NativeNetwork.of(dataOf(model));
  const answer = new Float32Array(outputs + (outputs & 1));
  net.bind(rows.buffer as ArrayBuffer, answer.buffer);
  const predict = net.predictor();
  const given: Float32Array[] = [];
  for (let row = 0; row < rows.length / columns.length; row++) {
    const silent = predict(row);
    if (silent !== (row < window - 1 ? 3 : undefined)) throw new TicklineError("TL_MODEL", `row ${row}: no answer, reason ${silent}`);
    if (silent === undefined) given.push(answer.slice(0, outputs));
  }
  return given;
}
