//! What a model answers to the test part, and how good that is.
use crate::error::DataError;
use crate::task::Task;
use tickline_model::train::{Confusion, Rows, Target, Targets, answers, majority};
use tickline_model::{Model, NoSignal, Plan, Predictor, ensemble};

/// Bins of equal width that confidences are sorted into.
pub const BINS: usize = 10;

/// Counts over the rows of which a class is wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// True class, then answer.
    pub confusion: Confusion,
    /// For each bin of confidence: rows, sum of the confidences, right answers.
    pub bins: [[f64; 3]; BINS],
    /// Rows without an answer: the window was not full.
    pub unanswered: u64,
}

/// A model's answers to every test row, `[rows][outputs]`; NaN where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    values: Vec<f32>,
    outputs: usize,
}

impl Answers {
    /// Answers many at once, in f32.
    ///
    /// # Errors
    /// The model engine's.
    pub fn of(plan: &Plan, parameters: &[f32], task: &Task) -> Result<Answers, DataError> {
        let values = answers(plan, parameters, &task.test)?;
        Ok(Answers { values, outputs: plan.output().features() })
    }

    /// Answers row by row through the engine that the line uses, in the model's own precision.
    ///
    /// # Errors
    /// The model engine's; [`DataError::Data`] when an answer is not finite: training has diverged.
    pub fn by_engine(model: &Model, task: &Task) -> Result<Answers, DataError> {
        let mut predictor = Predictor::new(model)?;
        let (outputs, columns) = (model.outputs(), task.contract.names.len());
        let mut values = vec![f32::NAN; task.test.len() * outputs];
        for sequence in task.test.sequences() {
            predictor.reset();
            for row in sequence {
                let raw = &task.test_raw[row * columns..(row + 1) * columns];
                let out = &mut values[row * outputs..(row + 1) * outputs];
                match predictor.predict(raw, out) {
                    Ok(()) => predictor.prepare(),
                    Err(NoSignal::Filling) => out.fill(f32::NAN),
                    Err(reason) => {
                        let text = format!("row {row} of the test has no answer: {}", reason.name());
                        return Err(DataError::Data(text));
                    }
                }
            }
        }
        Ok(Answers { values, outputs })
    }

    /// The mean of several models' answers to the same rows; NaN where one of them has none.
    ///
    /// # Errors
    /// [`DataError::Data`] when there is none, or they are not of as many rows and outputs.
    pub fn mean(all: &[Answers]) -> Result<Answers, DataError> {
        let wrong = || {
            DataError::Data("models of one ensemble answer the same rows with the same classes".to_owned())
        };
        let (first, rest) = all.split_first().ok_or_else(wrong)?;
        let mut mean = first.clone();
        for other in rest {
            if (other.outputs, other.values.len()) != (mean.outputs, mean.values.len()) {
                return Err(wrong());
            }
            ensemble::join(&mut mean.values, &other.values);
        }
        ensemble::mean(&mut mean.values, all.len());
        Ok(mean)
    }

    /// Counts the answers of a model that tells three classes apart.
    pub fn scores(&self, task: &Task) -> Scores {
        let mut scores = Scores::default();
        for (truth, answer) in wanted(&task.test).map(|(row, truth)| (truth, self.row(row))) {
            let Some(best) = best(answer) else {
                scores.unanswered += 1;
                continue;
            };
            let confidence = f64::from(answer[usize::from(best)]);
            scores.confusion.add(truth, best);
            let bin = &mut scores.bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
            *bin = [bin[0] + 1.0, bin[1] + confidence, bin[2] + f64::from(u8::from(best == truth))];
        }
        scores
    }

    /// Mean square of what an autoencoder gets wrong, and of the rows themselves, in scaled units.
    pub fn squares(&self, task: &Task) -> (f64, f64) {
        let (mut error, mut all, mut numbers) = (0.0, 0.0, 0.0f64);
        for row in 0..task.test.len() {
            for (y, x) in self.row(row).iter().zip(task.test.span(row, row + 1)) {
                if y.is_finite() {
                    error += f64::from(y - x) * f64::from(y - x);
                    all += f64::from(*x) * f64::from(*x);
                    numbers += 1.0;
                }
            }
        }
        (error / numbers.max(1.0), all / numbers.max(1.0))
    }

    /// The likeliest class of a row; the lowest of equals, `None` where there is no answer.
    pub fn best(&self, row: usize) -> Option<u8> {
        best(self.row(row))
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.outputs..(row + 1) * self.outputs]
    }
}

/// The likeliest class; the lowest of equals, `None` where there is no answer.
pub(crate) fn best(answer: &[f32]) -> Option<u8> {
    let mut best = None;
    for (class, value) in (0u8..).zip(answer) {
        if value.is_nan() {
            return None;
        }
        if best.is_none_or(|(_, most)| *value > most) {
            best = Some((class, *value));
        }
    }
    best.map(|(class, _)| class)
}

/// Rows of which a class is wanted, with it.
fn wanted(rows: &Rows) -> impl Iterator<Item = (usize, u8)> {
    (0..rows.len()).filter_map(|row| match rows.target(row) {
        Target::Class(class) => Some((row, class)),
        _ => None,
    })
}

impl Task {
    /// Always the most frequent class of the training part.
    pub fn majority(&self) -> Confusion {
        let Targets::Classes(classes) = self.train.targets() else { return Confusion::default() };
        let most = majority(classes.iter().copied());
        let mut confusion = Confusion::default();
        wanted(&self.test).for_each(|(_, truth)| confusion.add(truth, most));
        confusion
    }

    /// The newest move that is known happens again.
    pub fn persisting(&self) -> Confusion {
        let mut confusion = Confusion::default();
        wanted(&self.test).for_each(|(row, truth)| confusion.add(truth, self.persistence[row]));
        confusion
    }
}
