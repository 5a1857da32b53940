/** `tickline status`: what a running line says about itself. Looks only; the line does not notice. */
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { count, snapshot, type LineSnapshot } from "../supervisor/snapshot.ts";
import { whole } from "./columns.ts";
import { armedText, hopTable, serviceTable } from "./line-tables.ts";
import { chooseLine, openControl, runningLines } from "./open-line.ts";
import { StopSignals } from "./stop-signals.ts";

interface StatusOptions {
  json?: true;
  watch?: true;
}

const EVERY_MS = 500;

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
      const line = snapshot(control);
      process.stdout.write(options.json ? `${JSON.stringify({ line: name, ...line }, null, options.watch ? 0 : 2)}\n` : picture(name, line, options.watch === true));
      if (!options.watch || signals.seen || !runningLines().includes(name)) return;
      await sleep(EVERY_MS);
      if (signals.seen) return;
    }
  } finally {
    signals.close();
  }
}

function picture(name: string, line: LineSnapshot, watch: boolean): string {
  const width = process.stdout.columns ?? 80;
  const counts = (["messages", "signals", "orders", "executed"] as const).map((counter) => `${whole(count(line, counter))} ${counter}`).join(", ");
  const hops = hopTable(line, width);
  const lines = [`${name}  run ${line.run_id}  epoch ${line.epoch}  ${armedText(line)}`, counts, "", ...serviceTable(line, width), ...(hops.length > 0 ? ["", ...hops] : [])];
  const clear = watch && process.stdout.isTTY ? "\u001B[H\u001B[2J" : "";
  return `${clear}${lines.join("\n")}\n`;
}
