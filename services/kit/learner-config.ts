/** The `learner` section of a line file: how to learn beside the line, and how far. */
import { z } from "zod";
import { factor, oneOf, path, share, text, whole } from "./config-leaf.ts";

const NUMBERS_MAX = 1_000_000_000;

const cadence = z
  .union([z.enum(["tick", "trade"]), z.strictObject({ every_ms: whole(1, 60_000, "line time between two steps, milliseconds") })])
  .meta({ expects: 'when a step is taken: "tick", "trade" or { every_ms: N }' });

const loss = z
  .union([z.enum(["cross_entropy", "squares"]), z.strictObject({ over: z.number().min(0).max(1000), under: z.number().min(0).max(1000) })])
  .meta({ expects: 'what is to become small: "cross_entropy", "squares", or { over: N, under: N }, from 0 to 1000 (squares plus a hinge: cost of claiming a class too much, and too little)' });

/** How the learning rate moves with the steps taken; the factors are multiplied. */
const schedule = z.strictObject({
  warm_steps: whole(0, NUMBERS_MAX, "steps over which the rate rises from 0").default(0),
  anneal: z
    .strictObject({
      steps: whole(1, NUMBERS_MAX, "steps over which the rate falls"),
      floor: share("share of the rate that is left at the end").default(0.01),
      again: z.boolean().meta({ expects: "true or false (true: begin anew at the end, a warm restart)" }).default(false),
    })
    .optional(),
  plateau: z
    .strictObject({
      cut: share("what the rate is multiplied by when the loss no longer falls"),
      patience: whole(0, 1_000_000, "looks without a smaller loss before a cut"),
      every: whole(1, NUMBERS_MAX, "steps whose mean loss is one look"),
      floor: share("share of the rate that cuts leave").default(0.01),
    })
    .optional(),
  volatility: z
    .strictObject({
      most: z.number().min(1).max(1000).meta({ expects: "a number from 1 to 1000 (the rate is multiplied by usual over present volatility, from 1/most to most)" }),
      fast: whole(1, NUMBERS_MAX, "labels that the present volatility looks back over").default(100),
      slow: whole(1, NUMBERS_MAX, "labels that the usual volatility looks back over").default(10_000),
    })
    .optional(),
});

/** Dropout that is raised when liquidity is low. Liquidity: shares on the best five levels of both sides over the spread in 1/10,000 dollar, each instrument against its own norm. */
const liquidity = z.strictObject({
  most: z.number().min(1).max(100).meta({ expects: "a number from 1 to 100 (dropout is multiplied by usual over present liquidity, from 1 to most; no share is raised above 0.9)" }),
  fast: whole(1, NUMBERS_MAX, "rows of an instrument that its present liquidity looks back over").default(100),
  slow: whole(1, NUMBERS_MAX, "rows of an instrument that its usual liquidity looks back over").default(10_000),
});

const envelope = z.strictObject({
  offer_ms: whole(1, 3_600_000, "time between two publications, milliseconds of line time").default(1000),
  change_max: factor(10, "most relative change of the weights in one publication"),
  drift_max: factor(100, "most relative distance of the weights from the model file's"),
  score_slack: share("how far the learning model's macro-F1 may stand below the frozen one's"),
  labels_min: whole(1, 1_000_000, "labels before the first publication").default(1000),
});

/** Learning from a memory in which rare moves come more often; their frequency is put right in what is published. */
const replay = z.strictObject({
  capacity: whole(1, 1_000_000, "labels kept, or stretches of a stateful network").default(4096),
  oversample: z.number().min(1).max(1_000_000).meta({ expects: "a number from 1 (how many times as often as it came a rare class may be learned from)" }).default(100),
  sharpness: z.number().min(0).max(2).meta({ expects: "a number from 0 to 2 (how much more often comes what the network was wrong about)" }).default(0.6),
  correction: share("how far importance weights put that right").default(1),
});

