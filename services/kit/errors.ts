/**
 * Every error that TypeScript code throws at a person or a program, in one place: a stable code, the exit status of
 * `tickline` that it leads to, and what it means. README.md's table is checked against this list.
 */

/** Exit statuses of `tickline`. */
export const Exit = {
  Done: 0,
  /** A gate or a check failed. */
  Gate: 1,
  /** Usage, configuration or input. */
  Input: 2,
  /** The line gave up: restart intensity, start-up failure. */
  Line: 3,
  /** A bug of ours. */
  Internal: 4,
  /** Interrupted, after a clean stop. */
  Interrupted: 130,
} as const;

/** An exit status of `tickline`. */
export type Exit = (typeof Exit)[keyof typeof Exit];

/** Code, exit status and meaning. Codes are never reused. */
export const ERRORS = {
  TL_USAGE: { exit: Exit.Input, means: "the command line is wrong" },
  TL_CONFIG_READ: { exit: Exit.Input, means: "a line file cannot be read" },
  TL_CONFIG_SYNTAX: { exit: Exit.Input, means: "a line file is not YAML" },
  TL_CONFIG_VALUE: { exit: Exit.Input, means: "a line file holds a wrong, missing or unknown value" },
  TL_CAPTURE: { exit: Exit.Input, means: "a capture cannot be read or is not one" },
  TL_JOURNAL: { exit: Exit.Input, means: "a journal cannot be read or written, or is damaged" },
  TL_MODEL: { exit: Exit.Input, means: "a model file is corrupt or does not fit" },
  TL_CHECKPOINT: { exit: Exit.Input, means: "a checkpoint is damaged, of another model, other rows or settings, or cannot be written" },
  TL_STRATEGY: { exit: Exit.Input, means: "a strategy module cannot be loaded or has the wrong shape" },
  TL_PORT: { exit: Exit.Input, means: "a socket cannot be opened or connected" },
  TL_ADDON: { exit: Exit.Internal, means: "the native addon is missing, stale or copies memory it should map" },
  TL_SEGMENT: { exit: Exit.Line, means: "a shared-memory segment is missing, foreign or of another layout" },
  TL_START: { exit: Exit.Line, means: "a service was not ready in time" },
  TL_RESTARTS: { exit: Exit.Line, means: "a service was restarted too often" },
  TL_LINE_BUSY: { exit: Exit.Line, means: "a line of this name is already running" },
  TL_LINE_ABSENT: { exit: Exit.Input, means: "no line of this name is running" },
  TL_INTERNAL: { exit: Exit.Internal, means: "a bug in tickline" },
  TL_INTERRUPTED: { exit: Exit.Interrupted, means: "stopped by a signal" },
} as const;

/** A stable error code. */
export type ErrorCode = keyof typeof ERRORS;

/** An error with a code; the message says what, where and how to fix it. */
export class TicklineError extends Error {
  override readonly name: string = "TicklineError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** The exit status that `tickline` ends with. */
  get exit(): Exit {
    return ERRORS[this.code].exit;
  }
}

/** Where in a configuration something is wrong. */
export interface ConfigPlace {
  readonly file: string;
  /** From 1; 0 when the file as a whole is meant. */
  readonly line: number;
  readonly column: number;
  /** Dotted, `risk.order_qty_max`; empty for the file as a whole. */
  readonly path: string;
}

/** A configuration that cannot be used. */
export class ConfigError extends TicklineError {
  override readonly name = "ConfigError";
  readonly place: ConfigPlace;
  /** The offending value as written, shortened; empty when nothing is there. */
  readonly value: string;
  readonly fix: string;

  constructor(
    code: "TL_CONFIG_READ" | "TL_CONFIG_SYNTAX" | "TL_CONFIG_VALUE",
    place: ConfigPlace,
    problem: string,
    fix: string,
    value = "",
  ) {
    const where = place.line > 0 ? `${place.file}:${place.line}:${place.column}` : place.file;
    super(code, `${where}: ${place.path === "" ? "" : `${place.path}: `}${problem}; ${fix}`);
    this.place = place;
    this.value = value;
    this.fix = fix;
  }
}
