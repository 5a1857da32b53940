//! When to try a connection again.

/// Waits that double from the first to the last, and start over after success.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first_ns: u64,
    most_ns: u64,
    wait_ns: u64,
    at_ns: u64,
}

impl Backoff {
    /// Waits from `first_ns`, doubling to `most_ns`. The first try is due at once.
    pub fn new(first_ns: u64, most_ns: u64) -> Backoff {
        Backoff { first_ns, most_ns, wait_ns: first_ns, at_ns: 0 }
    }

    /// May the next try be made?
    #[inline]
    pub fn due(&self, now_ns: u64) -> bool {
        now_ns >= self.at_ns
    }

    /// A try failed at `now_ns`.
    pub fn failed(&mut self, now_ns: u64) {
        self.at_ns = now_ns.saturating_add(self.wait_ns);
        self.wait_ns = self.wait_ns.saturating_mul(2).min(self.most_ns);
    }

    /// The session is up; the next failure waits the first time again.
    pub fn succeeded(&mut self) {
        self.wait_ns = self.first_ns;
        self.at_ns = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_the_most_and_start_over_after_success() {
        let mut backoff = Backoff::new(10, 35);
        assert!(backoff.due(0));
        for (failed_at, due_at) in [(100, 110), (110, 130), (130, 165), (165, 200)] {
            backoff.failed(failed_at);
            assert!(!backoff.due(due_at - 1));
            assert!(backoff.due(due_at));
        }
        backoff.succeeded();
        assert!(backoff.due(0));
        backoff.failed(500);
        assert!(backoff.due(510) && !backoff.due(509));
    }
}
