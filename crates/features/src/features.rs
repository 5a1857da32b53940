// @hot
//! One instrument's features, row by row.

use crate::names::COUNT;
use crate::snapshot::{DEPTH, LEVELS, Snapshot};
use crate::window::{FAST, MIDDLE, Past, WINDOW, Window, float};
use std::hint::black_box;
use tickline_book::{Book, Origin, Trade};
use tickline_units::{Nanos, Price, Side};

/// What is true of a row besides its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Something traded since the previous row.
    pub traded: bool,
    /// Best bid at or above best ask.
    pub crossed: bool,
    /// A side has no level.
    pub one_sided: bool,
    /// Fewer than 1,000 rows in the window.
    pub warming: bool,
}

/// A row as plain numbers, beside its levels and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Best bid, 0 when there is none.
    pub bid: u32,
    /// Best ask, 0 when there is none.
    pub ask: u32,
    /// Shares at the best bid, at most `u32::MAX`.
    pub bid_qty: u32,
    /// Shares at the best ask.
    pub ask_qty: u32,
    /// Price of the last trade, 0 before the first.
    pub last_price: u32,
    /// Shares of it, at most `u32::MAX`.
    pub last_qty: u32,
    /// Flags.
    pub marks: Marks,
}

/// Features of one instrument: `trade` for each printed trade, then `row` once per frame that touched it.
///
/// Definitions: `names`. A pure function of what it is given; 110 KiB; a row costs O(levels) and allocates nothing.
pub struct Features {
    window: Window,
    before: Snapshot,
    /// The same as the row's levels, and the versions of the book's sides that both are of: an unchanged side is not read again.
    levels: [f32; LEVELS],
    seen: [Option<u64>; 2],
    time: Option<u64>,
    /// Twice the last mid, once both sides had a level.
    mid_twice: Option<i64>,
    last: (Price, u32),
    ema_12: f64,
    ema_26: f64,
    signal: f64,
    pending: Pending,
}

/// Trades since the last row.
#[derive(Clone, Copy, Default)]
struct Pending {
    buys: u32,
    sells: u32,
    signed: i64,
    traded: u64,
    notional: u128,
    any: bool,
}

impl Default for Features {
    fn default() -> Features {
        Features::new()
    }
}

impl Features {
    /// Before the first row.
    pub fn new() -> Features {
        Features {
            window: Window::new(),
            before: Snapshot::default(),
            levels: [0.0; LEVELS],
            seen: [None; 2],
            time: None,
            mid_twice: None,
            last: (Price(0), 0),
            ema_12: 0.0,
            ema_26: 0.0,
            signal: 0.0,
            pending: Pending::default(),
        }
    }

    /// Forgets everything: a new session, or a book that was rebuilt after messages were lost.
    pub fn reset(&mut self) {
        self.window.clear();
        self.before = Snapshot::default();
        self.seen = [None; 2];
        self.time = None;
        self.mid_twice = None;
        self.last = (Price(0), 0);
        (self.ema_12, self.ema_26, self.signal) = (0.0, 0.0, 0.0);
        self.pending = Pending::default();
    }

    /// Takes in a printed trade of this instrument; it shows in the next row.
    #[inline]
    pub fn trade(&mut self, trade: &Trade) {
        self.last = (trade.price, trade.qty.min(u32::MAX as u64) as u32);
        let pending = &mut self.pending;
        pending.any = true;
        pending.traded = pending.traded.wrapping_add(trade.qty);
        pending.notional = pending.notional.wrapping_add(trade.qty as u128 * trade.price.0 as u128);
        let aggressor = match trade.origin {
            Origin::Displayed => trade.resting.map(Side::opposite),
            Origin::Hidden => self.mid_twice.and_then(|mid| match (2 * trade.price.0 as i64).cmp(&mid) {
                std::cmp::Ordering::Greater => Some(Side::Buy),
                std::cmp::Ordering::Less => Some(Side::Sell),
                std::cmp::Ordering::Equal => None,
            }),
            Origin::Cross => None,
        };
        match aggressor {
            Some(Side::Buy) => {
                pending.buys = pending.buys.saturating_add(1);
                pending.signed = pending.signed.saturating_add_unsigned(trade.qty);
            }
            Some(Side::Sell) => {
                pending.sells = pending.sells.saturating_add(1);
                pending.signed = pending.signed.saturating_sub_unsigned(trade.qty);
            }
            None => {}
        }
    }

