//! The running evaluation: every model on the newest labels, each answered before anything was learned at its event.
use crate::answer::Answer;
use crate::bytes::{In, Out};
use crate::tally::{Score, Tally};

/// The newest labels with every model's answer, up to a fixed number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    truths: Vec<u8>,
    /// `[labels][models]`, two bytes each.
    answers: Vec<[u8; 2]>,
    /// Labels ever added since the last clearing.
    added: u64,
    tallies: Vec<Tally>,
}

impl Window {
    /// A window over the newest `labels` labels, at least 1, of `models` models.
    pub fn new(labels: usize, models: usize) -> Window {
        let labels = labels.max(1);
        Window {
            truths: vec![0; labels],
            answers: vec![Answer::NONE.bytes(); labels * models],
            added: 0,
            tallies: vec![Tally::default(); models],
        }
    }

    /// Adds one label, the oldest leaves when the window is full. Truths are 0 to 2; one answer a model.
    pub fn add(&mut self, truth: u8, answers: &[Answer]) {
        let (size, models) = (self.truths.len() as u64, self.tallies.len());
        let at = (self.added % size) as usize;
        let full = self.added >= size;
        let old = self.truths[at];
        let kept = &mut self.answers[at * models..(at + 1) * models];
        for ((tally, kept), answer) in self.tallies.iter_mut().zip(kept).zip(answers) {
            if full {
                tally.add(old, Answer::from_bytes(*kept), -1);
            }
            *kept = answer.bytes();
            tally.add(truth, *answer, 1);
        }
        self.truths[at] = truth;
        self.added += 1;
    }

    /// Forgets every label, as after a rollback: the next judgement is of the weights that follow.
    pub fn clear(&mut self) {
        *self = Window::new(self.truths.len(), self.tallies.len());
    }

    /// Labels in it.
    pub fn labels(&self) -> u64 {
        self.added.min(self.truths.len() as u64)
    }

    /// The scores of one model as they stand.
    pub fn score(&self, model: usize) -> Score {
        self.tallies.get(model).map_or_else(Score::default, Tally::score)
    }

    pub(crate) fn save(&self, out: &mut Out) {
        out.number(self.added);
        out.bytes(&self.truths);
        out.bytes(self.answers.as_flattened());
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.clear();
        self.added = from.number()?;
        from.fill_bytes(&mut self.truths)?;
        from.fill_bytes(self.answers.as_flattened_mut())?;
        let models = self.tallies.len();
        for at in 0..self.labels() as usize {
            for (nth, tally) in self.tallies.iter_mut().enumerate() {
                tally.add(self.truths[at], Answer::from_bytes(self.answers[at * models + nth]), 1);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::answer::Answer;
    use crate::bytes::{In, Out};

    /// Goal: the running scores are those of the newest labels alone. Method: against a window filled with just those.
    #[test]
    fn only_the_newest_labels_count() {
        let label = |at: u64| {
            let said = |by: u64| Answer { class: (at * by % 4) as u8, confidence: (at * by) as u8 };
            ((at * 7 % 3) as u8, [said(5), said(11), said(3)])
        };
        let filled = |from: u64, to: u64| {
            let mut window = Window::new(50, 3);
            (from..to).map(label).for_each(|(truth, answers)| window.add(truth, &answers));
            window
        };
        let (long, fresh) = (filled(0, 333), filled(283, 333));
        for model in 0..3 {
            assert_eq!(long.score(model), fresh.score(model));
        }
        assert_eq!((long.labels(), long.score(1).labels, long.score(3).labels), (50, 50, 0));
        let mut out = Out::default();
        long.save(&mut out);
        let mut loaded = Window::new(50, 3);
        assert_eq!(loaded.load(&mut In(&out.0)), Some(()));
        assert_eq!(loaded, long);
        assert_eq!(Window::new(49, 3).load(&mut In(&out.0)), None, "a window of another size");
        assert_eq!(Window::new(50, 2).load(&mut In(&out.0)), None, "a window of other models");
    }
}
