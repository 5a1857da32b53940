//! Goal: every layer's way back is the derivative of its way forward; training finds what is there, not what is not, and repeats bit for bit.
//! Method: central differences in f64 over random networks and sequences; the engine as oracle of the forward pass; a leaking
//! feature; shuffled labels.
mod random;

use random::{Dice, any_model, dense, model};
use tickline_model::train::{Fit, Memory, Net, Settings, Tape, cross_entropy};
use tickline_model::{Activation, Contract, Layer, Model, Predictor};

const TICKS: usize = 4;

struct Case {
    net: Net,
    inputs: Vec<Vec<f64>>,
    /// The loss is `sum over ticks and outputs of weight * answer`.
    weights: Vec<Vec<f64>>,
}

impl Case {
    fn run(&self, parameters: &[f64], inputs: &[Vec<f64>]) -> (f64, Vec<Tape<f64>>) {
        let mut memory: Memory<f64> = self.net.memory();
        let (mut loss, mut tapes) = (0.0, Vec::new());
        for (x, weights) in inputs.iter().zip(&self.weights) {
            let mut tape = self.net.tape();
            self.net.forward(parameters, x, &mut memory, &mut tape);
            loss += tape.answer().iter().zip(weights).map(|(y, w)| y * w).sum::<f64>();
            tapes.push(tape);
        }
        (loss, tapes)
    }
}

/// Compares slopes with central differences; returns the largest error relative to the larger of slope and 1e-3.
fn check(model: &Model, dice: &mut Dice) -> f64 {
    let width = model.contract.inputs();
    let net = Net::new(width, &model.layers).expect("valid");
    let mut vector = |size: usize| (0..size).map(|_| f64::from(dice.unit())).collect::<Vec<f64>>();
    let inputs = (0..TICKS).map(|_| vector(width)).collect();
    let weights = (0..TICKS).map(|_| vector(model.outputs())).collect();
    let case = Case { net, inputs, weights };
    let parameters: Vec<f64> = model.parameters.iter().map(|value| f64::from(*value)).collect();
    let (_, tapes) = case.run(&parameters, &case.inputs);
    let mut gradient = vec![0.0; parameters.len()];
    case.net.backward(&parameters, &tapes, &case.weights, false, &mut case.net.memory(), &mut gradient);
    let mut worst = 0.0f64;
    for _ in 0..60.min(parameters.len()) {
        let at = dice.below(parameters.len());
        let reach = 1e-6;
        let moved = |by: f64| {
            let mut moved = parameters.clone();
            moved[at] += by;
            case.run(&moved, &case.inputs).0
        };
        let slope = (moved(reach) - moved(-reach)) / (2.0 * reach);
        worst = worst.max((slope - gradient[at]).abs() / slope.abs().max(1e-3));
    }
    worst
}

#[test]
fn slopes_of_every_layer_and_activation_are_the_differences() {
    let mut dice = Dice(77);
    for activation in Activation::ALL {
        let layers = vec![dense(7, 9, activation), dense(9, 5, activation)];
        let worst = check(&model(7, 1, layers, dice.next()), &mut dice);
        assert!(worst < 2e-6, "{activation:?}: {worst}");
    }
    let kinds: [(&str, Vec<Layer>); 5] = [
        ("lstm", vec![Layer::Lstm { inputs: 6, units: 8 }, dense(8, 3, Activation::Softmax)]),
        ("gru", vec![Layer::Gru { inputs: 6, units: 8 }, dense(8, 3, Activation::Softmax)]),
        ("two recurrent", vec![Layer::Lstm { inputs: 6, units: 5 }, Layer::Gru { inputs: 5, units: 4 }]),
        (
            "skip",
            vec![
                dense(6, 6, Activation::Tanh),
                dense(6, 6, Activation::Swish),
                Layer::Skip { from: 0 },
                Layer::Skip { from: 1 },
            ],
        ),
        ("softmax", vec![dense(6, 4, Activation::None), Layer::Softmax, dense(4, 2, Activation::Sigmoid)]),
    ];
    for (name, layers) in kinds {
        let worst = check(&model(6, 1, layers, dice.next()), &mut dice);
        assert!(worst < 2e-6, "{name}: {worst}");
    }
}

#[test]
fn slopes_of_random_networks_are_the_differences() {
    for seed in 1..=40 {
        let mut dice = Dice(seed * 31);
        let mut net = any_model(&mut dice);
        // A kink of ReLU inside the difference's reach would be no error: smooth activations only.
        for layer in &mut net.layers {
            if let Layer::Dense { activation, .. } = layer {
                if matches!(activation, Activation::Relu | Activation::LeakyRelu) {
                    *activation = Activation::Tanh;
                }
            }
        }
        if net.parameters.is_empty() {
            continue;
        }
        let worst = check(&net, &mut dice);
        assert!(worst < 1e-5, "seed {seed}: {worst} in {:?}", net.layers);
    }
}

