/**
 * Time in TypeScript: monotonic ns as two 32-bit words, stamped by native code into memory mapped once. Stamp once per duty cycle
 * or message and read the words; no BigInt is made.
 */
import { native } from "./native.ts";

const words = new Uint32Array(native.clockWords());

/** The words of the last stamp: low half, high half. */
export const stampWords: Uint32Array = words;

/** Stamps the monotonic time into `stampWords`. Cost: 40-60 ns. */
export const stamp: () => void = native.clockStamper();

/** The last stamp as a number of ns, exact for 104 days of uptime. */
export function stampNs(): number {
  return (words[1] as number) * 4294967296 + (words[0] as number);
}

/** Stamps and returns the monotonic time in ns. */
export function nowNs(): number {
  stamp();
  return stampNs();
}

/** Wall-clock time in whole ms since 1970, for records that people read; nothing decides by it. */
export function wallMs(): number {
  return Math.floor(native.clockWall() / 1e6);
}

/** The time of day as people write it in records: `2026-11-21T12:00:00.000Z`. */
export function wallText(): string {
  return new Date(wallMs()).toISOString();
}
