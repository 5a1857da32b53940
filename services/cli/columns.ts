/** Plain text that fits a width without losing anything: tables whose columns are as wide as their content, and wrapped lines. Pure. */

/** A column: its heading, on which side its cells stand, and whether it goes first when the table is too wide. */
export interface Column {
  readonly heading: string;
  readonly align: "left" | "right";
  readonly spare: boolean;
}

/** Spaces before the rest of a wrapped line. */
const INDENT = "  ";

/** A left-aligned column for each `name`, a right-aligned one for each `+name`; a leading `?` marks an explanation that may go. */
export function columns(...names: readonly string[]): Column[] {
  return names.map((name) => {
    const spare = name.startsWith("?");
    const rest = spare ? name.slice(1) : name;
    return rest.startsWith("+") ? { heading: rest.slice(1), align: "right", spare } : { heading: rest, align: "left", spare };
  });
}

/**
 * Lines of a table, heading first, of at most `width` characters: a table that is wider first does without its spare columns, the
 * last first, and then wraps. Every row has one cell per column.
 */
export function table(head: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const lines = [head.map((column) => column.heading), ...rows];
  const widths = head.map((_, i) => Math.max(...lines.map((row) => (row[i] ?? "").length)));
  let shown = head.map((_, i) => i);
  const needed = (): number => shown.reduce((sum, i) => sum + (widths[i] as number) + 2, -2);
  while (needed() > width) {
    const spare = shown.findLast((i) => head[i]?.spare);
    if (spare === undefined) break;
    shown = shown.filter((i) => i !== spare);
  }
  const padded = (cell: string, i: number): string => (head[i]?.align === "right" ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number));
  return lines.flatMap((row) => wrap(shown.map((i) => padded(row[i] ?? "", i)).join("  ").trimEnd(), width));
}

/** `text` as lines of at most `width` characters, broken at spaces where there are any; what a break moved down is indented. */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, width));
}

function wrapLine(text: string, width: number): string[] {
  const lines: string[] = [];
  const room = Math.max(width, 2 * INDENT.length);
  let rest = text;
  while (rest.length > room) {
    const from = rest.length - rest.trimStart().length;
    const space = rest.lastIndexOf(" ", room);
    const at = space > from ? space : room;
    lines.push(rest.slice(0, at).trimEnd());
    rest = `${INDENT}${rest.slice(at).trimStart()}`;
  }
  lines.push(rest);
  return lines;
}

/** Nanoseconds as microseconds with three digits that count: 0.412, 4.12, 41.2, 412, 41200. */
export function micros(ns: number): string {
  const us = ns / 1000;
  return us >= 100 ? us.toFixed(0) : us >= 10 ? us.toFixed(1) : us >= 1 ? us.toFixed(2) : us.toFixed(3);
}

/** A whole number with thousands separators. */
export function whole(n: number): string {
  return Math.round(n).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** 1/10,000 dollars as dollars: `-$1,234.5678`; exact for whole ones, else (a mid between two ticks) with a fifth digit. */
export function dollars(tenThousandths: number): string {
  const size = Math.abs(tenThousandths);
  const [digits, half] = (size % 10_000).toString().split(".");
  const cents = `${(digits ?? "").padStart(4, "0")}${half ?? ""}`;
  return `${tenThousandths < 0 ? "-" : ""}$${whole(Math.floor(size / 10_000))}.${cents}`;
}
