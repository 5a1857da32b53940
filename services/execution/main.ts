/** Wiring of execution: the order port from the line's configuration, ready before the agent is handed out. */
import { setTimeout as wait } from "node:timers/promises";
import { FILL_BYTES } from "../../schemas/generated/fill.ts";
import type { Agent } from "../kit/agent.ts";
import { nowNs } from "../kit/clock.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError, type ErrorCode } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { portOptions } from "./config.ts";
import { Forward, type NativePort } from "./forward.ts";
import { GATE_REFUSAL_NAMES } from "./refusals.ts";

type OrderPort = InstanceType<typeof native.OrderPort>;

/** Fills that the port hands out at once. */
const BATCH = 256;
/** Heartbeats that warm the way to the wire up. */
const HEARTBEATS = 200;
const STATUS_READY = 1;
const STATUS_FAILED = 2;

/** Codes of the native half and ours. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ["PORT_SEGMENT", "TL_SEGMENT"],
  ["PORT_PARTNER", "TL_PORT"],
  ["RING_", "TL_SEGMENT"],
  ["PORT_", "TL_CONFIG_VALUE"],
  ["ORDER_CONFIG", "TL_CONFIG_VALUE"],
  ["GATE_LIMIT", "TL_CONFIG_VALUE"],
];

function refused(text: string, otherwise: ErrorCode, cause?: unknown): TicklineError {
  return new TicklineError(CODES.find(([prefix]) => text.startsWith(prefix))?.[1] ?? otherwise, text, { cause });
}

function openPort(context: ServiceContext): OrderPort {
  try {
    return new native.OrderPort(portOptions(context.config, context.runDir, context.replay, context.counterparty));
  } catch (cause) {
    throw refused(cause instanceof Error ? cause.message : String(cause), "TL_INTERNAL", cause);
  }
}

/** Polls until the session is up; Fills of a recovery wait inside the port until risk is there to take them. */
async function ready(port: OrderPort, poll: NativePort["poll"], context: ServiceContext): Promise<void> {
  const { host, port: number } = context.config.venue.ouch;
  const until = nowNs() + context.config.supervision.start_timeout_ms * 1e6;
  while (port.status !== STATUS_READY) {
    poll(1);
    if (port.status === STATUS_FAILED) throw refused(`order port ${host}:${number}: ${port.failure}`, "TL_PORT");
    if (nowNs() > until) throw new TicklineError("TL_PORT", `order port ${host}:${number}: no session within ${context.config.supervision.start_timeout_ms} ms; is the exchange running there?`);
    await wait(1);
  }
  port.warmUp(HEARTBEATS);
}

function summary(port: OrderPort, outcomes: Float64Array): Record<string, unknown> {
  const refusals: Record<string, number> = {};
  outcomes.forEach((count, code) => {
    if (code > 0 && count > 0) refusals[GATE_REFUSAL_NAMES[code] ?? `code ${code}`] = count;
  });
  return { orders: outcomes[0] as number, refusals, orderHash: port.orderHash, positions: port.positions() };
}

/**
 * Creates execution's agent; its session is up when the promise resolves.
 * @throws TicklineError TL_PORT, TL_CONFIG_VALUE, TL_SEGMENT
 */
export async function createExecution(context: ServiceContext): Promise<Agent> {
  const port = openPort(context);
  const poll = port.poller();
  const { block, peer } = context;
  const memory = new Uint8Array(BATCH * FILL_BYTES);
  const forward: Forward = new Forward({
    port: { submit: port.submitter(), poll },
    fills: context.outlet("fill"),
    batch: new DataView(memory.buffer),
    bind: (view) => { port.bindOrders(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)); },
    check: () => {
      if (port.status === STATUS_FAILED) throw refused(port.failure, "TL_PORT");
    },
    horizons: context.replay ? { upstream: peer("risk").horizon, own: block.horizon } : undefined,
    summary: () => summary(port, forward.outcomes),
    descriptor: () => port.descriptor,
    close: () => { port.close(); },
  });
  forward.attach(context.inlet("order", forward.onOrder));
  if (context.counterparty === "nobody") block.admit.set(0xffffffff, 0xffffffff);
  else await ready(port, poll, context);
  port.bindFills(memory);
  return forward;
}
