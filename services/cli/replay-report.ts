/** What a replay measured, as plain data and as text: a run's summary, and what only a replay can say. Pure. */
import type { HopName } from "../kit/ring/names.ts";
import { count, type HopSnapshot } from "../supervisor/snapshot.ts";
import type { LineResult } from "../supervisor/run-line.ts";
import { wrap } from "./columns.ts";
import type { GateCheck, GateResult } from "./gate-expression.ts";
import { summarize, summaryText, type RunFacts, type RunSummary } from "./summary.ts";

/** Latencies in ns; null stands for infinite: an answer that never came. */
export type HopReport = { readonly [Value in keyof HopSnapshot]: HopSnapshot[Value] | null };

/** A replay's report. */
export interface ReplayReport extends Omit<RunSummary, "latency"> {
  readonly capture: string;
  readonly speed: number | "max";
  /** Byte of the (decompressed) capture at which a last record begins that is cut off; what came before was played. Null when it is whole. */
  readonly truncated_at: number | null;
  /** Orders that neither were accepted nor rejected; their answers count as infinitely late in `ack`. */
  readonly unanswered: number;
  /** Frames held until the venue had answered for simulated time. */
  readonly admit_waits: number;
  /** Of the final order-level books, and of the orders sent in their order; equal for equal runs. Null when a service left none. */
  readonly hashes: { readonly books: string | null; readonly orders: string | null };
  readonly latency: Readonly<Partial<Record<HopName, HopReport>>>;
}

function said(result: LineResult, service: string, key: string): string | null {
  const value = (result.summaries[service] as Record<string, unknown> | undefined)?.[key];
  return typeof value === "string" ? value : null;
}

/** Counts `missing` answers as infinitely late: a percentile whose rank lies among them is null. */
export function withMissing(hop: HopSnapshot, missing: number): HopReport {
  const whole = hop.count + missing;
  const at = (share: number, value: number): number | null => (Math.ceil(share * whole) > hop.count ? null : value);
  return { count: whole, p50: at(0.5, hop.p50), p90: at(0.9, hop.p90), p99: at(0.99, hop.p99), p999: at(0.999, hop.p999), max: at(1, hop.max) };
}

/** Puts a run's control block and summaries together. */
export function replayReport(result: LineResult, facts: RunFacts & { readonly capture: string; readonly speed: number | "max"; readonly truncatedAt: number | null }): ReplayReport {
  const summary = summarize(result, facts);
  const rejected = count(result.line, "rejected");
  const unanswered = Math.max(0, summary.sent - summary.accepted - rejected);
  const { ack } = summary.latency;
  return {
    ...summary,
    capture: facts.capture,
    speed: facts.speed,
    truncated_at: facts.truncatedAt,
    unanswered,
    admit_waits: count(result.line, "admit_waits"),
    hashes: { books: said(result, "feed", "book_hash"), orders: said(result, "execution", "orderHash") },
    latency: { ...summary.latency, ...(ack === undefined ? {} : { ack: withMissing(ack, unanswered) }) },
  };
}

/** A latency in the unit people compare; counts as they are. */
function measuredText({ text, measured }: GateCheck): string {
  return /\d(ns|us|ms|s)\s*$/.test(text) && Number.isFinite(measured) ? `${(measured / 1000).toFixed(2)} us` : String(measured);
}

/** Names that a gate can compare; latencies in ns, infinite where answers never came. */
export function measured(report: ReplayReport): Map<string, number> {
  const names = new Map<string, number>();
  for (const [hop, values] of Object.entries(report.latency)) {
    for (const [name, value] of Object.entries(values)) names.set(`${hop}.${name}`, value ?? Infinity);
  }
  for (const name of ["frames", "messages", "signals", "orders", "sent", "fills", "unanswered", "gaps", "drops", "admit_waits", "seconds"] as const) {
    names.set(name, report[name]);
  }
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, one) => all + one, 0);
  names.set("refusals", sum(report.refusals));
  names.set("gc", sum(report.gc));
  names.set("pnl", report.pnl ?? NaN);
  return names;
}

/** The report for people, `width` characters wide. */
export function replayText(result: LineResult, report: ReplayReport, facts: RunFacts, gate: GateResult | undefined, width: number): string {
  const lines = [
    summaryText(summarize(result, facts), width).trimEnd(),
    "",
    `capture ${report.capture}, speed ${report.speed}; ${report.admit_waits} frames held for the venue's answers, while the capture's clock stood still; ${report.unanswered} orders unanswered`,
    ...(report.truncated_at === null ? [] : [`note: the capture's last record, at byte ${report.truncated_at}, is cut off; what came before it was played`]),
    `hash of the books ${report.hashes.books ?? "unknown"}, of the orders ${report.hashes.orders ?? "unknown"}`,
    ...(gate?.checks ?? []).map((check) => `gate ${check.passed ? "holds" : "FAILS"}: ${check.text}, measured ${measuredText(check)}`),
  ];
  return `${lines.flatMap((line) => wrap(line, width)).join("\n")}\n`;
}
