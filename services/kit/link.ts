/**
 * A link carries one kind of message from one service to the next. Placement decides what is behind it: a direct
 * call in one process, a shared-memory ring on one host. Services cannot tell which.
 */

/** Reads one message: `at` is the byte offset in `view` of a payload (FlatBuffers prefix, then struct). Valid only during the call. */
export type Handler = (view: DataView, at: number) => void;

/** The sending end of a link; single writer. */
export interface Outlet {
  /** Memory that offsets from `claim` refer to. */
  readonly view: DataView;
  /** Byte offset of a zeroed payload whose prefix is already written, or -1 when the link is full (nothing was claimed). */
  claim(): number;
  /** Publishes what was claimed. */
  commit(): void;
}

/** The receiving end of a link; single reader. */
export interface Inlet {
  /** The memory that handlers are given, known before the first message. */
  readonly view: DataView;
  /** True when a message waits; for the look between arming a bell and sleeping. */
  ready(): boolean;
  /** Messages that were overwritten before they were read; only a broadcast ring loses any. */
  readonly lost?: number;
  /** Calls `handler` for at most `limit` messages and returns how many. */
  poll(handler: Handler, limit: number): number;
}
