// Progress lines and the one error type of the set-up.

const began = performance.now();

/** Seconds since the set-up began, with one decimal. */
export function elapsed() {
  return `${((performance.now() - began) / 1000).toFixed(1)}s`;
}

/** One progress line: `[  1.2s] packages   current`. */
export function say(step, text) {
  process.stdout.write(`[${elapsed().padStart(7)}] ${step.padEnd(9)} ${text}\n`);
}

/** A set-up failure whose message is the whole explanation, with the fix; shown without a stack. */
export class SetupError extends Error {}
