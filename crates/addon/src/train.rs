//! Training for TypeScript: a capture becomes rows (`Market`), a question asked of them (`Task`), a training run (`Fit`), a model file.
//!
//! Long work runs on Node's thread pool and gives a Promise, so that a person can interrupt it and several runs can share the processor.

mod checkpoint;
mod evaluate;
mod fit;
mod online;
mod task;

use napi::Error;
use napi_derive::napi;
use tickline_dataset::{DataError, Scores};
use tickline_model::ModelError;

fn refused(error: DataError) -> Error {
    Error::from_reason(error.to_string())
}

fn unmade(error: ModelError) -> Error {
    Error::from_reason(error.to_string())
}

/// How good answers are, over the rows of the test part of which a class is wanted.
#[napi(object)]
pub struct AnswerScores {
    /// Row by row: true class, then answer (down, flat, up).
    pub confusion: Vec<f64>,
    /// For each of ten equal bins of confidence: rows, sum of the confidences, right answers.
    pub bins: Vec<f64>,
    /// Rows without an answer: the window was not full.
    pub unanswered: f64,
}

impl From<Scores> for AnswerScores {
    fn from(scores: Scores) -> AnswerScores {
        AnswerScores {
            confusion: flat(&scores.confusion.0),
            bins: scores.bins.as_flattened().to_vec(),
            unanswered: scores.unanswered as f64,
        }
    }
}

fn flat(confusion: &[[u64; 3]; 3]) -> Vec<f64> {
    confusion.as_flattened().iter().map(|count| *count as f64).collect()
}
