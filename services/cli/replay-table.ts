/** The report of a replay, for a terminal. */
import Table from "cli-table3";
import type { GateResult } from "./gate-expression.ts";
import type { HopReport, ReplayReport } from "./replay-report.ts";

const MEANS: Readonly<Record<string, string>> = {
  feed: "due -> features published",
  inference: "features -> prediction",
  strategy: "prediction -> signal",
  risk: "signal -> order",
  gate: "order -> gate passed",
  send: "gate -> on the socket",
  line: "due -> on the socket",
  ack: "sent -> accepted",
  lateness: "due -> taken up",
  admit: "held for the venue's answers",
};

/** Nanoseconds in microseconds, three digits that matter; infinite where an answer never came. */
export function micros(ns: number | null): string {
  if (ns === null) return "infinite";
  const us = ns / 1000;
  return us < 10 ? us.toFixed(2) : us < 100 ? us.toFixed(1) : us.toFixed(0);
}

function dollars(value: number | null): string {
  return value === null ? "unknown" : `${value < 0 ? "-" : ""}$${(Math.abs(value) / 10_000).toFixed(4)}`;
}

function hopRows(hops: Readonly<Record<string, HopReport>>): string[][] {
  return Object.entries(hops).map(([name, hop]) => [
    name, MEANS[name] ?? "", String(hop.count), ...[hop.p50, hop.p90, hop.p99, hop.p999, hop.max].map(micros),
  ]);
}

/** The whole report as text, ending in a line feed. */
export function replayTable(report: ReplayReport, gate: GateResult | undefined): string {
  const hops = new Table({
    head: ["hop", "from -> to", "count", "p50 us", "p90", "p99", "p99.9", "max"],
    colAligns: ["left", "left", "right", "right", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  hops.push(...hopRows(report.hops as Readonly<Record<string, HopReport>>));
  const refusals = Object.entries(report.refusals).map(([reason, count]) => `${reason} ${count}`).join(", ");
  const lines = [
    `${report.capture}: ${report.placement}, speed ${report.speed}, ${report.seconds.toFixed(1)} s`,
    `frames ${report.frames}  messages ${report.messages}  gaps ${report.gaps}  feature rows ${report.features}`,
    `orders ${report.orders}  fills ${report.fills}  unanswered ${report.unanswered}  refusals ${refusals === "" ? "none" : refusals}`,
    `P&L ${dollars(report.pnl)}  garbage collections ${report.gc}  frames held for the venue ${report.admit_waits}`,
    `hashes: books ${report.hashes.books ?? "unknown"}  orders ${report.hashes.orders ?? "unknown"}`,
    hops.toString(),
  ];
  for (const check of gate?.checks ?? []) lines.push(`gate ${check.passed ? "holds" : "FAILS"}: ${check.text} (measured ${check.measured})`);
  return `${lines.join("\n")}\n`;
}
