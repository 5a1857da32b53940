/** The tables of a line: its services and its hops, from a snapshot. Shared by `status`, the live table and the summary. Pure. */
import { HOPS } from "../kit/ring/names.ts";
import { hopOf, type LineSnapshot, type ServiceSnapshot } from "../supervisor/snapshot.ts";
import { columns, micros, table, whole, wrap } from "./columns.ts";

/** What each hop measures, as the heading under the table explains it. */
const HOP_MEANS: Readonly<Record<(typeof HOPS)[number], string>> = {
  feed: "due -> features",
  inference: "features -> prediction",
  strategy: "prediction -> signal",
  risk: "signal -> order",
  gate: "order -> gate passed",
  send: "gate -> back from the socket",
  line: "due -> on the wire",
  ack: "sent -> accepted",
  lateness: "due -> taken up",
  admit: "waiting for admission",
  wire: "gate -> on the wire",
  stall: "taken by the machine",
};

function beat(service: ServiceSnapshot): string {
  const age = service.heartbeat_age_ms;
  if (age === null || service.state === "stopped" || service.state === "failed") return "-";
  return age < 10 ? `${age.toFixed(1)} ms` : `${whole(age)} ms`;
}

/** One line per service, and below the last errors, or that there are none. */
export function serviceTable(line: LineSnapshot, width: number): string[] {
  const rows = line.services.map((service) => [
    service.name,
    service.state,
    String(service.epoch),
    String(service.pid),
    beat(service),
    whole(service.gaps),
    whole(service.drops),
    whole(service.counters.gc ?? 0),
    String(service.restarts),
  ]);
  const lines = table(columns("service", "state", "+epoch", "+pid", "+heartbeat", "+gaps", "+drops", "+gc", "+restarts"), rows, width);
  const errors = line.services.filter(({ error }) => error !== "").map(({ name, error }) => `last error of ${name}: ${error}`);
  return [...lines, "", ...(errors.length > 0 ? errors : ["no errors"]).flatMap((text) => wrap(text, width))];
}

/** One line per hop that was measured, in microseconds. */
export function hopTable(line: Pick<LineSnapshot, "services">, width: number): string[] {
  const rows = HOPS.flatMap((name) => {
    const hop = hopOf(line, name);
    return hop === undefined ? [] : [[name, HOP_MEANS[name], whole(hop.count), ...[hop.p50, hop.p90, hop.p99, hop.p999, hop.max].map(micros)]];
  });
  if (rows.length === 0) return [];
  return table(columns("hop", "?us, from -> to", "+count", "+p50", "+p90", "+p99", "+p99.9", "+max"), rows, width);
}

/** Armed or not, and why. */
export function armedText(line: LineSnapshot): string {
  if (line.armed) return "armed";
  return line.cause === null ? "not armed yet" : `disarmed: ${line.cause.text}`;
}
