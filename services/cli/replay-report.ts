/** What a replay measured, as plain data. */
import type { LineConfig } from "../kit/config.ts";
import type { LineResult } from "../supervisor/run-line.ts";
import { hopOf, total, type HopSnapshot } from "../supervisor/snapshot.ts";
import { HOPS, type HopName } from "../kit/ring/names.ts";

/** Latencies in ns; null stands for infinite: an answer that never came. */
export interface HopReport {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
}

export interface ReplayReport {
  readonly capture: string;
  readonly placement: string;
  readonly speed: number | "max";
  readonly config_hash: string;
  readonly run_id: number;
  readonly seconds: number;
  readonly frames: number;
  readonly messages: number;
  readonly features: number;
  readonly gaps: number;
  readonly orders: number;
  readonly fills: number;
  /** Orders that neither were accepted nor rejected. */
  readonly unanswered: number;
  /** Refusals by reason, of risk and of the gate. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Realised and marked to the middle of the last book, in 1/10,000 dollar; null when risk left no summary. */
  readonly pnl: number | null;
  readonly positions: unknown;
  readonly hashes: { readonly books: string | null; readonly orders: string | null };
  /** Garbage collections in the line's processes while the capture ran. */
  readonly gc: number;
  /** Frames that waited for the venue's answers of simulated time before they were let in. */
  readonly admit_waits: number;
  readonly hops: Readonly<Partial<Record<HopName, HopReport>>>;
}

export interface ReplayInput {
  readonly capture: string;
  readonly placement: string;
  readonly speed: number | "max";
  readonly config_hash: string;
  readonly config: LineConfig;
  readonly result: LineResult;
}

type Summary = Readonly<Record<string, unknown>>;

function summaryOf(result: LineResult, service: string): Summary {
  return (result.summaries[service] ?? {}) as Summary;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function numbers(value: unknown): [string, number][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === "number" && entry[1] > 0);
}

/** Counts `missing` answers as infinitely late: a percentile whose rank lies among them is null. */
function withMissing(hop: HopSnapshot, missing: number): HopReport {
  const whole = hop.count + missing;
  const at = (share: number, value: number): number | null => (Math.ceil(share * whole) > hop.count ? null : value);
  return { count: whole, p50: at(0.5, hop.p50), p90: at(0.9, hop.p90), p99: at(0.99, hop.p99), p999: at(0.999, hop.p999), max: at(1, hop.max) };
}

/** Puts a run's control block and summaries together. */
export function replayReport({ capture, placement, speed, config_hash, result }: ReplayInput): ReplayReport {
  const { line } = result;
  const feed = summaryOf(result, "feed");
  const risk = summaryOf(result, "risk");
  const execution = summaryOf(result, "execution");
  const sent = total(line, "sent");
  const unanswered = Math.max(0, sent - total(line, "accepted") - total(line, "rejected"));
  const hops: Partial<Record<HopName, HopReport>> = {};
  for (const name of HOPS) {
    const hop = hopOf(line, name);
    if (hop !== undefined) hops[name] = withMissing(hop, name === "ack" ? unanswered : 0);
  }
  return {
    capture,
    placement,
    speed,
    config_hash,
    run_id: result.run_id,
    seconds: result.seconds,
    frames: total(line, "frames"),
    messages: Number(feed["messages"] ?? 0),
    features: Number(feed["features"] ?? 0),
    gaps: Number(feed["gaps"] ?? 0),
    orders: sent,
    fills: total(line, "executed"),
    unanswered,
    refusals: Object.fromEntries([...numbers(risk["refusals"]), ...numbers(execution["refusals"])]),
    pnl: typeof risk["pnl"] === "number" ? risk["pnl"] : null,
    positions: risk["positions"] ?? null,
    hashes: { books: text(feed["book_hash"]), orders: text(execution["orderHash"]) },
    gc: total(line, "gc"),
    admit_waits: total(line, "admit_waits"),
    hops,
  };
}

/** Names that a gate can compare; latencies in ns, infinite where answers never came. */
export function measured(report: ReplayReport): Map<string, number> {
  const names = new Map<string, number>();
  for (const [hop, values] of Object.entries(report.hops)) {
    for (const [name, value] of Object.entries(values)) names.set(`${hop}.${name}`, value ?? Infinity);
  }
  for (const name of ["frames", "messages", "orders", "fills", "unanswered", "gaps", "gc", "admit_waits", "seconds"] as const) {
    names.set(name, report[name]);
  }
  names.set("refusals", Object.values(report.refusals).reduce((sum, count) => sum + count, 0));
  names.set("pnl", report.pnl ?? NaN);
  return names;
}
