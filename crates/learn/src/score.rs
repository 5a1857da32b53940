//! The running evaluation: the frozen and the learning model on the newest labels, each answered before it was learned.
use crate::bytes::{In, Out};
use tickline_model::train::Confusion;

/// Scores of both models over the same labels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// Labels looked at.
    pub labels: u64,
    /// Macro-F1 of the model that the line started with, 0 to 1.
    pub frozen_f1: f64,
    /// Macro-F1 of the learning model.
    pub learning_f1: f64,
    /// Matthews correlation of the frozen model, -1 to 1; 0 when undefined.
    pub frozen_mcc: f64,
    /// Matthews correlation of the learning model.
    pub learning_mcc: f64,
}

/// The newest labels with both answers, up to a fixed number.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Truth, frozen and learning answer, two bits each.
    entries: Vec<u8>,
    /// Labels ever added since the last clearing.
    added: u64,
    frozen: Confusion,
    learning: Confusion,
}

impl Window {
    /// A window over the newest `labels` labels, at least 1.
    pub fn new(labels: usize) -> Window {
        Window {
            entries: vec![0; labels.max(1)],
            added: 0,
            frozen: Confusion::default(),
            learning: Confusion::default(),
        }
    }

    /// Adds one label, the oldest leaves when the window is full. Classes are 0 to 2.
    pub fn add(&mut self, truth: u8, frozen: u8, learning: u8) {
        let at = (self.added % self.entries.len() as u64) as usize;
        if self.added >= self.entries.len() as u64 {
            let old = self.entries[at];
            self.count(old, -1);
        }
        let entry = (truth & 3) | (frozen & 3) << 2 | (learning & 3) << 4;
        self.entries[at] = entry;
        self.count(entry, 1);
        self.added += 1;
    }

    fn count(&mut self, entry: u8, by: i64) {
        let [truth, frozen, learning] = [entry & 3, entry >> 2 & 3, entry >> 4 & 3].map(usize::from);
        for (confusion, answer) in [(&mut self.frozen, frozen), (&mut self.learning, learning)] {
            if let Some(cell) = confusion.0.get_mut(truth).and_then(|row| row.get_mut(answer)) {
                *cell = cell.saturating_add_signed(by);
            }
        }
    }

    /// Forgets every label, as after a rollback: the next judgement is of the weights that follow.
    pub fn clear(&mut self) {
        *self = Window::new(self.entries.len());
    }

    /// The scores as they stand.
    pub fn scores(&self) -> Scores {
        Scores {
            labels: self.added.min(self.entries.len() as u64),
            frozen_f1: macro_f1(&self.frozen),
            learning_f1: macro_f1(&self.learning),
            frozen_mcc: mcc(&self.frozen),
            learning_mcc: mcc(&self.learning),
        }
    }

    pub(crate) fn save(&self, out: &mut Out) {
        out.number(self.added);
        out.bytes(&self.entries);
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.clear();
        let added = from.number()?;
        from.fill_bytes(&mut self.entries)?;
        let whole = (self.entries.len() as u64).min(added) as usize;
        for at in 0..whole {
            self.count(self.entries[at], 1);
        }
        self.added = added;
        Some(())
    }
}

fn over(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

/// Mean of the classes' F1; a class that neither occurs nor is answered counts 0.
fn macro_f1(confusion: &Confusion) -> f64 {
    let f1 = |class: usize| {
        let right = confusion.0[class][class] as f64;
        let true_ones: u64 = confusion.0[class].iter().sum();
        let answered: u64 = confusion.0.iter().map(|row| row[class]).sum();
        over(2.0 * right, (true_ones + answered) as f64)
    };
    (f1(0) + f1(1) + f1(2)) / 3.0
}

/// Matthews correlation for several classes (Gorodkin 2004).
fn mcc(confusion: &Confusion) -> f64 {
    let (mut total, mut right, mut cross, mut truths, mut answers) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for class in 0..3 {
        let own: u64 = confusion.0[class].iter().sum();
        let said: u64 = confusion.0.iter().map(|row| row[class]).sum();
        let (own, said) = (own as f64, said as f64);
        total += own;
        right += confusion.0[class][class] as f64;
        cross += own * said;
        truths += own * own;
        answers += said * said;
    }
    let spread = (total * total - truths) * (total * total - answers);
    over(right * total - cross, spread.max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::bytes::{In, Out};

    /// Goal: the running scores are those of the newest labels alone. Method: against a window filled with just those.
    #[test]
    fn only_the_newest_labels_count() {
        let label = |at: u64| ((at * 7 % 3) as u8, (at * 5 % 4 % 3) as u8, (at * 11 % 7 % 3) as u8);
        let mut long = Window::new(50);
        (0..333).for_each(|at| {
            let (truth, frozen, learning) = label(at);
            long.add(truth, frozen, learning);
        });
        let mut fresh = Window::new(50);
        (283..333).for_each(|at| {
            let (truth, frozen, learning) = label(at);
            fresh.add(truth, frozen, learning);
        });
        assert_eq!(long.scores(), fresh.scores());
        assert_eq!(long.scores().labels, 50);
        let mut out = Out::default();
        long.save(&mut out);
        let mut loaded = Window::new(50);
        assert_eq!(loaded.load(&mut In(&out.0)), Some(()));
        assert_eq!(loaded, long);
        assert_eq!(Window::new(49).load(&mut In(&out.0)), None, "a window of another size");
    }

    /// Goal: the scores are the textbook's. Method: a case counted by hand: truths 0 0 1 2, answers 0 1 1 2.
    #[test]
    fn scores_by_hand() {
        let mut window = Window::new(10);
        [(0, 0), (0, 1), (1, 1), (2, 2)].iter().for_each(|(truth, answer)| window.add(*truth, *answer, 1));
        let scores = window.scores();
        assert!((scores.frozen_f1 - (2.0 / 3.0 + 2.0 / 3.0 + 1.0) / 3.0).abs() < 1e-12);
        assert!((scores.frozen_mcc - 7.0 / 10.0).abs() < 1e-12, "{}", scores.frozen_mcc);
        assert!((scores.learning_f1 - (2.0 / 5.0) / 3.0).abs() < 1e-12);
        assert_eq!(scores.learning_mcc, 0.0, "one answer for all is no correlation");
    }
}
