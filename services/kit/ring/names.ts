/** The fixed lists of names in the control block: the same as `crates/ring/src/names.rs`, which a test and the layout hash check. */

/** Services of a line in their places in the control block, in start order. */
export const SERVICES = ["exchange", "execution", "risk", "inference", "feed", "supervisor", "watchdog", "recorder", "learner"] as const;

/** Counters of a service, in their places. */
export const COUNTERS = [
  "frames",
  "messages",
  "malformed",
  "unknown",
  "gaps",
  "gap_messages",
  "duplicates",
  "heartbeats",
  "books",
  "updates",
  "features",
  "lapped",
  "predictions",
  "no_signal_nan",
  "no_signal_contract",
  "no_signal_slow",
  "signals",
  "orders",
  "refused_by_risk",
  "refused_by_gate",
  "sent",
  "accepted",
  "executed",
  "canceled",
  "rejected",
  "fills_shares",
  "ring_full",
  "admit_waits",
  "gc",
  "duty_cycles",
  "idle_cycles",
  "wakeups",
  "bytes_in",
  "bytes_out",
  "packets_in",
  "packets_out",
  "reconnects",
  "resyncs",
  "no_signal_strategy",
  "refused_duplicate",
  "no_signal_book",
  "no_signal_warming",
  "labels",
  "learn_steps",
  "labels_skipped",
  "published",
  "withheld",
  "rolled_back",
  "checkpoints",
  "eval_labels", // levels from here on, not counts: labels of the running evaluation
  "f1_frozen_ppm", // macro-F1 of the model the line started with, millionths
  "f1_learning_ppm",
  "mcc_frozen_ppm", // Matthews correlation plus 1, millionths
  "mcc_learning_ppm",
] as const;

/** Hops measured by histograms of a service, in their places; all in ns. */
export const HOPS = [
  "feed", // due -> features
  "inference", // features -> prediction
  "strategy", // prediction -> signal
  "risk", // signal -> order
  "gate", // order -> gate passed
  "send", // gate -> back from the socket
  "line", // due -> on the wire
  "ack", // sent -> accepted
  "lateness", // due -> taken up
  "admit", // waiting for admission (replay)
  "wire", // gate -> on the wire, as the kernel stamps it
  "stall", // not the line's: time the machine took from the feed between two looks at the clock
] as const;

/** Name of a service. */
export type ServiceName = (typeof SERVICES)[number];
/** Name of a counter. */
export type CounterName = (typeof COUNTERS)[number];
/** Name of a hop. */
export type HopName = (typeof HOPS)[number];

/** Place of a counter; look it up once, at start. */
export function counter(name: CounterName): number {
  return COUNTERS.indexOf(name);
}

/** Place of a hop's histogram; look it up once, at start. */
export function hop(name: HopName): number {
  return HOPS.indexOf(name);
}
