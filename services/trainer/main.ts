/** Trains a direction model on a capture: data, progress, result, model file. */
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { score, square, type Score } from "./score.ts";

/** What to train; `defaults` has the values of the shipped model. */
export interface TrainOptions {
  /** pcap or pcapng, gzip allowed. */
  readonly capture: string;
  readonly symbols: readonly string[];
  /** Model file to write. */
  readonly out: string;
  /** How the capture came to be, for the training record. */
  readonly source: string;
  readonly horizon: number;
  readonly trainShare: number;
  readonly flatShare: number;
  readonly hidden: readonly number[];
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly decay: number;
  readonly balance: number;
}

/** The shipped model's settings. */
export const defaults = {
  horizon: 50,
  trainShare: 0.7,
  flatShare: 0.34,
  hidden: [64, 64, 64],
  seed: 1,
  epochs: 2,
  batch: 64,
  rate: 5e-4,
  decay: 1e-2,
  balance: 0.5,
} as const;

/** Where a run stands. */
export interface Progress {
  /** 0 to 1. */
  readonly share: number;
  /** Mean loss of the rows since the last report. */
  readonly loss: number;
  readonly rows: number;
}

/** What a run gave. */
export interface TrainResult {
  readonly out: string;
  readonly hash: string;
  readonly parameters: number;
  readonly trainRows: number;
  readonly testRows: number;
  /** Moves above this size are up or down, 1/10,000 dollar. */
  readonly threshold: number;
  readonly dataHash: string;
  readonly trainClasses: readonly number[];
  readonly testClasses: readonly number[];
  readonly model: Score;
  readonly majority: Score;
  readonly persistence: Score;
  /** Rows true class, columns answer: down, flat, up. */
  readonly confusion: readonly (readonly number[])[];
}

function door<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TicklineError(text.startsWith("TRAIN_") ? "TL_CAPTURE" : "TL_MODEL", text, { cause });
  }
}

/** The record that travels in the model file: enough to make the same file again. */
function record(options: TrainOptions, result: Omit<TrainResult, "hash">): string {
  const percent = (x: number): string => (100 * x).toFixed(1);
  const { model, majority, persistence } = result;
  return [
    `flow: ${options.source}; symbols ${options.symbols.join(", ")}`,
    `label: mid after ${options.horizon} events, un-smoothed, threshold ${result.threshold} (1/10,000 dollar) from the training part`,
    `split: first ${percent(options.trainShare)} % of the time trains (${result.trainRows} rows), the rest tests (${result.testRows} rows)`,
    `training: Adam ${options.rate}, decay ${options.decay}, batch ${options.batch}, ${options.epochs} epochs, balance ${options.balance}, seed ${options.seed}`,
    `test macro-F1 %: model ${percent(model.macroF1)}, persistence ${percent(persistence.macroF1)}, majority ${percent(majority.macroF1)}`,
    `test accuracy %: model ${percent(model.accuracy)}, persistence ${percent(persistence.accuracy)}, majority ${percent(majority.accuracy)}`,
    "generated flow only; no claim about any market",
  ].join("\n");
}

/**
 * Trains, tests and writes the model. The same options and capture give the same file, byte for byte.
 *
 * @param report called now and then with the progress
 * @throws TicklineError TL_CAPTURE or TL_MODEL
 */
export function train(options: TrainOptions, report: (progress: Progress) => void): TrainResult {
  const { capture, symbols, horizon, trainShare, flatShare, hidden, seed, epochs, batch, rate, decay, balance } = options;
  const plan = { capture, symbols: [...symbols], horizon, trainShare, flatShare, hidden: [...hidden], seed, epochs, batch, rate, decay, balance };
  const trainer = door(() => native.Trainer.open(plan));
  const data = trainer.data();
  const each = Math.max(1, Math.ceil(data.batches / 100));
  for (;;) {
    const before = trainer.done();
    const loss = trainer.advance(each);
    if (loss === null) break;
    const done = trainer.done();
    report({ share: done / data.batches, loss, rows: (done - before) * batch });
  }
  const tested = door(() => trainer.test());
  const result = {
    out: options.out,
    parameters: data.parameters,
    trainRows: data.trainRows,
    testRows: data.testRows,
    threshold: data.threshold,
    dataHash: data.dataHash,
    trainClasses: data.trainClasses,
    testClasses: data.testClasses,
    model: score(square(tested.model)),
    majority: score(square(tested.majority)),
    persistence: score(square(tested.persistence)),
    confusion: square(tested.model),
  };
  return { ...result, hash: door(() => trainer.save(options.out, record(options, result))) };
}
