//! Goal: training finds what is there, not what is not, repeats bit for bit, and goes on after a crash as if nothing had happened.
//! Method: a leaking feature; shuffled labels; checkpoints; the engine as oracle of the forward pass.
mod random;

use random::{Dice, any_model, dense};
use tickline_model::train::{Loss, Method, NO_CLASS, Net, Recipe, Rows, Settings, Targets, Trainer, answers};
use tickline_model::{Activation, Architecture, Contract, Layer, Plan, Predictor, zoo};
use tickline_trials::trials;

#[test]
fn the_learning_forward_pass_is_the_engine_s() {
    for seed in 1..=trials(60, 2_000) {
        let mut dice = Dice(seed * 7);
        let mut trained = any_model(&mut dice);
        trained.contract.mean.fill(0.0);
        trained.contract.scale.fill(1.0);
        let plan = trained.verify().expect("valid");
        let mut net = Net::<f32>::new(&plan, 1, 1).expect("fits");
        let mut predictor = Predictor::new(&trained).expect("valid");
        let mut out = vec![0.0; trained.outputs()];
        let mut rows = Vec::new();
        for _ in 0..7 {
            let row: Vec<f32> = (0..trained.contract.names.len()).map(|_| dice.unit()).collect();
            rows.extend_from_slice(&row);
            if predictor.predict(&row, &mut out).is_err() {
                continue;
            }
            let answer = net.forward(&trained.parameters, &rows[rows.len() - net.inputs()..], None);
            for (a, b) in out.iter().zip(answer) {
                assert!((a - b).abs() < 2e-5 * b.abs().max(1.0), "seed {seed}: {a} and {b}");
            }
        }
    }
}

const COLUMNS: usize = 10;

fn settings(seed: u64) -> Settings {
    let recipe = Recipe { decay: 1e-4, ..Recipe::default() };
    Settings { seed, batch: 32, steps: 20, epochs: 6, rate: 3e-3, recipe, ..Settings::default() }
}

fn net() -> Architecture {
    Architecture::chain(COLUMNS, &[dense(16, Activation::Relu), dense(3, Activation::Softmax)])
}

/// Random rows whose classes are random, too; with `leak`, column 3 knows the class.
fn rows(count: usize, leak: bool, seed: u64) -> Rows {
    let mut dice = Dice(seed);
    let (mut rows, mut classes) = (Vec::new(), Vec::new());
    for at in 0..count {
        let class = dice.below(3) as u8;
        let start = rows.len();
        rows.extend((0..COLUMNS).map(|_| dice.unit()));
        if leak {
            rows[start + 3] += f32::from(class) - 1.0;
        }
        classes.push(if at % 17 == 5 { NO_CLASS } else { class });
    }
    let starts = [0, count / 3];
    Rows::new(&Contract::identity(COLUMNS), &rows, Targets::Classes(classes), &starts).expect("fits")
}

/// Share of right answers on rows the training has not seen.
fn accuracy(net: &Architecture, settings: Settings, leak: bool) -> f64 {
    let seed = settings.seed;
    let mut trainer = Trainer::new(net, settings, rows(4_000, leak, seed)).expect("valid");
    while trainer.advance(50).is_some() {}
    let (test, plan) = (rows(3_000, leak, seed + 1_000), Plan::compile(net).expect("valid"));
    let answers = answers(&plan, trainer.parameters(), &test).expect("fits");
    let Targets::Classes(classes) = test.targets() else { panic!("classes") };
    let judged = answers
        .chunks_exact(3)
        .zip(classes)
        .filter(|(answer, class)| **class != NO_CLASS && answer[0].is_finite());
    let (mut right, mut all) = (0, 0);
    for (answer, class) in judged {
        let best = (0..3).max_by(|a, b| answer[*a].total_cmp(&answer[*b])).expect("three");
        (right, all) = (right + u32::from(best == usize::from(*class)), all + 1);
    }
    assert!(all > 2_500);
    f64::from(right) / f64::from(all)
}

#[test]
fn a_leaking_feature_is_exploited_and_nothing_is_found_in_shuffled_labels() {
    for seed in 1..=trials(3, 30) {
        let leaking = accuracy(&net(), settings(seed), true);
        assert!(leaking > 0.60, "seed {seed}: {leaking} with a feature that knows the class");
        let shuffled = accuracy(&net(), settings(seed), false);
        assert!((0.29..0.38).contains(&shuffled), "seed {seed}: {shuffled} where there is nothing to find");
    }
}

#[test]
fn windows_and_stateful_networks_learn_the_leak_too() {
    for net in [
        zoo::bin_c_tabl(COLUMNS, 5, 3, 0.1),
        zoo::lstm(COLUMNS, &[12], 3),
        zoo::cnn_lstm_attention_streaming(COLUMNS, 4, 3),
    ] {
        // A stateful network takes few, long steps.
        let settings = Settings { batch: 4, rate: 5e-3, epochs: 10, ..settings(1) };
        let leaking = accuracy(&net, settings, true);
        assert!(leaking > 0.55, "{leaking} with a feature that knows the class in {:?}", net.nodes[0]);
    }
}

