/** What the command says about an error, and its exit code. */
import { Exit, TicklineError } from "../kit/errors.ts";

/** Exit code of an error; an internal error for anything that the product did not state. */
export function exitCodeOf(error: unknown): Exit {
  return error instanceof TicklineError ? error.exit : Exit.Internal;
}

/** Writes the error to stderr: one message, and a stack only for our own bugs or with TICKLINE_DEBUG=1. */
export function report(error: unknown): void {
  if (error instanceof TicklineError && process.env["TICKLINE_DEBUG"] !== "1") {
    process.stderr.write(`tickline: ${error.message}\n`);
    return;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`tickline: ${error instanceof TicklineError ? error.code : "internal error"}: ${text}\n`);
}
