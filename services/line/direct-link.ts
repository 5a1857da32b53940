// @hot
/**
 * The link between two services of one process: `commit` calls the consumer's handler with the payload, on the
 * producer's stack. One message is in flight at a time, so one payload of memory is enough.
 */
import type { Handler, Inlet, Outlet } from "../kit/link.ts";

/** Writes the constant prefix of a message at byte `at`; generated beside each schema. */
export type WritePrefix = (view: DataView, at: number) => void;

export class DirectLink implements Outlet, Inlet {
  readonly view: DataView;
  readonly #handler: Handler;

  /**
   * @param bytes size of a payload, prefix included
   * @param writePrefix writes the message's prefix, once: the producer only fills the struct behind it
   * @param handler the consumer
   */
  constructor(bytes: number, writePrefix: WritePrefix, handler: Handler) {
    this.view = new DataView(new ArrayBuffer(bytes));
    writePrefix(this.view, 0);
    this.#handler = handler;
  }

  claim(): number {
    return 0;
  }

  commit(): void {
    this.#handler(this.view, 0);
  }

  ready(): boolean {
    return false;
  }

  /** Nothing ever waits in a direct link. */
  poll(_handler: Handler, _limit: number): number {
    return 0;
  }
}
