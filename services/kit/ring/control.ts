/** The control block: a line block and a block per service, as in `crates/ring/src/control.rs`. Any tool may map it read-only. */
import { TicklineError } from "../errors.ts";
import { Cell } from "./cell.ts";
import { HISTOGRAM_BYTES, Histogram, add64, read64 } from "./histogram.ts";
import { AT_DATA } from "./layout.ts";
import { barrier, look } from "./order.ts";
import { SERVICES, type ServiceName } from "./names.ts";
import { Kind, type Segment } from "./segment.ts";
import { loadText, storeText } from "./text.ts";

/** Where a service stands. */
export const State = { Empty: 0, Starting: 1, Ready: 2, Running: 3, Stopping: 4, Stopped: 5, Failed: 6 } as const;
export type State = (typeof State)[keyof typeof State];

/** Names of the states, by number. */
export const STATE_NAMES = ["empty", "starting", "ready", "running", "stopping", "stopped", "failed"] as const;

/** The one value of the armed word that lets orders pass: "ARMD". */
export const ARMED = 0x41524d44;

const AT_SERVICES = AT_DATA + 512;
const SERVICE_BYTES = 290816;
const SERVICES_MAX = 16;
const COUNTERS_MAX = 64;
const HISTOGRAMS_MAX = 16;
const TWO_32 = 4294967296;

/** Why the line was disarmed. */
export interface Cause {
  readonly code: number;
  /** Monotonic time in ns. */
  readonly ns: number;
  readonly text: string;
}

/** The line's block: whether orders may pass, and if not, why. */
export class LineBlock {
  readonly #words: Int32Array;
  readonly #at = AT_DATA >> 2;

  constructor(segment: Segment) {
    segment.require(Kind.Control, false);
    this.#words = segment.words;
  }

