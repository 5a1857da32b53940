/** A comparison as a file: which networks, horizons, labels and seeds, and how each network is trained. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { openDocument } from "../kit/config-document.ts";
import { ConfigError } from "../kit/errors.ts";
import { RECIPES } from "./networks.ts";

const share = z.number().min(0).max(1);
const seed = z.number().int().min(0).max(4294967295);

const KNOWN = Object.keys(RECIPES).filter((name) => name !== "autoencoder");

const settings = z.strictObject({
  /** Which network, where the row is not called after it. */
  network: z.enum(KNOWN).optional(),
  columns: z.string().optional(),
  mirror: z.boolean().optional(),
  window: z.number().int().min(1).max(1000).optional(),
  hidden: z.array(z.number().int().min(1).max(1024)).max(8).optional(),
  dropout: z.number().min(0).max(0.9).optional(),
  epochs: z.number().int().min(1).max(10_000).optional(),
  batch: z.number().int().min(1).max(100_000).optional(),
  steps: z.number().int().min(1).max(10_000).optional(),
  rate: z.number().positive().max(1).optional(),
  decay: z.number().min(0).max(10).optional(),
  balance: share.optional(),
  adversary: z.number().min(0).max(10).optional(),
  hold: z.number().min(0).max(0.5).optional(),
  patience: z.number().int().min(1).max(1000).optional(),
});

const horizons = z.array(z.number().int().min(1).max(100_000)).min(1);
const labels = z.array(z.enum(["exact", "smoothed"])).min(1);

/** Rows by name: a network's, or another with `network` in it. */
function rowsOf<T extends z.ZodType<{ readonly network?: string | undefined }>>(row: T): z.ZodRecord<z.ZodString, T> {
  return z.record(z.string().regex(/^[a-z0-9.-]+$/), row).superRefine((rows, context) => {
    for (const [name, each] of Object.entries(rows)) {
      if (each.network !== undefined || KNOWN.includes(name)) continue;
      context.addIssue({ code: "custom", path: [name], message: "is no network", params: { fix: `add network: with one of ${KNOWN.join(", ")}` } });
    }
  });
}

/** How a row learns on where it differs from the usual habit (`online.ts`). */
const habit = z.strictObject({
  rate: z.number().positive().max(1).optional(),
  batch: z.number().int().min(1).max(10_000).optional(),
  memory: z.number().int().min(0).max(1_000_000).optional(),
  every: z.number().int().min(1).max(100_000).optional(),
});

/** The test of models beside themselves, learning on. */
const online = z.strictObject({
  horizons,
  labels,
  /** Stocks that no model is trained on, for those with `unseen`. */
  unseen: z.array(z.string()).default([]),
  networks: rowsOf(settings.extend({ unseen: z.boolean().optional(), habit: habit.optional() })),
});

const schema = z.strictObject({
  symbols: z.array(z.string()).min(1),
  /** Of every network, in place of its recipe's. */
  columns: z.string().optional(),
  mirror: z.boolean().optional(),
  horizons,
  labels,
  seeds: z.array(seed).min(1),
  flat_share: z.number().min(0).max(0.9).default(1 / 3),
  clip: z.number().positive().max(1000).default(10),
  /** Share of the rows that is trained on, unless `folds` says otherwise. */
  train: z.number().min(0.05).max(0.95).default(0.7),
  /** Where the test ends, a share of the rows; below 1 for tuning, which may not see the test part of the table. */
  until: z.number().min(0.1).max(1).default(1),
  /** 1: one split. More: walk-forward, the day in folds + 1 equal parts, each but the first tested by a model trained on those before. */
  folds: z.number().int().min(1).max(50).default(1),
  /** Walk-forward over a rolling window: trained on so many of the newest parts, in place of all before the one tested. */
  rolling: z.number().int().min(1).max(50).optional(),
  /** Rows of the table. */
  networks: rowsOf(settings),
  online: online.optional(),
});

/** A checked comparison. */
export type Preset = z.output<typeof schema>;

/** The part of a comparison that learns on. */
export type OnlinePreset = z.output<typeof online>;

/** How one network of a comparison is trained where it differs from its recipe (`networks.ts`). */
export type OwnSettings = z.output<typeof settings>;

/**
 * Reads and checks a comparison.
 *
 * @throws ConfigError naming file, line, value and fix
 */
export function loadPreset(file: string): Preset {
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError("TL_CONFIG_READ", { file, line: 0, column: 0, path: "" }, String((cause as Error).message), "give the path of a comparison, such as ops/models/accuracy.yaml");
  }
  return openDocument(source, file).parse(schema);
}
