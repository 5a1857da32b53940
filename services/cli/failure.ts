/** What the command says about an error, and its exit code. */

interface Stated {
  readonly code: string;
  readonly exitCode: number;
  readonly message: string;
}

/** True for an error of the product's own kind: a stable code and an exit code; its message is the whole explanation. */
function isStated(error: unknown): error is Error & Stated {
  return error instanceof Error && "exitCode" in error && typeof error.exitCode === "number" && "code" in error;
}

/** Exit code of an error; 4, an internal error, for anything the product did not state. */
export function exitCodeOf(error: unknown): number {
  return isStated(error) ? error.exitCode : 4;
}

/** Writes the error to stderr: one message, and a stack only for our own bugs or with TICKLINE_DEBUG=1. */
export function report(error: unknown): void {
  if (isStated(error) && process.env["TICKLINE_DEBUG"] !== "1") {
    process.stderr.write(`tickline: ${error.message}\n`);
    return;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`tickline: internal error:\n${text}\n`);
}
