/** `tickline model export`: a model file as ONNX or TensorFlow.js layers. */
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { exportFile, FORMATS, type Format } from "../interchange/main.ts";

/** The verb. */
export function modelExportCommand(): Command {
  return new Command("export")
    .description("write a model file as ONNX (operator set 17) or as a TensorFlow.js layers model; contract and record travel with it")
    .argument("<model>", "model file (.tlm)")
    .argument("<out>", "an .onnx file, or the model.json of a TensorFlow.js model; its weights go beside it")
    .addOption(new Option("--format <name>", "what to write; by the name of <out> when left out").choices(FORMATS))
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExamples:\n  npx tickline model export ops/models/demo.tlm demo.onnx\n  npx tickline model export ops/models/demo.tlm demo/model.json\n")
    .action((model: string, out: string, flags: { format?: Format; json?: boolean }) => {
      const result = exportFile(resolve(model), resolve(out), flags.format);
      process.stdout.write(flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : `${out}: ${result.format}, ${result.layers} layers, ${result.parameters} parameters, ${result.bytes} bytes\n`);
    });
}
