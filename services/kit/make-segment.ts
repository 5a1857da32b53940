/** Makes the segments of a run, or of a cast that only practises. */
import { createSegment } from "./ring/segment.ts";
import type { SegmentSpec } from "./segments.ts";

/**
 * Makes one segment in the folder `runDir`, which is there.
 *
 * @param slotsMax a ring gets no more slots than this
 * @throws TicklineError TL_SEGMENT
 */
export function makeSegment(runDir: string, { file, kind, slots, bytes }: SegmentSpec, slotsMax = Infinity): void {
  const path = `${runDir}/${file}`;
  if (kind === "control") createSegment(path, { kind });
  else if (kind === "plain") createSegment(path, { kind, bytes });
  else if (kind === "latest") createSegment(path, { kind, payload: bytes });
  else createSegment(path, { kind, slots: Math.min(slots, slotsMax), payload: bytes });
}
