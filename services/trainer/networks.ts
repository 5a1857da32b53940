/** The ready-made networks and how each is trained unless a person says otherwise. */
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
}

const base: Settings = { window: 10, hidden: [], dropout: 0, epochs: 6, batch: 128, steps: 50, rate: 1e-3, decay: 1e-3, balance: 1, adversary: 0 };
const streaming: Settings = { ...base, window: 1, batch: 32, steps: 25 };
const bilinear: Settings = { ...base, dropout: 0.1, epochs: 3 };

/** Every network's settings, by name. */
export const NETWORKS: Readonly<Record<string, Settings>> = {
  logistic: base,
  mlp: base,
  "mlp-swish-skip": base,
  lstm: streaming,
  gru: streaming,
  "c-tabl": bilinear,
  "bin-c-tabl": bilinear,
  "cnn-lstm-attention": { ...streaming, window: 10 },
  "cnn-lstm-attention-window": { ...base, window: 20 },
  deeplob: streaming,
  "deeplob-window": { ...base, window: 100 },
  autoencoder: { ...base, window: 1 },
};

/**
 * A network's settings with a person's own in their place.
 *
 * @throws TicklineError TL_USAGE for a name that is none
 */
export function settingsOf(network: string, own: { readonly [key in keyof Settings]?: Settings[key] | undefined } = {}): Settings {
  const known = NETWORKS[network];
  if (known === undefined) throw new TicklineError("TL_USAGE", `"${network}" is no network; give one of ${Object.keys(NETWORKS).join(", ")}`);
  const given = Object.fromEntries(Object.entries(own).filter(([key, value]) => value !== undefined && key in known));
  return { ...known, ...given };
}
