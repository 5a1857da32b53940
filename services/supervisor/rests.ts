/** How the processes of a line rest on this machine. Pure: the number of cores is an argument. */
import { placeOf, type LineConfig, type Placed } from "../kit/config.ts";
import type { ProcessGroup } from "./plan.ts";

/** The placement to run with. */
export interface Rests {
  readonly placement: LineConfig["placement"];
  /** What was changed; empty when nothing was. */
  readonly changed: string;
  /** Why orders wait for more than the work on them; empty when they do not. */
  readonly wait: string;
}

/**
 * Lets processes spin only where each of them can have a core: one that spins on a core it shares keeps the very process from
 * running that it waits for. On a smaller machine those that would spin give the core away instead.
 */
export function decideRests(groups: readonly ProcessGroup[], placement: LineConfig["placement"], cores: number): Rests {
  const idleOf = ({ services }: ProcessGroup): string => placeOf(placement, services[0] as Placed).idle;
  const spinning = groups.filter((group) => idleOf(group) === "spin");
  if (spinning.length <= 1 || spinning.length < cores) {
    const asleep = groups.filter((group) => !group.beside && group.name !== "exchange" && idleOf(group) === "park").length;
    const sleep = asleep === 1 ? "1 process of the line sleeps" : `${asleep} processes of the line sleep`;
    return { placement, changed: "", wait: asleep === 0 ? "" : `${sleep} when idle (placement: idle: park)` };
  }
  const changed = { ...placement };
  for (const service of spinning.flatMap(({ services }) => services)) changed[service] = { ...placeOf(placement, service), idle: "yield" };
  const text = `${spinning.length} processes would spin on ${cores} ${cores === 1 ? "core" : "cores"}: they yield instead`;
  return { placement: changed, changed: text, wait: text };
}
