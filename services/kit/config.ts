/** What a line is: the schema of `ops/lines/*.yaml`. Reading one from disk is `loadLine`. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { openDocument, type ConfigDocument } from "./config-document.ts";
import { oneOf, path, share, text, whole } from "./config-leaf.ts";
import { ConfigError } from "./errors.ts";
import { learner, type LearnerConfig } from "./learner-config.ts";
import { recorder } from "./recorder-config.ts";

/** The repository's root, which paths in a line file start from. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const OCTET = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const address = () => text(new RegExp(`^${OCTET}(\\.${OCTET}){3}$`), "an IPv4 address such as 127.0.0.1");
const group = () => text(new RegExp(`^(22[4-9]|23\\d)(\\.${OCTET}){3}$`), "a multicast group, 224.0.0.0 to 239.255.255.255");
const port = () => whole(1, 65535, "a port");
const endpoint = () => z.strictObject({ host: address(), port: port() });
const nanos = (means: string) => whole(0, 60_000_000_000, `${means}, ns`);

const flow = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("generated") }),
  z.strictObject({ kind: z.literal("capture"), path: path() }),
]);

const venue = z.strictObject({
  flow,
  itch: z.strictObject({
    a: z.strictObject({ group: group(), port: port() }),
    b: z.strictObject({ group: group(), port: port() }),
    interface: address(),
  }),
  rerequest: endpoint(),
  ouch: z.strictObject({
    host: address(),
    port: port(),
    user: text(/^[A-Za-z0-9]{1,6}$/, "a SoupBinTCP user of 1 to 6 letters and digits"),
    password: text(/^[A-Za-z0-9]{1,10}$/, "a SoupBinTCP password of 1 to 10 letters and digits"),
  }),
  delay_out_ns: nanos("simulated wire delay of an order"),
  delay_back_ns: nanos("simulated wire delay of an answer"),
});

const instrument = z.strictObject({
  symbol: text(/^[A-Z][A-Z0-9.+*$^#!=~-]{0,7}$/, "a stock symbol of 1 to 8 characters, starting with a capital letter"),
  tick: whole(1, 1_000_000, "price step, 1/10,000 dollar"),
});

const speed = z
  .union([z.literal("max"), z.number().positive().max(1_000_000)])
  .meta({ expects: 'a replay speed: a number above 0 (1 is the pace of the capture), or "max"' });

const source = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("socket"), wait: oneOf("spin", "block") }),
  z.strictObject({ kind: z.literal("pcap"), path: path(), speed }),
]);

const inference = z
  .strictObject({
    model: path(),
    ensemble: z.array(path()).max(15).meta({ expects: "a list of up to 15 model files that answer together with model" }).default([]),
    strategy: path(),
    parameters: z.record(z.string(), z.number()).default({}),
  })
  .superRefine(({ model, ensemble }, check) => {
    const members = [model, ...ensemble];
    ensemble.forEach((member, i) => {
      if (members.indexOf(member) <= i) {
        check.addIssue({ code: "custom", path: ["ensemble", i], message: `${member} is listed twice, and would count twice`, params: { fix: "remove one" } });
      }
    });
  });

const risk = z.strictObject({
  order_qty_max: whole(1, 1_000_000, "shares an order"),
  order_notional_max: whole(1, 1e15, "largest order, 1/10,000 dollar"),
  position_max: whole(1, 100_000_000, "shares of one instrument, either side"),
  loss_max: whole(1, 1e15, "loss of the whole line that disarms it, 1/10,000 dollar"),
  collar_ticks: whole(0, 1_000_000, "allowed distance of a limit price from the touch, ticks"),
  messages_per_second: whole(1, 1_000_000, "messages a second for each token"),
  feature_age_max_ns: nanos("oldest features an order may rest on"),
  priority_qty_share: share("share of credit set aside for the priority lane"),
});

const supervision = z.strictObject({
  restarts_max: whole(0, 1000, "restarts allowed in the window"),
  window_s: whole(1, 86_400, "window in which restarts count, seconds"),
  heartbeat_timeout_ms: whole(10, 600_000, "silence after which a service is restarted, milliseconds"),
  start_timeout_ms: whole(100, 600_000, "time a service has to become ready, milliseconds"),
});

const place = () =>
  z.strictObject({
    process: text(/^[a-z][a-z0-9-]{0,30}$/, "a process name of lower-case letters, digits and hyphens"),
    idle: oneOf("spin", "yield", "park").default("park"),
    core: whole(0, 1023, "processor core to pin the process to").optional(),
  });

/** Services of the line itself that a placement names, in start order. */
export const PLACED = ["exchange", "execution", "risk", "inference", "feed"] as const;

