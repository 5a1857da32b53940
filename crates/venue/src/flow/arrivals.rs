//! When events come: a self-exciting point process (Hawkes 1971) with two memories and rare bursts.
//!
//! Intensity = base + fast + slow + burst. Every event adds to `fast` and `slow`, so events come in clusters; now and
//! then a burst lifts the intensity to a multiple of the average and fades. Sampled by thinning (Ogata 1981).

use super::rng::Rng;

/// Fade of the fast memory, 1/s.
const FAST: f64 = 400.0;
/// Fade of the slow memory, 1/s.
const SLOW: f64 = 2.0;
/// Fade of a burst, 1/s.
const FADE: f64 = 50.0;
/// Events that one event causes through each memory, on average; their sum is below 1.
const FAST_CHILDREN: f64 = 0.45;
const SLOW_CHILDREN: f64 = 0.30;
/// Bursts a second.
const BURSTS: f64 = 0.1;

/// The arrival times of one symbol's events.
#[derive(Clone, Debug)]
pub struct Arrivals {
    base: f64,
    peak: f64,
    fast: f64,
    slow: f64,
    burst: f64,
    /// Seconds until the next burst.
    until_burst: f64,
    /// True when the latest arrival came with the start of a burst.
    pub(super) burst_began: bool,
}

impl Arrivals {
    /// About `rate` events a second on average, bursts reaching `burst` times as many.
    pub fn new(rate: f64, burst: f64, rng: &mut Rng) -> Arrivals {
        let alone = 1.0 - FAST_CHILDREN - SLOW_CHILDREN;
        let from_bursts = BURSTS * burst * rate / FADE;
        let base = (rate * alone - from_bursts).max(0.05 * rate * alone);
        let until_burst = rng.exponential() / BURSTS;
        let slow = rate * SLOW_CHILDREN;
        Arrivals { base, peak: rate * burst, fast: 0.0, slow, burst: 0.0, until_burst, burst_began: false }
    }

    /// Seconds from the last event to the next.
    pub fn next(&mut self, rng: &mut Rng) -> f64 {
        self.burst_began = false;
        let mut waited = 0.0;
        loop {
            let bound = self.base + self.fast + self.slow + self.burst;
            let wait = rng.exponential() / bound;
            if wait >= self.until_burst {
                let until = self.until_burst;
                self.pass(until);
                waited += until;
                self.burst += self.peak;
                self.until_burst = rng.exponential() / BURSTS;
                self.burst_began = true;
                continue;
            }
            self.pass(wait);
            waited += wait;
            let now = self.base + self.fast + self.slow + self.burst;
            if rng.unit() * bound < now {
                self.fast += FAST_CHILDREN * FAST;
                self.slow += SLOW_CHILDREN * SLOW;
                return waited;
            }
        }
    }

    fn pass(&mut self, seconds: f64) {
        self.until_burst -= seconds;
        self.fast *= (-FAST * seconds).exp();
        self.slow *= (-SLOW * seconds).exp();
        self.burst *= (-FADE * seconds).exp();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the average rate is what was asked for, and arrivals cluster. Method: 2,000 s of arrivals; events in 10 ms
    /// windows must vary far more than a Poisson process would (variance = mean), and bursts must come near their peak.
    #[test]
    fn rate_is_kept_and_arrivals_cluster() {
        let mut rng = Rng::new(3, 0);
        let mut arrivals = Arrivals::new(400.0, 20.0, &mut rng);
        let mut windows = vec![0u32; 200_000];
        let (mut at, mut bursts) = (0.0, 0);
        loop {
            at += arrivals.next(&mut rng);
            bursts += arrivals.burst_began as u32;
            match windows.get_mut((at * 100.0) as usize) {
                Some(window) => *window += 1,
                None => break,
            }
        }
        let n = windows.len() as f64;
        let mean = windows.iter().map(|&w| w as f64).sum::<f64>() / n;
        let variance = windows.iter().map(|&w| (w as f64 - mean).powi(2)).sum::<f64>() / n;
        assert!((mean * 100.0 - 400.0).abs() < 40.0, "rate {}", mean * 100.0);
        assert!(variance > 4.0 * mean, "variance {variance}, mean {mean}");
        let busiest = windows.iter().max().copied().unwrap_or(0) as f64;
        assert!(busiest > 15.0 * mean, "busiest {busiest}, mean {mean}");
        assert!((150..250).contains(&bursts), "{bursts} bursts in 2,000 s");
    }
}
