/** What of the line's configuration the recorder uses, as its native half takes it. */
import { configHash } from "../kit/config.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError } from "../kit/errors.ts";
import type { native } from "../kit/native.ts";
import { SEGMENT } from "../kit/segments.ts";

/** Settings of the native half. */
export type NativeSettings = Parameters<typeof native.NativeRecorder.open>[0];

const BYTES_A_MIB = 1 << 20;

/**
 * Makes the native settings.
 *
 * @throws TicklineError TL_CONFIG_VALUE when the line has no recorder
 */
export function nativeSettings({ config, runDir, lineBlock }: Pick<ServiceContext, "config" | "runDir"> & { readonly lineBlock: { runId(): number } }): NativeSettings {
  const { recorder, feed, venue } = config;
  if (recorder === undefined) throw new TicklineError("TL_CONFIG_VALUE", "line configuration: recorder is missing: add the section, or do not start the service");
  const { sync } = recorder;
  const at = ({ group, port }: { readonly group: string; readonly port: number }): string => `${group}:${port}`;
  return {
    folder: recorder.dir,
    runDir,
    control: SEGMENT.control,
    frames: SEGMENT.frames,
    signals: SEGMENT.recordedSignal,
    orders: SEGMENT.recordedOrder,
    fills: SEGMENT.recordedFill,
    segmentBytes: recorder.segment_mb * BYTES_A_MIB,
    sync: typeof sync === "string" ? sync : "every",
    syncMs: typeof sync === "string" ? 0 : sync.every_ms,
    run: lineBlock.runId(),
    line: config.line,
    config: configHash(config),
    seed: config.seed,
    node: process.versions.node,
    // Beside the line a replay is known by its source: the recorder ends with its supervisor, not with the capture.
    replay: feed.source.kind === "pcap",
    capture: feed.source.kind === "pcap" ? feed.source.path : "",
    lines: [at(venue.itch.a), at(venue.itch.b), `${venue.rerequest.host}:${venue.rerequest.port}`],
  };
}
