//! A contest: every model on the same labels, from one judgement of the gate to the next.
use crate::answer::Answer;
use crate::bytes::{In, Out};
use crate::tally::{Score, Tally};

/// What each model has done since the contest began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contest {
    tallies: Vec<Tally>,
    /// Which contest it is: answers given before it began do not count in it.
    pub(crate) nth: u64,
    /// The learning model has gone back to its start meanwhile: what it said is not what its weights would say.
    pub(crate) learning_barred: bool,
    /// Likewise of the retrained model, which became another one.
    pub(crate) retrained_barred: bool,
}

impl Contest {
    pub(crate) fn new(models: usize) -> Contest {
        Contest {
            tallies: vec![Tally::default(); models],
            nth: 0,
            learning_barred: false,
            retrained_barred: false,
        }
    }

    pub(crate) fn add(&mut self, truth: u8, answers: &[Answer]) {
        self.tallies.iter_mut().zip(answers).for_each(|(tally, answer)| tally.add(truth, *answer, 1));
    }

    pub(crate) fn score(&self, model: usize) -> Score {
        self.tallies.get(model).map_or_else(Score::default, Tally::score)
    }

    /// Labels that it has.
    pub(crate) fn labels(&self) -> u64 {
        self.tallies.first().map_or(0, Tally::labels)
    }

    pub(crate) fn restart(&mut self) {
        *self = Contest { nth: self.nth + 1, ..Contest::new(self.tallies.len()) };
    }

    pub(crate) fn save(&self, out: &mut Out) {
        self.tallies.iter().for_each(|tally| tally.save(out));
        out.number(self.nth);
        out.number(u64::from(self.learning_barred));
        out.number(u64::from(self.retrained_barred));
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.tallies.iter_mut().try_for_each(|tally| tally.load(from))?;
        self.nth = from.number()?;
        self.learning_barred = from.number()? != 0;
        self.retrained_barred = from.number()? != 0;
        Some(())
    }
}
