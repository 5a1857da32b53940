//! Rows and the questions asked of them.
use super::{flat, refused};
use napi::bindgen_prelude::{AsyncTask, Float32Array, Uint8Array};
use napi::{Env, Error, Result, ScopedTask};
use napi_derive::napi;
use std::path::PathBuf;
use std::sync::Arc;
use tickline_dataset::{Columns, Cut, Fi2010, Kind, Labelling, Task, Wanted};
use tickline_model::train::Targets;

/// Every row of some instruments of a capture.
#[napi]
pub struct Market {
    pub(super) rows: Arc<tickline_dataset::Market>,
}

/// Reads a capture off the main thread.
pub struct Reading {
    capture: PathBuf,
    symbols: Vec<String>,
}

impl<'env> ScopedTask<'env> for Reading {
    type Output = tickline_dataset::Market;
    type JsValue = Market;

    fn compute(&mut self) -> Result<Self::Output> {
        tickline_dataset::Market::read(&self.capture, &self.symbols).map_err(refused)
    }

    fn resolve(&mut self, _: &'env Env, rows: Self::Output) -> Result<Market> {
        Ok(Market { rows: Arc::new(rows) })
    }
}

#[napi]
impl Market {
    /// Plays a capture through the feed's pipeline.
    /// @throws TRAIN_CAPTURE when it cannot be read, TRAIN_DATA for a text that is no symbol
    #[napi(ts_return_type = "Promise<Market>")]
    pub fn read(capture: String, symbols: Vec<String>) -> AsyncTask<Reading> {
        AsyncTask::new(Reading { capture: capture.into(), symbols })
    }

    /// Rows of each instrument.
    #[napi]
    pub fn rows(&self) -> Vec<u32> {
        self.rows.stocks.iter().map(|stock| stock.len() as u32).collect()
    }

    /// Mean mid price of the thousand rows before a share of time, 1/10,000 dollar, or of the first thousand; over all instruments.
    #[napi]
    pub fn price(&self, share: f64) -> f64 {
        self.rows.price_at(share)
    }
}

/// A question about a market. Shares are of all rows in time, 0 to 1: `from..cut` trains, `cut..to` tests.
#[napi(object)]
pub struct TaskPlan {
    /// As `Columns::named` of `crates/dataset` has them: `levels`, `relative-5+flow`, `book` and so on.
    pub columns: String,
    /// `exact` or `smoothed`; ignored where the row itself is wanted.
    pub labels: String,
    /// Rows ahead that labels look.
    pub horizon: u32,
    /// Share of moves that count as flat, in the training part.
    pub flat_share: f64,
    /// Where training begins.
    pub from: f64,
    /// Where the test begins.
    pub cut: f64,
    /// Where the test ends.
    pub to: f64,
    /// Scaled inputs are limited to this size.
    pub clip: f64,
    /// True: the row itself is wanted, as an autoencoder gives it.
    pub itself: bool,
    /// The training part is there twice, as it was and turned over, bid for ask.
    pub mirror: Option<bool>,
    /// Share of the training part that is held out at its end, to say when training is to stop; 0 when left out.
    pub held: Option<f64>,
    /// Deals the training part's labels out at random, from this seed: a check that scores then fall to the majority's.
    pub shuffle: Option<u32>,
}

/// What a task came to.
#[napi(object)]
pub struct TaskFacts {
    /// Rows trained on, by class: down, flat, up.
    pub train_classes: Vec<u32>,
    /// Rows tested on, by class.
    pub test_classes: Vec<u32>,
    /// Moves above this size are up or down, 1/10,000 dollar.
    pub threshold: f64,
    /// First 8 bytes of the SHA-256 of the training rows and their classes, 16 hexadecimal digits.
    pub data_hash: String,
    /// Confusion of always the most frequent class of the training part: true class, then answer.
    pub majority: Vec<f64>,
    /// Confusion of "the newest known move happens again".
    pub persistence: Vec<f64>,
    /// Columns of a row.
    pub columns: u32,
    /// Mean mid price of the training part, 1/10,000 dollar; NaN where rows have no price.
    pub price: f64,
}

