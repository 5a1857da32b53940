/** The `recorder` section of a line file: where the journal is kept, and how. */
import { z } from "zod";
import { path, whole } from "./config-leaf.ts";

const sync = z
  .union([z.enum(["never", "segment"]), z.strictObject({ every_ms: whole(1, 60_000, "time after which the disk must have what was written, milliseconds") })])
  .meta({ expects: 'when the disk must have it: "never", "segment" (at the end of each file) or { every_ms: N }' });

/** Sizes that a ring may have. */
const SLOTS = Array.from({ length: 13 }, (_, nth) => 64 << nth);

/** The section's schema. */
export const recorder = z.strictObject({
  dir: path(),
  segment_mb: whole(1, 1024, "largest file of the journal, MiB").default(64),
  sync: sync.default({ every_ms: 1000 }),
  ring_frames: z.literal(SLOTS).meta({ expects: "a power of two from 64 to 262144 (frames that may wait for the recorder, 2.2 KB of memory each)" }).default(16_384),
});

/** The section, checked. */
export type RecorderConfig = z.output<typeof recorder>;
