/** The `tickline` command as a person starts it, for tests: its output so far, its end, and who belongs to it. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../../services/kit/config.ts";

/** A started command. */
export class Command {
  readonly child: ChildProcess;
  /** Resolves to the exit code; -1 after a signal. */
  readonly ended: Promise<number>;
  out = "";
  err = "";

  constructor(...args: readonly string[]) {
    // A group of its own, as a terminal gives it: Ctrl-C then reaches it and whoever it left in its group.
    this.child = spawn(process.execPath, [`${ROOT}services/cli/tickline.mjs`, ...args], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => { this.out += text; });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => { this.err += text; });
    this.ended = new Promise((resolve) => { this.child.on("close", (code) => { resolve(code ?? -1); }); });
  }

  /** Waits until `found` is true; throws with everything it printed when the command ends first or `limitMs` pass. */
  async until(what: string, found: () => boolean, limitMs = 90_000): Promise<void> {
    for (let waited = 0; !found(); waited += 20) {
      if (this.child.exitCode !== null || waited > limitMs) throw new Error(`no ${what}:\n${this.out}\n${this.err}`);
      await sleep(20);
    }
  }

  /** What a terminal does at Ctrl-C: SIGINT to the whole group. */
  pressCtrlC(): void {
    process.kill(-(this.child.pid as number), "SIGINT");
  }

  /** How often `text` was printed. */
  count(text: string): number {
    return this.out.split(text).length - 1;
  }

  /** The process id that it printed last for a process of the line. */
  pidOf(process: string): number {
    const found = [...this.out.matchAll(new RegExp(`started ${process}, pid (\\d+)`, "g"))].at(-1)?.[1];
    if (found === undefined) throw new Error(`${process} was not started:\n${this.out}`);
    return Number(found);
  }
}

/** Runs a command to its end. */
export async function tickline(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const command = new Command(...args);
  const code = await command.ended;
  return { code, out: command.out, err: command.err };
}

/** Process ids on this machine whose command line names the run's folder of `line`. */
export function processesOf(line: string): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`/dev/shm/tickline/${line}`) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

/** True when nothing of `line` is left in shared memory. */
export function isGone(line: string): boolean {
  return !existsSync(`/dev/shm/tickline/${line}`) && !existsSync(`/dev/shm/tickline/${line}.lock`);
}
