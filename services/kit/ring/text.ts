/** Short UTF-8 texts in shared words: a length, then bytes. The same as `crates/ring/src/control/text.rs`. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Stores `text`, cut at a character boundary to `room` bytes. Offsets in bytes. */
export function storeText(words: Int32Array, lengthAt: number, bytesAt: number, room: number, text: string): void {
  const bytes = new Uint8Array(room);
  const { written } = encoder.encodeInto(text, bytes);
  Atomics.store(words, lengthAt >> 2, 0);
  const source = new Int32Array(bytes.buffer);
  for (let n = 0; n < source.length; n += 1) words[(bytesAt >> 2) + n] = source[n] as number;
  Atomics.store(words, lengthAt >> 2, written);
}

/** Reads a text; bytes that are not UTF-8 show as U+FFFD. */
export function loadText(words: Int32Array, lengthAt: number, bytesAt: number, room: number): string {
  const length = Math.min(Math.max(Atomics.load(words, lengthAt >> 2), 0), room);
  const bytes = new Uint8Array(words.buffer, words.byteOffset + bytesAt, length).slice();
  return decoder.decode(bytes);
}
