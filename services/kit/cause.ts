/** Why a line is disarmed: the code in the line block. Below 100 the supervisor re-arms by policy; from 100 on only a person does. */
export const Cause = {
  /** Disarmed by the supervisor: a process died and is being restarted. */
  Restart: 1,
  /** Disarmed by the supervisor: the line is stopping. */
  Stop: 2,
  /** A person said `tickline halt`. */
  Person: 100,
  /** The line's loss limit was crossed. */
  LossLimit: 101,
  /** Positions and executions disagree. */
  PositionMismatch: 102,
} as const;

/** A cause of `Cause`. */
export type Cause = (typeof Cause)[keyof typeof Cause];

/** Smallest code that only a person may clear. */
export const PERSON_ONLY = 100;
