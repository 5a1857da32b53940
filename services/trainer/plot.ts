/** Plots as plain SVG: a loss curve, reliability of the confidence, a confusion matrix, scores over a test. Pure. */
import type { Calibration, Score } from "./score.ts";

const WIDTH = 480;
const HEIGHT = 360;
/** Room for axes and their words. */
const MARGIN = 48;
const CLASSES = ["down", "flat", "up"];
const INK = "#1f3a5f";
const INKS = [INK, "#b8432f", "#3c8d5a", "#8a8a8a"];

function text(x: number, y: number, words: string, anchor: "start" | "middle" | "end" = "middle"): string {
  const safe = words.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${safe}</text>`;
}

function figure(title: string, body: readonly string[]): string {
  const style = "<style>text{font:12px sans-serif;fill:#222}</style>";
  const ground = `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}">\n${[style, ground, text(WIDTH / 2, 20, title), ...body].join("\n")}\n</svg>\n`;
}

/** Axes from `low` to `high` with words, and where a point of them lies. */
function axes(x: readonly [number, number, string], y: readonly [number, number, string]): { frame: string[]; at: (px: number, py: number) => readonly [number, number] } {
  const span = ([low, high]: readonly [number, number, string]): number => (high > low ? high - low : 1);
  const at = (px: number, py: number): readonly [number, number] => [
    MARGIN + ((px - x[0]) / span(x)) * (WIDTH - 2 * MARGIN),
    HEIGHT - MARGIN - ((py - y[0]) / span(y)) * (HEIGHT - 2 * MARGIN),
  ];
  const bottom = HEIGHT - MARGIN;
  const frame = [
    `<path d="M${MARGIN} ${MARGIN}V${bottom}H${WIDTH - MARGIN}" fill="none" stroke="#888"/>`,
    text(MARGIN, bottom + 16, String(x[0])), text(WIDTH - MARGIN, bottom + 16, String(x[1])), text(WIDTH / 2, bottom + 32, x[2]),
    text(MARGIN - 6, bottom, y[0].toPrecision(3), "end"), text(MARGIN - 6, MARGIN + 4, y[1].toPrecision(3), "end"), text(MARGIN, MARGIN - 8, y[2], "start"),
  ];
  return { frame, at };
}

/** Several series over the same stretch, each with its name at the side; numbers outside `y` are moved to its edge. */
function curves(x: readonly [number, number, string], y: readonly [number, number, string], series: readonly (readonly [string, readonly number[]])[]): string[] {
  const { frame, at } = axes(x, y);
  const lines = series.flatMap(([name, values], nth) => {
    const ink = INKS[nth % INKS.length] ?? INK;
    const place = (value: number, i: number): string => at(x[0] + ((x[1] - x[0]) * (i + 0.5)) / values.length, Math.min(y[1], Math.max(y[0], value))).map((v) => v.toFixed(1)).join(",");
    const legend = text(WIDTH - MARGIN - 4, MARGIN + 14 * (nth + 1), name, "end").replace("<text", `<text style="fill:${ink}"`);
    return [`<polyline points="${values.map(place).join(" ")}" fill="none" stroke="${ink}" stroke-width="1.5"/>`, legend];
  });
  return [...frame, ...lines];
}

/** Macro-F1 of each forecaster over the stretches of a test. */
export function onlinePlot(stretches: readonly Readonly<Record<string, Score>>[], who: readonly string[], name: string): string {
  const series = who.map((each) => [each, stretches.map((stretch) => 100 * (stretch[each]?.macroF1 ?? 0))] as const);
  const all = series.flatMap(([, values]) => values);
  const bounds = [Math.floor(Math.min(...all)), Math.ceil(Math.max(...all))] as const;
  return figure(`${name}: macro-F1 while learning`, curves([0, 100, "% of the test"], [...bounds, "macro-F1 %"], series));
}

/** Mean loss over a run. */
export function lossPlot(losses: readonly number[], name: string): string {
  const { frame, at } = axes([0, 100, "% of the run"], [Math.min(...losses), Math.max(...losses), "mean loss"]);
  const points = losses.map((loss, i) => at((100 * (i + 1)) / losses.length, loss).map((v) => v.toFixed(1)).join(","));
  return figure(`${name}: loss`, [...frame, `<polyline points="${points.join(" ")}" fill="none" stroke="${INK}" stroke-width="1.5"/>`]);
}

/** Accuracy against confidence; the nearer to the diagonal, the more a confidence is worth. Dots grow with their rows. */
export function calibrationPlot({ bins, ece }: Calibration, name: string): string {
  const { frame, at } = axes([0, 1, "confidence"], [0, 1, "share of right answers"]);
  const [x0, y0] = at(0, 0);
  const [x1, y1] = at(1, 1);
  const most = Math.max(1, ...bins.map((bin) => bin.rows));
  const dots = bins.filter((bin) => bin.rows > 0).map((bin) => {
    const [x, y] = at(bin.confidence, bin.accuracy);
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${(2 + 8 * Math.sqrt(bin.rows / most)).toFixed(1)}" fill="${INK}" fill-opacity="0.7"/>`;
  });
  return figure(`${name}: calibration, error ${(100 * ece).toFixed(1)} %`, [...frame, `<path d="M${x0} ${y0}L${x1} ${y1}" stroke="#bbb" stroke-dasharray="4"/>`, ...dots]);
}

/** Shares of each true class by answer. */
export function confusionPlot(confusion: readonly (readonly number[])[], name: string): string {
  const side = 80;
  const left = (WIDTH - 3 * side) / 2;
  const top = 64;
  const cells = confusion.flatMap((row, i) => {
    const all = Math.max(1, row.reduce((sum, n) => sum + n, 0));
    return row.flatMap((n, j) => [
      `<rect x="${left + j * side}" y="${top + i * side}" width="${side}" height="${side}" fill="${INK}" fill-opacity="${((0.75 * n) / all).toFixed(3)}" stroke="#fff"/>`,
      text(left + (j + 0.5) * side, top + (i + 0.5) * side + 4, `${((100 * n) / all).toFixed(1)} %`),
    ]);
  });
  const words = CLASSES.flatMap((word, i) => [text(left - 8, top + (i + 0.5) * side + 4, word, "end"), text(left + (i + 0.5) * side, top - 8, word)]);
  return figure(`${name}: true class (rows) and answer (columns)`, [...cells, ...words]);
}
