//! A training run that is judged, pass by pass, on rows held out of it: the best pass is kept, and the run ends when none gets better.
use crate::error::DataError;
use crate::task::Task;
use tickline_model::train::{Rows, Settings, Target, Trainer, answers};
use tickline_model::{Architecture, Fault, ModelError, Plan};

/// A training run. The same task, settings and instruction set give the same weights, bit for bit, however the run is cut.
pub struct Fitting {
    trainer: Trainer,
    plan: Plan,
    settings: Settings,
    judge: Option<Judge>,
}

/// What judges a run: rows that it is not trained on, and how it has done on them so far.
struct Judge {
    rows: Rows,
    /// Passes without a better one that end the run.
    patience: usize,
    /// Mean loss after each pass.
    losses: Vec<f64>,
    /// Parameters after the best pass.
    best: Vec<f32>,
}

/// How a run does on the rows held out.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Mean loss after each pass, weighted by class as in training.
    pub losses: Vec<f64>,
    /// The best of them, from 0; the first of equals.
    pub best: usize,
}

impl Fitting {
    /// Starts a network on a task from random weights that the seed determines. Where the task holds rows out, the run ends once
    /// `patience` passes (at least 1) have brought no lower loss on them, and keeps the weights of the best.
    ///
    /// # Errors
    /// As [`Trainer::new`]'s.
    pub fn new(
        net: &Architecture,
        settings: Settings,
        task: &Task,
        patience: usize,
    ) -> Result<Fitting, DataError> {
        let judge = task.held.clone().map(|rows| Judge {
            rows,
            patience: patience.max(1),
            losses: Vec::new(),
            best: Vec::new(),
        });
        let trainer = Trainer::new(net, settings.clone(), task.train.clone())?;
        Ok(Fitting { trainer, plan: Plan::compile(net)?, settings, judge })
    }

    /// Batches of the whole run, if no pass ends it sooner.
    pub fn batches(&self) -> usize {
        self.trainer.batches()
    }

    /// Batches done.
    pub fn done(&self) -> usize {
        self.trainer.done()
    }

    /// Nothing is left to do: every pass is done, or patience has run out.
    pub fn over(&self) -> bool {
        self.done() >= self.batches() || self.judge.as_ref().is_some_and(Judge::tired)
    }

    /// How the run has done on the rows held out; `None` where there are none, or no pass is done.
    pub fn judgement(&self) -> Option<Judgement> {
        let judge = self.judge.as_ref()?;
        Some(Judgement { losses: judge.losses.clone(), best: judge.best()? })
    }

    /// Trains at most `batches` batches more, to the end of a pass at most, and returns the mean loss of the answers that something was
    /// wanted of; `None` when the run is over.
    ///
    /// # Errors
    /// The model engine's.
    pub fn advance(&mut self, batches: usize) -> Result<Option<f64>, DataError> {
        if self.over() {
            return Ok(None);
        }
        let each = self.trainer.batches_an_epoch();
        let loss = self.trainer.advance(batches.min(each - self.done() % each));
        if let Some(judge) = &mut self.judge
            && self.trainer.done().is_multiple_of(each)
        {
            judge.look(&self.plan, self.trainer.parameters(), &self.settings)?;
        }
        Ok(loss)
    }

    /// The parameters: those after the best pass so far where passes are judged, else as they are now.
    pub fn parameters(&self) -> &[f32] {
        match &self.judge {
            Some(judge) if !judge.best.is_empty() => &judge.best,
            _ => self.trainer.parameters(),
        }
    }

    /// Puts parameters that were trained elsewhere in place; `false` when they are not as many.
    pub fn set_parameters(&mut self, parameters: &[f32]) -> bool {
        self.trainer.set_parameters(parameters)
    }

    /// Everything needed to go on later as if nothing had happened; of the run's state, not of its rows and settings.
    pub fn checkpoint(&self) -> Vec<u8> {
        let trainer = self.trainer.checkpoint();
        let mut bytes = (trainer.len() as u64).to_le_bytes().to_vec();
        bytes.extend(trainer);
        let (losses, best) =
            self.judge.as_ref().map_or((&[][..], &[][..]), |judge| (&judge.losses, &judge.best));
        bytes.extend((losses.len() as u64).to_le_bytes());
        losses.iter().for_each(|loss| bytes.extend(loss.to_le_bytes()));
        best.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        bytes
    }

