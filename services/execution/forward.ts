// @hot
/** Orders to the port, Fills from it: the duty cycle of execution. Every decision about an order is the gate's, in the port. */
import { FILL_BYTES } from "../../schemas/generated/fill.ts";
import type { Agent } from "../kit/agent.ts";
import type { Handler, Inlet, Outlet } from "../kit/link.ts";
import type { Cell } from "../kit/ring/cell.ts";

/** The native half (`crates/addon/src/order_port.rs`). */
export interface NativePort {
  readonly submit: (at: number) => number;
  /** `idle` is 1 when nothing else was found to do, else 0. */
  readonly poll: (idle: number) => number;
}

/** What execution is driven with; the doors are made in `main.ts`. */
export interface ForwardDoors {
  readonly port: NativePort;
  readonly fills: Outlet;
  /** The memory that `poll` fills, seen by us. */
  readonly batch: DataView;
  /** Binds the memory of an order link; called when it is another than before, so once or twice in a run. */
  readonly bind: (view: DataView) => void;
  /** Looks whether the port has failed, and throws if so. */
  readonly check: () => void;
  /** In replay the horizons of risk (read) and execution (published); live there are none. */
  readonly horizons: { readonly upstream: Cell; readonly own: Cell } | undefined;
  readonly summary: () => Record<string, unknown>;
  readonly descriptor: () => number;
  readonly close: () => void;
}

/** Orders taken in one look at the link. */
const ORDERS = 64;
/** Duty cycles between two looks whether the port has failed. */
const CHECK_CYCLES = 4096;
/** A message's prefix is written by the link already. */
const PREFIX_BYTES = 32;

export class Forward implements Agent {
  readonly summary: () => Record<string, unknown>;
  readonly descriptor: () => number;
  readonly close: () => void;
  /** Takes one order; a fused link calls it on risk's stack. */
  readonly onOrder: Handler;
  /** Outcomes of orders by the gate's code; place 0 counts those sent. */
  readonly outcomes = new Float64Array(64);
  #orders: Inlet | undefined;
  readonly #doors: ForwardDoors;
  #bound: DataView;
  #taken = 0;
  #held = 0;
  #at = 0;
  #cycles = 0;

  constructor(doors: ForwardDoors) {
    this.summary = doors.summary;
    this.descriptor = doors.descriptor;
    this.close = doors.close;
    this.#doors = doors;
    this.#bound = doors.batch;
    this.onOrder = (view, at) => {
      if (view !== this.#bound) this.#bind(view);
      const code = doors.port.submit(at);
      this.outcomes[code & 63] = (this.outcomes[code & 63] as number) + 1;
      this.#taken += 1;
    };
  }

  #bind(view: DataView): void {
    this.#doors.bind(view);
    this.#bound = view;
  }

  /** Gives the receiving end of the order link, made with `onOrder`. */
  attach(orders: Inlet): void {
    this.#orders = orders;
    this.#bind(orders.view);
  }

  doWork(): number {
    const { port, horizons } = this.#doors;
    if (horizons !== undefined) horizons.upstream.load();
    this.#drain();
    // Everything risk had caused below its horizon is now with the port, which has published how much it sent.
    if (horizons !== undefined) horizons.own.set(horizons.upstream.low, horizons.upstream.high);
    const orders = this.#taken;
    this.#taken = 0;
    // A batch must be passed on whole before the port is polled again: a replay's admission rests on that.
    let work = orders + this.#pass();
    if (this.#at === this.#held) {
      this.#held = port.poll(work === 0 ? 1 : 0);
      this.#at = 0;
      work += this.#held;
      this.#pass();
    }
    this.#cycles = (this.#cycles + 1) | 0;
    if (this.#cycles % CHECK_CYCLES === 0) this.#doors.check();
    return work;
  }

  /** Takes every order that waits. */
  #drain(): void {
    const orders = this.#orders;
    if (orders === undefined) return;
    while (orders.poll(this.onOrder, ORDERS) === ORDERS);
  }

  /** Passes Fills of the batch on until the link is full; returns how many. */
  #pass(): number {
    const { fills, batch } = this.#doors;
    const start = this.#at;
    while (this.#at < this.#held) {
      const to = fills.claim();
      if (to < 0) break;
      const from = this.#at * FILL_BYTES;
      for (let at = PREFIX_BYTES; at < FILL_BYTES; at += 4) fills.view.setInt32(to + at, batch.getInt32(from + at, true), true);
      fills.commit();
      this.#at += 1;
    }
    return this.#at - start;
  }
}