#[test]
fn slopes_by_logits_are_those_of_the_cross_entropy() {
    let net = Net::new(4, &[dense(4, 3, Activation::Softmax)]).expect("valid");
    let parameters: Vec<f64> = (0..15).map(|at| (f64::from(at) * 0.37).sin()).collect();
    let x = vec![0.3, -0.2, 0.9, 0.4];
    let loss = |parameters: &[f64]| {
        let mut tape = net.tape();
        net.forward(parameters, &x, &mut net.memory(), &mut tape);
        let mut slope = vec![0.0; 3];
        (cross_entropy(tape.answer(), 2, 1.7, &mut slope), tape, slope)
    };
    let (_, tape, slope) = loss(&parameters);
    let mut gradient = vec![0.0; 15];
    net.backward(&parameters, &[tape], &[slope], true, &mut net.memory(), &mut gradient);
    for at in 0..15 {
        let moved = |by: f64| {
            let mut moved = parameters.clone();
            moved[at] += by;
            loss(&moved).0
        };
        let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        assert!(
            (difference - gradient[at]).abs() < 1e-8,
            "parameter {at}: {difference} not {}",
            gradient[at]
        );
    }
}

#[test]
fn the_learning_forward_pass_is_the_engine_s() {
    for seed in 1..=30 {
        let mut dice = Dice(seed * 7);
        let mut trained = any_model(&mut dice);
        trained.contract.mean.fill(0.0);
        trained.contract.scale.fill(1.0);
        if trained.contract.window > 1 {
            continue;
        }
        let net = Net::new(trained.contract.inputs(), &trained.layers).expect("valid");
        let mut predictor = Predictor::new(&trained).expect("valid");
        let (mut memory, mut tape) = (net.memory(), net.tape());
        let mut out = vec![0.0; trained.outputs()];
        for _ in 0..5 {
            let row: Vec<f32> = (0..trained.contract.names.len()).map(|_| dice.unit()).collect();
            predictor.predict(&row, &mut out).expect("finite");
            net.forward(&trained.parameters, &row, &mut memory, &mut tape);
            for (a, b) in out.iter().zip(tape.answer()) {
                assert!((a - b).abs() < 2e-5 * b.abs().max(1.0), "seed {seed}: {a} and {b}");
            }
        }
    }
}

const COLUMNS: usize = 10;

fn settings(seed: u64) -> Settings {
    Settings { seed, batch: 32, epochs: 6, rate: 3e-3, decay: 1e-4, clip: 1.0, class_weights: [1.0; 3] }
}

fn layers() -> Vec<Layer> {
    vec![dense(COLUMNS, 16, Activation::Relu), dense(16, 3, Activation::Softmax)]
}

/// Random rows whose classes are random, too; with `leak`, column 3 knows the class.
fn rows(count: usize, leak: bool, seed: u64) -> (Vec<f32>, Vec<u8>) {
    let mut dice = Dice(seed);
    let (mut rows, mut classes) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let class = dice.below(3) as u8;
        let start = rows.len();
        rows.extend((0..COLUMNS).map(|_| dice.unit()));
        if leak {
            rows[start + 3] += f32::from(class) - 1.0;
        }
        classes.push(class);
    }
    (rows, classes)
}

/// Share of right answers on rows the training has not seen.
fn trained_accuracy(leak: bool, seed: u64) -> f64 {
    let (train, classes) = rows(4_000, leak, seed);
    let contract = Contract::identity(COLUMNS);
    let mut fit = Fit::new(&contract, &layers(), settings(seed), &train, classes).expect("valid");
    while fit.advance(50).is_some() {}
    let mut trained = model(COLUMNS, 1, layers(), 1);
    trained.contract = contract;
    trained.parameters = fit.parameters().to_vec();
    let mut predictor = Predictor::new(&trained).expect("valid");
    let (test, truths) = rows(3_000, leak, seed + 1_000);
    let right = test.chunks_exact(COLUMNS).zip(&truths).filter(|(row, truth)| {
        let mut out = [0.0; 3];
        predictor.predict(row, &mut out).expect("finite");
        let best = (0..3).max_by(|a, b| out[*a].total_cmp(&out[*b])).expect("three");
        best == usize::from(**truth)
    });
    right.count() as f64 / 3_000.0
}

#[test]
fn a_leaking_feature_is_exploited_and_nothing_is_found_in_shuffled_labels() {
    for seed in 1..=3 {
        let leaking = trained_accuracy(true, seed);
        assert!(leaking > 0.60, "seed {seed}: {leaking} with a feature that knows the class");
        let shuffled = trained_accuracy(false, seed);
        assert!((0.29..0.38).contains(&shuffled), "seed {seed}: {shuffled} where there is nothing to find");
    }
}

#[test]
fn the_same_seed_gives_the_same_weights_bit_for_bit() {
    let weights = |seed, pieces: usize| {
        let (train, classes) = rows(500, true, 5);
        let mut fit = Fit::new(&Contract::identity(COLUMNS), &layers(), settings(seed), &train, classes)
            .expect("valid");
        while fit.advance(pieces).is_some() {}
        fit.parameters().iter().map(|value| value.to_bits()).collect::<Vec<u32>>()
    };
    assert_eq!(weights(1, 7), weights(1, 1_000), "however it is cut");
    assert_ne!(weights(1, 7), weights(2, 7));
}
