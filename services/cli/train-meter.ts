/** Progress of long work on standard error: redrawn in place on a terminal, every tenth of the way elsewhere. */
import { nowNs } from "../kit/clock.ts";

/** What there is to say about a share of the work done. */
export interface Reading {
  /** 0 to 1. */
  readonly share: number;
  /** Absent or NaN where nothing is trained. */
  readonly loss?: number;
  /** Rows since the last reading. */
  readonly rows: number;
  /** Losses on rows held out, pass by pass, and the best of them. */
  readonly held?: { readonly losses: readonly number[]; readonly best: number } | undefined;
}

function heldOut(held: Reading["held"]): string {
  if (held === undefined) return "";
  const [last = NaN, best = NaN] = [held.losses.at(-1), held.losses[held.best]];
  return `held out ${last.toFixed(4)} after pass ${held.losses.length}, best ${best.toFixed(4)} after ${held.best + 1}  `;
}

function duration(seconds: number): string {
  return seconds < 100 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}

/** A meter that starts now; `name` tells what is being done. */
export function meter(): (reading: Reading, name?: string) => void {
  const start = nowNs();
  let rows = 0;
  let shown = 0;
  return ({ share, loss, rows: more, held }, name = "training") => {
    rows += more;
    const seconds = (nowNs() - start) / 1e9;
    const left = duration((seconds * (1 - share)) / share);
    const line = `${name} ${(100 * share).toFixed(0).padStart(3)} %  ${Number.isFinite(loss) ? `loss ${loss?.toFixed(4)}  ` : ""}${heldOut(held)}${Math.round(rows / seconds)} rows/s  ${left} left`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line.slice(0, (process.stderr.columns || 80) - 1)}\u001b[K${share >= 1 ? "\n" : ""}`);
    else if (share >= 1 || share >= shown + 0.1) {
      shown = share;
      process.stderr.write(`${line}\n`);
    }
  };
}