/** Learning by reward instead of labels: an actor, whose trades' Sharpe ratio is the reward, and a critic that learns by temporal differences. */
const actorCritic = z.strictObject({
  discount: z.number().min(0).max(0.999).meta({ expects: "a number from 0 to 0.999 (how much of the next decision's value counts)" }).default(0.9),
  explore: z.number().min(0).max(0.999).meta({ expects: "a number from 0 to 0.999 (share of decisions taken by even dice)" }).default(0.1),
  critic_rate: factor(1, "learning rate of the critic").default(0.001),
  trades: whole(2, 100_000, "trades that the Sharpe ratio looks back over").default(100),
  cost_bps: z.number().min(0).max(10_000).meta({ expects: "a number from 0 to 10000 (cost of a trade, basis points of its price)" }).default(0),
});

/** Learning anew, from the model file's weights, from a rolling window of labels; what comes of it is a shadow that the gate may promote. */
const retrain = z.strictObject({
  every_s: whole(1, 604_800, "line time between two retrainings, seconds; 21600 is 6 hours").default(21_600),
  labels: whole(1, 1_000_000, "labels of the rolling window, or stretches of a stateful network").default(20_000),
  each: whole(1, 1_000_000, "of so many labels one is kept, so that the window spans hours").default(100),
  batch: whole(1, 4096, "labels a step learns from").default(32),
  steps: whole(1, NUMBERS_MAX, "steps of one retraining, one a row").default(2_000),
  rate: factor(1, "learning rate at its beginning; without it, the learner's").optional(),
});

const shadow = z.strictObject({
  name: text(/^[a-z][a-z0-9-]{0,30}$/, "a name of lower-case letters, digits and hyphens, 31 at most"),
  model: path(),
  member: whole(1, 16, "the member of an ensemble that it stands beside, and whose place it may take").default(1),
});

/** How a model takes the live one's place. */
const promotion = z.strictObject({
  labels: whole(1, 10_000_000, "labels of one contest"),
  margin: factor(1, "how far a challenger's macro-F1 must stand above the live model's"),
  calibration_max: share("largest calibration error of a challenger"),
  drift_max: factor(1000, "largest relative distance of a shadow's weights from the model file's; without it, the envelope's").optional(),
  fall: factor(1, "how far the live model's macro-F1 may stand below an earlier one's"),
  fall_labels: whole(1, 10_000_000, "labels of a contest before the live model can be found to have fallen behind"),
});

const fields = z.strictObject({
  state: path(),
  publish: z.boolean().meta({ expects: "true or false (false: a shadow, which learns and is evaluated but never trades)" }).default(true),
  /** Which members of an ensemble learn: every one at each step that is due, in turns, or only the first. */
  members: oneOf("all", "turns", "first").default("all"),
  cadence,
  method: oneOf("sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw", "sophia").default("adamw"),
  rate: factor(1, "learning rate"),
  schedule: schedule.prefault({}),
  loss: loss.default("cross_entropy"),
  decay: z.number().min(0).max(1).meta({ expects: "a number from 0 to 1 (weight decay)" }).default(0),
  clip: factor(1e6, "longest gradient").default(1),
  dropout: z.number().min(0).max(0.9).meta({ expects: "a number from 0 to 0.9 (share of values left out in a step; without it, as the model file has it)" }).optional(),
  liquidity: liquidity.optional(),
  sharpness: z.number().min(0).max(10).meta({ expects: "a number from 0 to 10 (SAM: how far uphill the gradient is taken; 0: not)" }).default(0),
  sharp_share: share("share of steps that look uphill: less costs less").default(1),
  adversary: z.number().min(0).max(10).meta({ expects: "a number from 0 to 10 (FGSM: how far inputs are moved, in scaled units; 0: not)" }).default(0),
  precision: oneOf("f32", "bf16").default("f32"),
  class_weights: z.array(factor(1000, "weight of a class in the loss")).length(3).meta({ expects: "three numbers above 0 (weights of down, flat, up in the loss)" }).optional(),
  batch: whole(1, 4096, "labels a step learns from at most").default(1),
  steps: whole(1, 1000, "rows that a step of a stateful network goes back through").default(50),
  horizon: whole(1, 100_000, "events that labels look ahead").optional(),
  threshold: z.number().min(0).max(1e9).meta({ expects: "a number from 0 (moves above it are up or down, 1/10,000 dollar)" }).default(0),
  window: whole(1, 1_000_000, "labels of the running evaluation").default(5000),
  steps_per_cycle: whole(1, 10_000, "steps in one duty cycle at most").default(16),
  replay: replay.optional(),
  actor_critic: actorCritic.optional(),
  retrain: retrain.optional(),
  shadows: z.array(shadow).max(64).default([]),
  promotion: promotion.optional(),
  envelope,
});

