// @hot
//! Columns in no unit of a stock's own: prices in basis points of the mid, quantities as shares of the visible depth. A model of these can
//! be asked about a stock that it never saw.
//!
//! Each is a function of one row and of nothing else: `mid = (Pa_1 + Pb_1) / 2`, `depth` the quantities of the best five levels of both
//! sides in sum. Without a mid, or without depth, they are 0.
//!
//! | place | name | definition |
//! |---|---|---|
//! | 0-39 | `level.N.rel` | of `level.N`: a price less the mid, by the mid, in basis points; a quantity by the depth; an empty level 0 |
//! | 40-48 | `NAME.bps` | of a derived price: by the mid, in basis points |
//! | 49-50 | `NAME.depth` | of a derived quantity: by the depth |
//! | 51 | `mid_move.sign` | of `mid_move`: -1, 0 or 1 |
//! | 52 | `mid_move.still` | 1 where `mid_move` is 0, else 0 |

use crate::names::COUNT;
use crate::snapshot::LEVELS;

/// Derived prices, each at its place in a row's values.
const PRICES: [(usize, &str); 9] = [
    (0, "spread.bps"),
    (1, "mid_move.bps"),
    (2, "micro_move.bps"),
    (24, "volatility.bps"),
    (25, "volatility_50.bps"),
    (27, "ma_50.bps"),
    (28, "ma_1000.bps"),
    (31, "macd.bps"),
    (32, "macd_signal.bps"),
];
/// Derived quantities, likewise.
const QUANTITIES: [(usize, &str); 2] = [(16, "ofi.depth"), (17, "ofi_100.depth")];
/// Of the mid's move alone.
const MOVES: [&str; 2] = ["mid_move.sign", "mid_move.still"];
/// Place of the mid's move in a row's values.
const MOVE: usize = 1;
/// Numbers of the five best levels.
const FIVE: usize = 20;
/// Basis points in one.
const POINTS: f32 = 10_000.0;

/// Number of relative columns.
pub const RELATIVE: usize = LEVELS + PRICES.len() + QUANTITIES.len() + MOVES.len();

/// The relative column at a place below [`RELATIVE`]; 0 beyond.
#[inline]
pub fn relative(levels: &[f32; LEVELS], values: &[f32; COUNT], place: usize) -> f32 {
    if place < LEVELS {
        let value = levels[place];
        return match (value > 0.0, place.is_multiple_of(2)) {
            (false, _) => 0.0,
            (true, true) => per(value - mid(levels), mid(levels)) * POINTS,
            (true, false) => per(value, depth(levels)),
        };
    }
    if let Some((at, _)) = PRICES.get(place - LEVELS) {
        return per(values[*at], mid(levels)) * POINTS;
    }
    let place = place - LEVELS - PRICES.len();
    if let Some((at, _)) = QUANTITIES.get(place) {
        return per(values[*at], depth(levels));
    }
    let step = values[MOVE];
    match (place - QUANTITIES.len(), step > 0.0, step < 0.0) {
        (0, true, _) | (1, false, false) => 1.0,
        (0, _, true) => -1.0,
        _ => 0.0,
    }
}

/// Place of a relative column by its name.
pub fn relative_place(name: &str) -> Option<usize> {
    if let Some(number) = name.strip_prefix("level.").and_then(|rest| rest.strip_suffix(".rel")) {
        let plain =
            number.bytes().all(|byte| byte.is_ascii_digit()) && (number == "0" || !number.starts_with('0'));
        return number.parse::<usize>().ok().filter(|at| plain && *at < LEVELS);
    }
    relative_names().position(|known| known == name).map(|at| LEVELS + at)
}

/// Names of the relative columns that are made of derived ones, in order.
pub fn relative_names() -> impl Iterator<Item = &'static str> {
    PRICES.iter().chain(&QUANTITIES).map(|(_, name)| *name).chain(MOVES)
}

#[inline]
fn mid(levels: &[f32; LEVELS]) -> f32 {
    if levels[0] > 0.0 && levels[2] > 0.0 { (levels[0] + levels[2]) / 2.0 } else { 0.0 }
}

