// @hot
/**
 * A sending end that the recorder listens to: what was sent is copied into a broadcast ring behind it, so nobody on the path waits for the
 * copy and nobody ever waits for the recorder. Only a line with a recorder has these.
 */
import type { Outlet } from "../kit/link.ts";
import type { Publisher } from "../kit/ring/broadcast.ts";

export class RecordedOutlet implements Outlet {
  readonly view: DataView;
  readonly #outlet: Outlet;
  readonly #ring: Publisher;
  /** Both memories in words: pieces of eight bytes would be boxed until V8 has compiled the loop, and after it has thrown the code away. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  /** Words of a payload. */
  readonly #length: number = 0;
  #at = -1;

  /** @param bytes of a payload, prefix included: a multiple of four */
  constructor(outlet: Outlet, ring: Publisher, bytes: number) {
    this.view = outlet.view;
    this.#outlet = outlet;
    this.#ring = ring;
    this.#from = new Int32Array(outlet.view.buffer, outlet.view.byteOffset, outlet.view.byteLength >> 2);
    this.#to = new Int32Array(ring.view.buffer, ring.view.byteOffset, ring.view.byteLength >> 2);
    this.#length = bytes >> 2;
  }

  claim(): number {
    return (this.#at = this.#outlet.claim());
  }

  commit(): void {
    const at = this.#at;
    this.#outlet.commit();
    if (at < 0) return;
    const from = this.#from;
    const to = this.#to;
    const source = at >> 2;
    const target = this.#ring.claim() >> 2;
    // The sender's memory stays as it is until it claims again: only it does.
    for (let n = 0; n < this.#length; n += 1) to[(target + n) | 0] = from[(source + n) | 0] as number;
    this.#ring.commit();
    this.#at = -1;
  }
}
