/** `tickline model import`: ONNX or TensorFlow.js layers as a model file. */
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { FORMATS, importFile, type Format } from "../interchange/main.ts";

const HELP = `
A model that was exported here carries its contract. For any other, --contract
names the columns and their scaling: a model file whose contract is taken, or
JSON with columns, mean, scale, clip and, if wanted, name, classes, horizon,
window, stateful.

Examples:
  npx tickline model import net.onnx net.tlm --contract ops/models/demo.tlm
  npx tickline model import keras/model.json net.tlm --contract contract.json
`;

/** The verb. */
export function modelImportCommand(): Command {
  return new Command("import")
    .description("make a model file of an ONNX model or a TensorFlow.js/Keras layers model")
    .argument("<file>", "an .onnx file, or the model.json of a TensorFlow.js/Keras layers model")
    .argument("<out>", "model file to write (.tlm)")
    .option("--contract <file>", "columns and scaling: JSON, or a model file (.tlm)")
    .addOption(new Option("--format <name>", "what <file> is; by its name when left out").choices(FORMATS))
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action((file: string, out: string, flags: { contract?: string; format?: Format; json?: boolean }) => {
      const contract = flags.contract === undefined ? undefined : resolve(flags.contract);
      const result = importFile(resolve(file), resolve(out), contract, flags.format);
      process.stdout.write(flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : `${out}: ${result.layers} layers, ${result.parameters} parameters, hash ${result.hash}\n`);
    });
}
