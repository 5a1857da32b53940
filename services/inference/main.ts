/** Wires the inference service: model, weights segment, strategy, links. */
import type { Agent } from "../kit/agent.ts";
import { stamp, stampWords } from "../kit/clock.ts";
import { modelsOf } from "../kit/config.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { PREDICTION_BYTES, PredictionView } from "../kit/prediction.ts";
import { weightsOf } from "../kit/segments.ts";
import { GuardedDecider } from "./guarded-decider.ts";
import { Inference } from "./inference.ts";
import { loadStrategy } from "./load-strategy.ts";
import { Model } from "./model.ts";

/** Calls native code and gives its error a code of `errors.ts`. */
function door<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TicklineError(/^(WEIGHTS|RING)_/.test(text) ? "TL_SEGMENT" : "TL_MODEL", text, { cause });
  }
}

/**
 * Creates the service for one line.
 *
 * @throws TicklineError TL_MODEL, TL_STRATEGY or TL_SEGMENT, naming the file
 */
export function createInference(context: ServiceContext): Agent {
  const { config, log, runDir, block } = context;
  const [path, ...ensemble] = modelsOf(config);
  const info = door(() => native.modelInfo(path));
  const loaded = door(() => native.NativeModel.load(path, config.instruments.length, ensemble));
  door(() => loaded.attach(`${runDir}/${weightsOf(0)}`, ensemble.map((_, nth) => `${runDir}/${weightsOf(nth + 1)}`)));
  const { name, decider } = loadStrategy(config.inference.strategy, {
    instruments: config.instruments,
    parameters: config.inference.parameters,
    classes: info.classes,
  });
  const prediction = new PredictionView(new DataView(new ArrayBuffer(PREDICTION_BYTES)));
  const guarded = new GuardedDecider(decider);
  const members = ensemble.map((member) => door(() => native.modelInfo(member)));
  const facts = {
    model: info.name, modelHash: door(() => native.ensembleHash([path, ...ensemble])), parameters: [info, ...members].reduce((sum, { parameters }) => sum + parameters, 0),
    level: info.level, strategy: name,
    ...(members.length > 0 ? { ensemble: [info, ...members].map((member) => ({ model: member.name, hash: member.hash })) } : {}),
  };
  log.info(facts, "model and strategy loaded");
  return new Inference({
    model: new Model(loaded, prediction),
    prediction,
    decider: guarded,
    block,
    upstream: context.peer("feed"),
    inlet: (handler) => context.inlet("features", handler),
    outlet: context.outlet("signal"),
    stamp,
    stampWords,
    strategyIndex: 0,
    recurrent: [info, ...members].some(({ recurrent }) => recurrent),
    summary: (answers) => ({
      ...facts,
      answers: Object.fromEntries(Array.from({ length: info.outputs }, (_, i) => [info.classes[i] ?? String(i), answers[i]])),
      strategyErrors: guarded.throws,
      ...(guarded.throws > 0 ? { firstStrategyError: String(guarded.firstThrown) } : {}),
    }),
  });
}
