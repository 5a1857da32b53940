/**
 * One end of our lossless channel in a Node process of its own, driven line by line on standard input like `tickline-bench ring-end`:
 * `trips N`, `pour N`, `clock N`; each answer is one line of JSON. Started by `ring.ts` as `node ring-end.ts near|far DIR CORE`.
 *
 * A message is 64 bytes: the half that every message of a channel begins with (the template's) and four doubles of its own. Whoever
 * receives it checks all of them. Nothing in the loops allocates; garbage collections that fall into them are counted.
 */
import { createInterface } from "node:readline";
import { setImmediate as turn } from "node:timers/promises";
import type { Handler } from "../../services/kit/link.ts";
import { native } from "../../services/kit/native.ts";
import { Consumer, Producer } from "../../services/kit/ring/lossless.ts";
import { pause } from "../../services/kit/ring/order.ts";
import { Segment } from "../../services/kit/ring/segment.ts";
import { Collections } from "./collections.ts";
import type { Answer } from "./ring-pair.ts";

const BYTES = 64;
const HALF = 32;
const KIND = 1;
/** Records taken in one poll when they come as fast as they go. */
const BURST = 256;
/** Looks at an empty channel, tens of seconds of them, before an end takes the other for dead. */
const LOOKS_MAX = 1e9;

const [side = "", dir = "", core = ""] = process.argv.slice(2);
const template = new Uint8Array(BYTES).map((_, at) => (at < HALF ? 0xa0 + at : 0));
const prefix = new Float64Array(template.buffer, 0, HALF / 8);
const stamp = new Uint32Array(2);
const near = side === "near";
const outlet = new Producer(Segment.open(`${dir}/${near ? "there" : "back"}`), template, KIND, stamp);
const inlet = new Consumer(Segment.open(`${dir}/${near ? "back" : "there"}`));
if (core !== "") native.processPin(process.pid, Number(core));

/** Number of the next message to send, and of the next to check. */
let sent = 1;
let checked = 1;
let wrong = 0;

function write(view: DataView, at: number, n: number): void {
  view.setFloat64(at + 32, n, true);
  view.setFloat64(at + 40, n + 0.5, true);
  view.setFloat64(at + 48, -n, true);
  view.setFloat64(at + 56, n + 0.25, true);
}

/** True when message `n` is right in all of its 64 bytes: doubles that are numbers, and not zero, are equal only in all bits. */
function right(view: DataView, at: number, n: number): boolean {
  return (
    view.getFloat64(at, true) === prefix[0] && view.getFloat64(at + 8, true) === prefix[1] &&
    view.getFloat64(at + 16, true) === prefix[2] && view.getFloat64(at + 24, true) === prefix[3] &&
    view.getFloat64(at + 32, true) === n && view.getFloat64(at + 40, true) === n + 0.5 &&
    view.getFloat64(at + 48, true) === -n && view.getFloat64(at + 56, true) === n + 0.25
  );
}

function claim(): number {
  let at = outlet.claim();
  for (let looks = 0; at < 0; at = outlet.claim()) {
    if (++looks > LOOKS_MAX) throw new Error("the other end has gone");
    pause();
  }
  return at;
}

function send(): void {
  write(outlet.view, claim(), sent);
  outlet.commit();
  sent = (sent + 1) | 0;
}

const check: Handler = (view, at) => {
  if (!right(view, at, checked)) wrong += 1;
  checked = (checked + 1) | 0;
};

const echo: Handler = (view, at) => {
  const to = claim();
  const out = outlet.view;
  out.setFloat64(to + 32, view.getFloat64(at + 32, true), true);
  out.setFloat64(to + 40, view.getFloat64(at + 40, true), true);
  out.setFloat64(to + 48, view.getFloat64(at + 48, true), true);
  out.setFloat64(to + 56, view.getFloat64(at + 56, true), true);
  outlet.commit();
};

/** Takes `count` messages, at most `burst` at once; returns when the first had come, in ms. */
function take(count: number, burst: number, handler: Handler): number {
  let first = 0;
  let looks = 0;
  for (let left = count; left > 0; ) {
    const taken = inlet.poll(handler, burst);
    left -= taken;
    if (taken > 0) looks = 0;
    else if (++looks > LOOKS_MAX) throw new Error("the other end has gone");
    else pause();
    if (first === 0 && taken > 0) first = performance.now();
  }
  return first;
}

function trips(times: Float64Array): void {
  for (let trip = 0; trip < times.length; trip++) {
    const began = performance.now();
    send();
    while (inlet.poll(check, 1) === 0) pause();
    times[trip] = performance.now() - began;
  }
}

/** Gaps between readings of the clock, as `tickline-bench ring-end` measures them. */
function readings(times: Float64Array): void {
  let before = performance.now();
  for (let nth = 0; nth < times.length; nth++) {
    const now = performance.now();
    times[nth] = now - before;
    before = now;
  }
}

const collections = new Collections();

async function work(word: string, count: number): Promise<Answer> {
  const times = new Float64Array(near && word !== "pour" ? count : 0);
  // What the set-up of this turn left is collected before, not during.
  await turn();
  const began = performance.now();
  let first = 0;
  if (near && word === "trips") trips(times);
  else if (near && word === "clock") readings(times);
  else if (near) for (let n = 0; n < count; n++) send();
  else first = word === "trips" ? take(count, 1, echo) : take(count, BURST, check);
  const ended = performance.now();
  const gc = await collections.between(began, ended);
  if (wrong > 0) throw new Error(`${wrong} messages came wrong`);
  const sorted = times.sort();
  const at = (share: number): number => (sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0) * 1e6;
  return {
    p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1),
    ns: word === "pour" && !near ? (ended - first) * 1e6 : 0,
    gc,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [word = "", count = ""] = line.split(" ");
  if (near) checked = sent;
  else if (word === "trips") checked = (checked + Number(count)) | 0;
  process.stdout.write(`${JSON.stringify(await work(word, Number(count)))}\n`);
}
