/** The log of control code: one JSON line an event on standard error, written at once so that an exit loses none. */
import { pino, type Logger } from "pino";

/** Levels a person may ask for. */
export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;

/** One of `LOG_LEVELS`. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * A logger that names its service on every line. Never call it from a duty cycle: it writes synchronously.
 *
 * @param name service or process, as in the control block
 * @param descriptor where lines go; standard error unless given
 */
export function createLog(name: string, level: LogLevel = "info", descriptor = 2): Logger {
  return pino({ name, level, base: { name, pid: process.pid } }, pino.destination({ dest: descriptor, sync: true }));
}
