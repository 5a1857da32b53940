/** A service's unit of work: one duty cycle of bounded length, never blocking. */
export interface Agent {
  /** Does what is ready now and returns how much was done; 0 lets the idle strategy rest. Allocates nothing. */
  doWork(): number;
  /** Releases what the agent holds; called once, after the last duty cycle. */
  close(): void;
}

/** What a host does when a whole duty cycle found no work. */
export type IdleKind = "spin" | "yield" | "park";
