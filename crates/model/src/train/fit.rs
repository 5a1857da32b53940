//! Trains a classifier without memory on rows and classes.
use crate::contract::Contract;
use crate::error::ModelError;
use crate::layer::Layer;
use crate::train::{Adam, Dice, Net, Optimiser, Tape, cross_entropy};

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Seed of weights and order.
    pub seed: u64,
    /// Rows a step.
    pub batch: usize,
    /// Passes over the data.
    pub epochs: usize,
    /// Highest learning rate; it warms up over the first twentieth and then falls along a smooth step to a hundredth.
    pub rate: f32,
    /// Decoupled weight decay.
    pub decay: f32,
    /// Gradients longer than this are shortened to it.
    pub clip: f32,
    /// Weight of each class in the loss.
    pub class_weights: [f32; 3],
}

/// A training run that advances batch by batch.
pub struct Fit {
    net: Net,
    settings: Settings,
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    optimiser: Adam,
    tape: Vec<Tape<f32>>,
    order: Vec<u32>,
    dice: Dice,
    /// Scaled rows, one after another.
    rows: Vec<f32>,
    classes: Vec<u8>,
    columns: usize,
    /// Next place in `order`.
    at: usize,
    steps: usize,
}

impl Fit {
    /// Scales `rows` (unscaled, one class each) by the contract and starts from random weights.
    ///
    /// # Errors
    /// Layers that do not fit the contract.
    pub fn new(
        contract: &Contract,
        layers: &[Layer],
        settings: Settings,
        rows: &[f32],
        classes: Vec<u8>,
    ) -> Result<Fit, ModelError> {
        contract.verify()?;
        let columns = contract.names.len();
        let net = Net::new(columns, layers)?;
        let mut dice = Dice::new(settings.seed);
        let parameters = net.initial(&mut dice);
        let clip = contract.clip;
        let scaled = rows.chunks_exact(columns).flat_map(|row| {
            let scaling = contract.mean.iter().zip(&contract.scale);
            row.iter()
                .zip(scaling)
                .map(move |(x, (mean, scale))| ((x - mean) * (1.0 / scale)).clamp(-clip, clip))
        });
        Ok(Fit {
            gradient: vec![0.0; net.parameters()],
            optimiser: Adam::new(net.parameters(), settings.decay),
            tape: vec![net.tape()],
            order: (0..classes.len() as u32).collect(),
            rows: scaled.collect(),
            at: classes.len(),
            steps: 0,
            net,
            settings,
            parameters,
            dice,
            classes,
            columns,
        })
    }

    /// The parameters as they are now.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Batches of the whole run.
    pub fn batches(&self) -> usize {
        self.settings.epochs * self.classes.len().div_ceil(self.settings.batch)
    }

    /// Batches done.
    pub fn done(&self) -> usize {
        self.steps
    }

    /// Trains at most `batches` batches more and returns the mean loss of their rows; `None` at the end of the run.
    pub fn advance(&mut self, batches: usize) -> Option<f64> {
        let (mut loss, mut rows) = (0.0, 0usize);
        for _ in 0..batches {
            if self.steps >= self.batches() {
                break;
            }
            if self.at >= self.order.len() {
                self.dice.shuffle(&mut self.order);
                self.at = 0;
            }
            let end = (self.at + self.settings.batch).min(self.order.len());
            loss += self.batch(self.at, end);
            rows += end - self.at;
            self.at = end;
            self.steps += 1;
        }
        (rows > 0).then(|| loss / rows as f64)
    }

    /// One step on the rows `order[from..to]`; returns the sum of their losses.
    fn batch(&mut self, from: usize, to: usize) -> f64 {
        self.gradient.fill(0.0);
        let share = 1.0 / (to - from) as f32;
        let mut slope = vec![vec![0.0f32; 3]];
        let (mut memory, mut back) = (self.net.memory(), self.net.memory());
        let mut loss = 0.0;
        for place in from..to {
            let row = self.order[place] as usize;
            let x = &self.rows[row * self.columns..(row + 1) * self.columns];
            let class = usize::from(self.classes[row]);
            self.net.forward(&self.parameters, x, &mut memory, &mut self.tape[0]);
            let weight = self.settings.class_weights[class];
            loss += cross_entropy(self.tape[0].answer(), class, weight, &mut slope[0]);
            for slope in &mut slope[0] {
                *slope *= share;
            }
            self.net.backward(&self.parameters, &self.tape, &slope, true, &mut back, &mut self.gradient);
        }
        self.clip();
        let rate = self.rate();
        self.optimiser.step(&mut self.parameters, &self.gradient, rate);
        loss
    }

    fn clip(&mut self) {
        let length = self.gradient.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>().sqrt();
        if length > f64::from(self.settings.clip) {
            let scale = (f64::from(self.settings.clip) / length) as f32;
            for g in &mut self.gradient {
                *g *= scale;
            }
        }
    }

    /// The learning rate of the step at hand: warm-up, then down along a smooth step, which needs no system library.
    fn rate(&self) -> f32 {
        let share = self.steps as f32 / self.batches().max(1) as f32;
        let warm = (share * 20.0).min(1.0);
        self.settings.rate * warm * (1.0 - share * share * (3.0 - 2.0 * share)).max(0.01)
    }
}
