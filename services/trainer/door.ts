/** Errors of the native doors as errors of the command. */
import { TicklineError } from "../kit/errors.ts";

function stated(cause: unknown): unknown {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.startsWith("TRAIN_CHECKPOINT")) return new TicklineError("TL_CHECKPOINT", text, { cause });
  if (text.startsWith("TRAIN_")) return new TicklineError("TL_CAPTURE", text, { cause });
  return text.startsWith("MODEL_") ? new TicklineError("TL_MODEL", text, { cause }) : cause;
}

/**
 * What `call` gives.
 *
 * @throws TicklineError TL_CAPTURE for a capture or rows that do not do, TL_MODEL for a network, settings or file that make no model,
 * TL_CHECKPOINT for a file that no run goes on from
 */
export function door<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw stated(cause);
  }
}

/** As `door`, of a call that takes its time. */
export async function slowDoor<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw stated(cause);
  }
}
