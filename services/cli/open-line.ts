/** Finds running lines and maps their control segments. */
import { existsSync, readdirSync } from "node:fs";
import { TicklineError } from "../kit/errors.ts";
import { Control } from "../kit/ring/control.ts";
import { Segment } from "../kit/ring/segment.ts";
import { RUN_ROOT, runDirOf, SEGMENT } from "../kit/segments.ts";

/** Names of the lines that run on this host, sorted. */
export function runningLines(): string[] {
  if (!existsSync(RUN_ROOT)) return [];
  return readdirSync(RUN_ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory() && existsSync(`${RUN_ROOT}/${entry.name}/${SEGMENT.control}`)).map((entry) => entry.name).toSorted();
}

/** The line that a person means: the one named, or the only one running. @throws TicklineError TL_LINE_ABSENT, TL_USAGE */
export function chooseLine(name: string | undefined): string {
  const running = runningLines();
  if (name !== undefined) {
    if (running.includes(name)) return name;
    throw new TicklineError("TL_LINE_ABSENT", `no line named ${name} is running here (${running.length === 0 ? "none is" : `running: ${running.join(", ")}`})`);
  }
  const [only, ...others] = running;
  if (only === undefined) throw new TicklineError("TL_LINE_ABSENT", "no line is running here: start one with npx tickline run ops/lines/demo.yaml");
  if (others.length > 0) throw new TicklineError("TL_USAGE", `several lines are running, name one: ${running.join(", ")}`);
  return only;
}

/** Maps the control segment of a running line; `write` to disarm or arm. @throws TicklineError TL_SEGMENT */
export function openControl(name: string, write: boolean): Control {
  const path = `${runDirOf(name)}/${SEGMENT.control}`;
  return new Control(write ? Segment.open(path) : Segment.openReadOnly(path));
}
