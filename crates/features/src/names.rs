//! The derived features: names, and the definition of each.
//!
//! A *row* is one frame that changed an instrument's book or traded it; "events" of a window are rows. All prices are
//! in 1/10,000 dollar, quantities in shares, times in line time. Notation for one row:
//!
//! - `Pb_i, Qb_i, Pa_i, Qa_i`: price and quantity of bid and ask level `i` = 1..10, best first; an empty level is 0, 0.
//!   Quantities are clamped to `u32::MAX`.
//! - `mid = (Pb_1 + Pa_1) / 2` while both sides have a level; otherwise the last such mid is held (0 before the first).
//! - `sum_n x`: over the last `n` rows, this one included, or over all rows of the window when there are fewer; `rows` is how many.
//! - `a / b` is 0 where `b` is 0, unless another value is given.
//!
//! Windows open at the first row with a mid; before it what they say is 0 (`rsi` 50, `volatility_burst` 1). Until they hold
//! 1,000 rows a row carries the warming-up flag. Every value is finite at any time.
//!
//! | # | name | definition | unit, range | window (rows) |
//! |---|---|---|---|---|
//! | 0 | `spread` | `Pa_1 - Pb_1`; 0 while a side is empty; negative when crossed | price | 1 |
//! | 1 | `mid_move` | `mid - mid` of the previous row; 0 in the first row with a mid | price, steps of 0.5 | 2 |
//! | 2 | `micro_move` | `(Pb_1 Qa_1 + Pa_1 Qb_1) / (Qa_1 + Qb_1) - mid`; 0 while a side is empty | price | 1 |
//! | 3-12 | `imbalance_1` .. `imbalance_10` | `(Qb_i - Qa_i) / (Qb_i + Qa_i)` | -1..1 | 1 |
//! | 13-15 | `depth_imbalance_3`, `_5`, `_10` | the same with the sums of levels 1..3, 1..5, 1..10 | -1..1 | 1 |
//! | 16 | `ofi` | order-flow imbalance `e_1` (below) | shares | 2 |
//! | 17 | `ofi_100` | `sum_100 e_1` | shares | 100 |
//! | 18 | `ofi_deep` | `e_1 + .. + e_10` | shares | 2 |
//! | 19 | `ofi_deep_100` | `sum_100` of `ofi_deep` | shares | 100 |
//! | 20 | `buy_rate` | trades with a buying aggressor in `sum_1000`, over the time from the oldest of these rows to this one | 1/s | 1,000 |
//! | 21 | `sell_rate` | the same, selling aggressor | 1/s | 1,000 |
//! | 22 | `signed_volume` | shares bought less shares sold by aggressors in this row | shares | 1 |
//! | 23 | `signed_volume_1000` | `sum_1000 signed_volume` | shares | 1,000 |
//! | 24 | `volatility` | `sqrt(sum_1000 mid_move^2 / rows)` | price | 1,000 |
//! | 25 | `volatility_50` | `sqrt(sum_50 mid_move^2 / rows)` | price | 50 |
//! | 26 | `volatility_burst` | `volatility_50 / volatility`; 1 where `volatility` is 0 | 0..sqrt(20) once warm | 1,000 |
//! | 27 | `ma_50` | `sum_50 mid / rows - mid` | price | 50 |
//! | 28 | `ma_1000` | `sum_1000 mid / rows - mid` | price | 1,000 |
//! | 29 | `vwap` | traded notional over traded shares in `sum_1000`, less `mid`; 0 without a trade or a mid | price | 1,000 |
//! | 30 | `rsi` | `100 u / (u + d)`, `u` and `d` the sums over 100 rows of upward and (as positive numbers) downward `mid_move`; 50 where both are 0 (Cutler's form) | 0..100 | 100 |
//! | 31 | `macd` | `EMA_12(mid) - EMA_26(mid)`, `EMA_n = EMA_n + (mid - EMA_n) * 2 / (n + 1)`, both starting at the first mid | price | all |
//! | 32 | `macd_signal` | `EMA_9(macd)`, starting at 0 | price | all |
//! | 33 | `z_mid` | z-score (below) of `mid` | deviations | 1,000 |
//! | 34 | `z_spread` | of `spread` | deviations | 1,000 |
//! | 35 | `z_ofi` | of `ofi` | deviations | 1,000 |
//! | 36 | `z_depth` | of `Qb_1 + .. + Qb_10 + Qa_1 + .. + Qa_10` | deviations | 1,000 |
//! | 37 | `slope_bid` | `(Qb_2 + .. + Qb_n) / (Pb_1 - Pb_n)`, `n` the last level that is not empty | shares per 1/10,000 dollar, >= 0 | 1 |
//! | 38 | `slope_ask` | the same with `Pa_n - Pa_1` | shares per 1/10,000 dollar, >= 0 | 1 |
//! | 39 | `gap_log` | `ln(1 + time since the previous row in ns)`; 0 in the first row and where time steps back | 0..44.4 | 2 |
//!
//! **Order-flow imbalance** of level `i` between the previous row (primed) and this one (Cont, Kukanov and Stoikov 2014;
//! levels 2 and deeper as in Xu, Gould and Howison 2018), an empty bid priced 0 and an empty ask priced above everything:
//! `e_i = [Pb_i >= Pb_i'] Qb_i - [Pb_i <= Pb_i'] Qb_i' - [Pa_i <= Pa_i'] Qa_i + [Pa_i >= Pa_i'] Qa_i'`; 0 in the first row.
//!
//! **z-score**: `(x - m) / s`, `m` and `s` mean and population deviation of `x` over the last 1,000 rows, this one included;
//! at most `sqrt(999)` in magnitude.
//!
//! **Aggressor** of a trade: the side opposite to the resting order (`E`, `C`); a trade with a hidden order (`P`) buys when its
//! price is above the mid of the previous row, sells when below, and is unsigned at the mid or without one. Crosses (`Q`) are unsigned. Executions marked
//! not printable are no trades.

/// Number of derived features in a row.
pub const COUNT: usize = 40;

/// Names of `FeaturesBody.values`, in order; definitions are in this module's documentation.
pub const NAMES: [&str; COUNT] = [
    "spread",
    "mid_move",
    "micro_move",
    "imbalance_1",
    "imbalance_2",
    "imbalance_3",
    "imbalance_4",
    "imbalance_5",
    "imbalance_6",
    "imbalance_7",
    "imbalance_8",
    "imbalance_9",
    "imbalance_10",
    "depth_imbalance_3",
    "depth_imbalance_5",
    "depth_imbalance_10",
    "ofi",
    "ofi_100",
    "ofi_deep",
    "ofi_deep_100",
    "buy_rate",
    "sell_rate",
    "signed_volume",
    "signed_volume_1000",
    "volatility",
    "volatility_50",
    "volatility_burst",
    "ma_50",
    "ma_1000",
    "vwap",
    "rsi",
    "macd",
    "macd_signal",
    "z_mid",
    "z_spread",
    "z_ofi",
    "z_depth",
    "slope_bid",
    "slope_ask",
    "gap_log",
];

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn names_are_distinct() {
        for (at, name) in NAMES.iter().enumerate() {
            assert!(!NAMES[..at].contains(name), "{name} occurs twice");
        }
    }
}
