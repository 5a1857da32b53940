/** `tickline model info`: what a model file holds. */
import { Command } from "commander";
import { native } from "../kit/native.ts";
import { door } from "../trainer/door.ts";
import { wrap } from "./columns.ts";

/** The verb. */
export function modelInfoCommand(): Command {
  return new Command("info")
    .description("contract, layers, sizes and training record of a model file")
    .argument("<file>", "a model file (.tlm)")
    .option("--json", "print as JSON")
    .addHelpText("after", "\nExample:\n  npx tickline model info ops/models/demo.tlm\n\nExit codes: 0 done, 2 no model file or a damaged one.\n")
    .action(info);
}

function info(file: string, flags: { json?: true }): void {
  const model = door(() => native.modelInfo(file));
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(model, null, 2)}\n`);
    return;
  }
  const lines = [
    `${model.name}, hash ${model.hash}`,
    `takes ${model.columns.length} columns x ${model.window} rows: ${model.columns.join(" ")}`,
    `gives ${model.classes.length > 0 ? model.classes.join(", ") : `${model.outputs} numbers`}, ${model.horizon} rows ahead`,
    `${model.parameters} parameters, ${model.multiplyAdds} multiply-adds a row, ${model.precision} on ${model.level}, ${model.recurrent ? "carries state" : "no state"}`,
    ...model.layers.map((layer) => `  ${layer}`),
    "training record:",
    model.training,
  ];
  process.stdout.write(`${lines.flatMap((line) => wrap(line, process.stdout.columns || Infinity)).join("\n")}\n`);
}