/// The training part, for another engine.
#[napi(object)]
pub struct Lessons {
    /// Scaled numbers, row after row.
    pub rows: Float32Array,
    /// Class of each row, 255 where none is wanted; empty where the row itself is.
    pub classes: Uint8Array,
    /// First row of each sequence, and the number of rows at the end; windows never cross from one into the next.
    pub starts: Vec<u32>,
    /// Weight of each class in the loss.
    pub class_weights: Vec<f64>,
}

/// Labelled, scaled rows: a training and a test part.
#[napi]
pub struct TrainingTask {
    pub(super) task: Arc<Task>,
}

pub(super) fn labelling(labels: &str, horizon: u32) -> Result<Labelling> {
    let kind = Kind::named(labels);
    match kind {
        Some(kind) if horizon >= 1 => Ok(Labelling { kind, horizon: horizon as usize }),
        _ => Err(Error::from_reason(format!(
            "TRAIN_DATA: labels {labels:?} at horizon {horizon}; exact and smoothed, from 1, are possible"
        ))),
    }
}

#[napi]
impl TrainingTask {
    /// Asks a question of a market.
    /// @throws TRAIN_DATA when a part is too short or misses a class, or a name is unknown
    #[napi(factory)]
    pub fn of(market: &Market, plan: TaskPlan) -> Result<TrainingTask> {
        let wanted = if plan.itself {
            Wanted::Itself
        } else {
            let labelling = labelling(&plan.labels, plan.horizon)?;
            Wanted::Direction { labelling, flat_share: plan.flat_share }
        };
        let columns = Columns::named(&plan.columns).ok_or_else(|| {
            Error::from_reason(format!("TRAIN_DATA: columns {:?}; give {}", plan.columns, Columns::KNOWN))
        })?;
        let held = plan.held.unwrap_or(0.0);
        let cut = Cut { from: plan.from, cut: plan.cut, to: plan.to, held };
        let (clip, mirror) = (plan.clip as f32, plan.mirror.unwrap_or(false));
        let task = Task::new(&market.rows, columns, wanted, cut, clip, mirror).map_err(refused)?;
        let task = match plan.shuffle {
            Some(seed) => task.shuffled(u64::from(seed)),
            None => task,
        };
        Ok(TrainingTask { task: Arc::new(task) })
    }

    /// A task on two files of the FI-2010 data set; `held` as in `TaskPlan`.
    /// @throws TRAIN_CAPTURE, or TRAIN_DATA naming the row that is not as the data set's
    #[napi(factory)]
    pub fn fi2010(
        train: String,
        test: String,
        columns: u32,
        horizon: u32,
        held: Option<f64>,
    ) -> Result<TrainingTask> {
        let read = |path: &String| Fi2010::read(path.as_ref()).map_err(refused);
        let (train, test) = (read(&train)?, read(&test)?);
        let task = Fi2010::task(&train, &test, columns as usize, horizon as usize, held.unwrap_or(0.0))
            .map_err(refused)?;
        Ok(TrainingTask { task: Arc::new(task) })
    }

    /// The training part; `balance` as in `FitPlan`.
    #[napi]
    pub fn lessons(&self, balance: f64) -> Lessons {
        let rows = &self.task.train;
        let mut starts: Vec<u32> = rows.sequences().map(|sequence| sequence.start as u32).collect();
        starts.push(rows.len() as u32);
        let classes = match rows.targets() {
            Targets::Classes(classes) => classes.clone(),
            _ => Vec::new(),
        };
        let weights = self.task.class_weights(balance).into_iter().map(f64::from).collect();
        let numbers = rows.span(0, rows.len()).to_vec();
        Lessons { rows: numbers.into(), classes: classes.into(), starts, class_weights: weights }
    }

    /// What it came to.
    #[napi]
    pub fn facts(&self) -> TaskFacts {
        let task = &self.task;
        TaskFacts {
            train_classes: Task::counts(&task.train).to_vec(),
            test_classes: Task::counts(&task.test).to_vec(),
            threshold: task.threshold,
            data_hash: format!("{:016x}", task.data_hash),
            majority: flat(&task.majority().0),
            persistence: flat(&task.persisting().0),
            columns: task.contract.names.len() as u32,
            price: task.price,
        }
    }
}
