/** Wiring of the feed: the native half from the line's configuration, and the admission cell of execution in replay. */
import type { Agent } from "../kit/agent.ts";
import type { ServiceContext } from "../kit/context.ts";
import { TicklineError, type ErrorCode } from "../kit/errors.ts";
import { native } from "../kit/native.ts";
import { nativeConfig } from "./config.ts";
import { FeedAgent, type NativeFeed } from "./feed.ts";

/** Codes of the native half and ours. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ["FEED_CAPTURE", "TL_CAPTURE"],
  ["FEED_SOCKET", "TL_PORT"],
  ["FEED_CONFIG", "TL_CONFIG_VALUE"],
  ["FEED_RING", "TL_SEGMENT"],
  ["RING_", "TL_SEGMENT"],
];

function open(json: string): NativeFeed {
  try {
    const feed = native.Feed.create(json);
    return { poll: feed.poller(), descriptor: feed.descriptor, summary: () => feed.summary() };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const code = CODES.find(([prefix]) => text.startsWith(prefix))?.[1] ?? "TL_INTERNAL";
    throw new TicklineError(code, text, { cause });
  }
}

/** Creates the feed's agent. @throws TicklineError TL_CAPTURE, TL_PORT, TL_CONFIG_VALUE, TL_SEGMENT */
export function createFeed(context: ServiceContext): Agent {
  const feed = open(JSON.stringify(nativeConfig(context)));
  const summary = (): Record<string, unknown> => JSON.parse(feed.summary()) as Record<string, unknown>;
  return new FeedAgent(feed, context.replay ? context.peer("execution").admit : undefined, () => context.lineBlock.armed(), summary);
}
