// @hot
//! What the last 1,000 rows say: sums kept as integers, so that they never drift from the rows they stand for.

/// Rows of the longest window; a row is warm once it is full.
pub const WINDOW: usize = 1000;
/// Rows of the middle windows (order flow, RSI).
pub(crate) const MIDDLE: usize = 100;
/// Rows of the fast windows (volatility, moving average).
pub(crate) const FAST: usize = 50;

/// Slots of the ring: the power of two above the window.
const SLOTS: usize = 1024;

/// What is kept of one row. Prices are doubled so that mids are integers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Past {
    pub(crate) time: u64,
    pub(crate) mid_twice: i64,
    pub(crate) move_twice: i64,
    pub(crate) spread: i64,
    pub(crate) flow: i64,
    pub(crate) flow_deep: i64,
    pub(crate) depth: i64,
    pub(crate) buys: u32,
    pub(crate) sells: u32,
    pub(crate) signed: i64,
    pub(crate) traded: u64,
    pub(crate) notional: u128,
}

/// Sum and sum of squares of one quantity over the window.
#[derive(Clone, Copy, Default)]
pub(crate) struct Moments {
    sum: i64,
    squares: i128,
}

/// The last rows and sums over them.
pub(crate) struct Window {
    ring: Box<[Past]>,
    rows: u64,
    sums: Sums,
    /// Room was made for the next row: `sums` lacks what leaves with it.
    vacated: bool,
    /// Time of the oldest row in the window.
    oldest: u64,
}

/// Sums over the last 1,000 rows, or over the last 100 (`_middle`) or 50 (`_fast`).
#[derive(Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) mid: Moments,
    pub(crate) spread: Moments,
    pub(crate) flow: Moments,
    pub(crate) depth: Moments,
    pub(crate) move_squares: i128,
    pub(crate) move_squares_fast: i128,
    pub(crate) mid_fast: i64,
    pub(crate) flow_middle: i64,
    pub(crate) flow_deep_middle: i64,
    pub(crate) up_middle: i64,
    pub(crate) down_middle: i64,
    pub(crate) buys: u64,
    pub(crate) sells: u64,
    pub(crate) signed: i64,
    pub(crate) traded: u64,
    pub(crate) notional: u128,
}

/// To `f64`, within one unit in the last place. Written out because the library's conversion takes 40 instructions.
#[inline]
pub(crate) fn float(x: i128) -> f64 {
    let size = x.unsigned_abs();
    let size = (size >> 64) as u64 as f64 * (u64::MAX as f64) + size as u64 as f64;
    if x < 0 { -size } else { size }
}

#[inline]
fn square(x: i64) -> i128 {
    x as i128 * x as i128
}

impl Moments {
    #[inline]
    fn enter(&mut self, x: i64) {
        self.sum += x;
        self.squares += square(x);
    }

    #[inline]
    fn leave(&mut self, x: i64) {
        self.sum -= x;
        self.squares -= square(x);
    }

    /// Mean of `rows` values.
    #[inline]
    pub(crate) fn mean(&self, rows: usize) -> f64 {
        self.sum as f64 / rows as f64
    }

    /// z-score of `x` among `rows` values: `(x - m) / s = (n x - sum) / sqrt(n squares - sum^2)`, exact up to the last
    /// three operations; 0 when all values are equal.
    #[inline]
    pub(crate) fn z(&self, x: i64, rows: usize) -> f64 {
        let n = rows as i128;
        let variance = n * self.squares - square(self.sum);
        if variance <= 0 { 0.0 } else { float(n * x as i128 - self.sum as i128) / float(variance).sqrt() }
    }
}

impl Window {
    pub(crate) fn new() -> Window {
        let ring = vec![Past::default(); SLOTS].into();
        Window { ring, rows: 0, sums: Sums::default(), vacated: false, oldest: 0 }
    }