/** A service of the line itself that a placement names. */
export type Placed = (typeof PLACED)[number];

/** Services beside the line, whose places may be left out. */
export const BESIDE = ["recorder", "learner"] as const;

/** A service beside the line. */
export type Beside = (typeof BESIDE)[number];

/** Any service that a process hosts: the line's own, and those beside it. */
export type Seated = Placed | Beside;

function isBeside(service: Seated): service is Beside {
  return (BESIDE as readonly string[]).includes(service);
}

/** Where a service runs; without a place of its own, one beside the line is parked in a process of its name. */
export function placeOf(placement: LineConfig["placement"], service: Seated): LineConfig["placement"][Placed] {
  return isBeside(service) ? (placement[service] ?? { process: service, idle: "park" }) : placement[service];
}

const placement = z
  .strictObject({ exchange: place(), execution: place(), risk: place(), inference: place(), feed: place(), learner: place().optional(), recorder: place().optional() })
  .superRefine((places, check) => {
    for (const [name, work] of [["learner", "learning"], ["recorder", "the disk"]] as const) {
      const host = [...PLACED, ...BESIDE].find((other) => other !== name && places[other] !== undefined && places[other].process === places[name]?.process);
      if (host !== undefined) {
        check.addIssue({ code: "custom", path: [name, "process"], message: `is the process of ${host}, whose ticks would wait for ${work}`, params: { fix: `give the ${name} another process name` } });
      }
    }
    for (const name of PLACED) {
      const twin = PLACED.find((other) => other !== name && places[other].process === places[name].process);
      if (twin === undefined) continue;
      if (name === "exchange") {
        check.addIssue({
          code: "custom",
          path: [twin, "process"],
          message: "the exchange is a process of its own",
          params: { fix: "give this service another process name" },
        });
      } else if (twin !== "exchange" && PLACED.indexOf(twin) < PLACED.indexOf(name)) {
        if (places[twin].idle !== places[name].idle || places[twin].core !== places[name].core) {
          check.addIssue({
            code: "custom",
            path: [name],
            message: `shares a process with ${twin} but not its idle and core`,
            params: { fix: `give both the same idle and core, or ${name} another process` },
          });
        }
      }
    }
  });

/** The schema of a line file. */
export const lineSchema = z.strictObject({
  line: text(/^[a-z][a-z0-9-]{0,30}$/, "the line's name: lower-case letters, digits and hyphens, 31 at most"),
  seed: whole(0, Number.MAX_SAFE_INTEGER, "seed of everything random"),
  venue,
  instruments: z.array(instrument).max(1024).superRefine((list, check) => {
    list.forEach(({ symbol }, i) => {
      if (list.findIndex((other) => other.symbol === symbol) < i) {
        check.addIssue({ code: "custom", path: [i, "symbol"], message: `${symbol} is listed twice`, params: { fix: "remove one" } });
      }
    });
  }),
  feed: z.strictObject({ source, window_events: whole(2, 1_000_000, "events in the rolling window") }),
  inference,
  risk,
  learner: learner.optional(),
  recorder: recorder.optional(),
  supervision,
  placement,
}).superRefine(({ inference, learner }, check) => {
  const models = 1 + inference.ensemble.length;
  learner?.shadows.forEach(({ member }, i) => {
    if (member <= models) return;
    check.addIssue({ code: "custom", path: ["learner", "shadows", i, "member"], message: `is ${member}, but the line has ${models === 1 ? "one model" : `${models} models`}`, params: { fix: "name one of inference.model (1) and inference.ensemble (2 and on), or remove it" } });
  });
});

/** A line, checked: every field present, every path absolute. */
export type LineConfig = z.output<typeof lineSchema>;

