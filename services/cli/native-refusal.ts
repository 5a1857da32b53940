/** Errors of native code, which begin with their room's code, as errors of the command. */
import { TicklineError, type ErrorCode } from "../kit/errors.ts";

/**
 * `error` as a TicklineError when a room stated it: `as` names the command's code for a room's code. Its message is the room's
 * sentence without the code, and `where` after it, if given. Anything else is a bug and stays as it is.
 */
export function stated(error: unknown, as: (code: string) => ErrorCode, where = ""): unknown {
  const [, code, text] = /^([A-Z][A-Z0-9_]+): (.*)$/s.exec(error instanceof Error ? error.message : "") ?? [];
  if (code === undefined || text === undefined) return error;
  return new TicklineError(as(code), `${text}${where}`, { cause: error });
}
