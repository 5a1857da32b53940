/** The training record of a model file: JSON that says how to make the file again and how to test it. */
import { z } from "zod";

const scored = z.object({ macroF1: z.number(), mcc: z.number(), accuracy: z.number() });

const schema = z.object({
  network: z.string(),
  /** Where the rows came from. */
  source: z.string(),
  symbols: z.array(z.string()),
  columns: z.string(),
  labels: z.enum(["exact", "smoothed"]),
  horizon: z.number().int().positive(),
  /** Moves above this size are up or down, 1/10,000 dollar; taken from the training part. */
  threshold: z.number().nonnegative(),
  /** Mean mid price of the training part, 1/10,000 dollar. */
  price: z.number().positive().optional(),
  /** Rows trained on, by class. */
  classes: z.array(z.number()).length(3).optional(),
  /** Shares of all rows in time: trained from, until, tested until. */
  split: z.tuple([z.number(), z.number(), z.number()]),
  flatShare: z.number(),
  /** The training part was there twice, as it was and turned over. */
  mirror: z.boolean().optional(),
  /** The training labels were dealt out at random, from this seed: the model knows nothing. */
  shuffle: z.number().optional(),
  settings: z.record(z.string(), z.unknown()),
  seed: z.number().int(),
  /** What trained it, where that was not our own engine. */
  engine: z.literal("tensorflow").optional(),
  /** Loss on the rows held out after each pass, and the pass whose weights these are, from 0. */
  held: z.object({ losses: z.array(z.number()), best: z.number().int() }).optional(),
  /** Scores over the test part. */
  test: z.object({ model: scored, persistence: scored, majority: scored }).optional(),
});

/** How a model came to be. */
export type TrainingRecord = z.output<typeof schema>;

/** The record as the model file holds it. */
export function writeRecord(record: TrainingRecord): string {
  return JSON.stringify(record, null, 1);
}

/** Reads a record; undefined for a text that another program wrote. */
export function readRecord(text: string): TrainingRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return schema.safeParse(value).data;
}
