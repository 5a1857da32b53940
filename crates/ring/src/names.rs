//! The fixed lists of names in the control block. `services/kit/ring/names.ts` holds the same lists; a test compares them,
//! and both go into the layout hash. Append only within the free places; never reorder.

/// Services of a line, in their places in the control block (16 at most), in start order.
pub const SERVICES: [&str; 9] =
    ["exchange", "execution", "risk", "inference", "feed", "supervisor", "watchdog", "recorder", "learner"];

/// Counters of a service (64 at most), in their places.
pub const COUNTERS: [&str; 54] = [
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
    "eval_labels",
    "f1_frozen_ppm",
    "f1_learning_ppm",
    "mcc_frozen_ppm",
    "mcc_learning_ppm",
];

/// Hops measured by histograms of a service (16 at most), in their places. All in ns.
pub const HOPS: [&str; 12] = [
    "feed",      // due -> features
    "inference", // features -> prediction
    "strategy",  // prediction -> signal
    "risk",      // signal -> order
    "gate",      // order -> gate passed
    "send",      // gate -> back from the socket
    "line",      // due -> on the wire
    "ack",       // sent -> accepted
    "lateness",  // due -> taken up
    "admit",     // waiting for admission (replay)
    "wire",      // gate -> on the wire, as the kernel stamps it
    "stall",     // not the line's: time the machine took from the feed between two looks at the clock
];

/// Place of a name in a list, or `None`. For start-up, not for hot code.
pub const fn place(list: &[&str], name: &str) -> Option<usize> {
    let mut at = 0;
    while at < list.len() {
        if equal(list[at].as_bytes(), name.as_bytes()) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Place of a counter, at compile time: `const SENT: usize = counter("sent");` does not compile when the name is not listed.
pub const fn counter(name: &str) -> usize {
    place(&COUNTERS, name).expect("this counter is not in names.rs")
}

/// Place of a hop's histogram, at compile time.
pub const fn hop(name: &str) -> usize {
    place(&HOPS, name).expect("this hop is not in names.rs")
}

/// Place of a service, at compile time.
pub const fn service(name: &str) -> usize {
    place(&SERVICES, name).expect("this service is not in names.rs")
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

const _: () = assert!(SERVICES.len() <= 16 && COUNTERS.len() <= 64 && HOPS.len() <= 16);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_found_at_their_place() {
        for list in [&SERVICES[..], &COUNTERS[..], &HOPS[..]] {
            assert_eq!(list.iter().collect::<HashSet<_>>().len(), list.len());
            for (at, name) in list.iter().enumerate() {
                assert_eq!(place(list, name), Some(at));
            }
        }
        assert_eq!(place(&COUNTERS, "no such counter"), None);
        const SENT: usize = counter("sent");
        assert_eq!(COUNTERS[SENT], "sent");
    }
}
