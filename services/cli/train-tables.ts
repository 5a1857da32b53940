/** How results of training are shown: tables of scores, calibration, confusion. Pure. */
import type { Calibration, Score } from "../trainer/score.ts";
import { columns, table, whole } from "./columns.ts";

const CLASSES = ["down", "flat", "up"];

/** 0.4123 as 41.2. */
export function percent(x: number): string {
  return (100 * x).toFixed(1);
}

/** Rows by class: `93,969 (down 32,172, flat 34,881, up 26,916)`. */
export function counts(classes: readonly number[]): string {
  const each = CLASSES.map((name, i) => `${name} ${whole(classes[i] ?? 0)}`).join(", ");
  return `${whole(classes.reduce((sum, n) => sum + n, 0))} (${each})`;
}

/** One line a forecaster: macro-F1, accuracy, MCC, F1 of each class. */
export function scoreTable(rows: readonly (readonly [string, Score])[], width: number): string[] {
  const head = columns("test, %", "+macro-F1", "+accuracy", "+MCC", "+F1 down", "+flat", "+up");
  return table(head, rows.map(([name, s]) => [name, percent(s.macroF1), percent(s.accuracy), s.mcc.toFixed(3), ...s.classes.map((c) => percent(c.f1))]), width);
}

/** Precision, recall and F1 of each class, and what was answered to it. */
export function classTable(s: Score, confusion: readonly (readonly number[])[], width: number): string[] {
  const head = columns("true class", "+precision", "+recall", "+F1", "+as down", "+as flat", "+as up");
  const row = (name: string, i: number): string[] => {
    const c = s.classes[i];
    return [name, percent(c?.precision ?? 0), percent(c?.recall ?? 0), percent(c?.f1 ?? 0), ...(confusion[i] ?? []).map(whole)];
  };
  return table(head, CLASSES.map(row), width);
}

/** Confidence against accuracy, bins without rows left out. */
export function calibrationTable({ ece, bins }: Calibration, width: number): string[] {
  const head = columns("confidence", "+rows", "+said %", "+right %");
  const rows = bins.flatMap((bin, i) => (bin.rows === 0 ? [] : [[`${(i / 10).toFixed(1)} to ${((i + 1) / 10).toFixed(1)}`, whole(bin.rows), percent(bin.confidence), percent(bin.accuracy)]]));
  return [...table(head, rows, width), `expected calibration error ${percent(ece)} %`];
}
