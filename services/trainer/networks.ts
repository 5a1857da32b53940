/** The ready-made networks and the recipe by which each is trained unless a person says otherwise: the same for one model and for a comparison. */
import { TicklineError } from "../kit/errors.ts";

/** How to train; shapes as in `FitPlan` of the addon. */
export interface Settings {
  /** Rows looked at; for streaming attention, states looked back at. */
  readonly window: number;
  /** Units of hidden layers; empty: the network's own. */
  readonly hidden: readonly number[];
  /** Share of numbers dropped while training, 0 to below 1. */
  readonly dropout: number;
  /** Passes over the training part. */
  readonly epochs: number;
  /** Rows a step; in a stateful network stretches side by side. */
  readonly batch: number;
  /** Rows a step of each stretch, in a stateful network. */
  readonly steps: number;
  /** Highest learning rate of Adam. */
  readonly rate: number;
  /** Weight decay. */
  readonly decay: number;
  /** How far rare classes are weighted up: 0 not at all, 1 to equal weight in sum. */
  readonly balance: number;
  /** Adversarial training: how far inputs are moved against the answer, in scaled units; 0: not. */
  readonly adversary: number;
  /** Share of the training part that is held out at its end: the pass with the lowest loss on it is kept. 0: none is held out, the last pass counts. */
  readonly hold: number;
  /** Passes without a lower loss on what is held out that end the run. */
  readonly patience: number;
}

/** How a network is trained: on which numbers, and by which settings. */
export interface Recipe {
  /** Columns of a capture: `levels`, `relative+flow` and so on. Files of FI-2010 bring their own. */
  readonly columns: string;
  /** The training part is there twice, as it was and turned over, bid for ask. */
  readonly mirror: boolean;
  readonly settings: Settings;
}

const base: Settings = { window: 10, hidden: [], dropout: 0, epochs: 1, batch: 128, steps: 50, rate: 1e-3, decay: 1e-3, balance: 1, adversary: 0, hold: 0, patience: 2 };
// Few stretches side by side, so that a pass over the day has some hundred steps.
const streaming: Settings = { ...base, window: 1, epochs: 2, batch: 8, steps: 25, rate: 3e-3 };
const bilinear: Settings = { ...base, rate: 1e-2, dropout: 0.2 };
// Made for the forty numbers of ten levels. Higher rates, and the day turned over, end in one answer for all.
const deeplob = (settings: Settings): Recipe => ({ columns: "relative", mirror: false, settings: { ...settings, rate: 3e-4 } });

/** On the visible book and its flow, in no unit of the stock's own. */
function visible(settings: Settings): Recipe {
  return { columns: "relative+flow", mirror: true, settings };
}

/** Every network's recipe, by name. `ops/models/README.md` says how they were found. */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  logistic: visible(base),
  mlp: visible({ ...base, hidden: [32] }),
  "mlp-swish-skip": visible({ ...base, hidden: [32, 32] }),
  lstm: visible(streaming),
  gru: visible(streaming),
  "c-tabl": visible(bilinear),
  "bin-c-tabl": visible(bilinear),
  "cnn-lstm-attention": visible({ ...streaming, window: 10, epochs: 1 }),
  "cnn-lstm-attention-window": visible({ ...base, window: 20 }),
  deeplob: deeplob({ ...streaming, epochs: 4, batch: 16 }),
  "deeplob-window": deeplob({ ...base, window: 100 }),
  autoencoder: { columns: "levels", mirror: false, settings: { ...base, window: 1, epochs: 6 } },
};

/** What a person may put in a recipe's place; what is undefined stays the recipe's. */
export type Own = { readonly [key in keyof Settings]?: Settings[key] | undefined } & { readonly columns?: string | undefined; readonly mirror?: boolean | undefined };

/**
 * A network's recipe with a person's own in its place.
 *
 * @throws TicklineError TL_USAGE for a name that is none
 */
export function recipeOf(network: string, own: Own = {}): Recipe {
  const known = RECIPES[network];
  if (known === undefined) throw new TicklineError("TL_USAGE", `"${network}" is no network; give one of ${Object.keys(RECIPES).join(", ")}`);
  const given = Object.fromEntries(Object.entries(own).filter(([key, value]) => value !== undefined && key in known.settings));
  return { columns: own.columns ?? known.columns, mirror: own.mirror ?? known.mirror, settings: { ...known.settings, ...given } };
}

/** The settings of such a recipe alone. */
export function settingsOf(network: string, own: Own = {}): Settings {
  return recipeOf(network, own).settings;
}

/** A recipe in one line: `relative+flow columns, mirrored; window 10, dropout 0.2, ...`; what is zero is left out. */
export function recipeLine({ columns, mirror, settings }: Recipe): string {
  const value = ([name, setting]: readonly [string, unknown]): string[] => (setting === 0 || (name === "patience" && settings.hold === 0) ? [] : Array.isArray(setting) ? (setting.length === 0 ? [] : [`${name} ${setting.join("-")}`]) : [`${name} ${String(setting)}`]);
  return `${columns} columns${mirror ? ", mirrored" : ""}; ${Object.entries(settings).flatMap(value).join(", ")}`;
}
