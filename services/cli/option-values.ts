/** Values of options, checked as commander wants it. */
import { InvalidArgumentError } from "commander";

/** A number within bounds, both included. */
export function number(low: number, high: number, whole: boolean) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`give a ${whole ? "whole " : ""}number from ${low} to ${high}.`);
  };
}

/** Whole numbers separated by commas, each within bounds, at most `most` of them. */
export function numbers(low: number, high: number, most: number) {
  return (text: string): number[] => {
    const list = text.split(",").map(Number);
    if (list.length <= most && list.every((each) => Number.isInteger(each) && each >= low && each <= high)) return list;
    throw new InvalidArgumentError(`give whole numbers from ${low} to ${high}, separated by commas, at most ${most}.`);
  };
}

/** Words separated by commas, each one of `known`. */
export function words(known: readonly string[]) {
  return (text: string): string[] => {
    const list = text.split(",");
    const wrong = list.find((each) => !known.includes(each));
    if (wrong === undefined) return list;
    throw new InvalidArgumentError(`"${wrong}" is none of ${known.join(", ")}.`);
  };
}
