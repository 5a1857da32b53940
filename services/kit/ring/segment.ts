/** A segment of shared memory, mapped once as an ArrayBuffer; nothing native is called afterwards. */
import { TicklineError } from "../errors.ts";
import { native } from "../native.ts";
import { AT_HASH, AT_KIND, AT_SLOTS, AT_STRIDE, RECORD_PAYLOAD, layoutHash } from "./layout.ts";

/** What a segment holds; the numbers are the header's. */
export const Kind = { Lossless: 1, Broadcast: 2, Latest: 3, Control: 4, Plain: 5 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** What to create: the kind and its size. `slots` is a power of two, `payload` the largest record in bytes. */
export type Shape =
  | { readonly kind: "lossless" | "broadcast"; readonly slots: number; readonly payload: number }
  | { readonly kind: "latest"; readonly payload: number }
  | { readonly kind: "control" }
  | { readonly kind: "plain"; readonly bytes: number };

const HASH = layoutHash();

/** Calls native code and turns its error into one with a code of `errors.ts`. */
function door<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TicklineError(text.startsWith("RING_COPY") ? "TL_ADDON" : "TL_SEGMENT", text, { cause });
  }
}

/** Creates a segment's file, exclusively. */
export function createSegment(path: string, shape: Shape): void {
  const slots = "slots" in shape ? shape.slots : 0;
  const payload = "payload" in shape ? shape.payload : "bytes" in shape ? shape.bytes : 0;
  door(() => native.segmentCreate(path, shape.kind, slots, payload));
}

/** Removes a segment's file; a missing one is fine. Whoever has it mapped keeps the memory. */
export function removeSegment(path: string): void {
  door(() => native.segmentRemove(path));
}

/** A mapped segment. */
export class Segment {
  readonly path: string;
  readonly buffer: ArrayBuffer;
  /** The whole segment as 32-bit words. */
  readonly words: Int32Array;
  /** The whole segment, for accessors of messages. */
  readonly view: DataView;
  readonly kind: number;
  readonly slots: number;
  /** Bytes from one slot to the next. */
  readonly stride: number;
  readonly writable: boolean;

  private constructor(path: string, writable: boolean) {
    this.path = path;
    this.writable = writable;
    this.buffer = door(() => native.segmentMap(path, writable));
    this.words = new Int32Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.kind = this.words[AT_KIND >> 2] as number;
    this.slots = this.words[AT_SLOTS >> 2] as number;
    this.stride = this.words[AT_STRIDE >> 2] as number;
    const hash = this.view.getBigUint64(AT_HASH, true);
    if (hash !== HASH) {
      throw new TicklineError(
        "TL_SEGMENT",
        `segment ${path}: the addon's layout hash is ${hash.toString(16)}, this code's is ${HASH.toString(16)}; run: npm run addon`,
      );
    }
  }

  /** Maps to read and write. */
  static open(path: string): Segment {
    return new Segment(path, true);
  }

  /** Maps to look at; a store ends the process, so writers refuse such a segment. */
  static openReadOnly(path: string): Segment {
    return new Segment(path, false);
  }

  /** Largest payload of a record in bytes. */
  get payloadMax(): number {
    return Math.max(0, this.stride - RECORD_PAYLOAD);
  }

  /** Refuses unless the segment is of this kind and, for writers, writable. */
  require(kind: Kind, write: boolean): void {
    if (this.kind !== kind) {
      throw new TicklineError("TL_SEGMENT", `segment ${this.path}: kind at byte ${AT_KIND} is ${this.kind}, expected ${kind}`);
    }
    if (write && !this.writable) {
      throw new TicklineError("TL_SEGMENT", `segment ${this.path} was opened read-only; open it for writing`);
    }
  }
}

/**
 * Proves that JavaScript and native code see one memory, both ways: each changes a spare word of the header and the other looks.
 * For start-up, on a writable segment.
 * @throws TicklineError TL_ADDON when the runtime copied the memory
 */
export function proveShared(segment: Segment): void {
  const spare = 60;
  segment.require(segment.kind as Kind, true);
  const before = Atomics.add(segment.words, spare >> 2, 7);
  native.segmentBump(segment.buffer, spare);
  const again = Segment.open(segment.path);
  if (Atomics.load(again.words, spare >> 2) !== ((before + 8) | 0)) {
    throw new TicklineError("TL_ADDON", `segment ${segment.path} is a copy, not shared memory; use the pinned Node 24`);
  }
}
