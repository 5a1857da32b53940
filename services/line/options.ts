/** The arguments of the process host. */
import { parseArgs } from "node:util";
import { TicklineError } from "../kit/errors.ts";
import { HOSTED, type Hostable } from "./wiring.ts";

export interface HostOptions {
  /** Line file. */
  readonly config: string;
  /** The run's folder. */
  readonly runDir: string;
  /** Services of this process, in the order of the data flow, those beside it last. */
  readonly services: readonly Hostable[];
  readonly replay: boolean;
  /** The supervisor's process; the host ends when it is gone. */
  readonly parent: number;
  /** Core of the main thread; undefined: the scheduler's choice. */
  readonly core: number | undefined;
  /** Folder of captures to warm up on before the service is ready; undefined: no warm-up. */
  readonly rehearse: string | undefined;
}

/** @throws TicklineError TL_USAGE naming the argument */
export function hostOptions(argv: readonly string[]): HostOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      config: { type: "string" },
      "run-dir": { type: "string" },
      services: { type: "string" },
      replay: { type: "boolean", default: false },
      parent: { type: "string" },
      core: { type: "string" },
      rehearse: { type: "string" },
    },
  });
  const named = (values.services ?? "").split(",").filter((name) => name !== "");
  const unknown = named.find((name) => !(HOSTED as readonly string[]).includes(name));
  if (unknown !== undefined) throw new TicklineError("TL_USAGE", `--services ${unknown}: not one of ${HOSTED.join(", ")}`);
  const { config, "run-dir": runDir } = values;
  if (config === undefined || runDir === undefined || named.length === 0) {
    throw new TicklineError("TL_USAGE", "the host needs --config FILE, --run-dir DIR and --services a,b,c");
  }
  const parent = Number(values.parent);
  if (!(Number.isInteger(parent) && parent > 0)) throw new TicklineError("TL_USAGE", "the host needs --parent PID, the process that it ends with");
  const services = HOSTED.filter((name) => named.includes(name));
  return { config, runDir, services, replay: values.replay, parent, core: values.core === undefined ? undefined : Number(values.core), rehearse: values.rehearse };
}
