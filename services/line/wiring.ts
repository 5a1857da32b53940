/**
 * From placement to links: what runs in this process is joined by direct calls, the rest by rings in the run's folder.
 *
 * Agents are made consumers first (execution, risk, inference, feed), so that the handler of a direct link is known when its
 * producer asks for the outlet. They are driven the other way round, in the order of the data flow.
 */
import * as features from "../../schemas/generated/features.ts";
import * as fill from "../../schemas/generated/fill.ts";
import * as order from "../../schemas/generated/order.ts";
import * as signal from "../../schemas/generated/signal.ts";
import { placeOf, type LineConfig } from "../kit/config.ts";
import type { Arrow, Counterparty, ServiceContext } from "../kit/context.ts";
import { TicklineError } from "../kit/errors.ts";
import type { Handler, Inlet, Outlet } from "../kit/link.ts";
import { stampWords } from "../kit/clock.ts";
import { Ringer } from "../kit/ring/bell.ts";
import { Publisher, Subscriber } from "../kit/ring/broadcast.ts";
import { Control, type ServiceBlock } from "../kit/ring/control.ts";
import { Consumer, Producer } from "../kit/ring/lossless.ts";
import type { ServiceName } from "../kit/ring/names.ts";
import { Segment } from "../kit/ring/segment.ts";
import { bellOf, SEGMENT } from "../kit/segments.ts";
import { DirectLink, type WritePrefix } from "./direct-link.ts";
import { TapEnd, TappedInlet } from "./tap.ts";
import { QueueLink } from "./queue-link.ts";
import { RecordedOutlet } from "./recorded-outlet.ts";
import { RungOutlet } from "./rung-outlet.ts";
import type { Logger } from "pino";

/** The services of the line itself, in the order of the data flow. */
export const FLOW = ["feed", "inference", "risk", "execution"] as const;
/** Every service that a process can host: the flow, and what stands beside it. */
export const HOSTED = [...FLOW, "learner", "recorder"] as const;
export type Hostable = (typeof HOSTED)[number];

interface Lane {
  readonly from: Hostable;
  readonly to: Hostable;
  readonly bytes: number;
  readonly writePrefix: WritePrefix;
  readonly id: number;
  /** Segment in which the recorder finds what passed. */
  readonly recorded: string;
}

/** The arrows between services; Features has many readers and always goes through its ring. */
const LANES: Readonly<Record<Exclude<Arrow, "features">, Lane>> = {
  signal: { from: "inference", to: "risk", bytes: signal.SIGNAL_BYTES, writePrefix: signal.writePrefix, id: signal.SIGNAL_ID, recorded: SEGMENT.recordedSignal },
  order: { from: "risk", to: "execution", bytes: order.ORDER_BYTES, writePrefix: order.writePrefix, id: order.ORDER_ID, recorded: SEGMENT.recordedOrder },
  fill: { from: "execution", to: "risk", bytes: fill.FILL_BYTES, writePrefix: fill.writePrefix, id: fill.FILL_ID, recorded: SEGMENT.recordedFill },
};

/** Fills that may wait between two duty cycles of one process. */
const FILL_QUEUE = 1024;

function template(lane: Lane): Uint8Array {
  const bytes = new Uint8Array(lane.bytes);
  lane.writePrefix(new DataView(bytes.buffer), 0);
  return bytes;
}

/** What every context of a process shares. */
export interface WiringOptions {
  readonly config: LineConfig;
  readonly runDir: string;
  /** Services in this process. */
  readonly local: readonly Hostable[];
  readonly replay: boolean;
  /** Whom execution trades with. */
  readonly counterparty: Counterparty;
  /** Capture that the feed plays round and round instead of its source. */
  readonly practice?: string | undefined;
  readonly log: Logger;
}

/** Makes the contexts of one process and remembers the links between them. */
export class Wiring {
  readonly control: Control;
  /** Receiving ends of rings by service: what a parked host looks at before it sleeps. */
  readonly inlets = new Map<Hostable, Inlet[]>();
  readonly #options: WiringOptions;
  /** Links within this process: one memory for both ends, so that what the consumer binds is what the producer fills. */
  readonly #direct = new Map<Arrow, DirectLink>();
  #fills: QueueLink | undefined;
  /** Inference's inlet with the learner's handler behind it, when they share a process. */
  #tapped: TappedInlet | undefined;

