/** `tickline model`: everything about model files. */
import { Command } from "commander";
import { modelBenchCommand } from "./model-bench.ts";
import { modelCalibrateCommand } from "./model-calibrate.ts";
import { modelCompareCommand } from "./model-compare.ts";
import { modelEvalCommand } from "./model-eval.ts";
import { modelExportCommand } from "./model-export.ts";
import { modelImportCommand } from "./model-import.ts";
import { modelInfoCommand } from "./model-info.ts";
import { modelPublishCommand } from "./model-publish.ts";
import { modelTrainCommand } from "./model-train.ts";

/** The verb with its own verbs; each carries its options, help and action. */
export function modelCommand(): Command {
  const model = new Command("model").description("model files: training, testing, comparing; from and to other formats; into a running line");
  for (const verb of [modelInfoCommand(), modelTrainCommand(), modelEvalCommand(), modelCalibrateCommand(), modelCompareCommand(), modelImportCommand(), modelExportCommand(), modelPublishCommand(), modelBenchCommand()]) {
    model.addCommand(verb.exitOverride().showHelpAfterError(`(tickline model ${verb.name()} --help shows the usage)`));
  }
  return model.addHelpText("after", "\nExamples:\n  npx tickline model train bin-c-tabl --capture GOOG.pcap.gz\n  npx tickline model export ops/models/demo.tlm demo.onnx\n");
}
