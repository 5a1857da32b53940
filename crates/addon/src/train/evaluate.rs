//! The test of a model file.
use super::task::{Market, labelling};
use super::{AnswerScores, flat, refused, unmade};
use napi::bindgen_prelude::AsyncTask;
use napi::{Error, Result};
use napi_derive::napi;
use std::path::Path;
use std::sync::Arc;
use tickline_dataset::{Answers, Cut, Labelling, Task};
use tickline_model::{Model, file};

/// A test of a model file on a market.
#[napi(object)]
pub struct EvaluationPlan {
    /// The model file.
    pub model: String,
    /// `exact` or `smoothed`.
    pub labels: String,
    /// Rows ahead that labels look.
    pub horizon: u32,
    /// Moves above this size are up or down, 1/10,000 dollar.
    pub threshold: f64,
    /// Where the test begins, a share of all rows.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

/// What the test gave.
#[napi(object)]
pub struct Evaluation {
    /// The model's.
    pub answers: AnswerScores,
    /// Confusion of "the newest known move happens again": true class, then answer.
    pub persistence: Vec<f64>,
    /// Confusion of always the most frequent class, of the test part itself.
    pub majority: Vec<f64>,
    /// Rows by class.
    pub classes: Vec<u32>,
}

/// A test that runs off the main thread.
pub struct Evaluate {
    market: Arc<tickline_dataset::Market>,
    model: Model,
    labelling: Labelling,
    threshold: f64,
    cut: Cut,
}

impl napi::Task for Evaluate {
    type Output = Evaluation;
    type JsValue = Evaluation;

    fn compute(&mut self) -> Result<Evaluation> {
        let (labelling, threshold) = (self.labelling, self.threshold);
        let task = Task::test_of(&self.market, &self.model.contract, labelling, threshold, self.cut)
            .map_err(refused)?;
        let answers = Answers::by_engine(&self.model, &task).map_err(refused)?;
        Ok(Evaluation {
            answers: answers.scores(&task).into(),
            persistence: flat(&task.persisting().0),
            majority: flat(&task.majority().0),
            classes: Task::counts(&task.test).to_vec(),
        })
    }

    fn resolve(&mut self, _: napi::Env, evaluation: Evaluation) -> Result<Evaluation> {
        Ok(evaluation)
    }
}

/// Tests a model file, row by row through the engine that the line uses and in the model's own precision.
/// @throws MODEL_* when the file is wrong, TRAIN_DATA when the model tells other classes apart or the market does not fit
#[napi(ts_return_type = "Promise<Evaluation>")]
pub fn evaluate_model(market: &Market, plan: EvaluationPlan) -> Result<AsyncTask<Evaluate>> {
    let model = file::load(Path::new(&plan.model)).map_err(unmade)?.model;
    if model.classes != tickline_model::train::CLASSES {
        let text =
            format!("TRAIN_DATA: {}: it tells {:?} apart, not down, flat and up", plan.model, model.classes);
        return Err(Error::from_reason(text));
    }
    Ok(AsyncTask::new(Evaluate {
        market: market.rows.clone(),
        model,
        labelling: labelling(&plan.labels, plan.horizon)?,
        threshold: plan.threshold,
        cut: Cut { from: plan.from, cut: plan.from, to: plan.to },
    }))
}
