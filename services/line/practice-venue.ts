/**
 * The venue of a cast: a process of its own that follows a capture, so that gate, session, kernel and Fills are walked as they will be.
 * It listens on loopback at a port of the moment; the line's own venue hears nothing of it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { LineConfig } from "../kit/config.ts";
import { TicklineError } from "../kit/errors.ts";
import { EXCHANGE, exchangeConfig } from "../kit/exchange.ts";
import { native } from "../kit/native.ts";
import { State, type ServiceBlock } from "../kit/ring/control.ts";
import { SEGMENT } from "../kit/segments.ts";

const LOOPBACK = "127.0.0.1";
const START_MS = 5000;

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** The line's configuration with a venue of its own that follows `capture`. */
export async function practiceConfig(config: LineConfig, capture: string): Promise<LineConfig> {
  const ouch = { ...config.venue.ouch, host: LOOPBACK, port: await freePort() };
  return { ...config, venue: { ...config.venue, ouch, flow: { kind: "capture", path: capture } } };
}

export class PracticeVenue {
  readonly #child: ChildProcess;
  #lastWords = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.on("data", (text: Buffer) => { this.#lastWords = String(text).trim(); });
    child.on("error", ({ message }) => { this.#lastWords = message; });
    // It never keeps its host alive.
    child.unref();
  }

  /**
   * Starts it over the segments in `runDir`, off this process's core where the supervisor has another, and waits until it listens.
   * It ends with this process.
   * @throws TicklineError TL_START with the venue's words
   */
  static async start(config: LineConfig, runDir: string, block: ServiceBlock): Promise<PracticeVenue> {
    const file = `${runDir}/exchange.config.json`;
    writeFileSync(file, JSON.stringify({ ...exchangeConfig(config, true), idle: "park" }));
    const args = ["--config", file, "--control", `${runDir}/${SEGMENT.control}`, "--parent", String(process.pid)];
    // A group of its own, as every process of a line: Ctrl-C reaches the supervisor alone.
    const child = spawn(EXCHANGE, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    const venue = new PracticeVenue(child);
    const core = native.processCores(process.ppid)[0];
    if (child.pid !== undefined && core !== undefined) native.processPin(child.pid, core);
    for (let waited = 0; block.state() !== State.Running; waited++) {
      if (child.pid === undefined || child.exitCode !== null || waited >= START_MS) {
        venue.stop();
        throw new TicklineError("TL_START", `the venue to practise with did not start: ${venue.#lastWords}`);
      }
      await wait(1);
    }
    return venue;
  }

  /** Tells it to end; it keeps nothing that anybody waits for. */
  stop(): void {
    this.#child.kill("SIGTERM");
  }
}
