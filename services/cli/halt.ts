/** `tickline halt` and `tickline resume`: a person's word on whether orders may pass. It holds over restarts. */
import { rmSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { Cause } from "../kit/cause.ts";
import { nowNs } from "../kit/clock.ts";
import { runDirOf } from "../kit/segments.ts";
import { HALT_FILE, isHalted } from "../supervisor/control-health.ts";
import { chooseLine, openControl } from "./open-line.ts";

interface HaltOptions {
  reason: string;
  json?: true;
}

/** The verb `halt`. */
export function haltCommand(): Command {
  return new Command("halt")
    .description("refuse every order of a running line from now on, until a person resumes it; working orders stay")
    .argument("[line]", "name of the line; may be left out when only one is running")
    .option("--reason <text>", "shown by status", "halted by a person")
    .option("--json", "JSON instead of a sentence")
    .addHelpText("after", "\nExamples:\n  npx tickline halt demo --reason 'venue maintenance'\n\nExit codes: 0 halted, 2 no such line.\n")
    .action(halt);
}

/** The verb `resume`. */
export function resumeCommand(): Command {
  return new Command("resume")
    .description("let orders of a halted line pass again; also after its loss limit has disarmed it")
    .argument("[line]", "name of the line; may be left out when only one is running")
    .option("--json", "JSON instead of a sentence")
    .addHelpText("after", "\nExamples:\n  npx tickline resume demo\n\nExit codes: 0 resumed, 2 no such line.\n")
    .action(resume);
}

function halt(asked: string | undefined, { reason, json }: HaltOptions): void {
  const name = chooseLine(asked);
  const { line } = openControl(name, true);
  // The file first: a supervisor that is just re-arming looks for it after it has armed.
  writeFileSync(`${runDirOf(name)}/${HALT_FILE}`, reason);
  line.disarm(Cause.Person, nowNs(), reason);
  say(json === true, name, line.armed(), `${name} is halted: every order is refused until npx tickline resume ${name}`);
}

function resume(asked: string | undefined, { json }: Omit<HaltOptions, "reason">): void {
  const name = chooseLine(asked);
  const { line } = openControl(name, true);
  rmSync(`${runDirOf(name)}/${HALT_FILE}`, { force: true });
  // During a restart the supervisor arms, once all services run.
  const restarting = line.cause()?.code === Cause.Restart || line.cause()?.code === Cause.Stop;
  if (!line.armed() && !restarting && !isHalted(runDirOf(name))) line.arm();
  say(json === true, name, line.armed(), line.armed() ? `${name} is resumed: orders may pass` : `${name} will be armed once all its services run`);
}

function say(json: boolean, name: string, armed: boolean, sentence: string): void {
  process.stdout.write(json ? `${JSON.stringify({ line: name, armed })}\n` : `${sentence}\n`);
}
