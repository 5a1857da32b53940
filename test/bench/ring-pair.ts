/** Two ends of a carrier of messages, each a process that is driven by lines: one is asked, or both at once. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface, type Interface } from "node:readline";

/** What an end answers; what is another end's to say is 0. */
export interface Answer {
  /** Percentiles in ns. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** From the first message to the last, ns. */
  readonly ns: number;
  /** Garbage collections while messages moved; absent where there is no collector. */
  readonly gc?: number;
}

/** One process. */
class End {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<never>;

  constructor(command: readonly string[]) {
    const [program = "", ...args] = command;
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout as NonNullable<ChildProcess["stdout"]> });
    this.#ended = new Promise((_, reject) => {
      this.#child.on("error", reject);
      this.#child.on("exit", (code, signal) => reject(new Error(`${command.join(" ")} ended with ${signal ?? code}: its own message is above`)));
    });
    // An end that is closed ends too; nobody waits for it then.
    this.#ended.catch(() => {});
  }

  async ask(line: string): Promise<Answer> {
    const answer = new Promise<string>((resolve) => { this.#lines.once("line", resolve); });
    this.#child.stdin?.write(`${line}\n`);
    return JSON.parse(await Promise.race([answer, this.#ended])) as Answer;
  }

  close(): void {
    this.#child.stdin?.end();
    this.#child.kill();
  }
}

/** Both ends; `far` is absent where one process has both. */
export class Pair {
  readonly #near: End;
  readonly #far: End | undefined;

  constructor(near: readonly string[], far?: readonly string[]) {
    this.#near = new End(near);
    this.#far = far === undefined ? undefined : new End(far);
  }

  /** Asks the near end alone. */
  askNear(line: string): Promise<Answer> {
    return this.#near.ask(line);
  }

  /** Asks both; the answer has the near end's percentiles, and time and collections of whichever end has them. */
  async ask(line: string): Promise<Answer> {
    const asked = this.#far?.ask(line);
    const [near, far] = await Promise.all([this.#near.ask(line), asked]);
    return { ...near, ns: Math.max(near.ns, far?.ns ?? 0), gc: (near.gc ?? 0) + (far?.gc ?? 0) };
  }

  close(): void {
    this.#near.close();
    this.#far?.close();
  }
}
