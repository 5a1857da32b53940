/** Plain text tables: columns as wide as their content, numbers to the right, two spaces between. Pure. */

/** A column: its heading, and on which side its cells stand. */
export interface Column {
  readonly heading: string;
  readonly align: "left" | "right";
}

/** A left-aligned column for each `name`, a right-aligned one for each `+name`. */
export function columns(...names: readonly string[]): Column[] {
  return names.map((name) => (name.startsWith("+") ? { heading: name.slice(1), align: "right" } : { heading: name, align: "left" }));
}

/** Lines of a table, heading first, each cut to `width` characters. Every row has one cell per column. */
export function table(head: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const widths = head.map((column, i) => Math.max(column.heading.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (head[i]?.align === "right" ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join("  ").trimEnd();
  return [line(head.map((column) => column.heading)), ...rows.map(line)].map((text) => cut(text, width));
}

/** `text` in at most `width` characters; a cut one ends in `…`. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
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
