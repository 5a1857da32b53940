// @hot
/** A ring's sending end whose consumer may sleep: rings its bell after each commit, which costs a full barrier and a load while it is awake. */
import type { Outlet } from "../kit/link.ts";
import type { Ringer } from "../kit/ring/bell.ts";

export class RungOutlet implements Outlet {
  readonly view: DataView;
  readonly #outlet: Outlet;
  readonly #ringer: Ringer;

  constructor(outlet: Outlet, ringer: Ringer) {
    this.view = outlet.view;
    this.#outlet = outlet;
    this.#ringer = ringer;
  }

  claim(): number {
    return this.#outlet.claim();
  }

  commit(): void {
    this.#outlet.commit();
    this.#ringer.notify();
  }
}
