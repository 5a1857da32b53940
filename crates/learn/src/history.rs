// @hot
//! The newest rows of one stream, so that any span of them is contiguous.
use crate::bytes::{In, Out};

/// Scaled rows in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct History {
    columns: usize,
    keep: usize,
    /// Each row twice, `keep` apart.
    rows: Vec<f32>,
    /// Rows put in since the reset.
    count: u64,
}

impl History {
    /// Keeps the newest `keep` rows, at least 1.
    pub(crate) fn new(columns: usize, keep: usize) -> History {
        History { columns, keep, rows: vec![0.0; 2 * keep * columns], count: 0 }
    }

    pub(crate) fn reset(&mut self) {
        self.count = 0;
    }

    /// Where the row at `place` is kept.
    pub(crate) fn slot(&self, place: u64) -> usize {
        (place % self.keep as u64) as usize
    }

    /// Puts a row in and returns its place.
    pub(crate) fn push(&mut self, scaled: &[f32]) -> u64 {
        let (columns, slot) = (self.columns, self.slot(self.count));
        for at in [slot, slot + self.keep] {
            self.rows[at * columns..(at + 1) * columns].copy_from_slice(scaled);
        }
        self.count += 1;
        self.count - 1
    }

    /// The `rows` rows that end with the one at `place`; `None` when there are not as many, or no longer.
    pub(crate) fn span(&self, place: u64, rows: usize) -> Option<&[f32]> {
        let first = (place + 1).checked_sub(rows as u64)?;
        if rows > self.keep || place >= self.count || self.count - first > self.keep as u64 {
            return None;
        }
        let at = self.slot(first) * self.columns;
        self.rows.get(at..at + rows * self.columns)
    }

    pub(crate) fn save(&self, out: &mut Out) {
        out.floats(&self.rows[..self.keep * self.columns]);
        out.number(self.count);
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        let (once, twice) = self.rows.split_at_mut(self.keep * self.columns);
        from.fill_floats(once)?;
        twice.copy_from_slice(once);
        self.count = from.number()?;
        Some(())
    }
}
