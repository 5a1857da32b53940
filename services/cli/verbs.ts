/** Every verb of the command, in the order that `--help` lists them. */
import type { Command } from "commander";
import { inspectCommand } from "./inspect.ts";

export function verbs(): Command[] {
  return [inspectCommand()];
}
