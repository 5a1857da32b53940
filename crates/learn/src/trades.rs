// @hot
//! The newest trades and their Sharpe ratio.
use crate::bytes::{In, Out};

/// A ratio is kept within this, so that trades without any risk are not worth everything.
const SHARPE_MAX: f64 = 10.0;

/// Returns of the newest trades.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trades {
    returns: Vec<f64>,
    /// Trades ever closed.
    count: u64,
}

impl Trades {
    /// Looks back over `over` trades, at least 2.
    pub(crate) fn new(over: usize) -> Trades {
        Trades { returns: vec![0.0; over.max(2)], count: 0 }
    }

    /// A trade was closed with this return, a share of its price; one that is not finite is none.
    pub(crate) fn close(&mut self, gain: f64) {
        if gain.is_finite() {
            let at = (self.count % self.returns.len() as u64) as usize;
            self.returns[at] = gain;
            self.count += 1;
        }
    }

    /// Trades ever closed.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Mean over deviation of the newest trades' returns, per trade, within 10; 0 before the second trade and where none moved.
    pub(crate) fn sharpe(&self) -> f64 {
        let filled = self.count.min(self.returns.len() as u64) as usize;
        let known = &self.returns[..filled];
        if filled < 2 {
            return 0.0;
        }
        let mean = known.iter().sum::<f64>() / filled as f64;
        let spread = known.iter().map(|gain| (gain - mean) * (gain - mean)).sum::<f64>() / filled as f64;
        if mean == 0.0 { 0.0 } else { (mean / spread.sqrt()).clamp(-SHARPE_MAX, SHARPE_MAX) }
    }

    pub(crate) fn save(&self, out: &mut Out) {
        self.returns.iter().for_each(|gain| out.float(*gain));
        out.number(self.count);
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        for gain in &mut self.returns {
            *gain = from.float()?;
        }
        self.count = from.number()?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Trades;

    #[test]
    fn the_ratio_is_that_of_the_newest_trades_alone() {
        let mut trades = Trades::new(3);
        assert_eq!(trades.sharpe(), 0.0);
        trades.close(1.0);
        assert_eq!(trades.sharpe(), 0.0, "one trade has no spread");
        trades.close(f64::NAN);
        [-7.0, 1.0, 3.0, 2.0].iter().for_each(|gain| trades.close(*gain));
        // 1, 3, 2: mean 2, variance 2 / 3.
        assert!((trades.sharpe() - 2.0 / (2.0f64 / 3.0).sqrt()).abs() < 1e-12, "{}", trades.sharpe());
        assert_eq!(trades.count(), 5);
        (0..3).for_each(|_| trades.close(0.5));
        assert_eq!(trades.sharpe(), 10.0, "without risk it is bounded");
        (0..3).for_each(|_| trades.close(0.0));
        assert_eq!(trades.sharpe(), 0.0);
        (0..3).for_each(|_| trades.close(-0.5));
        assert_eq!(trades.sharpe(), -10.0);
    }
}
