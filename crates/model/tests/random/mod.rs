//! Random models from a seed.
use tickline_model::{Activation, Contract, Layer, Model, TrainingRecord};

/// A small seeded generator (xorshift64*), so that failures print a seed and repeat.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    /// Uniform in [-1, 1).
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

pub fn dense(inputs: usize, outputs: usize, activation: Activation) -> Layer {
    Layer::Dense { inputs, outputs, activation }
}

/// A model with these layers and random weights of a size that keeps activations near 1.
pub fn model(columns: usize, window: usize, layers: Vec<Layer>, seed: u64) -> Model {
    let mut dice = Dice(seed | 1);
    let mut parameters = Vec::new();
    for layer in &layers {
        for spec in layer.tensors() {
            let reach = 1.0 / (spec.shape[0] as f32).sqrt().max(1.0);
            parameters.extend((0..spec.len()).map(|_| dice.unit() * reach));
        }
    }
    let mut contract = Contract::identity(columns);
    contract.window = window;
    contract.clip = 3.0;
    for at in 0..columns {
        contract.mean[at] = dice.unit();
        contract.scale[at] = 0.75 + 0.25 * dice.unit();
    }
    Model {
        name: "random".into(),
        contract,
        layers,
        parameters,
        classes: Vec::new(),
        horizon: 0,
        training: TrainingRecord::default(),
    }
}

/// A random stack of every kind of layer.
pub fn any_model(dice: &mut Dice) -> Model {
    let columns = 1 + dice.below(50);
    let window = if dice.below(3) == 0 { 1 + dice.below(4) } else { 1 };
    let mut widths = vec![columns * window];
    let mut layers = Vec::new();
    for at in 0..1 + dice.below(5) {
        let given = widths[at];
        let size = 1 + dice.below(90);
        let layer = match dice.below(6) {
            0 => Layer::Lstm { inputs: given, units: size },
            1 => Layer::Gru { inputs: given, units: size },
            2 => Layer::Softmax,
            3 if widths[..at].contains(&given) => {
                Layer::Skip { from: widths[..at].iter().position(|width| *width == given).unwrap() }
            }
            _ => dense(given, size, Activation::ALL[dice.below(7)]),
        };
        widths.push(match layer {
            Layer::Dense { outputs, .. } => outputs,
            Layer::Lstm { units, .. } | Layer::Gru { units, .. } => units,
            Layer::Skip { .. } | Layer::Softmax => given,
        });
        layers.push(layer);
    }
    model(columns, window, layers, dice.next())
}
