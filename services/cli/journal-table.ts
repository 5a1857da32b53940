/** What a journal holds, for people. Pure. */
import { columns, table, whole, wrap } from "./columns.ts";

/** Entries of a kind. */
interface Kind {
  readonly entries: number;
  readonly bytes: number;
}

/** One run, as `crates/journal/src/info.rs` counts it. */
export interface JournalRun {
  readonly run: number;
  readonly line: string;
  readonly config: string;
  readonly seed: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly replay: boolean;
  readonly lines: readonly (string | null)[];
  readonly entries: readonly [number, number];
  readonly segments: number;
  readonly kinds: Readonly<Record<string, Kind>>;
  readonly frames_ns: readonly [number, number] | null;
  readonly epochs: readonly [number, number] | null;
  readonly restarts: number;
  readonly cut: number;
  readonly gaps: readonly { readonly kind: string; readonly first: number; readonly count: number; readonly entry: number }[];
  readonly missed: Readonly<Record<string, number>>;
}

/** A journal. */
export interface JournalInfo {
  readonly journal: string;
  readonly entries: number;
  readonly bytes: number;
  readonly runs: readonly JournalRun[];
  readonly segments: readonly { readonly file: string; readonly run: number; readonly first: number; readonly entries: number; readonly bytes: number }[];
  readonly torn: { readonly file: string; readonly offset: number; readonly bytes: number } | null;
}

/** Gaps that are shown; JSON has all. */
const GAPS_SHOWN = 10;
/** Digits of a configuration's hash that are shown. */
const HASH_SHOWN = 12;

function entriesOf({ kinds }: JournalRun, kind: string): string {
  return whole(kinds[kind]?.entries ?? 0);
}

function spanOf({ frames_ns }: JournalRun): string {
  return frames_ns === null ? "-" : `${((frames_ns[1] - frames_ns[0]) / 1e9).toFixed(3)} s`;
}

function missedOf({ missed }: JournalRun): number {
  return Object.values(missed).reduce((sum, count) => sum + count, 0);
}

function runTable(runs: readonly JournalRun[], width: number): string[] {
  const head = columns("+run", "line", "kind", "+frames", "+signals", "+orders", "+fills", "+controls", "+span", "+missed", "+restarts", "+segments", "?seed", "?config", "?tickline", "?node");
  const rows = runs.map((run) => [
    String(run.run), run.line, run.replay ? "replay" : "live",
    ...["frame", "signal", "order", "fill", "control"].map((kind) => entriesOf(run, kind)),
    spanOf(run), whole(missedOf(run)), whole(run.restarts), whole(run.segments),
    String(run.seed), run.config.slice(0, HASH_SHOWN), run.versions["tickline"] ?? "-", run.versions["node"] ?? "-",
  ]);
  return table(head, rows, width);
}

function segmentTable(segments: JournalInfo["segments"], width: number): string[] {
  const rows = segments.map(({ file, run, first, entries, bytes }) => [file.split("/").at(-1) ?? file, String(run), whole(first), whole(entries), whole(bytes)]);
  return table(columns("segment", "+run", "+first entry", "+entries", "+bytes"), rows, width);
}

function gapLines(runs: readonly JournalRun[]): string[] {
  const all = runs.flatMap(({ run, gaps }) => gaps.map((gap) => ({ run, ...gap })));
  const shown = all.slice(0, GAPS_SHOWN).map(({ run, kind, first, count, entry }) => `run ${run}: ${whole(count)} of kind ${kind} missed, from the ${whole(first)}th on (entry ${entry})`);
  return all.length > GAPS_SHOWN ? [...shown, `and ${all.length - GAPS_SHOWN} gaps more (--json has all)`] : shown;
}

function tailLines({ torn, runs }: JournalInfo): string[] {
  const cut = runs.reduce((sum, run) => sum + run.cut, 0);
  return [
    ...(torn === null ? [] : [`torn tail: the last ${torn.bytes} bytes of ${torn.file}, from byte ${torn.offset} on, are no whole entry; the recorder was killed there, and the next one cuts them off`]),
    ...(cut === 0 ? [] : [`${cut} bytes of torn tails were cut off when recorders went on`]),
  ];
}

/** Lines of at most `width` characters. */
export function infoText(info: JournalInfo, width: number): string[] {
  const head = `${info.journal}: ${whole(info.entries)} entries, ${whole(info.bytes)} bytes`;
  const notes = [...gapLines(info.runs), ...tailLines(info)];
  return [
    ...wrap(head, width), "",
    ...runTable(info.runs, width), "",
    ...segmentTable(info.segments, width), "",
    ...(notes.length > 0 ? notes : ["nothing missed, no torn tail"]).flatMap((line) => wrap(line, width)),
  ];
}

/** The verdict on a journal without damage. */
export function checkText(info: JournalInfo): string[] {
  return [`${info.journal}: whole, ${whole(info.entries)} entries in ${whole(info.segments.length)} ${info.segments.length === 1 ? "segment" : "segments"}`, ...gapLines(info.runs), ...tailLines(info)];
}