    /// Forgets all rows, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.rows = 0;
        self.sums = Sums::default();
        (self.vacated, self.oldest) = (false, 0);
    }

    /// The sums over the rows pushed last, to be read between `push` and `vacate`.
    #[inline]
    pub(crate) fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Rows in a window of `size`.
    #[inline]
    pub(crate) fn rows(&self, size: usize) -> usize {
        self.rows.min(size as u64) as usize
    }

    /// Time of the oldest row; a row must have been pushed.
    #[inline]
    pub(crate) fn oldest_time(&self) -> u64 {
        self.oldest
    }

    #[inline]
    fn slot(&self, row: u64) -> &Past {
        &self.ring[row as usize % SLOTS]
    }

    /// The memory of the next row, for who wants it at hand.
    #[inline]
    pub(crate) fn next_slot(&self) -> &Past {
        self.slot(self.rows)
    }

    /// Takes a row in, and out what leaves each window, unless `vacate` has done that.
    #[inline]
    pub(crate) fn push(&mut self, past: Past) {
        if !self.vacated {
            self.vacate();
        }
        self.vacated = false;
        if self.rows == 0 {
            self.oldest = past.time;
        }
        self.sums.enter(&past);
        self.ring[self.rows as usize % SLOTS] = past;
        self.rows += 1;
    }

    /// Takes out what leaves each window with the next row: the half of a push that can be done before that row is there.
    #[inline]
    pub(crate) fn vacate(&mut self) {
        if self.vacated {
            return;
        }
        self.vacated = true;
        if self.rows >= WINDOW as u64 {
            let gone = *self.slot(self.rows - WINDOW as u64);
            self.sums.leave(&gone);
            self.oldest = self.slot(self.rows + 1 - WINDOW as u64).time;
        }
        if self.rows >= MIDDLE as u64 {
            let gone = self.slot(self.rows - MIDDLE as u64);
            let (flow, deep, step) = (gone.flow, gone.flow_deep, gone.move_twice);
            self.sums.flow_middle -= flow;
            self.sums.flow_deep_middle -= deep;
            self.sums.up_middle -= step.max(0);
            self.sums.down_middle -= (-step).max(0);
        }
        if self.rows >= FAST as u64 {
            let gone = self.slot(self.rows - FAST as u64);
            let (step, mid) = (gone.move_twice, gone.mid_twice);
            self.sums.move_squares_fast -= square(step);
            self.sums.mid_fast -= mid;
        }
    }
}

impl Sums {
    #[inline]
    fn enter(&mut self, past: &Past) {
        self.mid.enter(past.mid_twice);
        self.spread.enter(past.spread);
        self.flow.enter(past.flow);
        self.depth.enter(past.depth);
        self.move_squares += square(past.move_twice);
        self.move_squares_fast += square(past.move_twice);
        self.mid_fast += past.mid_twice;
        self.flow_middle += past.flow;
        self.flow_deep_middle += past.flow_deep;
        self.up_middle += past.move_twice.max(0);
        self.down_middle += (-past.move_twice).max(0);
        self.buys += past.buys as u64;
        self.sells += past.sells as u64;
        self.signed = self.signed.wrapping_add(past.signed);
        self.traded = self.traded.wrapping_add(past.traded);
        self.notional = self.notional.wrapping_add(past.notional);
    }

    /// What leaves the longest window.
    #[inline]
    fn leave(&mut self, gone: &Past) {
        self.mid.leave(gone.mid_twice);
        self.spread.leave(gone.spread);
        self.flow.leave(gone.flow);
        self.depth.leave(gone.depth);
        self.move_squares -= square(gone.move_twice);
        self.buys -= gone.buys as u64;
        self.sells -= gone.sells as u64;
        // Crosses may claim 2^64 shares: wrapping keeps the sums of what remains exact whatever passed through.
        self.signed = self.signed.wrapping_sub(gone.signed);
        self.traded = self.traded.wrapping_sub(gone.traded);
        self.notional = self.notional.wrapping_sub(gone.notional);
    }
}
