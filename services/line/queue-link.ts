// @hot
/**
 * The link for the one arrow that goes back (Fill), within one process: a bounded queue, so that a consumer is never
 * called while it is still sending (risk sends an Order and its refusal comes back on the same stack).
 */
import type { Handler, Inlet, Outlet } from "../kit/link.ts";
import type { WritePrefix } from "./direct-link.ts";

export class QueueLink implements Outlet, Inlet {
  readonly view: DataView;
  readonly #bytes: number;
  readonly #mask: number;
  readonly #capacity: number;
  /** Messages ever committed; at most `#capacity` ahead of `#read`. Wraps at 2^32, as do differences of it. */
  #written = 0;
  #read = 0;

  /**
   * @param bytes size of a payload, prefix included
   * @param capacity messages held; a power of two
   * @param writePrefix writes the message's prefix into every slot, once
   */
  constructor(bytes: number, capacity: number, writePrefix: WritePrefix) {
    this.view = new DataView(new ArrayBuffer(bytes * capacity));
    this.#bytes = bytes;
    this.#capacity = capacity;
    this.#mask = capacity - 1;
    for (let slot = 0; slot < capacity; slot++) writePrefix(this.view, slot * bytes);
  }

  claim(): number {
    if (((this.#written - this.#read) | 0) >= this.#capacity) return -1;
    return (this.#written & this.#mask) * this.#bytes;
  }

  commit(): void {
    this.#written = (this.#written + 1) | 0;
  }

  ready(): boolean {
    return this.#read !== this.#written;
  }

  poll(handler: Handler, limit: number): number {
    let handled = 0;
    while (handled < limit && this.#read !== this.#written) {
      const at = (this.#read & this.#mask) * this.#bytes;
      handler(this.view, at);
      // Only now may the slot be claimed again: the handler's view of it has ended.
      this.#read = (this.#read + 1) | 0;
      handled++;
    }
    return handled;
  }
}
