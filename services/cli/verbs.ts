/** Every verb of the command, in the order that `--help` lists them. */
import type { Command } from "commander";
import { benchCommand } from "./bench.ts";
import { haltCommand, resumeCommand } from "./halt.ts";
import { inspectCommand } from "./inspect.ts";
import { journalCommand } from "./journal.ts";
import { modelCommand } from "./model.ts";
import { replayCommand } from "./replay.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { trainCommand } from "./train.ts";

/** Makes them; each carries its own options, help and action. */
export function verbs(): Command[] {
  return [runCommand(), statusCommand(), haltCommand(), resumeCommand(), replayCommand(), inspectCommand(), journalCommand(), benchCommand(), trainCommand(), modelCommand()];
}
