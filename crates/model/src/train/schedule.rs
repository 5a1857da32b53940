//! How the learning rate moves over a run.

/// A factor on the learning rate by the share of the run that is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// Always 1.
    Constant,
    /// Rises over the first `warm` of the run, falls along a smooth step to a hundredth.
    Anneal {
        /// Share of the run, 0 to 1.
        warm: f32,
    },
}

impl Schedule {
    /// The factor when `share` (0 to 1) of the run is done.
    pub fn factor(self, share: f32) -> f32 {
        match self {
            Schedule::Constant => 1.0,
            Schedule::Anneal { warm } => {
                let rise = if warm > 0.0 { (share / warm).min(1.0) } else { 1.0 };
                // A polynomial, so that no system library has a say in the weights.
                rise * (1.0 - share * share * (3.0 - 2.0 * share)).max(0.01)
            }
        }
    }
}

/// Lowers the rate when a loss stops falling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// What the rate is multiplied by.
    pub cut: f32,
    /// Looks without a better loss before a cut.
    pub patience: u32,
    best: f64,
    waited: u32,
    factor: f32,
}

impl Plateau {
    /// Starts at factor 1.
    pub fn new(cut: f32, patience: u32) -> Plateau {
        Plateau { cut, patience, best: f64::INFINITY, waited: 0, factor: 1.0 }
    }

    /// Looks at a held-out loss and returns the factor on the rate; a NaN counts as no better.
    pub fn look(&mut self, loss: f64) -> f32 {
        if loss < self.best {
            (self.best, self.waited) = (loss, 0);
        } else {
            self.waited += 1;
            if self.waited > self.patience {
                (self.factor, self.waited) = (self.factor * self.cut, 0);
            }
        }
        self.factor
    }

    /// What it has seen, to be kept: the best loss, the looks since, the factor.
    pub fn state(&self) -> (f64, u32, f32) {
        (self.best, self.waited, self.factor)
    }

    /// Puts back what [`Plateau::state`] gave.
    pub fn restore(&mut self, (best, waited, factor): (f64, u32, f32)) {
        (self.best, self.waited, self.factor) = (best, waited, factor);
    }
}

/// The factor for a rate that is scaled by volatility: calm markets learn faster, wild ones slower, within `[1/most, most]`.
///
/// A volatility that is zero, negative or NaN gives `1 / most`.
pub fn by_volatility(usual: f32, now: f32, most: f32) -> f32 {
    let ratio = usual / now;
    if now > 0.0 && ratio.is_finite() { ratio.clamp(1.0 / most, most) } else { 1.0 / most }
}

/// The factor for dropout that is raised when liquidity is low: 1 at the usual liquidity and above, then in inverse proportion, at most
/// `most`; for [`crate::train::Net::set_dropout_factor`]. Liquidity is any measure of what the book holds, a depth or one over a spread.
///
/// What is zero, negative or NaN gives `most`: who does not know learns carefully.
pub fn by_liquidity(usual: f32, now: f32, most: f32) -> f32 {
    let ratio = usual / now;
    if now > 0.0 && usual > 0.0 && ratio.is_finite() { ratio.clamp(1.0, most) } else { most }
}

#[cfg(test)]
mod tests {
    use super::{Plateau, Schedule, by_liquidity, by_volatility};

    #[test]
    fn dropout_rises_as_liquidity_falls_and_where_it_is_unknown() {
        assert_eq!([8.0, 4.0, 2.0, 0.1].map(|now| by_liquidity(4.0, now, 3.0)), [1.0, 1.0, 2.0, 3.0]);
        for bad in [0.0, -1.0, f32::NAN] {
            assert_eq!((by_liquidity(4.0, bad, 3.0), by_liquidity(bad, 4.0, 3.0)), (3.0, 3.0));
        }
        assert_eq!(by_liquidity(1.0, f32::INFINITY, 3.0), 1.0);
    }

    #[test]
    fn annealing_rises_then_falls_to_a_hundredth() {
        let anneal = Schedule::Anneal { warm: 0.05 };
        assert_eq!(anneal.factor(0.0), 0.0);
        assert!(anneal.factor(0.05) > 0.99 && anneal.factor(0.5) > 0.49 && anneal.factor(0.5) < 0.51);
        assert_eq!(anneal.factor(1.0), 0.01);
        assert_eq!(Schedule::Constant.factor(0.7), 1.0);
    }

    #[test]
    fn a_plateau_cuts_after_its_patience() {
        let mut plateau = Plateau::new(0.5, 2);
        let factors: Vec<f32> = [3.0, 2.0, 2.0, f64::NAN, 2.5, 1.0, 1.0, 1.0, 1.0]
            .iter()
            .map(|loss| plateau.look(*loss))
            .collect();
        assert_eq!(factors, [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn volatility_bounds_the_factor() {
        assert_eq!(by_volatility(1.0, 2.0, 4.0), 0.5);
        assert_eq!(by_volatility(1.0, 0.01, 4.0), 4.0);
        for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(by_volatility(1.0, bad, 4.0), 0.25);
        }
    }
}