#[test]
fn every_recipe_learns_the_leak() {
    for (method, rate) in [
        (Method::Sgd, 0.1),
        (Method::Momentum { momentum: 0.9 }, 0.02),
        (Method::AdaGrad, 0.02),
        (Method::RmsProp, 2e-3),
        (Method::Adam, 3e-3),
        (Method::Sophia, 1e-3),
    ] {
        let recipe = Recipe { method, ..Recipe::default() };
        let leaking = accuracy(&net(), Settings { recipe, rate, ..settings(1) }, true);
        assert!(leaking > 0.58, "{method:?}: {leaking}");
    }
    for (sharpness, sharp_share, adversary) in
        [(0.05, 1.0, 0.0), (0.05, 0.25, 0.0), (0.0, 1.0, 0.05), (0.05, 1.0, 0.05)]
    {
        let recipe = Recipe { sharpness, sharp_share, adversary, ..Recipe::default() };
        let leaking = accuracy(&net(), Settings { recipe, ..settings(1) }, true);
        assert!(leaking > 0.58, "sharpness {sharpness}, adversary {adversary}: {leaking}");
    }
}

#[test]
fn an_autoencoder_learns_its_rows() {
    let net = zoo::autoencoder(COLUMNS, &[], COLUMNS / 2);
    let rows = rows(1_000, false, 3).with_targets(Targets::Itself).expect("itself");
    let recipe = Recipe { loss: Loss::Squares, ..Recipe::default() };
    let mut trainer = Trainer::new(&net, Settings { recipe, epochs: 8, ..settings(1) }, rows).expect("valid");
    let first = trainer.advance(5).expect("begun");
    let mut last = first;
    while let Some(loss) = trainer.advance(50) {
        last = loss;
    }
    assert!(last < 0.65 * first, "{first} then {last}");
}

#[test]
fn dropout_drops_what_its_factor_says_and_keeps_the_mean() {
    let net = Architecture::chain(4_000, &[Layer::Dropout { rate: 0.2 }]);
    let plan = Plan::compile(&net).expect("valid");
    let mut run = Net::<f32>::new(&plan, 1, 1).expect("fits");
    for (factor, rate) in [(1.0, 0.2), (3.0, 0.6), (0.0, 0.0), (100.0, 0.9), (f32::NAN, 0.9)] {
        run.set_dropout_factor(factor);
        let mut dice = tickline_model::train::Dice::new(3);
        let answer = run.forward(&[], &[1.0; 4_000], Some(&mut dice)).to_vec();
        let dropped = answer.iter().filter(|y| **y == 0.0).count() as f32 / 4_000.0;
        let mean = answer.iter().sum::<f32>() / 4_000.0;
        assert!((dropped - rate).abs() < 0.025, "factor {factor}: {dropped} dropped");
        assert!((mean - 1.0).abs() < 0.2, "factor {factor}: mean {mean}");
        assert!(run.forward(&[], &[1.0; 4_000], None).iter().all(|y| *y == 1.0), "only while learning");
    }
}

fn nets() -> [Architecture; 3] {
    let mut dropped = net();
    dropped.nodes.clear();
    dropped.then(dense(16, Activation::Swish));
    dropped.then(Layer::BatchNorm { epsilon: 1e-3, momentum: 0.9 });
    dropped.then(Layer::Dropout { rate: 0.2 });
    dropped.then(dense(3, Activation::Softmax));
    [dropped, zoo::lstm(COLUMNS, &[8], 3), zoo::bin_c_tabl(COLUMNS, 4, 3, 0.1)]
}

fn bits(trainer: &Trainer) -> Vec<u32> {
    trainer.parameters().iter().map(|value| value.to_bits()).collect()
}

#[test]
fn the_same_seed_gives_the_same_weights_bit_for_bit() {
    for net in nets() {
        let weights = |seed, pieces: usize| {
            let mut trainer = Trainer::new(&net, settings(seed), rows(500, true, 5)).expect("valid");
            while trainer.advance(pieces).is_some() {}
            bits(&trainer)
        };
        assert_eq!(weights(1, 7), weights(1, 1_000), "however it is cut");
        assert_ne!(weights(1, 7), weights(2, 7));
    }
}

#[test]
fn a_run_goes_on_from_a_checkpoint_to_the_bit() {
    for net in nets() {
        let fresh = || Trainer::new(&net, settings(1), rows(500, true, 5)).expect("valid");
        let mut whole = fresh();
        whole.advance(23);
        let kept = whole.checkpoint();
        while whole.advance(9).is_some() {}
        let mut resumed = fresh();
        resumed.restore(&kept).expect("just kept");
        while resumed.advance(11).is_some() {}
        assert_eq!(bits(&whole), bits(&resumed));
        let untouched = bits(&fresh());
        let mut careful = fresh();
        for at in (0..kept.len()).step_by(97) {
            let mut damaged = kept.clone();
            damaged[at] ^= 4;
            if at >= 8 {
                assert!(careful.restore(&damaged).is_err(), "byte {at}");
            }
            assert!(careful.restore(&kept[..at]).is_err(), "cut at {at}");
        }
        assert_eq!(bits(&careful), untouched);
    }
}
