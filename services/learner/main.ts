/** Wires the learner: its native half, the features ring, its report. */
import type { Agent } from "../kit/agent.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError, type ErrorCode } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { writeStanding } from "../kit/standing.ts";
import { nativeSettings } from "../kit/learner-settings.ts";
import { Learner } from "./learner.ts";
import { Report, type Figures } from "./report.ts";

type Member = ReturnType<typeof native.NativeLearner.open>;

/** Codes of the native half and ours. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ["LEARN_SETTING", "TL_CONFIG_VALUE"],
  ["LEARN_", "TL_CHECKPOINT"],
  ["WEIGHTS_", "TL_SEGMENT"],
  ["RING_", "TL_SEGMENT"],
  ["MODEL_", "TL_MODEL"],
];

/** Calls native code and gives its error a code of `errors.ts`; `who` says which member of an ensemble it is about. */
function door<T>(who: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TicklineError(CODES.find(([prefix]) => text.startsWith(prefix))?.[1] ?? "TL_INTERNAL", `${who}${text}`, { cause });
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
  const members = settings.map((own, nth) => door(settings.length > 1 ? `member ${nth + 1}, ${own.model}: ` : "", () => native.NativeLearner.open(own)));
  const figures = (): [Figures, ...Figures[]] => members.map((member) => member.figures()) as [Figures, ...Figures[]];
  const report = new Report(block, log, (standing) => { writeStanding(context.runDir, standing); }, figures());
  figures().forEach(({ rows, steps, inPlace }, nth) => {
    log.info({ ...(members.length > 1 ? { member: nth + 1 } : {}), rows, steps, inPlace, checkpoint: settings[nth]?.checkpoint ?? "none" }, "learner ready");
  });
  return new Learner({
    members,
    block,
    inlet: (handler) => context.inlet("features", handler),
    stepsMax: config.learner?.steps_per_cycle ?? 1,
    offer: (nth) => {
      const member = members[nth] as Member;
      member.offer();
      report.tell(member.figures(), nth);
    },
    summary: () => {
      const [first, ...others] = figures();
      return { ...first, ...(others.length > 0 ? { others } : {}) };
    },
    close: () => {
      members.forEach((member, nth) => {
        try {
          report.tell(member.figures(), nth);
          member.keep();
        } catch (error) {
          // The checkpoint of the last offer stands; the next process goes on from there.
          log.warn({ trouble: String(error) }, "the last checkpoint could not be written");
        }
      });
    },
  });
}
