//! Training for TypeScript: a capture becomes rows through the feed's own pipeline, rows become a model file.

mod rows;

use napi::{Error, Result};
use napi_derive::napi;
use rows::{Extract, Part};
use std::path::Path;
use tickline_features::NAMES;
use tickline_model::train::{CLASSES, Confusion, Recipe, Rows, Settings, Targets, majority};
use tickline_model::{
    Activation, Architecture, Contract, Model, ModelError, Predictor, TrainingRecord, file, zoo,
};

/// What to train.
#[napi(object)]
pub struct TrainingPlan {
    /// Capture to learn from.
    pub capture: String,
    /// Symbols in it.
    pub symbols: Vec<String>,
    /// Events ahead that labels look.
    pub horizon: u32,
    /// First share of the time that is trained on, 0 to 1; the rest is for the test.
    pub train_share: f64,
    /// Share of moves that count as flat, in the training part.
    pub flat_share: f64,
    /// Sizes of the hidden layers.
    pub hidden: Vec<u32>,
    /// Seed of weights and order.
    pub seed: u32,
    /// Passes over the training part.
    pub epochs: u32,
    /// Rows a step.
    pub batch: u32,
    /// Highest learning rate.
    pub rate: f64,
    /// Weight decay.
    pub decay: f64,
    /// How far rare classes are weighted up: 0 not at all, 1 to equal weight in sum.
    pub balance: f64,
}

/// What the capture gave.
#[napi(object)]
pub struct TrainingData {
    /// Rows trained on.
    pub train_rows: u32,
    /// Rows tested on.
    pub test_rows: u32,
    /// Moves above this size are up or down, 1/10,000 dollar.
    pub threshold: f64,
    /// Rows by class in the training part: down, flat, up.
    pub train_classes: Vec<u32>,
    /// Rows by class in the test part.
    pub test_classes: Vec<u32>,
    /// First 8 bytes of the SHA-256 of the training rows and their classes, 16 hexadecimal digits.
    pub data_hash: String,
    /// Parameters of the model.
    pub parameters: u32,
    /// Batches of the whole run.
    pub batches: u32,
}

/// Confusion matrices over the test part, row by row: true class, then answer (down, flat, up).
#[napi(object)]
pub struct TestResult {
    /// The model.
    pub model: Vec<f64>,
    /// Always the most frequent class of the training part.
    pub majority: Vec<f64>,
    /// What happened over the last horizon happens again.
    pub persistence: Vec<f64>,
}

fn refused(error: ModelError) -> Error {
    Error::from_reason(error.to_string())
}

/// A training run.
#[napi]
pub struct Trainer {
    plan: TrainingPlan,
    contract: Contract,
    network: Architecture,
    fit: tickline_model::train::Trainer,
    test: Part,
    most: u8,
    data: TrainingData,
    data_hash: u64,
}

#[napi]
impl Trainer {
    /// Reads the capture, makes labels, splits in time, scales by the training part, and starts from random weights.
    /// @throws TRAIN_CAPTURE when the capture cannot be read, TRAIN_DATA when it has too few rows or a class is missing, MODEL_*
    #[napi(factory)]
    pub fn open(plan: TrainingPlan) -> Result<Trainer> {
        let split = rows::split(&Extract {
            capture: Path::new(&plan.capture),
            symbols: &plan.symbols,
            horizon: plan.horizon as usize,
            train_share: plan.train_share,
            flat_share: plan.flat_share,
        })
        .map_err(Error::from_reason)?;
        let contract = contract(&split.train.rows);
        let hidden: Vec<usize> = plan.hidden.iter().map(|size| *size as usize).collect();
        let network = zoo::mlp(NAMES.len(), 1, &hidden, Activation::Relu, CLASSES.len(), false);
        let counts = |part: &Part| CLASSES.iter().enumerate().map(|(c, _)| part.count(c as u8)).collect();
        let recipe = Recipe {
            decay: plan.decay as f32,
            class_weights: class_weights(&split.train, plan.balance).to_vec(),
            ..Recipe::default()
        };
        let settings = Settings {
            seed: u64::from(plan.seed),
            batch: plan.batch as usize,
            epochs: plan.epochs as usize,
            rate: plan.rate as f32,
            recipe,
            ..Settings::default()
        };
        let data_hash = split.train.hash();
        let most = majority(split.train.classes.iter().copied());
        let (train_classes, test_classes): (Vec<u32>, Vec<u32>) = (counts(&split.train), counts(&split.test));
        let train_rows = split.train.classes.len() as u32;
        let targets = Targets::Classes(split.train.classes);
        let rows = Rows::new(&contract, &split.train.rows, targets, &[]).map_err(refused)?;
        let fit = tickline_model::train::Trainer::new(&network, settings, rows).map_err(refused)?;
        let data = TrainingData {
            train_rows,
            test_rows: split.test.classes.len() as u32,
            threshold: split.threshold,
            train_classes,
            test_classes,
            data_hash: format!("{data_hash:016x}"),
            parameters: fit.parameters().len() as u32,
            batches: fit.batches() as u32,
        };
        Ok(Trainer { plan, contract, network, fit, test: split.test, most, data, data_hash })
    }

