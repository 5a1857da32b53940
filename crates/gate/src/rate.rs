// @hot
//! Messages in any second of line time, counted exactly.

use tickline_units::Nanos;

/// The second the rate is counted over.
const SECOND: u64 = 1_000_000_000;

/// The times of the last N messages in a ring; a message may pass when the N-th before it is a second old. Exact for every
/// window, not only for those that begin at a full second. Allocates once.
#[derive(Clone, Debug)]
pub struct Rate {
    times: Box<[u64]>,
    next: usize,
    full: bool,
}

impl Rate {
    /// At most `messages` in any second; at least 1.
    pub fn new(messages: u32) -> Rate {
        Rate { times: vec![0; messages.max(1) as usize].into_boxed_slice(), next: 0, full: false }
    }

    /// True when a message at `now` keeps the rate. Time that goes back does not.
    #[inline]
    pub fn allows(&self, now: Nanos) -> bool {
        !self.full || now.0.checked_sub(self.times[self.next]).is_some_and(|age| age >= SECOND)
    }

    /// Counts a message at `now`.
    #[inline]
    pub fn count(&mut self, now: Nanos) {
        self.times[self.next] = now.0;
        self.next += 1;
        if self.next == self.times.len() {
            self.next = 0;
            self.full = true;
        }
    }
}