    /// Goes on from a checkpoint of a run with the same rows, settings and architecture.
    ///
    /// # Errors
    /// [`Fault::Checksum`] or [`Fault::Architecture`]; nothing has changed then.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        let damaged = || ModelError::new(Fault::Checksum, "the checkpoint is damaged or of other rows");
        let (trainer, rest) = counted(bytes, 1).ok_or_else(damaged)?;
        let (losses, best) = counted(rest, 8).ok_or_else(damaged)?;
        let losses: Vec<f64> = losses.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        let (numbers, odd) = best.as_chunks();
        let best: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let whole = if losses.is_empty() { 0 } else { self.plan.parameters() };
        if best.len() != whole || !odd.is_empty() || (self.judge.is_none() && whole > 0) {
            return Err(damaged());
        }
        self.trainer.restore(trainer)?;
        if let Some(judge) = &mut self.judge {
            (judge.losses, judge.best) = (losses, best);
        }
        Ok(())
    }
}

/// The bytes of as many things of `size` bytes as a number before them says, and what comes after.
fn counted(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(size)?)
}

impl Judge {
    /// The best pass so far; a loss that is not a number is no better than any.
    fn best(&self) -> Option<usize> {
        let better = |best: Option<usize>, (at, loss): (usize, &f64)| match best {
            Some(known) if !(*loss < self.losses[known] || self.losses[known].is_nan()) => Some(known),
            _ => Some(at),
        };
        self.losses.iter().enumerate().fold(None, better)
    }

    fn tired(&self) -> bool {
        self.best().is_some_and(|best| self.losses.len() - 1 - best >= self.patience)
    }

    fn look(&mut self, plan: &Plan, parameters: &[f32], settings: &Settings) -> Result<(), DataError> {
        let (answers, wide) = (answers(plan, parameters, &self.rows)?, plan.output().features());
        let mut slopes = vec![0.0; wide];
        let (mut loss, mut weight) = (0.0, 0.0);
        for (row, answer) in answers.chunks_exact(wide).enumerate() {
            let target = self.rows.target(row);
            // A row whose window is not full has no answer.
            if target == Target::Nothing || answer[0].is_nan() {
                continue;
            }
            let weights = &settings.recipe.class_weights;
            loss += settings.recipe.loss.slopes(answer, target, weights, &mut slopes);
            weight += match target {
                Target::Class(class) => f64::from(weights.get(usize::from(class)).copied().unwrap_or(1.0)),
                _ => 1.0,
            };
        }
        self.losses.push(loss / weight);
        if self.best() == Some(self.losses.len() - 1) {
            self.best = parameters.to_vec();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Judge;
    use tickline_model::Contract;
    use tickline_model::train::{Rows, Targets};

    fn judge(losses: &[f64]) -> Judge {
        let rows = Rows::new(&Contract::identity(1), &[0.0], Targets::Itself, &[]).expect("a row");
        Judge { rows, patience: 2, losses: losses.to_vec(), best: Vec::new() }
    }

    #[test]
    fn patience_counts_passes_after_the_best_and_a_tie_is_no_better() {
        assert_eq!((judge(&[]).best(), judge(&[]).tired()), (None, false));
        for (losses, best, tired) in [
            (&[3.0][..], 0, false),
            (&[3.0, 3.0], 0, false),
            (&[3.0, 3.0, 3.0], 0, true),
            (&[3.0, 4.0, 2.9], 2, false),
            (&[3.0, 4.0, 2.9, f64::NAN], 2, false),
            (&[3.0, 4.0, 2.9, f64::NAN, 3.0], 2, true),
            (&[f64::NAN, 5.0], 1, false),
        ] {
            assert_eq!((judge(losses).best(), judge(losses).tired()), (Some(best), tired), "{losses:?}");
        }
    }
}
