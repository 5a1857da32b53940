/** For tests: the beginning of a capture, so that what reads it again and again takes a part of the time. */
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Bytes of a pcap file's header, and of a packet's, which says at byte 8 how many it holds (both little-endian here). */
const FILE_HEADER = 24;
const PACKET_HEADER = 16;

/** Writes the first `share` (0 to 1) of the packets of a gzipped capture to `path`, and returns the path. */
export function shortened(capture: string, share: number, path: string): string {
  const bytes = gunzipSync(readFileSync(capture));
  const ends: number[] = [];
  for (let at = FILE_HEADER; at + PACKET_HEADER <= bytes.length; ends.push(at)) at += PACKET_HEADER + bytes.readUInt32LE(at + 8);
  writeFileSync(path, bytes.subarray(0, ends[Math.floor(ends.length * share) - 1]));
  return path;
}
