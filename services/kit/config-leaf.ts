/** The leaves of a line file's schema: every one says what it expects, and a refusal shows that sentence. */
import { z } from "zod";

/** A whole number in a range. */
export function whole(min: number, max: number, means: string) {
  return z.int().min(min).max(max).meta({ expects: `a whole number from ${min} to ${max} (${means})` });
}

/** A number from 0 to 1. */
export function share(means: string) {
  return z.number().min(0).max(1).meta({ expects: `a number from 0 to 1 (${means})` });
}

/** A text of a form; `expects` says which. */
export function text(pattern: RegExp, expects: string) {
  return z.string().regex(pattern).meta({ expects });
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(...values: T) {
  return z.enum(values).meta({ expects: `one of ${values.join(", ")}` });
}

/** A number above 0. */
export function factor(most: number, means: string) {
  return z.number().positive().max(most).meta({ expects: `a number above 0, at most ${most} (${means})` });
}

/** A path. */
export const path = () => text(/^[^\0]+$/, "a path");
