/** Where everything lies in a segment: the same numbers and the same text as `crates/ring/src/layout.rs`. */
import { COUNTERS, HOPS, SERVICES } from "./names.ts";

/** Byte offsets of the header. */
export const AT_VERSION = 8;
export const AT_KIND = 12;
export const AT_HASH = 16;
export const AT_SLOTS = 32;
export const AT_STRIDE = 36;
/** Writer's line. */
export const AT_EPOCH = 128;
export const AT_TAIL = 136;
export const AT_PUBLISHED = 144;
/** Reader's line. */
export const AT_HEAD = 256;
/** First slot, or first byte of a control or plain segment. */
export const AT_DATA = 512;

/** Word offsets (4 bytes) within a record. */
export const RECORD_LENGTH = 0;
export const RECORD_KIND = 1;
export const RECORD_SEQUENCE = 2;
export const RECORD_SEQUENCE_HIGH = 3;
export const RECORD_EPOCH = 4;
export const RECORD_STAMP = 6;
/** Byte offset of a record's payload. */
export const RECORD_PAYLOAD = 32;

/** Slots of the `latest` channel. */
export const LATEST_SLOTS = 3;

/** The layout in words; part of the hash that both languages compare. */
export const LAYOUT =
  "header magic@0:u64 version@8:u32 kind@12:u32 hash@16:u64 bytes@24:u64 slots@32:u32 stride@36:u32; " +
  "writer epoch@128:u32 tail@136:u32 tail_half_turns@140:u32 published@144:u32; reader head@256:u32 head_half_turns@260:u32; data@512; " +
  "record length@0:u32 kind@4:u32 sequence@8:u64 epoch@16:u32 stamp@24:u64 payload@32; " +
  "line armed@0:u32 cause@4:u32 cause_ns@8:u64 run@16:u64 epoch@24:u32 text@64:192; " +
  "service@512+290816: state@0:u32 pid@4:u32 epoch@8:u32 restarts@12:u32 bell@16:u32 name@32:32 heartbeat@64:cell horizon@128:cell " +
  "sent@144:cell admit@160:cell progress@192:cell error@256:256 counters@512:64*u64 histograms@1024:16*17984; " +
  "cell high@0:u32 low@4:u32 high_again@8:u32; histogram count@0:u64 max@8:u64 sum@16:u64 bins@64:2240*u64";

/** FNV-1a of 64 bits over the layout and the name lists, as `layout_hash` in Rust. */
export function layoutHash(): bigint {
  const text = [LAYOUT, ...SERVICES, ...COUNTERS, ...HOPS].join("\n");
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash;
}
