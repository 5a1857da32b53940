// What `npm start` runs once everything is set up.
import { root, runChild } from "./child.mjs";
import { say } from "./say.mjs";

const LINE = "ops/lines/demo.yaml";
const SECONDS = "60";

/** Runs the demo line; further arguments of `npm start -- ...` come last and so win. Resolves to its exit code. */
export function startLine(node, rest) {
  say("start", `tickline run ${LINE} --seconds ${SECONDS}`);
  return runChild(node, [`${root}/services/cli/tickline.mjs`, "run", LINE, "--seconds", SECONDS, ...rest]);
}
