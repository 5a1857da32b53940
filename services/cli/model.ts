/** `tickline model`: everything about model files. */
import { Command } from "commander";
import { modelExportCommand } from "./model-export.ts";
import { modelImportCommand } from "./model-import.ts";

/** The verb with its own verbs; each carries its options, help and action. */
export function modelCommand(): Command {
  const model = new Command("model").description("model files: from and to other formats");
  for (const verb of [modelImportCommand(), modelExportCommand()]) {
    model.addCommand(verb.exitOverride().showHelpAfterError(`(tickline model ${verb.name()} --help shows the usage)`));
  }
  return model.addHelpText("after", "\nExample:\n  npx tickline model export ops/models/demo.tlm demo.onnx\n");
}
