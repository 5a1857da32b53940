// @hot
/**
 * The learner's link in a replay: it sees each row right after inference has handled it, in inference's process. So what it publishes
 * takes over between the same two rows at every speed, and it is never lapped. Live there is no tap: the learner reads the ring itself.
 */
import type { Handler, Inlet } from "../kit/link.ts";

/** The receiving end that inference polls; the learner's handler comes second. */
export class TappedInlet implements Inlet {
  readonly view: DataView;
  readonly #source: Inlet;
  readonly #second: Handler;
  #first: Handler;

  /** @param second the learner's handler */
  constructor(source: Inlet, second: Handler) {
    this.view = source.view;
    this.#source = source;
    this.#second = second;
    this.#first = second;
  }

  ready(): boolean {
    return this.#source.ready();
  }

  get lost(): number {
    return this.#source.lost ?? 0;
  }

  poll(handler: Handler, limit: number): number {
    this.#first = handler;
    return this.#source.poll(this.#both, limit);
  }

  readonly #both: Handler = (view, at) => {
    this.#first(view, at);
    this.#second(view, at);
  };
}

/** The learner's own end in a replay: it is handed its rows, so none ever waits here. */
export class TapEnd implements Inlet {
  readonly view: DataView;
  readonly #source: Inlet;

  constructor(source: Inlet) {
    this.view = source.view;
    this.#source = source;
  }

  ready(): boolean {
    return false;
  }

  poll(_handler: Handler, _limit: number): number {
    return 0;
  }

  get lost(): number {
    return this.#source.lost ?? 0;
  }
}
