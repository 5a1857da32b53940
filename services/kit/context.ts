import type { Handler, Inlet, Outlet } from "./link.ts";
import type { LineConfig } from "./config.ts";
import type { LineBlock, ServiceBlock } from "./ring/control.ts";
import type { ServiceName } from "./ring/names.ts";
import type { Logger } from "pino";

/** The arrows that are links between services. */
export type Arrow = "features" | "signal" | "order" | "fill";

/** The line's venue; a partner inside the order port, which rejects every order, to practise with; or nobody: no session, and every order refused. */
export type Counterparty = "venue" | "partner" | "nobody";

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
  /** Whom execution trades with; anybody but the venue means that this agent only warms up, and that what it writes is thrown away. */
  readonly counterparty: Counterparty;
  /** Capture that the feed plays round and round instead of its source, in a line that only practises. */
  readonly practice?: string | undefined;
  readonly log: Logger;
  /** The receiving end of an arrow. `direct` is the handler that a fused link calls on commit; a ring link ignores it. */
  inlet(arrow: Arrow, direct: Handler): Inlet;
  /** The sending end of an arrow. */
  outlet(arrow: Arrow): Outlet;
}
