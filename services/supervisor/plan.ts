/** From the placement to processes in start order. Pure. */
import { PLACED, type Placed } from "../kit/config.ts";

/** `processes`: as the placement says; `fused`: every agent in one process; the venue always has its own, as a real one has. */
export type PlacementMode = "configured" | "processes" | "fused";

/** Services that share a process. */
export interface ProcessGroup {
  readonly name: string;
  readonly services: readonly Placed[];
}

/**
 * Groups the services by process. A group stands where its first service stands in the start order, so a line that fuses
 * `execution` with `feed` starts that process second.
 * `placement` maps every service to its process name; `mode` overrides it: `fused` puts all agents in process `line`,
 * `processes` gives each service its own.
 */
export function planProcesses(placement: Readonly<Record<Placed, { readonly process: string }>>, mode: PlacementMode): ProcessGroup[] {
  const groups = new Map<string, Placed[]>();
  for (const service of PLACED) {
    const name = processName(placement, mode, service);
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [service]);
    else members.push(service);
  }
  return [...groups].map(([name, services]) => ({ name, services }));
}

function processName(placement: Readonly<Record<Placed, { readonly process: string }>>, mode: PlacementMode, service: Placed): string {
  if (service === "exchange") return "exchange";
  if (mode === "fused") return "line";
  return mode === "processes" ? service : placement[service].process;
}
