/** The end of a run: what happened, as data (`--json`) and as text. Pure. */
import type { LineEvent, Outcome } from "../supervisor/supervise.ts";
import { count, hopOf, type HopSnapshot, type LineSnapshot } from "../supervisor/snapshot.ts";
import type { LineResult } from "../supervisor/run-line.ts";
import { HOPS, type HopName } from "../kit/ring/names.ts";
import { columns, dollars, table, whole, wrap } from "./columns.ts";
import { learningTable } from "./learning-table.ts";
import { hopTable } from "./line-tables.ts";

/** One instrument at the end of the run. */
export interface PositionRow {
  readonly symbol: string;
  /** Shares, negative when short. */
  readonly shares: number;
  /** Profit with the open shares marked at the last price, 1/10,000 dollar. */
  readonly pnl: number;
}

/** A restart that succeeded. */
export interface RestartRow {
  readonly process: string;
  readonly cause: string;
  readonly took_ms: number;
}

/** Everything that a run has to say. Times of hops in ns, P&L in 1/10,000 dollar. */
export interface RunSummary {
  readonly line: string;
  readonly run_id: number;
  readonly config_hash: string;
  readonly placement: string;
  readonly seconds: number;
  /** Why orders waited for more than the work on them, as far as placement goes; empty when it does not. */
  readonly wait: string;
  readonly outcome: Outcome["kind"] | "interrupted";
  /** Why it failed or gave up; empty otherwise. */
  readonly cause: string;
  readonly frames: number;
  readonly messages: number;
  readonly signals: number;
  readonly orders: number;
  readonly sent: number;
  readonly accepted: number;
  readonly fills: number;
  readonly fill_shares: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly gaps: number;
  readonly drops: number;
  readonly positions: readonly PositionRow[];
  /** Whole line; null when risk ended without saying. */
  readonly pnl: number | null;
  readonly latency: Readonly<Partial<Record<HopName, HopSnapshot>>>;
  readonly restarts: readonly RestartRow[];
  readonly gc: Readonly<Record<string, number>>;
  readonly services: LineSnapshot["services"];
  /** Learning beside the line at its end; null without a learner. */
  readonly learning: LineSnapshot["learning"];
  readonly summaries: LineResult["summaries"];
}

/** What the run was, beside its result. */
export interface RunFacts {
  readonly line: string;
  readonly hash: string;
  readonly placement: string;
  readonly interrupted: boolean;
  readonly events: readonly LineEvent[];
}

/** Puts a result together. */
export function summarize(result: LineResult, facts: RunFacts): RunSummary {
  const { line, outcome } = result;
  const { positions, pnl } = positionsOf(result.summaries["risk"]);
  return {
    line: facts.line,
    run_id: result.run_id,
    config_hash: facts.hash,
    placement: facts.placement,
    seconds: result.seconds,
    wait: result.wait,
    outcome: outcome.kind === "stopped" && facts.interrupted ? "interrupted" : outcome.kind,
    cause: "cause" in outcome ? outcome.cause : "",
    frames: count(line, "frames"),
    messages: count(line, "messages"),
    signals: count(line, "signals"),
    orders: count(line, "orders"),
    sent: count(line, "sent"),
    accepted: count(line, "accepted"),
    fills: count(line, "executed"),
    fill_shares: count(line, "fills_shares"),
    refusals: { ...refusalsOf(result.summaries["risk"]), ...refusalsOf(result.summaries["execution"]) },
    gaps: count(line, "gaps"),
    drops: line.services.reduce((sum, service) => sum + service.drops, 0),
    positions,
    pnl,
    latency: Object.fromEntries(HOPS.flatMap((hop) => {
      const found = hopOf(line, hop);
      return found === undefined ? [] : [[hop, found]];
    })),
    restarts: facts.events.flatMap((event) => (event.kind === "restarted" ? [{ process: event.process, cause: event.cause, took_ms: event.tookMs }] : [])),
    gc: Object.fromEntries(line.services.map((service) => [service.name, service.counters.gc ?? 0])),
    services: line.services,
    learning: line.learning,
    summaries: result.summaries,
  };
}

function refusalsOf(said: unknown): Record<string, number> {
  const refusals = (said as { refusals?: unknown } | undefined)?.refusals;
  if (refusals === null || typeof refusals !== "object") return {};
  return Object.fromEntries(Object.entries(refusals).filter((entry): entry is [string, number] => typeof entry[1] === "number" && entry[1] > 0));
}

