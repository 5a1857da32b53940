/**
 * Latest channel: one value, the newest. One writer that never waits, any number of readers, which write nothing. The protocol is
 * that of `crates/ring/src/latest.rs`, on the same bytes.
 */
import { TicklineError } from "../errors.ts";
import { AT_DATA, AT_EPOCH, AT_PUBLISHED, LATEST_SLOTS, RECORD_PAYLOAD } from "./layout.ts";
import { Kind, type Segment } from "./segment.ts";

/** Publications are counted modulo 2^30. */
const COUNT_MASK = 0x3fffffff;

/** Value of `bytes` bytes as words; checks that it fits. */
function room(segment: Segment, bytes: number): Int32Array {
  if (!(bytes > 0 && bytes % 8 === 0 && bytes <= segment.payloadMax)) {
    throw new TicklineError(
      "TL_SEGMENT",
      `segment ${segment.path}: a value of ${bytes} bytes does not fit; accepted is a multiple of 8 up to ${segment.payloadMax}`,
    );
  }
  return new Int32Array(bytes >> 2);
}

function wordOf(segment: Segment, slot: number): number {
  return (AT_DATA + slot * segment.stride + RECORD_PAYLOAD) >> 2;
}

/** The writing end: fill `view`, then `publish`. */
export class LatestWriter {
  /** The value to be published; this writer's own memory. */
  readonly view: DataView;
  readonly #value: Int32Array;
  readonly #segment: Segment;
  #count: number;
  #slot: number;

  /** Becomes the channel's writer, for values of `bytes` bytes (a multiple of 8). */
  constructor(segment: Segment, bytes: number) {
    segment.require(Kind.Latest, true);
    this.#segment = segment;
    this.#value = room(segment, bytes);
    this.view = new DataView(this.#value.buffer);
    Atomics.add(segment.words, AT_EPOCH >> 2, 1);
    const published = Atomics.load(segment.words, AT_PUBLISHED >> 2);
    this.#count = published >>> 2;
    this.#slot = published & 3;
  }

  /** Publishes what `view` holds. */
  publish(): void {
    const words = this.#segment.words;
    const slot = (this.#slot + 1) % LATEST_SLOTS;
    const to = wordOf(this.#segment, slot);
    const value = this.#value;
    for (let n = 0; n < value.length; n += 1) words[to + n] = value[n] as number;
    const count = (this.#count + 1) & COUNT_MASK;
    // Count 0 means "nothing yet", so it is skipped when the count wraps.
    this.#count = count === 0 ? 1 : count;
    this.#slot = slot;
    // SYNC: a full barrier, so that the next value's words follow it; pairs with the loads in `LatestReader.read`.
    Atomics.exchange(words, AT_PUBLISHED >> 2, (this.#count << 2) | slot);
  }
}

/** A reading end; a read-only segment will do. */
export class LatestReader {
  /** The value of the last `read`; this reader's own memory. */
  readonly view: DataView;
  readonly #value: Int32Array;
  readonly #segment: Segment;
  readonly #barrier = new Int32Array(1);

  constructor(segment: Segment, bytes: number) {
    segment.require(Kind.Latest, false);
    this.#segment = segment;
    this.#value = room(segment, bytes);
    this.view = new DataView(this.#value.buffer);
  }

  /** Copies the newest value into `view`; false before the first. Retries only while the writer publishes twice during one copy. */
  read(): boolean {
    const words = this.#segment.words;
    const value = this.#value;
    let seen = Atomics.load(words, AT_PUBLISHED >> 2);
    for (;;) {
      if (seen === 0) return false;
      const from = wordOf(this.#segment, seen & 3);
      for (let n = 0; n < value.length; n += 1) value[n] = words[from + n] as number;
      // SYNC: a full barrier between the copy and the check.
      Atomics.add(this.#barrier, 0, 1);
      const now = Atomics.load(words, AT_PUBLISHED >> 2);
      if ((((now >>> 2) - (seen >>> 2)) & COUNT_MASK) < 2) return true;
      seen = now;
    }
  }

  /** Publication number (modulo 2^30) of the newest value; 0 before the first. Cheap to poll for change. */
  version(): number {
    return Atomics.load(this.#segment.words, AT_PUBLISHED >> 2) >>> 2;
  }
}