/** A line file that was read. */
export interface LoadedLine {
  readonly config: LineConfig;
  /** SHA-256 (hex) of the canonical form: keys sorted, defaults filled in, paths as written. */
  readonly hash: string;
  /** Refuses when a file that the line names is missing. */
  requireFiles(): void;
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, canonical(inner)]),
  );
}

/** SHA-256 (hex) of a configuration's canonical form. */
export function configHash(config: unknown): string {
  return createHash("sha256").update(JSON.stringify(canonical(config))).digest("hex");
}

/** A path that starts with `./` or `../` is relative to the line file, any other to the repository's root. */
function resolved(written: string, file: string): string {
  if (isAbsolute(written)) return written;
  return /^\.\.?\//.test(written) ? resolve(dirname(file), written) : join(ROOT, written);
}

function learnerPaths(learner: LearnerConfig, file: string): LearnerConfig {
  const shadows = learner.shadows.map((shadow) => ({ ...shadow, model: resolved(shadow.model, file) }));
  return { ...learner, state: resolved(learner.state, file), shadows };
}

function withPaths(config: LineConfig, file: string): LineConfig {
  const { feed, inference, learner, recorder, venue: written } = config;
  return {
    ...config,
    venue:
      written.flow.kind === "capture"
        ? { ...written, flow: { ...written.flow, path: resolved(written.flow.path, file) } }
        : written,
    feed:
      feed.source.kind === "pcap"
        ? { ...feed, source: { ...feed.source, path: resolved(feed.source.path, file) } }
        : feed,
    inference: {
      ...inference,
      model: resolved(inference.model, file),
      ensemble: inference.ensemble.map((member) => resolved(member, file)),
      strategy: resolved(inference.strategy, file),
    },
    ...(learner === undefined ? {} : { learner: learnerPaths(learner, file) }),
    ...(recorder === undefined ? {} : { recorder: { ...recorder, dir: resolved(recorder.dir, file) } }),
  };
}

/** The model files that answer rows: several make an ensemble, and each has its own segment of weights. */
export function modelsOf({ inference: { model, ensemble } }: Pick<LineConfig, "inference">): readonly [string, ...string[]] {
  return [model, ...ensemble];
}

function namedFiles(config: LineConfig): [readonly (string | number)[], string][] {
  const files: [readonly (string | number)[], string][] = [
    [["inference", "model"], config.inference.model],
    [["inference", "strategy"], config.inference.strategy],
  ];
  config.inference.ensemble.forEach((member, i) => files.push([["inference", "ensemble", i], member]));
  if (config.venue.flow.kind === "capture") files.push([["venue", "flow", "path"], config.venue.flow.path]);
  if (config.feed.source.kind === "pcap") files.push([["feed", "source", "path"], config.feed.source.path]);
  config.learner?.shadows.forEach(({ model }, i) => files.push([["learner", "shadows", i, "model"], model]));
  return files;
}

function requireFiles(config: LineConfig, document: ConfigDocument): void {
  for (const [place, file] of namedFiles(config)) {
    if (existsSync(file)) continue;
    const from = isAbsolute(relative(ROOT, file)) ? file : relative(ROOT, file);
    throw document.refusal(place, `no file ${from}`, "name a file that exists, from the repository's root or with ./ from this file");
  }
}

/**
 * Checks the text of a line file.
 *
 * @param file its path, for messages and for paths relative to it
 * @throws ConfigError naming file, line, column, dotted path, value and fix
 */
export function parseLine(source: string, file: string): LoadedLine {
  const document = openDocument(source, file);
  const written = document.parse(lineSchema);
  const config = withPaths(written, file);
  return { config, hash: configHash(written), requireFiles: () => requireFiles(config, document) };
}

/**
 * Reads and checks a line file.
 *
 * @throws ConfigError as `parseLine`, and when the file cannot be read
 */
export function loadLine(file: string): LoadedLine {
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : String((cause as Error).message);
    throw new ConfigError("TL_CONFIG_READ", { file, line: 0, column: 0, path: "" }, why, "give the path of a line file, such as ops/lines/demo.yaml");
  }
  return parseLine(source, file);
}
