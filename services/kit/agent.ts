/** A service's unit of work: one duty cycle of bounded length, never blocking. */
export interface Agent {
  /** Does what is ready now and returns how much was done; 0 lets the idle strategy rest. Allocates nothing. */
  doWork(): number;
  /** A descriptor whose readiness means work (a socket), for the host to wait on when it parks; absent or -1: none. */
  descriptor?(): number;
  /** What the service has to say at the end of a run, as plain JSON; asked once, before `close`. */
  summary?(): Record<string, unknown>;
  /** Releases what the agent holds; called once, after the last duty cycle. */
  close(): void;
}

/** What a host does when a whole duty cycle found no work. */
export type IdleKind = "spin" | "yield" | "park";
