/** From the placement to processes in start order. Pure. */

/** Services in start order, the reverse of the data flow: each one's consumers are ready before it produces. */
export const START_ORDER = ["exchange", "execution", "risk", "inference", "feed"] as const;
export type ServiceName = (typeof START_ORDER)[number];

/** `processes`: as the placement says; `fused`: every agent in one process; the venue always has its own, as a real one has. */
export type PlacementMode = "configured" | "processes" | "fused";

/** Services that share a process. */
export interface ProcessGroup {
  readonly name: string;
  readonly services: readonly ServiceName[];
}

/**
 * Groups the services by process. A group stands where its first service stands in the start order, so a line that fuses
 * `execution` with `feed` starts that process second.
 * `placement` maps every service to its process name; `mode` overrides it: `fused` puts all agents in process `line`,
 * `processes` gives each service its own.
 */
export function planProcesses(placement: Readonly<Record<ServiceName, { readonly process: string }>>, mode: PlacementMode): ProcessGroup[] {
  const groups = new Map<string, ServiceName[]>();
  for (const service of START_ORDER) {
    const name = processName(placement, mode, service);
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [service]);
    else members.push(service);
  }
  return [...groups].map(([name, services]) => ({ name, services }));
}

function processName(placement: Readonly<Record<ServiceName, { readonly process: string }>>, mode: PlacementMode, service: ServiceName): string {
  if (service === "exchange") return "exchange";
  if (mode === "fused") return "line";
  return mode === "processes" ? service : placement[service].process;
}
