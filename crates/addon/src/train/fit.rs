//! A training run.
use super::task::TrainingTask;
use super::{AnswerScores, checkpoint, flat, refused, unmade};
use crate::model_data::{ModelData, to_data};
use napi::bindgen_prelude::{AsyncTask, Float32Array};
use napi::{Error, Result};
use napi_derive::napi;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tickline_dataset::{Answers, DataError, Fitting, Size, Task, network};
use tickline_model::train::{CLASSES, Loss, Recipe, Settings};
use tickline_model::{Contract, Fault, Model, Plan, Precision, Predictor, TrainingRecord, file, quantise};

/// Rows timed for a latency.
const TIMED: usize = 2000;

/// How to train which network.
#[napi(object)]
pub struct FitPlan {
    /// A name of the model engine's ready-made networks.
    pub network: String,
    /// Rows looked at; for streaming attention, states looked back at.
    pub window: u32,
    /// Units of hidden layers; empty: the network's own.
    pub hidden: Vec<u32>,
    /// Share of numbers dropped while training.
    pub dropout: f64,
    /// Seed of weights, order and dropout.
    pub seed: u32,
    /// Passes over the training part.
    pub epochs: u32,
    /// Rows a step, or stretches side by side in a stateful network.
    pub batch: u32,
    /// Rows a step of each stretch, in a stateful network.
    pub steps: u32,
    /// Highest learning rate.
    pub rate: f64,
    /// Weight decay.
    pub decay: f64,
    /// How far rare classes are weighted up: 0 not at all, 1 to equal weight in sum.
    pub balance: f64,
    /// Adversarial training: inputs are also moved this far against the answer, in scaled units; 0: not.
    pub adversary: f64,
    /// Where the task holds rows out: passes without a lower loss on them that end the run.
    pub patience: u32,
}

/// How a run does on the rows held out.
#[napi(object)]
pub struct FitJudgement {
    /// Mean loss after each pass, weighted by class as in training.
    pub losses: Vec<f64>,
    /// The best of them, from 0: its weights are kept.
    pub best: u32,
}

/// What is to be trained.
#[napi(object)]
pub struct FitFacts {
    /// Trained numbers.
    pub parameters: u32,
    /// Multiply-adds of one tick.
    pub multiply_adds: u32,
    /// Batches of the whole run.
    pub batches: u32,
    /// Rows learned from in one batch.
    pub batch_rows: u32,
    /// Carries state from row to row.
    pub stateful: bool,
}

/// How good the network is now.
#[napi(object)]
pub struct FitScores {
    /// Scores of a classifier; absent for an autoencoder.
    pub answers: Option<AnswerScores>,
    /// Mean square of an autoencoder's error, then of the rows themselves; absent for a classifier.
    pub squares: Option<Vec<f64>>,
    /// Median time of one answer through the line's engine, ns.
    pub latency_ns: f64,
    /// Confusions of a classifier in f32, bf16 and int8, row by row through the line's engine; int8 is calibrated on the training part;
    /// empty where a layer does not run in it.
    /// Absent where they were not asked for.
    pub rounded: Option<Vec<Vec<f64>>>,
}

/// A training run that advances batch by batch. The same task, plan and instruction set give the same weights, bit for bit.
#[napi]
pub struct Fit {
    plan: FitPlan,
    compiled: Plan,
    run: Arc<Mutex<Fitting>>,
    task: Arc<Task>,
}

