// @hot
//! How much can be traded, and at how small a cost, as one number of a row.

use crate::relative::depth;
use crate::snapshot::LEVELS;

/// Quantities of the best five levels of both sides in sum, over the spread: shares per 1/10,000 dollar, above 0. `None` where a side is
/// empty, or the best bid not below the best ask.
pub fn liquidity(levels: &[f32; LEVELS]) -> Option<f64> {
    let (ask, bid) = (f64::from(levels[0]), f64::from(levels[2]));
    let (spread, depth) = (ask - bid, f64::from(depth(levels)));
    (ask > 0.0 && bid > 0.0 && spread > 0.0 && depth > 0.0).then_some(depth / spread)
}

#[cfg(test)]
mod tests {
    use super::liquidity;
    use crate::snapshot::LEVELS;

    fn book(ask: f32, bid: f32, quantity: f32) -> [f32; LEVELS] {
        let mut levels = [0.0; LEVELS];
        for level in 0..10 {
            let away = 100.0 * level as f32;
            levels[4 * level..4 * level + 4].copy_from_slice(&[ask + away, quantity, bid - away, quantity]);
        }
        levels
    }

    #[test]
    fn twice_the_depth_or_half_the_spread_is_twice_the_liquidity() {
        assert_eq!(
            liquidity(&book(10_100.0, 10_000.0, 20.0)),
            Some(2.0),
            "200 shares within five levels, 100 apart"
        );
        assert_eq!(liquidity(&book(10_100.0, 10_000.0, 40.0)), Some(4.0));
        assert_eq!(liquidity(&book(10_050.0, 10_000.0, 20.0)), Some(4.0));
    }

    #[test]
    fn an_empty_side_a_crossed_book_and_no_number_have_none() {
        for (ask, bid, quantity) in [
            (0.0, 10_000.0, 1.0),
            (10_000.0, 0.0, 1.0),
            (10_000.0, 10_000.0, 1.0),
            (9_900.0, 10_000.0, 1.0),
            (10_100.0, 10_000.0, 0.0),
            (f32::NAN, 10_000.0, 1.0),
            (10_100.0, 10_000.0, f32::NAN),
        ] {
            assert_eq!(liquidity(&book(ask, bid, quantity)), None, "{ask} {bid} {quantity}");
        }
    }
}
