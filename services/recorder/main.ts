/** Wires the recorder: its native half over the run's rings and the journal. */
import type { Agent } from "../kit/agent.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError, type ErrorCode } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { nativeSettings } from "./config.ts";
import { Recorder } from "./record.ts";

/** Codes of the native half and ours. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ["JOURNAL_", "TL_JOURNAL"],
  ["CAPTURE_", "TL_CAPTURE"],
  ["RING_", "TL_SEGMENT"],
];

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
 * @throws TicklineError TL_JOURNAL, TL_CAPTURE or TL_SEGMENT, naming file and fix
 */
export function createRecorder(context: ServiceContext): Agent {
  const recorder = door(() => native.NativeRecorder.open(nativeSettings(context)));
  const first = recorder.figures();
  context.log.info({ file: first?.file, entries: first?.entries, missed: first?.missed }, "recorder ready");
  const end = { poll: recorder.poller(), close: () => { door(() => { recorder.close(); }); } };
  return new Recorder(end, () => ({ journal: context.config.recorder?.dir, ...recorder.figures() }));
}
