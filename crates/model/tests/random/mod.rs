//! Random models from a seed.
#![allow(dead_code, reason = "each test takes what it needs")]
use tickline_model::{Activation, Architecture, Gate, Layer, Model, Plan, Reset};

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

pub fn dense(outputs: usize, activation: Activation) -> Layer {
    Layer::Dense { outputs, activation }
}

/// A model of this network with random weights of a size that keeps activations near 1, and random scaling.
pub fn model(net: Architecture, seed: u64) -> Model {
    let mut dice = Dice(seed | 1);
    let plan = Plan::compile(&net).expect("compiles");
    let mut parameters = Vec::new();
    for slice in plan.slices() {
        let (_, taken) = slice.spec.shape.split_last().expect("no tensor is empty");
        let taken: usize = taken.iter().product();
        let reach = 1.0 / (taken as f32).sqrt().max(1.0);
        parameters.extend((0..slice.spec.len()).map(|_| dice.unit() * reach));
    }
    plan.enforce(&mut parameters);
    for slice in plan.slices().iter().filter(|slice| slice.spec.name == "variance") {
        parameters[slice.range.clone()].iter_mut().for_each(|value| *value = value.abs() + 0.5);
    }
    let mut model = Model::bare("random", net, parameters);
    model.contract.clip = 3.0;
    for at in 0..model.contract.names.len() {
        model.contract.mean[at] = dice.unit();
        model.contract.scale[at] = 0.75 + 0.25 * dice.unit();
    }
    model
}

/// A network of one row, or stateful, from a list of layers.
pub fn chain(columns: usize, stateful: bool, layers: &[Layer]) -> Architecture {
    Architecture { stateful, ..Architecture::chain(columns, layers) }
}

pub fn any_gate(dice: &mut Dice) -> Gate {
    Gate::ALL[dice.below(2)]
}

/// True when two values of a network have one shape: as many numbers may be columns of one and channels of the other.
fn adds(net: &Architecture, a: usize, b: usize) -> bool {
    let mut net = net.clone();
    net.on(&[a, b], Layer::Add);
    Plan::compile(&net).is_ok()
}

/// A random stack of layers that have a fast form.
pub fn any_model(dice: &mut Dice) -> Model {
    let columns = 1 + dice.below(50);
    let stateful = dice.below(3) != 0;
    let window = if stateful { 1 } else { 1 + dice.below(4) };
    let mut net =
        if stateful { Architecture::stateful(columns) } else { Architecture::over_window(columns, window) };
    let mut widths = vec![columns];
    if !stateful {
        net.then(Layer::Flatten);
        widths.push(columns * window);
    }
    for _ in 0..1 + dice.below(5) {
        let (at, given) = (net.nodes.len(), widths[net.nodes.len()]);
        let size = 1 + dice.below(90);
        let equal = (1..at).find(|value| widths[*value] == given && adds(&net, at, *value));
        let gives = match (dice.below(7), equal) {
            (0, _) => (net.then(Layer::Lstm { units: size, gate: any_gate(dice) }), size),
            (1, _) => (
                net.then(Layer::Gru { units: size, gate: any_gate(dice), reset: Reset::ALL[dice.below(2)] }),
                size,
            ),
            (2, _) => (net.then(Layer::Activate { activation: Activation::ALL[dice.below(8)] }), given),
            (3, Some(equal)) => (net.on(&[at, equal], Layer::Add), given),
            (4, _) => (net.then(Layer::Dropout { rate: 0.3 }), given),
            _ => (net.then(dense(size, Activation::ALL[dice.below(8)])), size),
        };
        widths.push(gives.1);
    }
    model(net, dice.next())
}
