//! Positions in the segment `positions`, for a risk service that restarts.
//!
//! A row is 64 bytes, guarded as `tickline_ring::Plain` says: `begin: u32` at 0, shares i64 at 8, cash i64 at 16 (1/10,000
//! dollar), bought u64 at 24, sold u64 at 32, `as_of_ns` u64 at 40, last execution id u64 at 48, `end: u32` at 60. `as_of_ns` is the
//! `received_ns` of the last execution counted: Fills up to it are in the row, later ones are not.

use tickline_order::Position;
use tickline_ring::Plain;

/// Bytes of a row.
pub const POSITION_BYTES: usize = 64;
const WORDS: usize = POSITION_BYTES / 8;

/// One instrument's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PositionRow {
    /// Shares held; negative when short.
    pub shares: i64,
    /// Money received less money paid, 1/10,000 dollar; held at the ends of 64 bits.
    pub cash: i64,
    /// Shares bought.
    pub bought: u64,
    /// Shares sold.
    pub sold: u64,
    /// `received_ns` of the last execution counted.
    pub as_of_ns: u64,
    /// Match number of the last execution counted.
    pub last_exec_id: u64,
}

/// The rows of a line's instruments.
pub struct PositionTable {
    plain: Plain,
}

impl PositionTable {
    /// Over the mapped segment.
    pub fn new(plain: Plain) -> PositionTable {
        PositionTable { plain }
    }

    /// Publishes an instrument's position; false when it has no row.
    pub fn publish(&self, instrument: u16, position: &Position, as_of_ns: u64) -> bool {
        let cash = position.cash.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        let words = [
            0,
            position.shares.cast_unsigned(),
            cash.cast_unsigned(),
            position.bought,
            position.sold,
            as_of_ns,
            position.last_exec_id,
            0,
        ];
        self.plain.write_guarded::<WORDS>(usize::from(instrument) * POSITION_BYTES, words)
    }

    /// An instrument's row; `None` when it was never written, or was being written on every try.
    pub fn row(&self, instrument: u16) -> Option<PositionRow> {
        for _ in 0..64 {
            let read = self.plain.read_guarded::<WORDS>(usize::from(instrument) * POSITION_BYTES)?;
            let [first, shares, cash, bought, sold, as_of_ns, last_exec_id, last] = read.words;
            let begin = first as u32;
            if begin != 0 && begin & 1 == 0 && begin == read.begin_again && (last >> 32) as u32 == begin {
                let (shares, cash) = (shares.cast_signed(), cash.cast_signed());
                return Some(PositionRow { shares, cash, bought, sold, as_of_ns, last_exec_id });
            }
        }
        None
    }
}