    /// Makes the row of the book as it is now, at line time `time`. Every value written is finite. The book must be the same
    /// one in every call.
    #[inline]
    pub fn row(
        &mut self,
        book: &Book<'_>,
        time: Nanos,
        levels: &mut [f32; LEVELS],
        values: &mut [f32; COUNT],
    ) -> Row {
        let mut now = self.before;
        for (side, seen) in [Side::Buy, Side::Sell].into_iter().zip(&mut self.seen) {
            let version = Some(book.version(side));
            if *seen != version {
                *seen = version;
                now.refill(book, side);
                now.write_side(side, &mut self.levels);
            }
        }
        *levels = self.levels;
        self.advance(now, time.0, values)
    }

    /// Does what of the next row can be done before its frame is there, and has its memory at hand: for while nothing else is to be
    /// done. Rows are the same with and without it. Cost: 60 ns.
    #[inline]
    pub fn prepare(&mut self, book: &Book<'_>) {
        self.window.vacate();
        black_box((self.before, self.levels, *self.window.sums(), *self.window.next_slot()));
        black_box(Snapshot::of(book));
    }

    /// The same from the ten best levels alone.
    pub fn row_of(&mut self, now: Snapshot, time: u64, values: &mut [f32; COUNT]) -> Row {
        self.seen = [None; 2];
        self.advance(now, time, values)
    }

    fn advance(&mut self, now: Snapshot, time: u64, values: &mut [f32; COUNT]) -> Row {
        let (flow, flow_deep) = if self.time.is_some() { now.flow_since(&self.before) } else { (0, 0) };
        let gap = self.time.map_or(0, |before| time.saturating_sub(before));
        let trades = std::mem::take(&mut self.pending);

        let mid_before = self.mid_twice;
        if now.two_sided() {
            self.mid_twice = Some(now.mid_twice());
        }
        let depth = now.depth(DEPTH);
        let spread = if now.two_sided() { now.ask[0] as i64 - now.bid[0] as i64 } else { 0 };

        touch_values(&now, spread, values);
        values[16] = flow as f32;
        values[18] = flow_deep as f32;
        values[22] = trades.signed as f32;
        values[39] = (gap as f64).ln_1p() as f32;
        match self.mid_twice {
            Some(mid_twice) => {
                let past = Past {
                    time,
                    mid_twice,
                    move_twice: mid_twice - mid_before.unwrap_or(mid_twice),
                    spread,
                    flow,
                    flow_deep,
                    depth: depth.bid + depth.ask,
                    buys: trades.buys,
                    sells: trades.sells,
                    signed: trades.signed,
                    traded: trades.traded,
                    notional: trades.notional,
                };
                self.window.push(past);
                self.averages(mid_twice, mid_before.is_none());
                self.window_values(&past, values);
            }
            None => before_the_first_mid(values),
        }
        self.before = now;
        self.time = Some(time);
        Row {
            bid: now.bid[0],
            ask: now.ask[0],
            bid_qty: now.bid_qty[0],
            ask_qty: now.ask_qty[0],
            last_price: self.last.0.0,
            last_qty: self.last.1,
            marks: Marks {
                traded: trades.any,
                crossed: now.two_sided() && now.bid[0] >= now.ask[0],
                one_sided: !now.two_sided(),
                warming: self.window.rows(WINDOW) < WINDOW,
            },
        }
    }

