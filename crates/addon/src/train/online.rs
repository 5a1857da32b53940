//! The test of a model beside itself, learning.
use super::evaluate::{EvaluationPlan, Tested};
use super::task::Market;
use super::{flat, refused};
use napi::Result;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use std::sync::{Arc, Mutex, PoisonError};
use tickline_dataset::{Habit, Online, Stretch};
use tickline_model::train::Recipe;

/// How the model learns on.
#[napi(object)]
pub struct OnlinePlan {
    /// Learning rate of Adam.
    pub rate: f64,
    /// Labels a step; rows a step in a network that carries state.
    pub batch: u32,
    /// Newest labels that steps draw from; 0: each takes the newest `batch` alone.
    pub memory: u32,
    /// New labels between two steps that draw from memory.
    pub every: u32,
    /// Weight decay.
    pub decay: f64,
    /// How far rare classes are weighted up, 0 to 1, by how often each has been known of late.
    pub balance: f64,
    /// Rows of each class in training; empty where nothing is known of them.
    pub classes: Vec<f64>,
    /// Seed of dropout.
    pub seed: u32,
}

/// Confusions over one stretch of the test part: true class, then answer.
#[napi(object)]
pub struct OnlineStretch {
    /// The model as it was when the test began.
    pub frozen: Vec<f64>,
    /// The one that learns on.
    pub learning: Vec<f64>,
    /// The newest known move happens again.
    pub persistence: Vec<f64>,
    /// Always the most frequent class of the training part.
    pub majority: Vec<f64>,
}

/// A test that advances row by row: answered first, learned when the future has come.
#[napi]
pub struct OnlineTest {
    run: Arc<Mutex<Online>>,
}

/// Some rows of a test.
pub struct Advance {
    run: Arc<Mutex<Online>>,
    rows: usize,
}

fn locked<T>(run: &Mutex<Online>, work: impl FnOnce(&mut Online) -> T) -> T {
    // A test that panicked is still memory that can be read; the panic itself has been thrown already.
    work(&mut run.lock().unwrap_or_else(PoisonError::into_inner))
}

impl napi::Task for Advance {
    type Output = Option<Stretch>;
    type JsValue = Option<OnlineStretch>;

    fn compute(&mut self) -> Result<Option<Stretch>> {
        Ok(locked(&self.run, |run| run.advance(self.rows)))
    }

    fn resolve(&mut self, _: napi::Env, stretch: Option<Stretch>) -> Result<Option<OnlineStretch>> {
        Ok(stretch.map(|each| OnlineStretch {
            frozen: flat(&each.frozen.0),
            learning: flat(&each.learning.0),
            persistence: flat(&each.persistence.0),
            majority: flat(&each.majority.0),
        }))
    }
}

#[napi]
impl OnlineTest {
    /// Begins at the first row of the part that is tested.
    /// @throws MODEL_* when the file is wrong, TRAIN_DATA when the market does not fit or has several instruments
    #[napi(factory)]
    pub fn open(market: &Market, plan: EvaluationPlan, habit: OnlinePlan) -> Result<OnlineTest> {
        let tested = Tested::new(market, &plan)?;
        let recipe = Recipe { decay: habit.decay as f32, ..Recipe::default() };
        let classes = std::array::from_fn(|class| habit.classes.get(class).copied().unwrap_or(0.0));
        let (rate, batch, seed) = (habit.rate as f32, habit.batch.max(1) as usize, u64::from(habit.seed));
        let (memory, every) = (habit.memory as usize, habit.every.max(1) as usize);
        let online = Online::new(
            &tested.model,
            tested.task()?,
            Habit { recipe, rate, batch, memory, every, seed, balance: habit.balance, classes },
        );
        Ok(OnlineTest { run: Arc::new(Mutex::new(online.map_err(refused)?)) })
    }

    /// Rows of the part, those that are only context among them.
    #[napi]
    pub fn rows(&self) -> u32 {
        locked(&self.run, |run| run.rows()) as u32
    }

    /// Steps of learning taken so far.
    #[napi]
    pub fn steps(&self) -> f64 {
        locked(&self.run, |run| run.steps()) as f64
    }

    /// Answers at most `rows` rows more and says how they went; null at the end.
    #[napi(ts_return_type = "Promise<OnlineStretch | null>")]
    pub fn advance(&self, rows: u32) -> AsyncTask<Advance> {
        AsyncTask::new(Advance { run: self.run.clone(), rows: rows as usize })
    }
}
