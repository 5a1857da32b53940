/** The shipped model called from TypeScript, as inference calls it: one row of features in the ring's memory, one call, a prediction. */
import { fileURLToPath } from "node:url";
import { FEATURES_BYTES, FEATURES_OFFSET_INSTRUMENT, writePrefix } from "../../schemas/generated/features.ts";
import { native } from "../../services/kit/native.ts";
import { batches } from "./batches.ts";
import type { Row } from "./row.ts";

const FILE = fileURLToPath(new URL("../../ops/models/demo.tlm", import.meta.url));
/** Rows of features; calls go round. */
const ROWS = 256;
/** Bytes from one row to the next, 8-aligned. */
const STRIDE = 512;
const PREDICTION_BYTES = 64;

/** Runs the benchmark: the Rust rows are `tickline-bench model`'s. */
export async function benchModel(calls = 400_000): Promise<Row[]> {
  const input = new ArrayBuffer(ROWS * STRIDE);
  const view = new DataView(input);
  for (let row = 0; row < ROWS; row++) {
    writePrefix(view, row * STRIDE);
    // Every number of the row: small and different from row to row. The fixed fields before them stay 0.
    for (let at = FEATURES_OFFSET_INSTRUMENT + 32; at + 4 <= FEATURES_BYTES; at += 4) {
      view.setFloat32(row * STRIDE + at, ((row * 31 + at * 17) % 200) / 100 - 1, true);
    }
  }
  const model = native.NativeModel.load(FILE, 1);
  model.bind(input, new ArrayBuffer(PREDICTION_BYTES));
  const predict = model.predictor();
  const { layers } = native.modelInfo(FILE);
  let silent = 0;
  const row = batches("model", "mlp f32, from typescript", `${layers.length} layers; Features checked, columns gathered, predicted, stamped`, calls, (n) => {
    if (predict((n % ROWS) * STRIDE) !== undefined) silent += 1;
  });
  if (silent > 0) throw new Error(`the model gave no answer to ${silent} of ${2 * calls} rows`);
  return [row];
}
