/** Looks at the files that a line needs before anything is started: a wrong one is then one sentence, not a process that dies. */
import { modelsOf, type LineConfig } from "../kit/config.ts";
import { nativeSettings } from "../kit/learner-settings.ts";
import { native } from "../kit/native.ts";
import { stated } from "./native-refusal.ts";

/** What a capture holds, as far as starting a line on it matters. */
export interface Surveyed {
  readonly symbols: readonly string[];
  readonly messages: number;
  /** Byte at which a last record begins that is cut off; absent or null when the capture is whole. */
  readonly truncated_at?: number | null;
}

/** Reads a capture through. @throws TicklineError TL_CAPTURE, naming the file and the fix */
export function survey(path: string): Surveyed {
  try {
    return JSON.parse(native.inspectSummary(path, undefined, true)) as Surveyed;
  } catch (error) {
    throw stated(error, () => "TL_CAPTURE");
  }
}

/**
 * Loads the model as inference will, and makes the learners that the line would have.
 *
 * @throws TicklineError TL_MODEL, naming the model file, the line file and the fix; TL_CONFIG_VALUE for settings that do not fit the model
 */
export function requireModel(config: LineConfig, lineFile: string): void {
  const { instruments, learner } = config;
  const [model, ...ensemble] = modelsOf(config);
  try {
    native.NativeModel.load(model, Math.max(1, instruments.length), ensemble);
  } catch (error) {
    throw stated(error, () => "TL_MODEL", `; name another under inference.model${ensemble.length > 0 ? " or inference.ensemble" : ""} in ${lineFile}, or train one with npx tickline train --out FILE`);
  }
  for (const { name, model } of learner?.shadows ?? []) {
    try {
      native.modelInfo(model);
    } catch (error) {
      throw stated(error, () => "TL_MODEL", `; name another for shadow ${name} under learner.shadows in ${lineFile}, or remove it`);
    }
  }
  if (learner !== undefined) requireLearner(config, lineFile);
}

/** Makes a learner that keeps and publishes nothing, and lets it go. */
function requireLearner(config: LineConfig, lineFile: string): void {
  const learner = { ...config.learner, publish: false } as NonNullable<LineConfig["learner"]>;
  const members = nativeSettings({ config: { ...config, learner }, runDir: "", replay: true, lineBlock: { runId: () => 0 } });
  members.forEach((settings, nth) => {
    try {
      native.NativeLearner.open(settings);
    } catch (error) {
      const member = members.length > 1 ? `; it is member ${nth + 1} that cannot learn so, and learner.members: first leaves it alone` : "";
      throw stated(error, (code) => (code === "LEARN_SETTING" ? "TL_CONFIG_VALUE" : "TL_MODEL"), ` (section learner of ${lineFile}${member})`);
    }
  });
}

/** Reads the captures through that the line names, if it names any. @throws TicklineError TL_CAPTURE */
export function requireCaptures({ venue, feed }: LineConfig): void {
  const paths = new Set<string>();
  if (venue.flow.kind === "capture") paths.add(venue.flow.path);
  if (feed.source.kind === "pcap") paths.add(feed.source.path);
  for (const path of paths) survey(path);
}
