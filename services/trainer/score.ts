/** Scores of a confusion matrix (accuracy, per-class precision, recall and F1, macro-F1, Matthews correlation), and of confidences. */

/** Rows are true classes, columns answers. */
export type Confusion = readonly (readonly number[])[];

/** Scores of one class; 0 where a quotient has no denominator. */
export interface ClassScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Scores of a classifier. */
export interface Score {
  readonly rows: number;
  readonly accuracy: number;
  /** Mean of the classes' F1. */
  readonly macroF1: number;
  /** Matthews correlation for several classes (Gorodkin 2004), -1 to 1; 0 when undefined. */
  readonly mcc: number;
  readonly classes: readonly ClassScore[];
}

function over(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}

/** A flat list of numbers, row by row, as a square matrix. */
export function square(flat: readonly number[]): Confusion {
  const size = Math.sqrt(flat.length);
  return Array.from({ length: size }, (_, row) => flat.slice(row * size, (row + 1) * size));
}

/** Scores a confusion matrix. */
export function score(confusion: Confusion): Score {
  const size = confusion.length;
  const at = (truth: number, answer: number): number => confusion[truth]?.[answer] ?? 0;
  const indices = Array.from({ length: size }, (_, i) => i);
  const sum = (f: (i: number) => number): number => indices.reduce((total, i) => total + f(i), 0);
  const truths = indices.map((k) => sum((j) => at(k, j)));
  const answers = indices.map((k) => sum((j) => at(j, k)));
  const rows = sum((k) => truths[k] ?? 0);
  const right = sum((k) => at(k, k));
  const classes = indices.map((k) => {
    const precision = over(at(k, k), answers[k] ?? 0);
    const recall = over(at(k, k), truths[k] ?? 0);
    return { precision, recall, f1: over(2 * precision * recall, precision + recall) };
  });
  const cross = sum((k) => (truths[k] ?? 0) * (answers[k] ?? 0));
  const spread = (counts: readonly number[]): number => rows * rows - sum((k) => (counts[k] ?? 0) ** 2);
  return {
    rows,
    accuracy: over(right, rows),
    macroF1: over(sum((k) => classes[k]?.f1 ?? 0), size),
    mcc: over(right * rows - cross, Math.sqrt(spread(truths) * spread(answers))),
    classes,
  };
}

/** Answers whose confidence fell into one bin. */
export interface Bin {
  readonly rows: number;
  /** Mean confidence, 0 to 1. */
  readonly confidence: number;
  /** Share of right answers. */
  readonly accuracy: number;
}

/** How far confidences can be believed. */
export interface Calibration {
  /** Expected calibration error (Naeini et al. 2015): mean gap between confidence and accuracy over the bins, weighted by rows. */
  readonly ece: number;
  /** Ten bins of equal width, by confidence. */
  readonly bins: readonly Bin[];
}

/** Calibration of bins given as rows, sum of confidences, right answers, bin after bin. */
export function calibration(flat: readonly number[]): Calibration {
  const bins = Array.from({ length: flat.length / 3 }, (_, bin): Bin => {
    const [rows = 0, confidences = 0, right = 0] = flat.slice(3 * bin, 3 * bin + 3);
    return { rows, confidence: over(confidences, rows), accuracy: over(right, rows) };
  });
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  return { ece: over(bins.reduce((sum, bin) => sum + bin.rows * Math.abs(bin.confidence - bin.accuracy), 0), rows), bins };
}