fn locked<T>(run: &Mutex<Fitting>, work: impl FnOnce(&mut Fitting) -> T) -> T {
    // A run that panicked is still memory that can be read; the panic itself has been thrown already.
    work(&mut run.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Some batches of a run.
pub struct Advance {
    run: Arc<Mutex<Fitting>>,
    batches: usize,
}

impl napi::Task for Advance {
    type Output = Option<f64>;
    type JsValue = Option<f64>;

    fn compute(&mut self) -> Result<Option<f64>> {
        let loss = locked(&self.run, |run| run.advance(self.batches)).map_err(refused)?;
        match loss {
            Some(loss) if !loss.is_finite() => Err(Error::from_reason(
                "MODEL_NOT_FINITE: training has diverged; lower the learning rate".to_owned(),
            )),
            loss => Ok(loss),
        }
    }

    fn resolve(&mut self, _: napi::Env, loss: Option<f64>) -> Result<Option<f64>> {
        Ok(loss)
    }
}

/// A look at how good the network is.
pub struct Scoring {
    model: Model,
    task: Arc<Task>,
    rounded: bool,
}

impl napi::Task for Scoring {
    type Output = FitScores;
    type JsValue = FitScores;

    fn compute(&mut self) -> Result<FitScores> {
        let plan = self.model.verify().map_err(unmade)?;
        let answers = Answers::of(&plan, &self.model.parameters, &self.task).map_err(refused)?;
        let classifies = plan.architecture().classifies();
        let (error, all) = if classifies { (0.0, 0.0) } else { answers.squares(&self.task) };
        Ok(FitScores {
            answers: classifies.then(|| answers.scores(&self.task).into()),
            squares: (!classifies).then(|| vec![error, all]),
            latency_ns: latency(&self.model, &self.task)?,
            rounded: if classifies && self.rounded { Some(rounded(&self.model, &self.task)?) } else { None },
        })
    }

    fn resolve(&mut self, _: napi::Env, scores: FitScores) -> Result<FitScores> {
        Ok(scores)
    }
}

/// Confusions in every precision; empty for one that a layer of the network does not run in.
fn rounded(model: &Model, task: &Task) -> Result<Vec<Vec<f64>>> {
    let one = |precision| {
        let made = quantise(model, precision, &task.train)?;
        Ok(flat(&Answers::by_engine(&made, task)?.scores(task).confusion.0))
    };
    let possible = |counted| match counted {
        Err(DataError::Model(error)) if error.fault == Fault::Layer => Ok(Vec::new()),
        other => other.map_err(refused),
    };
    Precision::ALL.into_iter().map(|precision| possible(one(precision))).collect()
}

fn latency(model: &Model, task: &Task) -> Result<f64> {
    let mut predictor = Predictor::new(model).map_err(unmade)?;
    let mut out = vec![0.0; model.outputs()];
    let mut times = Vec::with_capacity(TIMED);
    for row in task.test_raw.chunks_exact(task.contract.names.len()).take(TIMED) {
        let begun = tickline_clock::monotonic().0;
        let answered = predictor.predict(row, &mut out).is_ok();
        let ended = tickline_clock::monotonic().0;
        if answered {
            times.push(ended.saturating_sub(begun));
        }
        predictor.prepare();
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).map_or(f64::NAN, |ns| *ns as f64))
}

#[napi]
impl Fit {
    /// Starts from random weights that the seed determines.
    /// @throws TRAIN_DATA for an unknown network or columns it is not made for, MODEL_*
    #[napi(factory)]
    pub fn open(task: &TrainingTask, plan: FitPlan) -> Result<Fit> {
        let task = task.task.clone();
        let size = Size {
            window: plan.window as usize,
            hidden: plan.hidden.iter().map(|units| *units as usize).collect(),
            dropout: plan.dropout as f32,
            classes: CLASSES.len(),
        };
        let net = network(&plan.network, task.contract.names.len(), &size).map_err(refused)?;
        let compiled = Plan::compile(&net).map_err(unmade)?;
        let recipe = Recipe {
            loss: if net.classifies() { Loss::CrossEntropy } else { Loss::Squares },
            decay: plan.decay as f32,
            class_weights: task.class_weights(plan.balance),
            adversary: plan.adversary as f32,
            ..Recipe::default()
        };
        let settings = Settings {
            seed: u64::from(plan.seed),
            batch: plan.batch as usize,
            steps: plan.steps as usize,
            epochs: plan.epochs as usize,
            rate: plan.rate as f32,
            recipe,
            ..Settings::default()
        };
        let run = Fitting::new(&net, settings, &task, plan.patience as usize).map_err(refused)?;
        Ok(Fit { plan, compiled, run: Arc::new(Mutex::new(run)), task })
    }

    /// What is to be trained.
    #[napi]
    pub fn facts(&self) -> FitFacts {
        let stateful = self.compiled.architecture().stateful;
        FitFacts {
            parameters: self.compiled.parameters() as u32,
            multiply_adds: self.compiled.multiply_adds() as u32,
            batches: locked(&self.run, |run| run.batches()) as u32,
            batch_rows: self.plan.batch * if stateful { self.plan.steps } else { 1 },
            stateful,
        }
    }

    /// Trains at most `batches` batches more, to the end of a pass at most; the mean loss of their rows, or null once the run is over.
    /// @throws MODEL_NOT_FINITE when training has diverged
    #[napi(ts_return_type = "Promise<number | null>")]
    pub fn advance(&self, batches: u32) -> AsyncTask<Advance> {
        AsyncTask::new(Advance { run: self.run.clone(), batches: batches as usize })
    }

    /// The network as it is now: contract, layers, parameters.
    /// @throws MODEL_NOT_FINITE when training has diverged
    #[napi]
    pub fn data(&self) -> Result<ModelData> {
        to_data(self.model(String::new(), 0))
    }

    /// Puts parameters that another engine trained in the place of the run's.
    /// @throws MODEL_SHAPE when they are not as many
    #[napi]
    pub fn put(&self, parameters: Float32Array) -> Result<()> {
        if locked(&self.run, |run| run.set_parameters(&parameters)) {
            return Ok(());
        }
        let (given, wanted) = (parameters.len(), self.compiled.parameters());
        Err(Error::from_reason(format!("MODEL_SHAPE: {given} parameters where the layers need {wanted}")))
    }

    /// Batches done so far.
    #[napi]
    pub fn done(&self) -> u32 {
        locked(&self.run, |run| run.done()) as u32
    }

    /// Nothing is left to do: every pass is done, or patience has run out.
    #[napi]
    pub fn over(&self) -> bool {
        locked(&self.run, |run| run.over())
    }

    /// How the run does on the rows held out; null where there are none, or no pass is done.
    #[napi]
    pub fn judgement(&self) -> Option<FitJudgement> {
        let judged = locked(&self.run, |run| run.judgement())?;
        Some(FitJudgement { losses: judged.losses, best: judged.best as u32 })
    }

    /// How good the network is now, over the test part; with `rounded` in every precision.
    /// @throws MODEL_NOT_FINITE when training has diverged
    #[napi(ts_return_type = "Promise<FitScores>")]
    pub fn scores(&self, rounded: bool) -> AsyncTask<Scoring> {
        AsyncTask::new(Scoring { model: self.model(String::new(), 0), task: self.task.clone(), rounded })
    }

    /// Writes all that the run needs to go on after a crash, and a note, to a file, whole or not at all.
    /// @throws TRAIN_CHECKPOINT when it cannot be written
    #[napi]
    pub fn keep(&self, path: String, note: String) -> Result<()> {
        let state = locked(&self.run, |run| run.checkpoint());
        checkpoint::write(Path::new(&path), self.identity(), &note, &state)
    }

    /// Goes on from such a file and gives its note; null when there is none.
    /// @throws TRAIN_CHECKPOINT when it is damaged, or of other rows, another network or other settings
    #[napi]
    pub fn resume(&self, path: String) -> Result<Option<String>> {
        let Some((note, state)) = checkpoint::read(Path::new(&path), self.identity())? else {
            return Ok(None);
        };
        locked(&self.run, |run| run.restore(&state))
            .map_err(|error| checkpoint::refused(Path::new(&path), &error.to_string()))?;
        Ok(Some(note))
    }

    /// What must be the same for a run to go on: rows, network, settings.
    fn identity(&self) -> u64 {
        let FitPlan {
            network,
            window,
            hidden,
            dropout,
            seed,
            epochs,
            batch,
            steps,
            rate,
            decay,
            balance,
            adversary,
            patience,
        } = &self.plan;
        let text = format!(
            "{network} {window} {hidden:?} {dropout} {seed} {epochs} {batch} {steps} {rate} {decay} {balance} {adversary} {patience} {:?} {}",
            self.task.contract, self.task.data_hash
        );
        file::digest(text.bytes())
    }

    /// Writes the model file with `record` as its training record; its hash, 16 hexadecimal digits. `horizon`: rows ahead its labels look.
    /// @throws MODEL_*
    #[napi]
    pub fn save(&self, path: String, record: String, horizon: u32) -> Result<String> {
        let hash = file::save(Path::new(&path), &self.model(record, horizon)).map_err(unmade)?;
        Ok(format!("{hash:016x}"))
    }

    fn model(&self, text: String, horizon: u32) -> Model {
        let net = self.compiled.architecture();
        let sizes: String = self.plan.hidden.iter().map(|units| format!("-{units}")).collect();
        Model {
            name: format!("{}{sizes}", self.plan.network),
            contract: Contract { window: net.window, ..self.task.contract.clone() },
            classes: if net.classifies() { CLASSES.map(str::to_owned).to_vec() } else { Vec::new() },
            horizon,
            training: TrainingRecord {
                text,
                seed: u64::from(self.plan.seed),
                rows: self.task.train.len() as u64,
                data_hash: self.task.data_hash,
            },
            ..Model::bare("", net.clone(), locked(&self.run, |run| run.parameters().to_vec()))
        }
    }
}