    /// What the capture gave.
    #[napi]
    pub fn data(&self) -> TrainingData {
        TrainingData {
            train_classes: self.data.train_classes.clone(),
            test_classes: self.data.test_classes.clone(),
            data_hash: self.data.data_hash.clone(),
            ..self.data
        }
    }

    /// Trains at most `batches` batches more; the mean loss of their rows, or null at the end of the run.
    #[napi]
    pub fn advance(&mut self, batches: u32) -> Option<f64> {
        self.fit.advance(batches as usize)
    }

    /// Batches done so far.
    #[napi]
    pub fn done(&self) -> u32 {
        self.fit.done() as u32
    }

    /// Runs the model as it is over the test part, through the engine that the line uses, and the two baselines beside it.
    /// @throws MODEL_NOT_FINITE when training has diverged
    #[napi]
    pub fn test(&self) -> Result<TestResult> {
        let mut predictor = Predictor::new(&self.model(String::new())).map_err(refused)?;
        let (mut model, mut most, mut again) =
            (Confusion::default(), Confusion::default(), Confusion::default());
        let rows = self.test.rows.chunks_exact(NAMES.len());
        for ((row, truth), before) in rows.zip(&self.test.classes).zip(&self.test.persistence) {
            let mut out = [0.0f32; 3];
            predictor.predict(row, &mut out).map_err(|reason| {
                Error::from_reason(format!("MODEL_NOT_FINITE: the model gave no answer ({})", reason.name()))
            })?;
            let best = (0..3u8).rev().max_by(|a, b| out[usize::from(*a)].total_cmp(&out[usize::from(*b)]));
            model.add(*truth, best.unwrap_or(1));
            most.add(*truth, self.most);
            again.add(*truth, *before);
        }
        let flat = |confusion: Confusion| confusion.0.iter().flatten().map(|count| *count as f64).collect();
        Ok(TestResult { model: flat(model), majority: flat(most), persistence: flat(again) })
    }

    /// Writes the model file with `record` as its training record and returns its hash, 16 hexadecimal digits.
    /// @throws MODEL_*
    #[napi]
    pub fn save(&self, path: String, record: String) -> Result<String> {
        let hash = file::save(Path::new(&path), &self.model(record)).map_err(refused)?;
        Ok(format!("{hash:016x}"))
    }

    fn model(&self, record: String) -> Model {
        Model {
            name: format!(
                "mlp-{}",
                self.plan.hidden.iter().map(u32::to_string).collect::<Vec<_>>().join("-")
            ),
            contract: self.contract.clone(),
            classes: CLASSES.map(str::to_owned).to_vec(),
            horizon: self.plan.horizon,
            training: TrainingRecord {
                text: record,
                seed: u64::from(self.plan.seed),
                rows: u64::from(self.data.train_rows),
                data_hash: self.data_hash,
            },
            ..Model::bare("", self.network.clone(), self.fit.parameters().to_vec())
        }
    }
}

/// All derived features, scaled to mean 0 and deviation 1 over the training part; one that never changes there is only shifted.
fn contract(rows: &[f32]) -> Contract {
    let count = (rows.len() / NAMES.len()).max(1) as f64;
    let (mut mean, mut scale) = (Vec::new(), Vec::new());
    for column in 0..NAMES.len() {
        let values = || rows.iter().skip(column).step_by(NAMES.len()).map(|value| f64::from(*value));
        let middle = values().sum::<f64>() / count;
        let deviation =
            (values().map(|value| (value - middle) * (value - middle)).sum::<f64>() / count).sqrt();
        mean.push(middle as f32);
        scale.push(if deviation > 1e-6 { deviation as f32 } else { 1.0 });
    }
    Contract { names: NAMES.map(str::to_owned).to_vec(), mean, scale, clip: 5.0, window: 1 }
}

/// Weights that go from 1 each (`balance` 0) to inverse frequency (1), with mean 1 over the rows.
fn class_weights(part: &Part, balance: f64) -> [f32; 3] {
    let rows = part.classes.len() as f64;
    let raw: [f64; 3] = std::array::from_fn(|class| {
        let count = f64::from(part.count(class as u8)).max(1.0);
        // A power as a mix, so that no system library has a say in the weights.
        (1.0 - balance) + balance * rows / (3.0 * count)
    });
    let mean: f64 = (0..3).map(|class| raw[class] * f64::from(part.count(class as u8)) / rows).sum();
    raw.map(|weight| (weight / mean) as f32)
}
