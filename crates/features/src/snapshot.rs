// @hot
//! The best ten levels of both sides at one row, and what can be said from one or two of them.

use tickline_book::Book;
use tickline_units::Side;

/// Levels a side.
pub const DEPTH: usize = 10;

/// `FeaturesBody.levels`: ask price, ask size, bid price, bid size of each level.
pub const LEVELS: usize = 4 * DEPTH;

/// Best levels of both sides; an empty level has price 0 and quantity 0. Quantities are clamped to `u32::MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Bid prices, best first, 1/10,000 dollar.
    pub bid: [u32; DEPTH],
    /// Shares at these.
    pub bid_qty: [u32; DEPTH],
    /// Ask prices, best first.
    pub ask: [u32; DEPTH],
    /// Shares at these.
    pub ask_qty: [u32; DEPTH],
}

/// Shares on both sides over some levels.
#[derive(Clone, Copy)]
pub(crate) struct Depth {
    pub(crate) bid: i64,
    pub(crate) ask: i64,
}

impl Snapshot {
    /// The top of a book.
    pub fn of(book: &Book<'_>) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.refill(book, Side::Buy);
        snapshot.refill(book, Side::Sell);
        snapshot
    }

    /// Takes one side of the top of a book.
    #[inline]
    pub(crate) fn refill(&mut self, book: &Book<'_>, side: Side) {
        let (mut prices, mut quantities) = ([0; DEPTH], [0; DEPTH]);
        for (nth, level) in book.best_first(side).take(DEPTH).enumerate() {
            prices[nth] = level.price.0;
            quantities[nth] = level.qty.min(u32::MAX as u64) as u32;
        }
        match side {
            Side::Buy => (self.bid, self.bid_qty) = (prices, quantities),
            Side::Sell => (self.ask, self.ask_qty) = (prices, quantities),
        }
    }

    /// True when both sides have a level.
    #[inline]
    pub fn two_sided(&self) -> bool {
        self.bid_qty[0] != 0 && self.ask_qty[0] != 0
    }

    /// Best bid plus best ask: twice the mid. Meaningful when two-sided.
    #[inline]
    pub(crate) fn mid_twice(&self) -> i64 {
        self.bid[0] as i64 + self.ask[0] as i64
    }

    /// Writes `FeaturesBody.levels`. Prices above 2^24 (1,677.72 dollars) are rounded to the nearest `f32`.
    pub fn write(&self, out: &mut [f32; LEVELS]) {
        self.write_side(Side::Sell, out);
        self.write_side(Side::Buy, out);
    }

    /// Writes one side's places of them.
    #[inline]
    pub(crate) fn write_side(&self, side: Side, out: &mut [f32; LEVELS]) {
        let (prices, quantities, at) = match side {
            Side::Sell => (&self.ask, &self.ask_qty, 0),
            Side::Buy => (&self.bid, &self.bid_qty, 2),
        };
        for ((four, price), qty) in out.as_chunks_mut::<4>().0.iter_mut().zip(prices).zip(quantities) {
            four[at] = *price as f32;
            four[at + 1] = *qty as f32;
        }
    }

    /// Imbalance of each level.
    #[inline]
    pub(crate) fn imbalances(&self, out: &mut [f32; DEPTH]) {
        for (level, value) in out.iter_mut().enumerate() {
            let (bid, ask) = (self.bid_qty[level] as f64, self.ask_qty[level] as f64);
            // The larger of the sum and 1 divides 0 by 1 where both are empty and changes nothing elsewhere.
            *value = ((bid - ask) / (bid + ask).max(1.0)) as f32;
        }
    }

    /// Shares of levels 1 to `n`.
    #[inline]
    pub(crate) fn depth(&self, n: usize) -> Depth {
        let sum = |quantities: &[u32; DEPTH]| quantities[..n].iter().map(|&qty| qty as i64).sum();
        Depth { bid: sum(&self.bid_qty), ask: sum(&self.ask_qty) }
    }

    /// Order-flow imbalance of the best level, and summed over all levels, from `before` to this.
    #[inline]
    pub(crate) fn flow_since(&self, before: &Snapshot) -> (i64, i64) {
        let (mut best, mut deep) = (0, 0);
        // Most rows change one side only; an unchanged side flows nothing.
        if (&self.bid, &self.bid_qty) != (&before.bid, &before.bid_qty) {
            for level in 0..DEPTH {
                let bid =
                    flow(self.bid[level], self.bid_qty[level], before.bid[level], before.bid_qty[level]);
                deep += bid;
                best += if level == 0 { bid } else { 0 };
            }
        }
        if (&self.ask, &self.ask_qty) != (&before.ask, &before.ask_qty) {
            for level in 0..DEPTH {
                // Turned over, asks are bids: a lower price is the better one, and no price (0) is the worst.
                let (now, was) = (turned(self.ask[level]), turned(before.ask[level]));
                let ask = flow(now, self.ask_qty[level], was, before.ask_qty[level]);
                deep -= ask;
                best -= if level == 0 { ask } else { 0 };
            }
        }
        (best, deep)
    }

    /// Shares behind the best level per price distance, bid and ask.
    #[inline]
    pub(crate) fn slopes(&self) -> (f64, f64) {
        (slope(&self.bid, &self.bid_qty), slope(&self.ask, &self.ask_qty))
    }
}

/// An ask price as one where higher is better; an empty level (0) becomes the worst.
#[inline]
fn turned(ask: u32) -> u32 {
    u32::MAX - ask.wrapping_sub(1)
}

#[inline]
fn flow(price: u32, qty: u32, price_before: u32, qty_before: u32) -> i64 {
    (price >= price_before) as i64 * qty as i64 - (price <= price_before) as i64 * qty_before as i64
}

#[inline]
fn slope(prices: &[u32; DEPTH], quantities: &[u32; DEPTH]) -> f64 {
    let (mut shares, mut last) = (0u64, prices[0]);
    for (price, qty) in prices.iter().zip(quantities).skip(1) {
        if *qty != 0 {
            shares += *qty as u64;
            last = *price;
        }
    }
    let distance = prices[0].abs_diff(last);
    if distance == 0 { 0.0 } else { shares as f64 / distance as f64 }
}
