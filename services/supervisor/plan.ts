/** From the placement to processes in start order. Pure. */
import { PLACED, type Beside, type Placed, type Seated } from "../kit/config.ts";

/** `processes`: as the placement says; `fused`: every agent in one process; the venue always has its own, as a real one has. */
export type PlacementMode = "configured" | "processes" | "fused";

/** Services that share a process. */
export interface ProcessGroup {
  readonly name: string;
  readonly services: readonly Seated[];
  /** True when its death is no matter of the line: the learner's, the recorder's. */
  readonly beside: boolean;
}

/** A place, as far as processes are concerned. */
interface Named {
  readonly process: string;
}

/** Where the learner goes: `none` has no learner; `apart` in a process of its own, last; `tapped` (replay) with inference, whose rows it shares. */
export type LearnerSeat = "none" | "apart" | "tapped";

/**
 * Groups the services by process. A group stands where its first service stands in the start order, so a line that fuses
 * `execution` with `feed` starts that process second.
 * `placement` maps every service to its process name; `mode` overrides it: `fused` puts all agents in process `line`,
 * `processes` gives each service its own. A recorder stands first: it is there before anything is said and until everything was.
 */
export function planProcesses(placement: Readonly<Record<Placed, { readonly process: string }>> & { readonly learner?: Named | undefined; readonly recorder?: Named | undefined }, mode: PlacementMode, seat: LearnerSeat = "none", recorded = false): ProcessGroup[] {
  const groups = new Map<string, Seated[]>();
  for (const service of PLACED) {
    const name = processName(placement, mode, service);
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [service]);
    else members.push(service);
  }
  if (seat === "tapped") groups.get(processName(placement, mode, "inference"))?.push("learner");
  const line = [...groups].map(([name, services]) => ({ name, services, beside: false }));
  const beside = (service: Beside): ProcessGroup => ({ name: placement[service]?.process ?? service, services: [service], beside: true });
  return [...(recorded ? [beside("recorder")] : []), ...line, ...(seat === "apart" ? [beside("learner")] : [])];
}

function processName(placement: Readonly<Record<Placed, { readonly process: string }>>, mode: PlacementMode, service: Placed): string {
  if (service === "exchange") return "exchange";
  if (mode === "fused") return "line";
  return mode === "processes" ? service : placement[service].process;
}
