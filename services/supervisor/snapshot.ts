/** What the control segment says at one moment, as plain data: the source of `status`, of the live table and of the summary. */
import { nowNs } from "../kit/clock.ts";
import { readStanding } from "../kit/standing.ts";
import { learningOf, type LearningSnapshot } from "./learning.ts";
import { State, STATE_NAMES, type Control, type ServiceBlock } from "../kit/ring/control.ts";
import { COUNTERS, HOPS, SERVICES, type CounterName, type HopName, type ServiceName } from "../kit/ring/names.ts";

/** Latencies of one hop, ns. Percentiles are within 0.8 %, the maximum is exact. */
export interface HopSnapshot {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** One service. Counters of 0 and hops without values are left out. */
export interface ServiceSnapshot {
  readonly name: ServiceName;
  readonly state: (typeof STATE_NAMES)[number];
  readonly epoch: number;
  readonly pid: number;
  /** Milliseconds since the last duty cycle that stamped; null before the first. */
  readonly heartbeat_age_ms: number | null;
  readonly restarts: number;
  readonly error: string;
  /** Gaps that no line and no re-request filled. */
  readonly gaps: number;
  /** Rows that were overwritten before they were read, and messages that found their ring full. */
  readonly drops: number;
  readonly counters: Readonly<Partial<Record<CounterName, number>>>;
  readonly hops: Readonly<Partial<Record<HopName, HopSnapshot>>>;
}

/** The line. */
export interface LineSnapshot {
  readonly run_id: number;
  readonly epoch: number;
  readonly armed: boolean;
  /** Why it is not armed; null when it is, or was never disarmed. */
  readonly cause: { readonly code: number; readonly text: string } | null;
  /** Services that have begun, in start order. */
  readonly services: readonly ServiceSnapshot[];
  /** The running evaluation of learning beside the line; null without a learner. */
  readonly learning: LearningSnapshot | null;
}

/** Reads the control segment, and of a learner what it wrote into the run's folder. Costs some milliseconds; never for a duty cycle. */
export function snapshot(control: Control, runDir: string): LineSnapshot {
  const cause = control.line.cause();
  const services = SERVICES.flatMap((name) => {
    const block = control.service(name);
    return block.state() === State.Empty && block.epoch() === 0 ? [] : [serviceSnapshot(name, block)];
  });
  const learner = services.find(({ name }) => name === "learner");
  return {
    run_id: control.line.runId(),
    epoch: control.line.epoch(),
    armed: control.line.armed(),
    cause: cause === undefined ? null : { code: cause.code, text: cause.text },
    services,
    learning: learner === undefined ? null : learningOf(learner.counters, readStanding(runDir)),
  };
}

function serviceSnapshot(name: ServiceName, block: ServiceBlock): ServiceSnapshot {
  const beatNs = block.heartbeatNs.number();
  const counted = (name: CounterName): number => block.counter(COUNTERS.indexOf(name));
  return {
    name,
    state: STATE_NAMES[block.state()],
    epoch: block.epoch(),
    pid: block.pid(),
    heartbeat_age_ms: beatNs === 0 ? null : Math.max(0, (nowNs() - beatNs) / 1e6),
    restarts: block.restarts(),
    error: block.error(),
    gaps: counted("gaps"),
    drops: counted("lapped") + counted("ring_full"),
    counters: Object.fromEntries(COUNTERS.map((counter, place) => [counter, block.counter(place)] as const).filter(([, value]) => value > 0)),
    hops: Object.fromEntries(HOPS.flatMap((hop, place) => {
      const histogram = block.histograms[place];
      if (histogram === undefined || histogram.count() === 0) return [];
      const at = (share: number): number => histogram.percentile(share);
      return [[hop, { count: histogram.count(), p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: histogram.max() }]];
    })),
  };
}

/** Which service's counter is the line's figure: the venue counts its own orders and executions under the same names. */
const COUNTED_BY = {
  frames: "feed", messages: "feed", gaps: "feed", admit_waits: "feed", signals: "inference", orders: "risk",
  sent: "execution", accepted: "execution", executed: "execution", fills_shares: "execution", rejected: "execution",
} as const satisfies Partial<Record<CounterName, ServiceName>>;

/** The line's figure for a counter. */
export function count(line: Pick<LineSnapshot, "services">, counter: keyof typeof COUNTED_BY): number {
  return line.services.find(({ name }) => name === COUNTED_BY[counter])?.counters[counter] ?? 0;
}

/** A hop's latencies: each hop is measured by one service. */
export function hopOf(line: Pick<LineSnapshot, "services">, hop: HopName): HopSnapshot | undefined {
  for (const service of line.services) {
    const found = service.hops[hop];
    if (found !== undefined) return found;
  }
  return undefined;
}