/** Risk's books at its end: shares, and what is realised and unrealised, per instrument and together. */
function positionsOf(said: unknown): { positions: PositionRow[]; pnl: number | null } {
  const { positions, equity } = (said ?? {}) as { positions?: unknown; equity?: unknown };
  return { positions: Array.isArray(positions) ? positions.flatMap(positionOf) : [], pnl: typeof equity === "number" ? equity : null };
}

function positionOf(said: unknown): PositionRow[] {
  const { symbol, shares, realised, unrealised } = (said ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof symbol !== "string" || typeof shares !== "number" || typeof realised !== "number" || typeof unrealised !== "number") return [];
  return [{ symbol, shares, pnl: realised + unrealised }];
}

/** The summary for people, `width` characters wide. */
export function summaryText(summary: RunSummary, width: number): string {
  const lines = [
    `${summary.line}: ${outcomeText(summary)} after ${summary.seconds.toFixed(1)} s`,
    `run ${summary.run_id}, configuration ${summary.config_hash.slice(0, 12)}, placement ${summary.placement}`,
    "",
    `${whole(summary.frames)} frames, ${whole(summary.messages)} messages, ${whole(summary.signals)} signals, ${whole(summary.orders)} orders (${whole(summary.sent)} sent, ${whole(summary.accepted)} accepted)`,
    `${whole(summary.fills)} fills of ${whole(summary.fill_shares)} shares; ${whole(summary.gaps)} gaps, ${whole(summary.drops)} drops; garbage collections: ${gcText(summary)}`,
    ...refusalLines(summary, width),
    ...positionLines(summary, width),
    ...latencyLines(summary, width),
    ...learningLines(summary, width),
    ...journalLines(summary),
    ...restartLines(summary),
  ];
  return `${lines.flatMap((line) => wrap(line, width)).join("\n")}\n`;
}

function outcomeText({ outcome }: RunSummary): string {
  return { stopped: "done", finished: "done, the capture is over", interrupted: "interrupted", "failed-to-start": "failed to start", "gave-up": "gave up" }[outcome];
}

function gcText(summary: RunSummary): string {
  const some = Object.entries(summary.gc).filter(([, count]) => count > 0);
  return some.length === 0 ? "none" : some.map(([name, count]) => `${name} ${whole(count)}`).join(", ");
}

function refusalLines(summary: RunSummary, width: number): string[] {
  const rows = Object.entries(summary.refusals).toSorted((a, b) => b[1] - a[1]).map(([reason, count]) => [reason, whole(count)]);
  return rows.length === 0 ? ["no order was refused"] : ["", ...table(columns("refused because", "+orders"), rows, width)];
}

function positionLines(summary: RunSummary, width: number): string[] {
  const rows = summary.positions.map(({ symbol, shares, pnl }) => [symbol, whole(shares), dollars(pnl)]);
  if (summary.pnl !== null) rows.push(["line", "", dollars(summary.pnl)]);
  return rows.length === 0 ? [] : ["", ...table(columns("position", "+shares", "+P&L"), rows, width)];
}

function latencyLines(summary: RunSummary, width: number): string[] {
  const lines = hopTable(summary, width);
  const note = summary.wait === "" ? [] : [`note: ${summary.wait}, so waking and waiting for a core count in every hop`];
  return lines.length === 0 ? [] : ["", ...lines, ...note];
}

function learningLines(summary: RunSummary, width: number): string[] {
  const lines = learningTable(summary, width);
  return lines.length === 0 ? [] : ["", ...lines];
}

/** Where the run was recorded, and whether whole. */
function journalLines({ summaries, services }: RunSummary): string[] {
  const { journal, entries } = (summaries["recorder"] ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof journal !== "string" || typeof entries !== "number") return [];
  const missed = services.find(({ name }) => name === "recorder")?.counters.lapped ?? 0;
  return ["", `journal ${journal}: ${whole(entries)} entries, ${missed === 0 ? "nothing missed" : `${whole(missed)} records missed`}`];
}

function restartLines(summary: RunSummary): string[] {
  const { restarts } = summary;
  return restarts.length === 0 ? ["", "no restarts"] : ["", ...restarts.map(({ process, cause, took_ms }) => `restarted ${process} in ${took_ms.toFixed(0)} ms: it ${cause}`)];
}
