// @hot
/**
 * Where a writer's next record is prepared: memory of its own, moved into the slot at once. The readers look at the slot's first line
 * all the while; were the record built there, each look between two stores would take the line away from the writer.
 */
import { RECORD_EPOCH, RECORD_KIND, RECORD_LENGTH, RECORD_PAYLOAD, RECORD_SEQUENCE_HIGH, RECORD_STAMP } from "./layout.ts";
import type { Segment } from "./segment.ts";
import { templateDoubles } from "./slots.ts";

// V8 folds a module's own constants into the code, and loads those that it imports.
const LENGTH = RECORD_LENGTH;
const KIND = RECORD_KIND;
const HIGH = RECORD_SEQUENCE_HIGH;
const EPOCH = RECORD_EPOCH;
const STAMP = RECORD_STAMP;
const PAYLOAD = RECORD_PAYLOAD >> 2;

export class Stage {
  /** The payload, from byte 0, for the sender to fill. */
  readonly view: DataView;
  readonly #template: Float64Array;
  /** The payload in doubles, to reset it, and in words, to move it: so the sender's stores of 4 and of 8 bytes both forward. */
  readonly #doubles: Float64Array;
  readonly #words: Int32Array;
  readonly #stamp: Uint32Array;
  readonly #kind: number;
  readonly #bytes: number;

  /** Parameters as for `Producer`. */
  constructor(segment: Segment, template: Uint8Array, kind: number, stamp: Uint32Array) {
    this.#template = templateDoubles(segment, template);
    this.#doubles = new Float64Array(this.#template.length);
    this.#words = new Int32Array(this.#doubles.buffer);
    this.view = new DataView(this.#doubles.buffer);
    this.#stamp = stamp;
    this.#kind = kind;
    this.#bytes = template.length;
  }

  /** Makes the payload equal to the template. */
  reset(): void {
    const template = this.#template;
    const doubles = this.#doubles;
    for (let n = 0; n < template.length; n += 4) {
      doubles[n] = template[n] as number;
      doubles[n + 1] = template[n + 1] as number;
      doubles[n + 2] = template[n + 2] as number;
      doubles[n + 3] = template[n + 3] as number;
    }
  }

  /** Moves the record into the slot at word offset `word`, all but its commit word; the line that readers look at comes last. */
  move(words: Int32Array, word: number, high: number, epoch: number): void {
    const from = this.#words;
    const to = word + PAYLOAD;
    for (let n = from.length - 8; n >= 0; n -= 8) {
      words[to + n] = from[n] as number;
      words[to + n + 1] = from[n + 1] as number;
      words[to + n + 2] = from[n + 2] as number;
      words[to + n + 3] = from[n + 3] as number;
      words[to + n + 4] = from[n + 4] as number;
      words[to + n + 5] = from[n + 5] as number;
      words[to + n + 6] = from[n + 6] as number;
      words[to + n + 7] = from[n + 7] as number;
    }
    words[word + LENGTH] = this.#bytes;
    words[word + KIND] = this.#kind;
    words[word + HIGH] = high;
    words[word + EPOCH] = epoch;
    words[word + STAMP] = this.#stamp[0] as number;
    words[word + STAMP + 1] = this.#stamp[1] as number;
  }
}
