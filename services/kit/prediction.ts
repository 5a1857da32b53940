// @hot
/**
 * A model's answer as native code writes it (`crates/addon/src/model.rs`), read in place.
 *
 *     0  u64  monotonic ns when the answer was ready
 *     8  u64  model hash: first 8 bytes of the SHA-256 of the model file's payload
 *    16  u32  number of classes, at most 8
 *    20  u32  likeliest class
 *    24  f32  its probability
 *    28  u32  ns from the row's publication to the answer, at most 2^32 - 1
 *    32  f32 x 8  probability of each class
 */

/** Bytes of a prediction. */
export const PREDICTION_BYTES = 64;
/** Most classes a prediction has room for. */
export const CLASSES_MAX = 8;

/** Byte offset of the time stamp in `view`, for copying. */
export const PREDICTION_OFFSET_PREDICT_NS = 0;
/** Byte offset of the model hash in `view`, for copying. */
export const PREDICTION_OFFSET_MODEL_HASH = 8;
/** Byte offset of the first class's probability in `view`, four bytes each; 0 for a class that the model has not. */
export const PREDICTION_OFFSET_PROBABILITY = 32;

/** The prediction in 64 bytes of memory that native code writes to. */
export class PredictionView {
  readonly view: DataView;

  constructor(view: DataView) {
    this.view = view;
  }

  /** Monotonic ns when the answer was ready; a number, exact below 2^53. */
  get predictNs(): number {
    return this.view.getUint32(4, true) * 4294967296 + this.view.getUint32(0, true);
  }

  /** Number of classes. */
  get classes(): number {
    return this.view.getUint32(16, true);
  }

  /** The likeliest class; for direction models 0 down, 1 flat, 2 up. */
  get best(): number {
    return this.view.getUint32(20, true);
  }

  /** Probability of the likeliest class, 0 to 1. */
  get confidence(): number {
    return this.view.getFloat32(24, true);
  }

  /** Time from the row's publication to the answer, ns, at most 2^32 - 1. */
  get elapsedNs(): number {
    return this.view.getUint32(28, true);
  }

  /** Probability of class `i`, 0 to 1; 0 for a class the model has not. */
  probability(i: number): number {
    return i >= 0 && i < this.classes ? this.view.getFloat32(32 + 4 * i, true) : 0;
  }
}
