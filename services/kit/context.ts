import type { Handler, Inlet, Outlet } from "./link.ts";
import type { LineConfig } from "./config.ts";
import type { LineBlock, ServiceBlock } from "./ring/control.ts";
import type { ServiceName } from "./ring/names.ts";
import type { Logger } from "pino";

/** The arrows that are links between services. */
export type Arrow = "features" | "signal" | "order" | "fill";

/** Everything a service receives from its host; a service reaches for nothing else. */
export interface ServiceContext {
  readonly name: "feed" | "inference" | "risk" | "execution" | "learner" | "recorder";
  readonly config: LineConfig;
  /** Folder of the run's segments and bells, `/dev/shm/tickline/<line>`. */
  readonly runDir: string;
  /** This service's block in the control segment: state, heartbeat, horizon, counters, histograms. */
  readonly block: ServiceBlock;
  /** The line's block: armed word, epoch. */
  readonly lineBlock: LineBlock;
  /** Block of another service, to read its horizon or counters; never written here. */
  peer(name: ServiceName): ServiceBlock;
  /** True in replay: line time is capture time and the horizon rules of ARCHITECTURE.md hold. */
  readonly replay: boolean;
  /** True when this agent only warms up code paths: it opens no session, and what it writes is thrown away. */
  readonly rehearsal: boolean;
  /** Capture that the feed plays round and round instead of its source, in a line that only practises. */
  readonly practice?: string | undefined;
  readonly log: Logger;
  /** The receiving end of an arrow. `direct` is the handler that a fused link calls on commit; a ring link ignores it. */
  inlet(arrow: Arrow, direct: Handler): Inlet;
  /** The sending end of an arrow. */
  outlet(arrow: Arrow): Outlet;
}
