/** One operating-system process of the line: its start, its last words, its end. */
import { spawn, type ChildProcess } from "node:child_process";

/** How to start a process and which services it hosts. */
export interface ProcessSpec {
  /** Name in messages and in the placement, e.g. `risk`; unique in a line. */
  readonly name: string;
  /** Services hosted, each with its own block in the control segment. */
  readonly services: readonly string[];
  readonly command: string;
  readonly args: readonly string[];
  /** True for a process beside the line: its death stops nothing else, and the line ends without it. */
  readonly beside?: boolean;
  /** Core to pin the main thread to, or undefined to let the scheduler choose. */
  readonly core?: number | undefined;
}

/** How a process ended. */
export interface Exit {
  /** Exit code, or null after a signal. */
  readonly code: number | null;
  /** Signal name, or null after an exit. */
  readonly signal: NodeJS.Signals | null;
}

/** Lines of output kept for the message that explains a death. */
const TAIL_LINES = 20;
/** How long after the exit its remaining output is waited for. */
const DRAIN_MS = 200;
/** Longest kept line; a longer one is cut. */
const LINE_CHARS = 500;

/** In words: `was killed by SIGKILL`, `exited with code 3`. */
export function describeExit(exit: Exit): string {
  return exit.signal === null ? `exited with code ${exit.code}` : `was killed by ${exit.signal}`;
}

/** A started process. It is ours, so its death is certain when `exit` is set: the kernel has been asked, not a timeout. */
export class LineProcess {
  readonly spec: ProcessSpec;
  /** Process id; undefined when the start itself failed. */
  readonly pid: number | undefined;
  /** Resolves when the process has ended and its output is drained, or shortly after its end. */
  readonly ended: Promise<Exit>;
  #exit: Exit | undefined;
  #tail: string[] = [];

  /** Starts the process. `onLine` receives each line that it prints, on either stream. */
  constructor(spec: ProcessSpec, env: NodeJS.ProcessEnv, onLine: (line: string) => void) {
    this.spec = spec;
    // A group of its own: Ctrl-C in a terminal then reaches the supervisor alone, which stops the line in order.
    const child = spawn(spec.command, spec.args, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.pid = child.pid;
    this.#collect(child, onLine);
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#exit = { code, signal };
        // Its output normally ends with it; a descendant that kept the pipe open must not hide the death.
        setTimeout(resolve, DRAIN_MS, this.#exit).unref();
      });
      child.once("error", (error) => {
        if (child.pid !== undefined) return;
        this.#keep(error.message);
        this.#exit = { code: 127, signal: null };
        resolve(this.#exit);
      });
      child.once("close", (code, signal) => { resolve({ code, signal }); });
    });
  }

  /** Set once the process has ended. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** The last lines it printed, oldest first. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  /** Sends a signal; false when the process has already ended. */
  signal(name: NodeJS.Signals): boolean {
    if (this.pid === undefined || this.#exit !== undefined) return false;
    try {
      return process.kill(this.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
      throw error;
    }
  }

  #collect(child: ChildProcess, onLine: (line: string) => void): void {
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      stream?.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = (lines.pop() ?? "").slice(-LINE_CHARS);
        for (const line of lines) {
          this.#keep(line);
          onLine(line);
        }
      }).on("end", () => {
        if (rest !== "") this.#keep(rest);
      });
    }
  }

  #keep(line: string): void {
    if (line.trim() === "") return;
    this.#tail.push(line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}...` : line);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
  }
}
