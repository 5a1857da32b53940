/** Which process gets which core. Pure: the machine's cores are an argument. */
import type { ProcessGroup } from "./plan.ts";

/** What was decided, and the sentence that says so. */
export interface CoreDecision {
  /** Core of each pinned process; empty when nothing is pinned. */
  readonly pins: ReadonlyMap<string, number>;
  /** Cores for everything that is not pinned; empty when nothing is pinned. */
  readonly rest: readonly number[];
  /** One sentence for the operator. */
  readonly text: string;
}

/**
 * Pins the processes whose placement names a core, provided the machine can spare them: every wanted core exists and is
 * allowed, no two processes want the same one, and at least one allowed core stays free for everything else. Otherwise
 * nothing is pinned: a half-pinned line competes with itself.
 * `wanted` maps process names to the core their placement asks for; `allowed` lists the cores that this process may use.
 */
export function decideCores(groups: readonly ProcessGroup[], wanted: ReadonlyMap<string, number>, allowed: readonly number[]): CoreDecision {
  const none = (reason: string): CoreDecision => ({ pins: new Map(), rest: [], text: `${reason}: nothing is pinned, the scheduler places ${groups.length} processes on ${count(allowed.length)}` });
  if (wanted.size === 0) return none("the placement names no core");
  const missing = [...wanted].find(([, core]) => !allowed.includes(core));
  if (missing !== undefined) return none(`${missing[0]} asks for core ${missing[1]}, which is not among the allowed ones (${allowed.join(", ")})`);
  if (new Set(wanted.values()).size !== wanted.size) return none("two processes ask for the same core");
  if (wanted.size >= allowed.length) return none(`${wanted.size} processes ask for a core of their own and none of ${count(allowed.length)} would stay free for the rest`);
  const pins = [...wanted].map(([name, core]) => `${name} on ${core}`).join(", ");
  const rest = allowed.filter((core) => ![...wanted.values()].includes(core));
  return { pins: new Map(wanted), rest, text: `pinned: ${pins}; ${count(rest.length)} for the rest` };
}

function count(cores: number): string {
  return cores === 1 ? "1 core" : `${cores} cores`;
}
