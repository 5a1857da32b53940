//! The test of a model file, and its rounding to another precision.
use super::task::{Market, labelling};
use super::{AnswerScores, flat, refused, unmade};
use napi::bindgen_prelude::AsyncTask;
use napi::{Error, Result};
use napi_derive::napi;
use std::path::Path;
use std::sync::Arc;
use tickline_dataset::{Answers, Cut, DataError, Labelling, Task};
use tickline_model::{Model, Precision, file, quantise};

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
    /// Where the part that calibration may see begins, a share of all rows.
    pub from: f64,
    /// Where the test begins.
    pub cut: f64,
    /// Where it ends.
    pub to: f64,
    /// Model files that answer with it: the mean of all probabilities counts.
    pub others: Option<Vec<String>>,
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
    plan: Tested,
}

/// A rounding that runs off the main thread.
pub struct Rounding {
    plan: Tested,
    precision: Precision,
    out: String,
}

/// What rounding a model gave.
#[napi(object)]
pub struct Rounded {
    /// Hash of the file written, 16 hexadecimal digits.
    pub hash: String,
    /// The test of the model as it was.
    pub before: Evaluation,
    /// The test of the rounded one.
    pub after: Evaluation,
}

/// A model and what it is tested on.
pub(super) struct Tested {
    market: Arc<tickline_dataset::Market>,
    pub(super) model: Model,
    /// Files of the models, as they were given.
    path: String,
    others: Vec<(String, Model)>,
    labelling: Labelling,
    threshold: f64,
    cut: Cut,
}

impl Tested {
    pub(super) fn new(market: &Market, plan: &EvaluationPlan) -> Result<Tested> {
        let load = |path: &String| {
            let model = file::load(Path::new(path)).map_err(unmade)?.model;
            if model.classes == tickline_model::train::CLASSES {
                return Ok(model);
            }
            let text =
                format!("TRAIN_DATA: {path}: it tells {:?} apart, not down, flat and up", model.classes);
            Err(Error::from_reason(text))
        };
        let other = |path: &String| Ok((path.clone(), load(path)?));
        Ok(Tested {
            path: plan.model.clone(),
            others: plan.others.iter().flatten().map(other).collect::<Result<Vec<_>>>()?,
            market: market.rows.clone(),
            model: load(&plan.model)?,
            labelling: labelling(&plan.labels, plan.horizon)?,
            threshold: plan.threshold,
            cut: Cut { from: plan.from, cut: plan.cut, to: plan.to, held: 0.0 },
        })
    }

    pub(super) fn task(&self) -> Result<Task> {
        self.task_of(&self.path, &self.model)
    }

    fn task_of(&self, path: &str, model: &Model) -> Result<Task> {
        let task = Task::test_of(&self.market, &model.contract, self.labelling, self.threshold, self.cut);
        task.map_err(|error| match error {
            DataError::Contract(text) => refused(DataError::Contract(format!("{path}: {text}"))),
            other => refused(other),
        })
    }

    /// The answers of all models in the mean.
    fn evaluation(&self) -> Result<Evaluation> {
        let task = self.task()?;
        if self.others.is_empty() {
            return evaluation(&self.model, &task);
        }
        let mut all = vec![Answers::by_engine(&self.model, &task).map_err(refused)?];
        for (path, other) in &self.others {
            all.push(Answers::by_engine(other, &self.task_of(path, other)?).map_err(refused)?);
        }
        scored(&Answers::mean(&all).map_err(refused)?, &task)
    }
}

fn evaluation(model: &Model, task: &Task) -> Result<Evaluation> {
    scored(&Answers::by_engine(model, task).map_err(refused)?, task)
}

fn scored(answers: &Answers, task: &Task) -> Result<Evaluation> {
    Ok(Evaluation {
        answers: answers.scores(task).into(),
        persistence: flat(&task.persisting().0),
        majority: flat(&task.majority().0),
        classes: Task::counts(&task.test).to_vec(),
    })
}

impl napi::Task for Evaluate {
    type Output = Evaluation;
    type JsValue = Evaluation;

    fn compute(&mut self) -> Result<Evaluation> {
        self.plan.evaluation()
    }

    fn resolve(&mut self, _: napi::Env, evaluation: Evaluation) -> Result<Evaluation> {
        Ok(evaluation)
    }
}

impl napi::Task for Rounding {
    type Output = Rounded;
    type JsValue = Rounded;

    fn compute(&mut self) -> Result<Rounded> {
        let (model, task) = (&self.plan.model, self.plan.task()?);
        let made = quantise(model, self.precision, &task.train).map_err(unmade)?;
        let (before, after) = (evaluation(model, &task)?, evaluation(&made, &task)?);
        let hash = file::save(Path::new(&self.out), &made).map_err(unmade)?;
        Ok(Rounded { hash: format!("{hash:016x}"), before, after })
    }

    fn resolve(&mut self, _: napi::Env, rounded: Rounded) -> Result<Rounded> {
        Ok(rounded)
    }
}

/// Tests a model file, row by row through the engine that the line uses and in the model's own precision.
/// @throws MODEL_* when the file is wrong, TRAIN_DATA when the model tells other classes apart or the market does not fit
#[napi(ts_return_type = "Promise<Evaluation>")]
pub fn evaluate_model(market: &Market, plan: EvaluationPlan) -> Result<AsyncTask<Evaluate>> {
    Ok(AsyncTask::new(Evaluate { plan: Tested::new(market, &plan)? }))
}

/// Writes a model file in another precision, calibrated on the part before the cut, and tests both on the part after it.
/// @throws as `evaluateModel`, and TRAIN_DATA for a precision that is none
#[napi(ts_return_type = "Promise<Rounded>")]
pub fn round_model(
    market: &Market,
    plan: EvaluationPlan,
    precision: String,
    out: String,
) -> Result<AsyncTask<Rounding>> {
    let known = Precision::ALL.into_iter().find(|each| each.name() == precision);
    let precision = known.ok_or_else(|| {
        Error::from_reason(format!("TRAIN_DATA: precision {precision:?}; f32, bf16 and int8 are possible"))
    })?;
    Ok(AsyncTask::new(Rounding { plan: Tested::new(market, &plan)?, precision, out }))
}