  /** @throws TicklineError TL_SEGMENT when a segment is missing or foreign */
  constructor(options: WiringOptions) {
    this.#options = options;
    this.control = new Control(this.#open(SEGMENT.control));
  }

  /** Block of a service. */
  block(name: Hostable): ServiceBlock {
    return this.control.service(name);
  }

  /** The bell of a service, if it may be parked; rung by whoever feeds it from another process. */
  ringer(name: Hostable): Ringer | undefined {
    const { config, local, runDir } = this.#options;
    if (local.includes(name) || placeOf(config.placement, name).idle !== "park") return undefined;
    return new Ringer(bellOf(runDir, name), this.block(name));
  }

  /** The context that service `name` is created with. */
  context(name: Hostable): ServiceContext {
    const { config, runDir, replay, counterparty, practice, log } = this.#options;
    return {
      name,
      config,
      runDir,
      replay,
      counterparty,
      practice,
      block: this.block(name),
      lineBlock: this.control.line,
      peer: (peer: ServiceName) => this.control.service(peer),
      log: log.child({ service: name }),
      inlet: (arrow, direct) => this.#inlet(name, arrow, direct),
      outlet: (arrow) => this.#outlet(name, arrow),
    };
  }

  #inlet(name: Hostable, arrow: Arrow, direct: Handler): Inlet {
    if (arrow === "features") return this.#features(name, direct);
    const lane = this.#lane(name, arrow, "to");
    if (!this.#options.local.includes(lane.from)) return this.#remember(name, new Consumer(this.#open(SEGMENT[arrow])));
    if (arrow === "fill") return this.#fillQueue(lane);
    const link = new DirectLink(lane.bytes, lane.writePrefix, direct);
    this.#direct.set(arrow, link);
    return link;
  }

  #features(name: Hostable, direct: Handler): Inlet {
    if (name === "inference" && this.#tapped !== undefined) return this.#remember(name, this.#tapped);
    // A learner that starts again finds the rows since its checkpoint still in the ring.
    const shared = name === "learner" && this.#options.local.includes("inference");
    const join = name === "learner" && !shared ? "oldest" : "next";
    // Risk looks at the touch and the flags only.
    const bytes = name === "risk" ? features.FEATURES_OFFSET_LEVELS : features.FEATURES_BYTES;
    const source = new Subscriber(this.#open(SEGMENT.features), join, bytes);
    if (!shared) return this.#remember(name, source);
    this.#tapped = new TappedInlet(source, direct);
    return new TapEnd(source);
  }

  #outlet(name: Hostable, arrow: Arrow): Outlet {
    const lane = this.#lane(name, arrow, "from");
    const outlet = this.#link(name, arrow, lane);
    if (this.#options.config.recorder === undefined) return outlet;
    return new RecordedOutlet(outlet, new Publisher(this.#open(lane.recorded), template(lane), lane.id, stampWords), lane.bytes);
  }

  #link(name: Hostable, arrow: Arrow, lane: Lane): Outlet {
    if (this.#options.local.includes(lane.to)) {
      if (arrow === "fill") return this.#fillQueue(lane);
      const link = this.#direct.get(arrow);
      if (link === undefined) throw new TicklineError("TL_INTERNAL", `${lane.to} must be created before ${name}`);
      return link;
    }
    const segment = this.#open(SEGMENT[arrow as keyof typeof LANES]);
    const producer = new Producer(segment, template(lane), lane.id, stampWords);
    const ringer = this.ringer(lane.to);
    return ringer === undefined ? producer : new RungOutlet(producer, ringer);
  }

  #lane(name: Hostable, arrow: Arrow, end: "from" | "to"): Lane {
    const lane = arrow === "features" ? undefined : LANES[arrow];
    if (lane === undefined || lane[end] !== name) throw new TicklineError("TL_INTERNAL", `${arrow} is no arrow ${end} ${name}`);
    return lane;
  }

  #fillQueue(lane: Lane): QueueLink {
    this.#fills ??= new QueueLink(lane.bytes, FILL_QUEUE, lane.writePrefix);
    return this.#fills;
  }

  #remember(name: Hostable, inlet: Inlet): Inlet {
    const known = this.inlets.get(name);
    if (known === undefined) this.inlets.set(name, [inlet]);
    else known.push(inlet);
    return inlet;
  }

  #open(file: string): Segment {
    return Segment.open(`${this.#options.runDir}/${file}`);
  }
}
