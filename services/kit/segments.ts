/** The segments of a run: their file names in the run's folder, kinds and sizes, in this one place. The supervisor makes them, everyone else opens them. */
import { FEATURES_BYTES } from "../../schemas/generated/features.ts";
import { FILL_BYTES } from "../../schemas/generated/fill.ts";
import { JOURNAL_BYTES } from "../../schemas/generated/journal.ts";
import { ORDER_BYTES } from "../../schemas/generated/order.ts";
import { SIGNAL_BYTES } from "../../schemas/generated/signal.ts";

/** Folder that holds one folder per running line. */
export const RUN_ROOT = "/dev/shm/tickline";

/** The run's folder of a line. */
export function runDirOf(line: string): string {
  return `${RUN_ROOT}/${line}`;
}

/** One segment to make. */
export interface SegmentSpec {
  /** File name in the run's folder. */
  readonly file: string;
  readonly kind: "lossless" | "broadcast" | "latest" | "control" | "plain";
  /** Records a ring holds, a power of two; 0 for the other kinds. */
  readonly slots: number;
  /** Bytes of a record's payload, or of the whole area of a plain segment; 0 for the control segment. */
  readonly bytes: number;
}

/** File names, for those who open. */
export const SEGMENT = {
  control: "control",
  features: "features",
  signal: "signal",
  order: "order",
  fill: "fill",
  tokens: "tokens",
  positions: "positions",
  weights: "weights",
  frames: "frames",
  recordedSignal: "recorded-signal",
  recordedOrder: "recorded-order",
  recordedFill: "recorded-fill",
} as const;

/** Longest frame that a line can receive, and so that the recorder's ring holds. */
const FRAME_BYTES_MAX = 2048;

/** File of the weights of an ensemble's `nth` member, counted from 0; the first is `SEGMENT.weights`. */
export function weightsOf(nth: number): string {
  return nth === 0 ? SEGMENT.weights : `${SEGMENT.weights}-${nth}`;
}

/** Sides (buy, sell) times lanes (normal, priority). */
export const TOKENS_EACH_INSTRUMENT = 4;
/** Bytes of a token slot: 64 of risk, 64 of the gate (ARCHITECTURE.md, Tokens). */
export const TOKEN_BYTES = 128;
/** Bytes of an instrument's line in `positions`. */
export const POSITION_BYTES = 64;

/** Room for three packed copies of the weights; narrow layers are padded to 16 outputs, so small models take more than their file. At least 4 MiB. */
function weightsBytes(modelFileBytes: number): number {
  return Math.max(1 << 22, 6 * modelFileBytes + 65536);
}

/** What a line's recorder reads beside the control block: frames as they came, and what passed the links. Nobody waits for it. */
function recorded(recorder: { readonly ring_frames: number } | undefined): SegmentSpec[] {
  if (recorder === undefined) return [];
  return [
    { file: SEGMENT.frames, kind: "broadcast", slots: recorder.ring_frames, bytes: JOURNAL_BYTES + FRAME_BYTES_MAX },
    { file: SEGMENT.recordedSignal, kind: "broadcast", slots: recorder.ring_frames, bytes: SIGNAL_BYTES },
    { file: SEGMENT.recordedOrder, kind: "broadcast", slots: recorder.ring_frames, bytes: ORDER_BYTES },
    { file: SEGMENT.recordedFill, kind: "broadcast", slots: recorder.ring_frames, bytes: FILL_BYTES },
  ];
}

/**
 * Every segment of a line with `instruments` instruments whose model files, in order, have so many bytes, and perhaps a recorder.
 * Rings hold far more than a healthy line ever queues: features 8,192 (16 ms at 500,000 a second), orders and signals 1,024, fills
 * 4,096 (the venue may answer one order with many).
 */
export function segmentsOf(instruments: number, modelFileBytes: readonly number[], recorder?: { readonly ring_frames: number }): SegmentSpec[] {
  return [
    { file: SEGMENT.control, kind: "control", slots: 0, bytes: 0 },
    { file: SEGMENT.features, kind: "broadcast", slots: 8192, bytes: FEATURES_BYTES },
    { file: SEGMENT.signal, kind: "lossless", slots: 1024, bytes: SIGNAL_BYTES },
    { file: SEGMENT.order, kind: "lossless", slots: 1024, bytes: ORDER_BYTES },
    { file: SEGMENT.fill, kind: "lossless", slots: 4096, bytes: FILL_BYTES },
    { file: SEGMENT.tokens, kind: "plain", slots: 0, bytes: instruments * TOKENS_EACH_INSTRUMENT * TOKEN_BYTES },
    { file: SEGMENT.positions, kind: "plain", slots: 0, bytes: instruments * POSITION_BYTES },
    ...recorded(recorder),
    ...modelFileBytes.map((bytes, nth) => ({ file: weightsOf(nth), kind: "plain" as const, slots: 0, bytes: weightsBytes(bytes) })),
  ];
}

/** Services that may sleep, those beside the line among them though nobody rings them; each has the FIFO `<service>.bell` in the run's folder. */
export const BELLS = ["execution", "risk", "inference", "feed", "learner", "recorder"] as const;

/** Path of a service's bell. */
export function bellOf(runDir: string, service: string): string {
  return `${runDir}/${service}.bell`;
}

/** Captures of generated flow that a line warms up on, in the folder `rehearsal` of the run's: a whole one, and one that can be played in a circle. */
export const REHEARSAL = { whole: "whole.pcap", circle: "circle.pcap" } as const;
