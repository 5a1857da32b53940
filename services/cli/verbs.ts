/** Every verb of the command, in the order that `--help` lists them. */
import type { Command } from "commander";

export function verbs(): Command[] {
  return [];
}
