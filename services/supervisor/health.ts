/** The supervisor's door to the control segment: what the services say about themselves, and the line's armed word. */

/** What a service says it is doing. `absent`: it has not attached since it was last started. */
export type Phase = "absent" | "starting" | "ready" | "running" | "stopping" | "stopped" | "failed";

/** What a supervisor asks and tells; `service` is always a name of the line's placement. */
export interface Health {
  /** Called before a service is (re)started: forgets the state of the process before it. */
  prepare(service: string): void;
  phase(service: string): Phase;
  /** Milliseconds since the service's work loop last beat; infinite before the first beat. */
  heartbeatAgeMs(service: string): number;
  /** The last error the service recorded, or an empty string. */
  lastError(service: string): string;
  /** Adds one to the service's restart count. */
  countRestart(service: string): void;
  /** Lets orders pass, unless a person or a limit halted the line: that is not ours to undo. Returns whether the line is armed. */
  arm(): boolean;
  /** Makes the gate refuse every order from now on; `stopping` when the line ends, else `cause` is a fault and is kept for the operator. */
  disarm(cause: string, stopping: boolean): void;
  /** Stamps the supervisor's own heartbeat; called wherever it waits. */
  beat(): void;
  /** Raises the line's epoch, before anything is (re)started: what an earlier epoch decided is refused from then on. */
  newEpoch(): void;
}
