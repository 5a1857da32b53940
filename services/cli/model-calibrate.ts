/** `tickline model calibrate`: a model file in another precision, and what that costs. */
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { round } from "../trainer/evaluate.ts";
import { scoreTable } from "./train-tables.ts";

interface Flags {
  readonly capture: string;
  readonly precision: string;
  readonly out: string;
  readonly json?: true;
}

const HELP = `
Rows before the model's test part calibrate, the test part measures; both are
known from its training record.

Example:
  npx tickline model calibrate bin-c-tabl.tlm --capture GOOG.pcap.gz --out bin-c-tabl.int8.tlm

Exit codes: 0 done; 2 usage, a model file or a capture that does not do.
`;

/** The verb. */
export function modelCalibrateCommand(): Command {
  return new Command("calibrate")
    .description("write a model file in another precision, calibrated on a capture, and compare both on held-out rows")
    .argument("<file>", "a model file (.tlm) with a training record")
    .requiredOption("--capture <file>", "pcap or pcapng, gzip allowed")
    .requiredOption("--out <file>", "model file to write")
    .addOption(new Option("--precision <name>", "what weights are rounded to").choices(["f32", "bf16", "int8"]).default("int8"))
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action(run);
}

async function run(file: string, flags: Flags): Promise<void> {
  const [model, capture, out] = [resolve(file), resolve(flags.capture), resolve(flags.out)];
  const given = { symbols: undefined, labels: undefined, horizon: undefined, threshold: undefined, part: undefined };
  const result = await round({ model, capture, ...given }, flags.precision, out);
  const { before, after } = result;
  const lost = 100 * (before.score.macroF1 - after.score.macroF1);
  const lines = [
    ...scoreTable([["as it was", before.score], [flags.precision, after.score], ["persistence", after.persistence], ["majority", after.majority]], process.stdout.columns || Infinity),
    `${flags.out}: hash ${result.hash}; macro-F1 ${lost >= 0 ? "lost" : "gained"} ${Math.abs(lost).toFixed(2)} points`,
  ];
  process.stdout.write(`${flags.json === true ? JSON.stringify(result, null, 2) : lines.join("\n")}\n`);
}
