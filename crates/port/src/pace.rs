//! When to read the socket: a read is a system call, so not on every duty cycle.

/// Most busy cycles between two reads.
const BUSY_CYCLES: u32 = 32;
/// Longest time between two reads in a replay, where the venue says by shared memory when there is something.
const REPLAY_NS: u64 = 50_000_000;

/// Decides for each duty cycle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    busy: u32,
    read_ns: u64,
}

impl Pace {
    /// Live: on idle cycles, and on every 32nd busy one.
    #[inline]
    pub fn live(&mut self, idle: bool) -> bool {
        self.busy += 1;
        let read = idle || self.busy >= BUSY_CYCLES;
        if read {
            self.busy = 0;
        }
        read
    }

    /// Replay: when the venue has sent more than was read; and now and then for its heartbeats.
    #[inline]
    pub fn replay(&mut self, waiting: bool, now_ns: u64) -> bool {
        let read = waiting || now_ns.saturating_sub(self.read_ns) >= REPLAY_NS;
        if read {
            self.read_ns = now_ns;
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_cycles_read_and_busy_ones_seldom() {
        let mut pace = Pace::default();
        assert!(pace.live(true));
        let reads = (0..320).filter(|_| pace.live(false)).count();
        assert_eq!(reads, 10);
    }

    #[test]
    fn a_replay_reads_when_something_waits_or_after_a_while() {
        let mut pace = Pace::default();
        assert!(pace.replay(true, 1));
        assert!(!pace.replay(false, 50_000_000));
        assert!(pace.replay(false, 50_000_001));
        assert!(!pace.replay(false, 50_000_002));
    }
}