/// Quantities of the best five levels of both sides in sum.
#[inline]
pub(crate) fn depth(levels: &[f32; LEVELS]) -> f32 {
    levels[..FIVE].iter().skip(1).step_by(2).sum()
}

#[inline]
fn per(value: f32, unit: f32) -> f32 {
    if unit > 0.0 { value / unit } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::{RELATIVE, relative, relative_names, relative_place};
    use crate::names::{COUNT, NAMES};
    use crate::snapshot::LEVELS;

    fn row(price: f32, quantity: f32) -> ([f32; LEVELS], [f32; COUNT]) {
        let mut levels = [0.0; LEVELS];
        for level in 0..10 {
            let away = (1 + level) as f32 * price / 1000.0;
            let own = [price + away, quantity * (1 + level) as f32, price - away, quantity];
            levels[4 * level..4 * level + 4].copy_from_slice(&own);
        }
        let values = std::array::from_fn(|at| if at == 16 || at == 17 { quantity } else { price / 500.0 });
        (levels, values)
    }

    /// Goal: a stock at another price and in other lots looks the same. Method: one book twice, prices times 4, quantities times 8.
    #[test]
    fn neither_price_nor_lot_of_a_stock_shows() {
        let ((levels, values), (other, others)) = (row(1_000_000.0, 100.0), row(4_000_000.0, 800.0));
        for place in 0..RELATIVE {
            let (a, b) = (relative(&levels, &values, place), relative(&other, &others, place));
            assert!((a - b).abs() <= 1e-5 * a.abs(), "{place}: {a} and {b}");
            assert_eq!(a == 0.0, place == RELATIVE - 1, "{place}: the mid moved");
        }
        assert!((relative(&levels, &values, 0) - 10.0).abs() < 1e-3, "the best ask is 10 basis points away");
        assert!((relative(&levels, &values, 2) + 10.0).abs() < 1e-3);
        let shares: f32 = (0..20).skip(1).step_by(2).map(|at| relative(&levels, &values, at)).sum();
        assert!((shares - 1.0).abs() < 1e-6, "shares of five levels are the whole: {shares}");
    }

    #[test]
    fn an_empty_side_or_level_gives_zeros_and_no_nan() {
        let (mut levels, values) = row(1_000_000.0, 100.0);
        levels[36..].fill(0.0);
        assert_eq!((relative(&levels, &values, 36), relative(&levels, &values, 37)), (0.0, 0.0));
        levels.fill(0.0);
        assert!((0..RELATIVE - 2).all(|place| relative(&levels, &values, place) == 0.0));
        assert_eq!(relative(&levels, &values, RELATIVE), 0.0);
    }

    #[test]
    fn every_name_has_its_place_and_every_part_its_column() {
        assert_eq!(relative_place("level.39.rel"), Some(39));
        for wrong in
            ["level.40.rel", "level.07.rel", "level.+7.rel", "level..rel", "level.1", "spread", "rsi.bps"]
        {
            assert_eq!(relative_place(wrong), None, "{wrong}");
        }
        for (nth, name) in relative_names().enumerate() {
            assert_eq!(relative_place(name), Some(LEVELS + nth));
            if super::MOVES.contains(&name) {
                continue;
            }
            let (own, _) = name.split_once('.').expect("a suffix");
            let at = NAMES.iter().position(|known| *known == own).expect("a derived column");
            let (levels, mut values) = row(1_000_000.0, 100.0);
            let before = relative(&levels, &values, LEVELS + nth);
            values[at] *= 2.0;
            assert_eq!(relative(&levels, &values, LEVELS + nth), 2.0 * before, "{name}");
        }
    }

    #[test]
    fn the_sign_of_a_move_and_its_absence() {
        let (levels, mut values) = row(1_000_000.0, 100.0);
        for (step, expected) in [(50.0, [1.0, 0.0]), (-50.0, [-1.0, 0.0]), (0.0, [0.0, 1.0])] {
            values[super::MOVE] = step;
            assert_eq!([RELATIVE - 2, RELATIVE - 1].map(|place| relative(&levels, &values, place)), expected);
        }
    }
}
