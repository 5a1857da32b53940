/** `tickline status`: what a running line says about itself. Looks only; the line does not notice. */
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { runDirOf } from "../kit/segments.ts";
import { count, snapshot, type LineSnapshot } from "../supervisor/snapshot.ts";
import { whole, wrap } from "./columns.ts";
import { learningTable } from "./learning-table.ts";
import { armedText, hopTable, serviceTable } from "./line-tables.ts";
import { chooseLine, openControl, runningLines } from "./open-line.ts";
import { StopSignals } from "./stop-signals.ts";

interface StatusOptions {
  json?: true;
  watch?: true;
}

const EVERY_MS = 500;
const ORPHANED = "THE SUPERVISOR IS GONE, what follows is what it left: the next tickline run of this line ends its processes and cleans up";

const HELP = `
Examples:
  npx tickline status
  npx tickline status demo --watch
  npx tickline status demo --json

Exit codes: 0 done, 2 no such line, 3 its shared memory cannot be read.
`;

/** The verb. */
export function statusCommand(): Command {
  return new Command("status")
    .description("state, epoch, pid, heartbeat age, latencies of each hop, gaps, drops, restarts and last errors of a running line")
    .argument("[line]", "name of the line; may be left out when only one is running")
    .option("--json", "JSON instead of tables; times in ns")
    .option("--watch", "again every half second until Ctrl-C or the end of the line")
    .addHelpText("after", HELP)
    .action(status);
}

async function status(asked: string | undefined, options: StatusOptions): Promise<void> {
  const name = chooseLine(asked);
  const control = openControl(name, false);
  const signals = new StopSignals();
  try {
    for (;;) {
      const line = snapshot(control, runDirOf(name));
      const supervised = isAlive(line.services.find((service) => service.name === "supervisor")?.pid);
      if (options.json) process.stdout.write(`${JSON.stringify({ line: name, supervised, ...line }, null, options.watch ? 0 : 2)}\n`);
      else process.stdout.write(picture(name, line, supervised, options.watch === true));
      if (!options.watch || signals.seen || !runningLines().includes(name)) return;
      await sleep(EVERY_MS);
      if (signals.seen) return;
    }
  } finally {
    signals.close();
  }
}

/** Whether a process of this id is there; a dead supervisor leaves its line's folder and its last words behind. */
function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function picture(name: string, line: LineSnapshot, supervised: boolean, watch: boolean): string {
  const width = process.stdout.columns ?? Infinity;
  const counts = (["messages", "signals", "orders", "executed"] as const).map((counter) => `${whole(count(line, counter))} ${counter}`).join(", ");
  const hops = hopTable(line, width);
  const learning = learningTable(line, width);
  const lines = [...wrap(`${name}  run ${line.run_id}  epoch ${line.epoch}  ${armedText(line)}`, width), ...wrap(counts, width), ...(supervised ? [] : wrap(ORPHANED, width)), "", ...serviceTable(line, width), ...(hops.length > 0 ? ["", ...hops] : []), ...(learning.length > 0 ? ["", ...learning] : [])];
  const clear = watch && process.stdout.isTTY ? "\u001B[H\u001B[2J" : "";
  return `${clear}${lines.join("\n")}\n`;
}
