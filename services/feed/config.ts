/** What of the line's configuration the feed uses, and the JSON that its native half is created from. */
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError } from "../kit/errors.ts";
import { SEGMENT } from "../kit/segments.ts";

/** Rows of the rolling window; the definitions of the derived features (crates/features) are made for this many. */
export const WINDOW_EVENTS = 1000;

/** The native feed's configuration, as `crates/addon/src/feed/config.rs` reads it. */
export interface NativeFeedConfig {
  readonly instruments: readonly string[];
  readonly source:
    | { readonly kind: "pcap"; readonly path: string; readonly speed: number | "max" }
    | { readonly kind: "circle"; readonly path: string }
    | {
        readonly kind: "socket";
        readonly interface: string;
        readonly a: { readonly group: string; readonly port: number };
        readonly b: { readonly group: string; readonly port: number };
        readonly rerequest: { readonly host: string; readonly port: number };
      };
  /** Path of the broadcast segment. */
  readonly features: string;
  /** Path of the control segment. */
  readonly control: string;
  /** Path of the broadcast segment for frames as they came, in a line with a recorder. */
  readonly frames?: string;
}

/**
 * Makes the native configuration.
 *
 * @throws TicklineError TL_CONFIG_VALUE when source and mode do not fit, the window is another one, or nothing is listed
 */
export function nativeConfig(context: Pick<ServiceContext, "config" | "runDir" | "replay" | "practice">): NativeFeedConfig {
  const { config, runDir } = context;
  const { window_events } = config.feed;
  if (window_events !== WINDOW_EVENTS) {
    throw refused("feed.window_events", String(window_events), `set it to ${WINDOW_EVENTS}: the features are defined over that many events`);
  }
  if (config.instruments.length === 0) throw refused("instruments", "empty", "list at least one instrument");
  return {
    instruments: config.instruments.map(({ symbol }) => symbol),
    source: sourceOf(context),
    features: `${runDir}/${SEGMENT.features}`,
    control: `${runDir}/${SEGMENT.control}`,
    ...(config.recorder === undefined ? {} : { frames: `${runDir}/${SEGMENT.frames}` }),
  };
}

function sourceOf({ config, replay, practice }: Pick<ServiceContext, "config" | "replay" | "practice">): NativeFeedConfig["source"] {
  if (practice !== undefined) return { kind: "circle", path: practice };
  const { source } = config.feed;
  if (replay !== (source.kind === "pcap")) {
    const fix = replay ? "a replay reads a capture: set kind to pcap and give path and speed" : "a live line listens: set kind to socket, or use tickline replay";
    throw refused("feed.source.kind", source.kind, fix);
  }
  const { itch, rerequest } = config.venue;
  return source.kind === "pcap"
    ? { kind: "pcap", path: source.path, speed: source.speed }
    : { kind: "socket", interface: itch.interface, a: itch.a, b: itch.b, rerequest };
}

function refused(path: string, value: string, fix: string): TicklineError {
  return new TicklineError("TL_CONFIG_VALUE", `line configuration: ${path} is ${value}: ${fix}`);
}
