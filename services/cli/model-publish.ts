/** `tickline model publish`: puts a model file's weights into a running line, between two ticks. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { modelsOf, type LineConfig } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { runDirOf, weightsOf } from "../kit/segments.ts";
import { stated } from "./native-refusal.ts";
import { chooseLine } from "./open-line.ts";
import { number } from "./option-values.ts";

interface Flags {
  readonly line?: string;
  readonly member: number;
  readonly json?: true;
}

const HELP = `
The file has the network, columns, classes and precision of the model that it
takes the place of; another network needs a restart of the line. The line does
not stop: its next tick runs the new weights. A learner beside the line stands
down for good.

Examples:
  npx tickline model publish tonight.tlm --line demo
  npx tickline model publish tonight.tlm --line demo --member 2

Exit codes: 0 published; 2 no such line or member, or a file that does not fit.
`;

/** The verb. */
export function modelPublishCommand(): Command {
  return new Command("publish")
    .description("put a model file's weights into a running line, between two ticks")
    .argument("<file>", "a model file (.tlm)")
    .option("--line <name>", "name of the line; may be left out when only one is running")
    .option("--member <n>", "of an ensemble the member to replace, from 1: inference.model, then inference.ensemble in order", number(1, 16, true), 1)
    .option("--json", "print as JSON")
    .addHelpText("after", HELP)
    .action(publish);
}

function publish(file: string, { line: asked, member, json }: Flags): void {
  const line = chooseLine(asked);
  const models = modelsOf(JSON.parse(readFileSync(`${runDirOf(line)}/line.yaml`, "utf8")) as LineConfig);
  const model = models[member - 1];
  if (model === undefined) {
    const count = models.length === 1 ? "one model" : `an ensemble of ${models.length}`;
    throw new TicklineError("TL_USAGE", `--member ${member}: line ${line} runs ${count}; give a number from 1 to ${models.length}`);
  }
  const segment = `${runDirOf(line)}/${weightsOf(member - 1)}`;
  try {
    const from = native.weightsInPlace(segment, model);
    native.modelPublish(segment, resolve(file));
    const to = native.weightsInPlace(segment, model);
    process.stdout.write(json === true ? `${JSON.stringify({ line, member, from, to })}\n` : `${line}: member ${member}: ${from ?? "nothing"} gave way to ${to}\n`);
  } catch (error) {
    throw stated(error, (code) => (code.startsWith("MODEL_") || code === "WEIGHTS_FOREIGN" ? "TL_MODEL" : "TL_SEGMENT"), ` (${file})`);
  }
}