    /// Exponential averages: each step shrinks what rounding left behind, so they do not drift.
    #[inline]
    fn averages(&mut self, mid_twice: i64, first: bool) {
        let mid = mid_twice as f64 / 2.0;
        if first {
            (self.ema_12, self.ema_26) = (mid, mid);
        }
        self.ema_12 += (mid - self.ema_12) * (2.0 / 13.0);
        self.ema_26 += (mid - self.ema_26) * (2.0 / 27.0);
        self.signal += (self.ema_12 - self.ema_26 - self.signal) * (2.0 / 10.0);
    }

    #[inline]
    fn window_values(&self, now: &Past, values: &mut [f32; COUNT]) {
        let w = self.window.sums();
        let (all, fast) = (self.window.rows(WINDOW), self.window.rows(FAST));
        let mid = now.mid_twice as f64 / 2.0;
        values[1] = (now.move_twice as f64 / 2.0) as f32;
        values[17] = w.flow_middle as f32;
        values[19] = w.flow_deep_middle as f32;
        let seconds = now.time.saturating_sub(self.window.oldest_time()) as f64 / 1e9;
        let rate = |count: u64| if seconds > 0.0 { (count as f64 / seconds) as f32 } else { 0.0 };
        values[20] = rate(w.buys);
        values[21] = rate(w.sells);
        values[23] = w.signed as f32;
        let slow_volatility = (float(w.move_squares) / all as f64).sqrt() / 2.0;
        let fast_volatility = (float(w.move_squares_fast) / fast as f64).sqrt() / 2.0;
        values[24] = slow_volatility as f32;
        values[25] = fast_volatility as f32;
        values[26] = if slow_volatility > 0.0 { (fast_volatility / slow_volatility) as f32 } else { 1.0 };
        values[27] = (w.mid_fast as f64 / fast as f64 / 2.0 - mid) as f32;
        values[28] = (w.mid.mean(all) / 2.0 - mid) as f32;
        values[29] =
            if w.traded > 0 { (float(w.notional as i128) / w.traded as f64 - mid) as f32 } else { 0.0 };
        let turns = w.up_middle + w.down_middle;
        values[30] = if turns > 0 { (100.0 * w.up_middle as f64 / turns as f64) as f32 } else { 50.0 };
        values[31] = (self.ema_12 - self.ema_26) as f32;
        values[32] = self.signal as f32;
        values[33] = w.mid.z(now.mid_twice, all) as f32;
        values[34] = w.spread.z(now.spread, all) as f32;
        values[35] = w.flow.z(now.flow, all) as f32;
        values[36] = w.depth.z(now.depth, all) as f32;
    }
}

/// What one snapshot says.
#[inline]
fn touch_values(now: &Snapshot, spread: i64, values: &mut [f32; COUNT]) {
    values[0] = spread as f32;
    values[2] = if now.two_sided() {
        let (bid_qty, ask_qty) = (now.bid_qty[0] as f64, now.ask_qty[0] as f64);
        // micro - mid = (ask - bid)(Qb - Qa) / (2 (Qb + Qa)): the same number without cancelling two large ones.
        (spread as f64 * (bid_qty - ask_qty) / (2.0 * (bid_qty + ask_qty))) as f32
    } else {
        0.0
    };
    let (_, tail) = values.split_at_mut(3);
    if let Some(imbalances) = tail.first_chunk_mut::<DEPTH>() {
        now.imbalances(imbalances);
    }
    for (value, n) in values[13..16].iter_mut().zip([3, 5, DEPTH]) {
        let depth = now.depth(n);
        *value = ((depth.bid - depth.ask) as f64 / ((depth.bid + depth.ask).max(1)) as f64) as f32;
    }
    let (bid, ask) = now.slopes();
    values[37] = bid as f32;
    values[38] = ask as f32;
}

/// Windows open at the first row with a mid; until then what they would say is neutral.
#[cold]
fn before_the_first_mid(values: &mut [f32; COUNT]) {
    for at in [1, 17, 19, 20, 21, 23, 24, 25, 27, 28, 29, 31, 32, 33, 34, 35, 36] {
        values[at] = 0.0;
    }
    values[26] = 1.0;
    values[30] = 50.0;
}

const _: () = assert!(MIDDLE < WINDOW && FAST < MIDDLE);
