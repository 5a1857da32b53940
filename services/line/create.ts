/** Service names to the functions that create their agents; the only place that knows all services. */
import type { Agent } from "../kit/agent.ts";
import { TicklineError } from "../kit/errors.ts";
import type { ServiceContext } from "../kit/context.ts";
import type { Hostable } from "./wiring.ts";

type Create = (context: ServiceContext) => Agent | Promise<Agent>;

/** Creates the agent of a service; loads only the code of the services asked for. */
export async function createAgent(name: Hostable, context: ServiceContext): Promise<Agent> {
  const loaded = (await import(`../${name}/main.ts`)) as Record<string, Create | undefined>;
  const create = loaded[`create${name.charAt(0).toUpperCase()}${name.slice(1)}`];
  if (create === undefined) throw new TicklineError("TL_INTERNAL", `services/${name}/main.ts does not export its create function`);
  return create(context);
}
