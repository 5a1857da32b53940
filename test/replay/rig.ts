/** What tests of `tickline replay` share: a folder, real flow, a replay and its report, and what of that must not depend on how it was played. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { GateResult } from "../../services/cli/gate-expression.ts";
import type { ReplayReport } from "../../services/cli/replay-report.ts";
import { recorded } from "../data.ts";
import { tickline } from "../fault/command.ts";
import type { TestLine } from "../fault/line-file.ts";

/** Real order flow of three symbols: the busiest 10 s, 50 times as dense. */
export const BURST = recorded("itch/burst.pcap.gz");

/** The test file's own; gone after its last test. */
export const folder = mkdtempSync(join(tmpdir(), "replay-"));
after(() => { rmSync(folder, { recursive: true }); });

/** What `--json` writes: the report, and the gate's outcome where there was one. */
export type Replayed = ReplayReport & { readonly gate?: GateResult };

/** Replays a capture on a line as a person does; fails when that leaves no report. */
export async function replay(capture: string, line: TestLine, ...options: readonly string[]): Promise<{ code: number; err: string; report: Replayed }> {
  const json = join(folder, "out.json");
  rmSync(json, { force: true });
  const { code, err } = await tickline("replay", capture, "--line", line.file, "--json", json, ...options);
  assert.ok(existsSync(json), `no report, exit code ${code}: ${err}`);
  return { code, err, report: JSON.parse(readFileSync(json, "utf8")) as Replayed };
}

/** What must not depend on speed, placement or the day, nor on being recorded or on being read from a journal. */
export function outcome({ hashes, frames, messages, signals, orders, fills, fill_shares, positions, pnl, gaps, unanswered }: ReplayReport): unknown {
  return { hashes, frames, messages, signals, orders, fills, fill_shares, positions, pnl, gaps, unanswered };
}
