// @hot
/**
 * What all records of one writer have in common, laid out once as a record: the header and the payload's template. A writer lays it into
 * a free slot before the sender fills in the rest.
 *
 * It moves as doubles, twice the bytes of words. V8 need not keep the bits of one that is not a number, so such forms are refused.
 */
import { TicklineError } from "../errors.ts";
import { AT_EPOCH, RECORD_EPOCH, RECORD_KIND, RECORD_LENGTH, RECORD_PAYLOAD, RECORD_SEQUENCE_HIGH, RECORD_STAMP } from "./layout.ts";
import type { Segment } from "./segment.ts";

// V8 folds a module's own constants into the code, and loads those that it imports.
const HIGH = RECORD_SEQUENCE_HIGH;
const STAMP = RECORD_STAMP >> 1;
/** Places in doubles: payload bytes and kind of message, the writer's epoch, the payload. */
const LENGTH = RECORD_LENGTH >> 1;
const EPOCH = RECORD_EPOCH >> 1;
const PAYLOAD = RECORD_PAYLOAD >> 3;

export class Form {
  /** Which writer of the channel this is, from 1. */
  readonly epoch: number;
  readonly #words: Int32Array;
  /** The segment in doubles. */
  readonly #doubles: Float64Array;
  /** A record in doubles; whole groups of four, which fit, since a slot is whole cache lines. */
  readonly #record: Float64Array;
  readonly #stamp: Float64Array;

  /** Counts a new writer of the channel, and takes what `Producer` takes. */
  constructor(segment: Segment, template: Uint8Array, kind: number, stamp: Uint32Array) {
    if (template.length === 0 || template.length > segment.payloadMax) {
      throw new TicklineError("TL_SEGMENT", `segment ${segment.path}: a payload of ${template.length} bytes does not fit its slots of ${segment.payloadMax}`);
    }
    const record = new Float64Array(Math.ceil((RECORD_PAYLOAD + template.length) / 32) * 4);
    new Uint8Array(record.buffer).set(template, RECORD_PAYLOAD);
    const header = new Int32Array(record.buffer);
    header[RECORD_LENGTH] = template.length;
    header[RECORD_KIND] = kind;
    const wrong = record.findIndex((double) => Number.isNaN(double));
    if (wrong >= 0) {
      const at = wrong * 8 - RECORD_PAYLOAD;
      throw new TicklineError("TL_SEGMENT", `segment ${segment.path}: bytes ${at} to ${at + 7} of the template are no number as a double; begin with a message's prefix and zeros`);
    }
    this.epoch = (Atomics.add(segment.words, AT_EPOCH >> 2, 1) + 1) | 0;
    header[RECORD_EPOCH] = this.epoch;
    this.#words = segment.words;
    this.#doubles = new Float64Array(segment.buffer);
    this.#record = record;
    this.#stamp = new Float64Array(stamp.buffer, stamp.byteOffset, 1);
  }

  /** Lays the form into the slot at word offset `slot`: all but commit word and stamp. */
  lay(slot: number, high: number): void {
    const doubles = this.#doubles;
    const record = this.#record;
    const to = slot >> 1;
    doubles[(to + LENGTH) | 0] = record[LENGTH] as number;
    doubles[(to + EPOCH) | 0] = record[EPOCH] as number;
    this.#words[(slot + HIGH) | 0] = high;
    for (let n = PAYLOAD; n < record.length; n += 4) {
      doubles[(to + n) | 0] = record[n] as number;
      doubles[(to + n + 1) | 0] = record[(n + 1) | 0] as number;
      doubles[(to + n + 2) | 0] = record[(n + 2) | 0] as number;
      doubles[(to + n + 3) | 0] = record[(n + 3) | 0] as number;
    }
  }

  /** Copies the stamp into the record at word offset `slot`. */
  stamp(slot: number): void {
    this.#doubles[((slot >> 1) + STAMP) | 0] = this.#stamp[0] as number;
  }
}
