//! Counting right and wrong answers.

/// Rows are true classes, columns answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion(pub [[u64; 3]; 3]);

impl Confusion {
    /// Counts one answer; classes above 2 are not counted.
    pub fn add(&mut self, truth: u8, answer: u8) {
        if let Some(cell) =
            self.0.get_mut(usize::from(truth)).and_then(|row| row.get_mut(usize::from(answer)))
        {
            *cell += 1;
        }
    }
}

/// The most frequent class; the lowest of equals.
pub fn majority(classes: impl Iterator<Item = u8>) -> u8 {
    let mut counts = [0u64; 3];
    for class in classes {
        if let Some(count) = counts.get_mut(usize::from(class)) {
            *count += 1;
        }
    }
    (0..3u8).rev().max_by_key(|class| counts[usize::from(*class)]).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::{Confusion, majority};

    #[test]
    fn answers_are_counted_by_truth_then_answer() {
        let mut confusion = Confusion::default();
        for (truth, answer) in [(0, 2), (0, 2), (1, 1), (3, 0), (0, 9)] {
            confusion.add(truth, answer);
        }
        assert_eq!(confusion.0, [[0, 0, 2], [0, 1, 0], [0, 0, 0]]);
        assert_eq!(majority([2, 2, 0, 1].into_iter()), 2);
        assert_eq!(majority([2, 0].into_iter()), 0);
    }
}
