//! The last rows of levels as one contiguous matrix, for models that look at a window.

use crate::snapshot::LEVELS;

/// A rolling `[time x 40]` matrix of `FeaturesBody.levels`: a ring written twice, one window apart, so that the last rows
/// always lie next to each other. Pushing costs two copies of 160 bytes, reading nothing.
pub struct Tensor {
    rows: Box<[[f32; LEVELS]]>,
    time: usize,
    at: usize,
    seen: u64,
}

impl Tensor {
    /// A matrix of `time` rows, at least 1; zeros until rows come.
    pub fn new(time: usize) -> Tensor {
        assert!(time > 0, "a window needs a row");
        Tensor { rows: vec![[0.0; LEVELS]; 2 * time].into(), time, at: 0, seen: 0 }
    }

    /// Appends a row; the oldest goes.
    #[inline]
    pub fn push(&mut self, row: &[f32; LEVELS]) {
        self.rows[self.at] = *row;
        self.rows[self.at + self.time] = *row;
        self.at = if self.at + 1 == self.time { 0 } else { self.at + 1 };
        self.seen += 1;
    }

    /// The last `time` rows, oldest first, row-major. Rows not yet seen are zeros.
    #[inline]
    pub fn window(&self) -> &[f32] {
        self.rows[self.at..self.at + self.time].as_flattened()
    }

    /// True once every row of the window was pushed.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.seen >= self.time as u64
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.rows.fill([0.0; LEVELS]);
        (self.at, self.seen) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_holds_the_last_rows_oldest_first() {
        for time in 1..5 {
            let mut tensor = Tensor::new(time);
            for row in 1..20u32 {
                tensor.push(&[row as f32; LEVELS]);
                let expected: Vec<f32> = (0..time)
                    .flat_map(|back| [(row as f32 - (time - 1 - back) as f32).max(0.0); LEVELS])
                    .collect();
                assert_eq!(tensor.window(), expected);
                assert_eq!(tensor.is_full(), row as usize >= time);
            }
            tensor.clear();
            assert!(tensor.window().iter().all(|&x| x == 0.0) && !tensor.is_full());
        }
    }
}
