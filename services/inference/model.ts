// @hot
/** The native model as the agent sees it: bound to whatever memory the rows come from, one call a row. */
import type { native } from "../kit/native.ts";
import type { PredictionView } from "../kit/prediction.ts";

type NativeModel = ReturnType<typeof native.NativeModel.load>;

/** Statuses of `predict`; the same numbers as in `crates/addon/src/model.rs`. */
export const Status = {
  Ok: 0,
  InputNotFinite: 1,
  Length: 2,
  /** The model's window of rows is not full yet. */
  Filling: 3,
  OutputNotFinite: 4,
  Unreadable: 5,
  UnknownInstrument: 6,
  NoWeights: 7,
} as const;

/** A value of `Status`. */
export type Status = (typeof Status)[keyof typeof Status];

export class Model {
  readonly #native: NativeModel;
  readonly #predict: ReturnType<NativeModel["predictor"]>;
  /** Computes what the instrument's next answer needs and its row does not. */
  readonly prepare: ReturnType<NativeModel["preparer"]>;
  /** For cycles that find nothing to do: keeps the weights in the nearest cache, and brings new ones there before a row needs them. */
  readonly keep: ReturnType<NativeModel["keeper"]>;
  readonly #output: ArrayBuffer;
  #bound: ArrayBufferLike | undefined;

  /** @param prediction memory that answers are written to, at the start of its buffer */
  constructor(native: NativeModel, prediction: PredictionView) {
    this.#native = native;
    this.#predict = native.predictor();
    this.prepare = native.preparer();
    this.keep = native.keeper();
    this.#output = prediction.view.buffer as ArrayBuffer;
  }

  /** Binds the memory that rows come from: one buffer for the life of a link, best before its first row. */
  bind(view: DataView): void {
    this.#native.bind(view.buffer as ArrayBuffer, this.#output);
    this.#bound = view.buffer;
  }

  /**
   * Answers the Features payload at byte `at` of `view` into the prediction.
   *
   * @returns `Status`; the prediction is untouched unless it is `Ok`
   */
  predict(view: DataView, at: number): number {
    if (view.buffer !== this.#bound) this.bind(view);
    return this.#predict(view.byteOffset + at) ?? Status.Ok;
  }

  /** Forgets the instrument's stream. */
  reset(instrument: number): void {
    this.#native.reset(instrument);
  }
}