  /** True when orders may pass. */
  armed(): boolean {
    return look(this.#words, this.#at) === ARMED;
  }

  /** Stops all orders at once. Anyone may; the first cause is kept until the line is armed again. */
  disarm(code: number, ns: number, text: string): void {
    const words = this.#words;
    const at = this.#at;
    Atomics.store(words, at, 0);
    if (Atomics.compareExchange(words, at + 1, 0, Math.max(1, code | 0)) !== 0) return;
    words[at + 2] = ns % TWO_32 | 0;
    words[at + 3] = Math.floor(ns / TWO_32) | 0;
    storeText(words, AT_DATA + 28, AT_DATA + 64, 192, text);
  }

  /** Lets orders pass and forgets the cause. Only the supervisor or a person. */
  arm(): void {
    const words = this.#words;
    const at = this.#at;
    storeText(words, AT_DATA + 28, AT_DATA + 64, 192, "");
    words[at + 2] = 0;
    words[at + 3] = 0;
    Atomics.store(words, at + 1, 0);
    Atomics.store(words, at, ARMED);
  }

  /** Why the line was disarmed; undefined when it was not since it was armed. */
  cause(): Cause | undefined {
    const code = Atomics.load(this.#words, this.#at + 1);
    if (code === 0) return undefined;
    return { code: code >>> 0, ns: read64(this.#words, this.#at + 2), text: loadText(this.#words, AT_DATA + 28, AT_DATA + 64, 192) };
  }

  /** Identity of the run, a whole number below 2^53. */
  runId(): number {
    return read64(this.#words, this.#at + 4);
  }

  /** Sets the run's identity; the supervisor, once. */
  setRunId(id: number): void {
    this.#words[this.#at + 4] = id % TWO_32 | 0;
    this.#words[this.#at + 5] = Math.floor(id / TWO_32) | 0;
  }

  /** The line's epoch: in every client order id; older ones are refused. */
  epoch(): number {
    return look(this.#words, this.#at + 6) >>> 0;
  }

  /** Raises the epoch by one and returns it; the supervisor. */
  raiseEpoch(): number {
    return (Atomics.add(this.#words, this.#at + 6, 1) + 1) >>> 0;
  }
}

/** One service's block; written by that service only (the supervisor writes `restarts`). */
export class ServiceBlock {
  /** Monotonic time of the last duty cycle, ns. */
  readonly heartbeatNs: Cell;
  /** Everything with line time below this is handled and what it caused is in the outlets. */
  readonly horizon: Cell;
  /** Messages sent to the peer of the order session; published before the horizon that covers them. */
  readonly sent: Cell;
  /** Line time up to which frames may be released. */
  readonly admit: Cell;
  /** Messages handled, for a progress display. */
  readonly progress: Cell;
  /** Latency histograms by place (`hop(name)`). */
  readonly histograms: readonly Histogram[];
  /** A word of this end's own, for barriers. */
  readonly #barrier = new Int32Array(1);
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #word: number;

  /** @param place of the service, 0 to 15 */
  constructor(segment: Segment, place: number) {
    segment.require(Kind.Control, false);
    if (!(place >= 0 && place < SERVICES_MAX)) {
      throw new TicklineError("TL_INTERNAL", `segment ${segment.path}: service place ${place} is not one of 0 to ${SERVICES_MAX - 1}`);
    }
    const words = segment.words;
    const at = AT_SERVICES + place * SERVICE_BYTES;
    this.#words = words;
    this.#at = at;
    this.#word = at >> 2;
    this.heartbeatNs = new Cell(words, at + 64);
    this.horizon = new Cell(words, at + 128);
    this.sent = new Cell(words, at + 144);
    this.admit = new Cell(words, at + 160);
    this.progress = new Cell(words, at + 192);
    this.histograms = Array.from({ length: HISTOGRAMS_MAX }, (_, n) => new Histogram(words, at + 1024 + n * HISTOGRAM_BYTES));
  }

  /**
   * Takes the block for a starting process: name, pid, next epoch, and a clean slate (horizon, sent, admit, progress at 0, no error).
   * Counters and histograms go on, so that a run's totals survive a restart. Returns the epoch.
   */
  begin(name: string, pid: number): number {
    const words = this.#words;
    Atomics.store(words, this.#word, State.Starting);
    storeText(words, this.#at + 20, this.#at + 32, 32, name);
    Atomics.store(words, this.#word + 1, pid);
    this.horizon.set(0, 0);
    this.sent.set(0, 0);
    this.admit.set(0, 0);
    this.progress.set(0, 0);
    this.setError("");
    return (Atomics.add(words, this.#word + 2, 1) + 1) >>> 0;
  }

  /** Name given with `begin`. */
  name(): string {
    return loadText(this.#words, this.#at + 20, this.#at + 32, 32);
  }

  /** Where the service stands; an unknown number is `Failed`. */
  state(): State {
    const code = Atomics.load(this.#words, this.#word);
    return code >= 0 && code <= State.Failed ? (code as State) : State.Failed;
  }

  setState(state: State): void {
    Atomics.store(this.#words, this.#word, state);
  }

  /** Process of the service; 0 before the first. */
  pid(): number {
    return Atomics.load(this.#words, this.#word + 1);
  }

  /** How often the service has begun. */
  epoch(): number {
    return Atomics.load(this.#words, this.#word + 2) >>> 0;
  }

  restarts(): number {
    return Atomics.load(this.#words, this.#word + 3) >>> 0;
  }

  /** Counts a restart; the supervisor. */
  addRestart(): void {
    Atomics.add(this.#words, this.#word + 3, 1);
  }

  /** Stamps a duty cycle with the monotonic time. */
  heartbeat(low: number, high: number): void {
    this.heartbeatNs.set(low, high);
  }

  /** Adds to a counter (`counter(name)`). */
  add(place: number, n: number): void {
    add64(this.#words, this.#word + 128 + (place & (COUNTERS_MAX - 1)) * 2, n);
  }

  /** Sets a counter that is a level and not a count: a whole number below 2^31. */
  setLevel(place: number, level: number): void {
    this.#words[this.#word + 128 + (place & (COUNTERS_MAX - 1)) * 2] = level;
  }

  /** Value of a counter. */
  counter(place: number): number {
    return read64(this.#words, this.#word + 128 + (place & (COUNTERS_MAX - 1)) * 2);
  }

  /** Counts a latency in ns in a histogram (`hop(name)`). */
  record(place: number, ns: number): void {
    (this.histograms[place] as Histogram).record(ns);
  }

  /** Leaves an error text of at most 252 bytes; longer ones are cut. */
  setError(text: string): void {
    storeText(this.#words, this.#at + 256, this.#at + 260, 252, text);
  }

  error(): string {
    return loadText(this.#words, this.#at + 256, this.#at + 260, 252);
  }

  /** Arms the doorbell before sleeping; then look at the inlets once more, and sleep only if they are empty. */
  armBell(): void {
    // SYNC: sequentially consistent like all Atomics; pairs with `wanted`.
    Atomics.exchange(this.#words, this.#word + 4, 1);
  }

  /** Takes the flag back after waking, or when there was something after all. */
  disarmBell(): void {
    Atomics.store(this.#words, this.#word + 4, 0);
  }

  /** True when the service sleeps and this caller is the one to ring; to be asked after the commit. */
  wanted(): boolean {
    // SYNC: pairs with the exchange in `armBell`: either this sees the flag or the sleeper sees the message. A commit is no barrier.
    barrier(this.#barrier);
    return Atomics.load(this.#words, this.#word + 4) !== 0 && Atomics.exchange(this.#words, this.#word + 4, 0) !== 0;
  }
}

/** The control segment of a line. */
export class Control {
  readonly line: LineBlock;
  readonly #segment: Segment;

  constructor(segment: Segment) {
    segment.require(Kind.Control, false);
    this.#segment = segment;
    this.line = new LineBlock(segment);
  }

  /** Block of a service by name. */
  service(name: ServiceName): ServiceBlock {
    return new ServiceBlock(this.#segment, SERVICES.indexOf(name));
  }
}
