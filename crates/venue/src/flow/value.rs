//! What a share is worth to those who know: a latent price that drifts by regime, wanders and jumps with bursts.
//! Informed orders lean towards it before the touch follows, which is why the book's imbalance says something about the
//! next move, though not much.

use super::rng::Rng;

/// Drift of a trending regime, ticks a second.
const DRIFT: f64 = 4.0;
/// Wandering, ticks per root second.
const SPREAD: f64 = 1.8;
/// Mean length of a regime, seconds.
const REGIME: f64 = 2.5;
/// Pull towards the opening price, 1/s.
const PULL: f64 = 0.01;
/// The value never falls below this many ticks.
const FLOOR: f64 = 40.0;

/// The latent value of one symbol, in ticks.
#[derive(Clone, Debug)]
pub struct Value {
    ticks: f64,
    opening: f64,
    drift: f64,
    regime_left: f64,
}

impl Value {
    /// Starts at `ticks`, in a regime without drift.
    pub fn new(ticks: f64, rng: &mut Rng) -> Value {
        let opening = ticks.max(FLOOR);
        Value { ticks: opening, opening, drift: 0.0, regime_left: REGIME * rng.exponential() }
    }

    /// Lets `seconds` pass; a burst that begins moves the value at once by 2 to 6 ticks.
    pub fn pass(&mut self, seconds: f64, burst_began: bool, rng: &mut Rng) {
        self.regime_left -= seconds;
        if self.regime_left < 0.0 {
            self.regime_left = REGIME * rng.exponential();
            self.drift = (rng.below(3) as f64 - 1.0) * DRIFT;
        }
        let pull = (self.opening - self.ticks) * PULL;
        self.ticks += (self.drift + pull) * seconds + SPREAD * seconds.sqrt() * rng.normal();
        if burst_began {
            let jump = 2.0 + 4.0 * rng.unit();
            self.ticks += if rng.chance(0.5) { jump } else { -jump };
        }
        self.ticks = self.ticks.max(FLOOR);
    }

    /// The value now, in ticks.
    pub fn ticks(&self) -> f64 {
        self.ticks
    }
}
