//! The only room that reads time. Everything else receives time as an argument.

use tickline_units::Nanos;

/// Monotonic time since boot; the same clock in every process of a host. Cost: one vDSO call, 20-40 ns.
#[inline]
pub fn monotonic() -> Nanos {
    read(libc::CLOCK_MONOTONIC)
}

/// Wall-clock time since 1970 (UTC); for records people read, never for timers.
#[inline]
pub fn wall() -> Nanos {
    read(libc::CLOCK_REALTIME)
}

#[inline]
fn read(id: libc::clockid_t) -> Nanos {
    let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `at` is a valid timespec to write to; both clocks exist on every Linux, so the call cannot fail.
    unsafe { libc::clock_gettime(id, &mut at) };
    Nanos(at.tv_sec as u64 * 1_000_000_000 + at.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_never_goes_back() {
        let mut last = monotonic();
        for _ in 0..100_000 {
            let now = monotonic();
            assert!(now >= last);
            last = now;
        }
    }
}
