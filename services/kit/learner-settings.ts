/** What of the line's configuration the learner uses, as its native half takes it. */
import type { ServiceContext } from "./context.ts";
import { TicklineError } from "./errors.ts";
import type { LearnerConfig } from "./learner-config.ts";
import type { native } from "./native.ts";
import { modelsOf } from "./config.ts";
import { weightsOf } from "./segments.ts";

/** Settings of the native half. */
export type NativeSettings = Parameters<typeof native.NativeLearner.open>[0];

/** Where a learner is to work. */
export type LearnerPlace = Pick<ServiceContext, "config" | "runDir" | "replay"> & { readonly lineBlock: { runId(): number } };

const NS_A_MS = 1e6;
const NS_A_SECOND = 1e9;
const BASIS_POINT = 1e-4;

/** A checkpoint's name without its ending, in the learner's folder: the line's for the first member, with its number for another. */
function checkpointOf(line: string, nth: number): string {
  return nth === 0 ? line : `${line}.member-${nth + 1}`;
}

/**
 * Makes the native settings of every member that learns, in the ensemble's order: models, segments, checkpoints, shadows and dice are each one's
 * own. A replay keeps no checkpoint and goes on from none, so that it gives the same weights every time.
 *
 * @throws TicklineError TL_CONFIG_VALUE when the line has no learner
 */
export function nativeSettings(place: LearnerPlace): NativeSettings[] {
  const { config } = place;
  const { learner } = config;
  if (learner === undefined) throw new TicklineError("TL_CONFIG_VALUE", "line configuration: learner is missing: add the section, or do not start the service");
  const models = learner.members === "first" ? [config.inference.model] : modelsOf(config);
  return models.map((model, nth) => ({ ...settingsOf(place, learner, nth), model, turns: learner.members === "turns" ? models.length : 1, turn: learner.members === "turns" ? nth : 0 }));
}

function settingsOf({ config, runDir, replay, lineBlock }: LearnerPlace, learner: LearnerConfig, nth: number): Omit<NativeSettings, "model"> {
  const { cadence, envelope } = learner;
  return {
    symbols: config.instruments.map(({ symbol }) => symbol),
    seed: (config.seed + nth) % Number.MAX_SAFE_INTEGER,
    method: learner.method,
    rate: learner.rate,
    schedule: schedule(learner.schedule),
    loss: typeof learner.loss === "string" ? learner.loss : "cautious",
    over: typeof learner.loss === "string" ? 0 : learner.loss.over,
    under: typeof learner.loss === "string" ? 0 : learner.loss.under,
    sharpness: learner.sharpness,
    sharpShare: learner.sharp_share,
    adversary: learner.adversary,
    precision: learner.precision,
    ...(learner.dropout === undefined ? {} : { dropout: learner.dropout }),
    ...(learner.liquidity === undefined ? {} : { liquidity: learner.liquidity }),
    decay: learner.decay,
    clip: learner.clip,
    classWeights: learner.class_weights ?? [],
    cadence: typeof cadence === "string" ? cadence : "every",
    everyNs: typeof cadence === "string" ? 0 : cadence.every_ms * NS_A_MS,
    batch: learner.batch,
    steps: learner.steps,
    horizon: learner.horizon ?? 0,
    threshold: learner.threshold,
    window: learner.window,
    ...(learner.replay === undefined ? {} : { replay: learner.replay }),
    ...(learner.actor_critic === undefined ? {} : { actorCritic: actorCritic(learner.actor_critic) }),
    ...(learner.retrain === undefined ? {} : { retrain: retrain(learner.retrain, learner.rate) }),
    shadows: learner.shadows.filter(({ member }) => member === nth + 1).map(({ name, model }) => ({ name, model })),
    ...(learner.promotion === undefined ? {} : { gate: gate(learner.promotion, envelope.drift_max) }),
    offerNs: envelope.offer_ms * NS_A_MS,
    changeMax: envelope.change_max,
    driftMax: envelope.drift_max,
    scoreSlack: envelope.score_slack,
    labelsMin: envelope.labels_min,
    run: lineBlock.runId(),
    ...(replay ? {} : { checkpoint: `${learner.state}/${checkpointOf(config.line, nth)}.checkpoint` }),
    ...(learner.publish ? { weights: `${runDir}/${weightsOf(nth)}` } : {}),
  };
}

/** A part that is left out says so by a 0. */
function schedule({ warm_steps, anneal, plateau, volatility }: LearnerConfig["schedule"]): NativeSettings["schedule"] {
  return {
    warmSteps: warm_steps,
    annealSteps: anneal?.steps ?? 0,
    annealFloor: anneal?.floor ?? 0,
    annealAgain: anneal?.again ?? false,
    plateauEvery: plateau?.every ?? 0,
    plateauCut: plateau?.cut ?? 0,
    plateauPatience: plateau?.patience ?? 0,
    plateauFloor: plateau?.floor ?? 0,
    volatilityMost: volatility?.most ?? 0,
    volatilityFast: volatility?.fast ?? 0,
    volatilitySlow: volatility?.slow ?? 0,
  };
}

function actorCritic({ discount, explore, critic_rate, trades, cost_bps }: NonNullable<LearnerConfig["actor_critic"]>): NonNullable<NativeSettings["actorCritic"]> {
  return { discount, explore, criticRate: critic_rate, trades, cost: cost_bps * BASIS_POINT };
}

function retrain({ every_s, labels, each, batch, steps, rate }: NonNullable<LearnerConfig["retrain"]>, own: number): NonNullable<NativeSettings["retrain"]> {
  return { everyNs: every_s * NS_A_SECOND, labels, each, batch, steps, rate: rate ?? own };
}

function gate(promotion: NonNullable<LearnerConfig["promotion"]>, driftMax: number): NonNullable<NativeSettings["gate"]> {
  const { labels, margin, calibration_max, drift_max, fall, fall_labels } = promotion;
  return { labels, margin, calibrationMax: calibration_max, driftMax: drift_max ?? driftMax, fall, fallLabels: fall_labels };
}
