/** Wires the learner: its native half, the features ring, its report. */
import type { Agent } from "../kit/agent.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError, type ErrorCode } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { writeStanding } from "../kit/standing.ts";
import { nativeSettings } from "../kit/learner-settings.ts";
import { Learner } from "./learner.ts";
import { Report } from "./report.ts";

/** Codes of the native half and ours. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ["LEARN_SETTING", "TL_CONFIG_VALUE"],
  ["LEARN_", "TL_CHECKPOINT"],
  ["WEIGHTS_", "TL_SEGMENT"],
  ["RING_", "TL_SEGMENT"],
  ["MODEL_", "TL_MODEL"],
];

/** Calls native code and gives its error a code of `errors.ts`. */
function door<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TicklineError(CODES.find(([prefix]) => text.startsWith(prefix))?.[1] ?? "TL_INTERNAL", text, { cause });
  }
}

/**
 * Creates the service for one line.
 *
 * @throws TicklineError TL_CONFIG_VALUE, TL_MODEL, TL_CHECKPOINT or TL_SEGMENT, naming setting or file
 */
export function createLearner(context: ServiceContext): Agent {
  const { config, log, block } = context;
  const settings = nativeSettings(context);
  const learner = door(() => native.NativeLearner.open(settings));
  const first = learner.figures();
  const report = new Report(block, log, (standing) => { writeStanding(context.runDir, standing); }, first);
  log.info({ rows: first.rows, steps: first.steps, inPlace: first.inPlace, checkpoint: settings.checkpoint ?? "none" }, "learner ready");
  return new Learner({
    native: learner,
    block,
    inlet: (handler) => context.inlet("features", handler),
    stepsMax: config.learner?.steps_per_cycle ?? 1,
    offer: () => {
      learner.offer();
      report.tell(learner.figures());
    },
    summary: () => ({ ...learner.figures() }),
    close: () => {
      try {
        report.tell(learner.figures());
        learner.keep();
      } catch (error) {
        // The checkpoint of the last offer stands; the next process goes on from there.
        log.warn({ trouble: String(error) }, "the last checkpoint could not be written");
      }
    },
  });
}
