/** What a person sees while a line runs: a table redrawn in place on a terminal, else a plain line now and then. */
import { count, type LineSnapshot } from "../supervisor/snapshot.ts";
import { whole, wrap } from "./columns.ts";
import { armedText, hopTable, serviceTable } from "./line-tables.ts";

/** Redraws a second on a terminal. */
export const REDRAWS_PER_SECOND = 4;
/** Seconds between plain lines where there is no terminal. */
export const PLAIN_EVERY_S = 5;

/** The output it draws on: a terminal or a pipe. */
export interface Screen {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

/** Standard output as a screen; without a terminal nothing limits its width. */
export function standardScreen(): Screen {
  const { stdout } = process;
  return {
    get isTTY() { return stdout.isTTY === true; },
    get columns() { return stdout.columns ?? Infinity; },
    get rows() { return stdout.rows ?? 24; },
    write: (text) => { stdout.write(text); },
  };
}

/** One moment of a run, for the head line. */
export interface Moment {
  readonly line: LineSnapshot;
  readonly name: string;
  readonly seconds: number;
  /** Seconds the run is to last; undefined: until it is stopped. */
  readonly lasts: number | undefined;
}

/** Draws moments; sentences go above the table and stay. */
export class LiveView {
  readonly #screen: Screen;
  #drawn = 0;
  #nextPlainS = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Prints a sentence that stays. */
  say(sentence: string): void {
    this.clear();
    this.#screen.write(`${wrap(sentence, this.#screen.columns).join("\n")}\n`);
  }

  /** Shows a moment: replaces the table before it, or prints a plain line when one is due. */
  show(moment: Moment): void {
    if (this.#screen.isTTY) this.#redraw(moment);
    else if (moment.seconds >= this.#nextPlainS) {
      this.#nextPlainS = moment.seconds + PLAIN_EVERY_S;
      this.#screen.write(`${headLine(moment)}\n`);
    }
  }

  /** Takes the table away. The terminal's own echo of Ctrl-C has moved the cursor from the margin: hence the carriage return. */
  clear(): void {
    if (this.#drawn === 0) return;
    this.#screen.write(`\r\u001B[${this.#drawn}A\u001B[0J`);
    this.#drawn = 0;
  }

  #redraw(moment: Moment): void {
    const width = this.#screen.columns;
    const hops = hopTable(moment.line, width);
    const all = [...wrap(headLine(moment), width), "", ...serviceTable(moment.line, width), ...(hops.length > 0 ? ["", ...hops] : [])];
    // One row must stay free for the cursor: a table taller than the screen would scroll and never be found again.
    const room = Math.max(1, this.#screen.rows - 1);
    const lines = all.length <= room ? all : [...all.slice(0, room - 1), `... ${all.length - room + 1} more lines: npx tickline status`];
    const up = this.#drawn === 0 ? "" : `\r\u001B[${this.#drawn}A`;
    this.#screen.write(`${up}${lines.map((line) => `${line}\u001B[K`).join("\n")}\n\u001B[0J`);
    this.#drawn = lines.length;
  }
}

function headLine({ line, name, seconds, lasts }: Moment): string {
  const time = lasts === undefined ? `${seconds.toFixed(0)} s` : `${seconds.toFixed(0)} of ${lasts} s`;
  const counts = (["messages", "signals", "orders", "executed"] as const).map((counter) => `${whole(count(line, counter))} ${counter}`).join(", ");
  return `${name}  ${time}  ${armedText(line)}  ${counts}`;
}