/** One rule that several fields make together: the field to blame, what it is, and the way out. */
type Clash = readonly [broken: boolean, path: readonly (string | number)[], message: string, fix: string];

function clashes({ members, envelope, window, cadence, batch, loss, class_weights, schedule, dropout, liquidity, replay, actor_critic, retrain, shadows, promotion }: z.output<typeof fields>): Clash[] {
  const { volatility } = schedule;
  const hinge = typeof loss === "string" ? { over: 1, under: 0 } : loss;
  const twin = shadows.findIndex(({ name }, i) => shadows.findIndex((other) => other.name === name) < i);
  const beside = shadows.findIndex(({ member }) => member !== 1);
  const reserved = shadows.findIndex(({ name }) => name === "retrained");
  return [
    [!(envelope.labels_min <= window), ["envelope", "labels_min"], `is above the evaluation's window of ${window}, so nothing would ever be published`, "lower it or raise learner.window"],
    [cadence === "tick" && batch !== 1 && replay === undefined, ["batch"], `is ${batch}, but a step at every tick learns from one label`, "set it to 1, choose another cadence, or add replay"],
    [loss !== "cross_entropy" && class_weights !== undefined, ["class_weights"], "weighs the classes of cross_entropy, which is not the loss here", "remove it, or set loss: cross_entropy"],
    [!(hinge.over > hinge.under), ["loss"], `has over ${hinge.over} and under ${hinge.under}, so a move claimed in vain costs no more than one missed`, "raise over above under, or set loss: squares"],
    [volatility !== undefined && !(volatility.fast < volatility.slow), ["schedule", "volatility", "fast"], "does not look back over fewer labels than slow, so present and usual volatility are the same", "lower it or raise slow"],
    [liquidity !== undefined && !(liquidity.fast < liquidity.slow), ["liquidity", "fast"], "does not look back over fewer rows than slow, so present and usual liquidity are the same", "lower it or raise slow"],
    [liquidity !== undefined && dropout === 0, ["dropout"], "is 0, so there is nothing that liquidity could raise", "raise it, or remove learner.liquidity"],
    [replay !== undefined && !(batch <= replay.capacity), ["batch"], `is above the replay's capacity of ${replay?.capacity}, so no step would ever be taken`, "lower it or raise learner.replay.capacity"],
    [actor_critic !== undefined && replay !== undefined, ["replay"], "remembers labels, but actor_critic learns from the policy's own decisions as they come", "remove it, or remove learner.actor_critic"],
    [actor_critic !== undefined && loss !== "cross_entropy", ["loss"], "is for labels, but actor_critic learns from rewards", "remove it, or remove learner.actor_critic"],
    [actor_critic !== undefined && class_weights !== undefined, ["class_weights"], "weighs labels, but actor_critic learns from rewards", "remove it, or remove learner.actor_critic"],
    [retrain !== undefined && !(retrain.batch <= retrain.labels), ["retrain", "batch"], `is above the window's ${retrain?.labels} labels, so no retraining would ever begin`, "lower it or raise learner.retrain.labels"],
    [retrain !== undefined && reserved >= 0, ["shadows", reserved, "name"], "is the name of what retraining makes", "give it another name"],
    [members === "first" && beside >= 0, ["shadows", beside, "member"], `is ${shadows[beside]?.member}, but only the first member learns`, "remove it, or choose another learner.members"],
    [twin >= 0, ["shadows", twin, "name"], `${shadows[twin]?.name} is listed twice`, "give it another name"],
    [promotion !== undefined && !(promotion.fall_labels <= promotion.labels), ["promotion", "fall_labels"], `is above the contest's ${promotion?.labels} labels, so nothing would ever be taken back`, "lower it or raise learner.promotion.labels"],
  ];
}

/** The section. */
export const learner = fields.superRefine((section, check) => {
  for (const [broken, path, message, fix] of clashes(section)) {
    if (broken) check.addIssue({ code: "custom", path: [...path], message, params: { fix } });
  }
});

/** The section, checked: every field present. */
export type LearnerConfig = z.output<typeof learner>;
