//! Goal: every layer in its fast form, on every instruction set and in every precision, answers as its definition says; a stateful
//! network's ticks are its sequence, a window's are its windows.
//! Method: random networks of every kind against the f64 pass that the gradient checks check, tick by tick.
mod random;

use random::{Dice, dense, model};
use tickline_model::train::{Net, Rows, Targets};
use tickline_model::{
    Activation, Architecture, Contract, Gate, Layer, Level, Model, NoSignal, Padding, Pooling, Precision,
    Predictor, Program, Reset, Sweep, difference, quantise, zoo,
};
use tickline_trials::trials;

/// The stated bounds on softmax answers: relative to 1.
const BOUNDS: [f64; 3] = [3e-5, 3e-2, 8e-2];

/// Largest error of an engine over `ticks` rows against the f64 sequence.
fn error(tested: &Model, level: Level, ticks: usize) -> f64 {
    let plan = tested.verify().expect("valid");
    let (net, columns) = (plan.architecture(), plan.architecture().columns);
    let mut dice = Dice(77);
    let raw: Vec<f32> = (0..ticks * columns).map(|_| dice.unit() * 2.0).collect();
    let mut scaled = raw.clone();
    tested.contract.scale_rows(&mut scaled);
    let scaled: Vec<f64> = scaled.iter().map(|value| f64::from(*value)).collect();
    let parameters: Vec<f64> = tested.parameters.iter().map(|value| f64::from(*value)).collect();
    let outputs = plan.outputs();
    let wanted: Vec<f64> = if net.stateful {
        Net::<f64>::new(&plan, 1, ticks).expect("fits").forward(&parameters, &scaled, None).to_vec()
    } else {
        let mut each = Net::<f64>::new(&plan, 1, 1).expect("fits");
        let ends = net.window..=ticks;
        ends.flat_map(|end| {
            each.forward(&parameters, &scaled[(end - net.window) * columns..end * columns], None).to_vec()
        })
        .collect()
    };
    let mut predictor = Predictor::on(tested, level).expect("valid");
    let (mut out, mut worst, mut answers) = (vec![0.0f32; outputs], 0.0f64, wanted.chunks_exact(outputs));
    for (tick, row) in raw.chunks_exact(columns).enumerate() {
        match predictor.predict(row, &mut out) {
            Err(reason) => {
                assert!(reason == NoSignal::Filling && tick + 1 < net.window, "{reason:?} at {tick}")
            }
            Ok(()) => {
                for (got, wanted) in out.iter().zip(answers.next().expect("as many")) {
                    worst = worst.max((f64::from(*got) - wanted).abs() / wanted.abs().max(1.0));
                }
            }
        }
        if tick % 3 == 0 {
            predictor.prepare();
        }
    }
    assert_eq!(answers.count(), 0, "every window is answered");
    worst
}

fn conv(outputs: usize, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Layer {
    let sweep = Sweep {
        kernel_time: kernel[0],
        kernel_width: kernel[1],
        stride_time: stride[0],
        stride_width: stride[1],
        padding,
    };
    Layer::Conv { outputs, sweep, activation: Activation::Tanh }
}

fn nets() -> Vec<(&'static str, Architecture)> {
    let mut nets = vec![
        ("mlp", zoo::mlp(13, 3, &[37, 37], Activation::Swish, 3, true)),
        ("lstm", zoo::lstm(11, &[20, 35], 3)),
        ("gru", zoo::gru(11, &[20, 35], 3)),
        ("c(tabl)", zoo::c_tabl(40, 10, 3, 0.1)),
        ("bin-c(tabl)", zoo::bin_c_tabl(21, 7, 3, 0.1)),
        ("bin-c(tabl), long", zoo::bin_c_tabl(70, 18, 3, 0.1)),
        ("cnn-lstm-attention", zoo::cnn_lstm_attention(19, 18, 3)),
        ("deeplob", zoo::deeplob(24, 3)),
        ("deeplob, streaming", zoo::deeplob_streaming(3)),
        ("cnn-lstm-attention, streaming", zoo::cnn_lstm_attention_streaming(19, 18, 3)),
    ];
    for (keys, outputs, span, decay) in [(5, 7, 3, 0.9), (32, 64, 21, 0.999), (17, 100, 1, 0.5)] {
        let linear = Layer::LinearAttention { keys, outputs, decay };
        let local = Layer::LocalAttention { keys, outputs, span };
        for layer in [linear, local] {
            let mut window = Architecture::over_window(13, 6);
            window.then(dense(20, Activation::Relu));
            window.then(layer);
            window.then(Layer::Flatten);
            window.then(dense(3, Activation::Softmax));
            nets.push(("attention over a window", window));
            let mut stream = Architecture::stateful(13);
            stream.then(dense(20, Activation::Relu));
            stream.then(layer);
            stream.then(dense(3, Activation::Softmax));
            nets.push(("attention over a stream", stream));
        }
    }
    for padding in Padding::ALL {
        let mut net = Architecture::over_window(18, 9);
        net.then(conv(5, [3, 3], [1, 2], padding));
        net.then(Layer::BatchNorm { epsilon: 1e-3, momentum: 0.9 });
        let sweep = Sweep { kernel_time: 2, kernel_width: 2, stride_time: 2, stride_width: 2, padding };
        let first = net.then(Layer::Pool { pooling: Pooling::Max, sweep });
        let second = net.on(&[first - 1], Layer::Pool { pooling: Pooling::Average, sweep });
        net.on(&[first, second, first], Layer::Concat);
        net.then(conv(16, [2, 1], [2, 1], padding));
        net.then(Layer::Flatten);
        let wide = net.then(dense(21, Activation::LeakyRelu));
        let again = net.then(dense(21, Activation::Sigmoid));
        net.on(&[wide, again, wide], Layer::Add);
        net.then(dense(4, Activation::Softmax));
        nets.push(("mixed", net));
    }
    // Gates of straight pieces, in full blocks and packed tails, over a stream and over a window.
    for (first, second) in [(64, 20), (21, 35)] {
        for mut net in [Architecture::stateful(11), Architecture::over_window(11, 4)] {
            net.then(Layer::Lstm { units: first, gate: Gate::Hard });
            net.then(Layer::Gru { units: second, gate: Gate::Hard, reset: Reset::After });
            net.then(Layer::Gru { units: first, gate: Gate::Sigmoid, reset: Reset::Before });
            net.then(Layer::Gru { units: second, gate: Gate::Hard, reset: Reset::Before });
            net.then(Layer::Last);
            net.then(dense(19, Activation::HardSigmoid));
            net.then(dense(3, Activation::Softmax));
            nets.push(("gates of straight pieces, resets before", net));
        }
    }
    // Over rows before: of four taps in f32 two ticks are computed at once, of others each alone.
    for taps in [2, 3, 4, 5] {
        for (first, second) in [(16, 32), (5, 70)] {
            let mut net = Architecture::stateful(14);
            net.then(conv(first, [taps, 2], [1, 2], Padding::Causal));
            net.then(conv(second, [taps, 1], [1, 1], Padding::Causal));
            net.then(conv(first, [taps, 7], [1, 1], Padding::Causal));
            net.then(dense(3, Activation::Softmax));
            nets.push(("convolutions over a stream", net));
        }
    }
    // Outputs in several blocks whose last line is not full, side by side.
    let mut side = Architecture::over_window(12, 5);
    side.then(conv(72, [2, 2], [1, 2], Padding::Valid));
    side.then(conv(36, [2, 1], [1, 2], Padding::Valid));
    side.then(Layer::Flatten);
    side.then(dense(3, Activation::Softmax));
    nets.push(("several blocks", side));
    let mut folded = Architecture::over_window(12, 5);
    let sweep = Sweep::times(2, Padding::Valid);
    folded.then(Layer::Conv { outputs: 20, sweep, activation: Activation::None });
    folded.then(Layer::BatchNorm { epsilon: 1e-3, momentum: 0.9 });
    folded.then(Layer::Activate { activation: Activation::Relu });
    folded.then(Layer::Flatten);
    folded.then(dense(17, Activation::None));
    folded.then(Layer::BatchNorm { epsilon: 1e-3, momentum: 0.9 });
    folded.then(dense(3, Activation::Softmax));
    nets.push(("folded", folded));
    let mut last = Architecture::over_window(7, 5);
    last.then(Layer::Gru { units: 9, gate: Gate::Sigmoid, reset: Reset::After });
    last.then(Layer::Bl { outputs: 6, times: 5, activation: Activation::Tanh });
    last.then(Layer::Tabl { outputs: 18, times: 2, activation: Activation::Relu });
    last.then(Layer::Last);
    last.then(dense(3, Activation::Softmax));
    nets.push(("folds", last));
    nets
}

#[test]
fn every_layer_on_every_level_in_every_precision_answers_as_defined() {
    for (seed, (name, net)) in
        (5..5 + trials(1, 20)).flat_map(|seed| nets().into_iter().map(move |net| (seed, net)))
    {
        let mut tested = model(net, seed);
        for (precision, bound) in Precision::ALL.into_iter().zip(BOUNDS) {
            tested.precision = precision;
            for level in Level::available() {
                let worst = error(&tested, level, 40);
                assert!(worst < bound, "{name} {precision:?} {level:?}, seed {seed}: {worst}");
                assert!(worst > 0.0, "{name} {precision:?} {level:?}: the bound must be a real measurement");
            }
        }
    }
}

#[test]
fn sums_of_eight_bits_that_could_overflow_are_refused() {
    let mut net = Architecture::stateful(8192);
    let sweep = Sweep { stride_width: 1, kernel_width: 1, ..Sweep::places(1) };
    net.then(Layer::Conv { outputs: 9, sweep, activation: Activation::Relu });
    net.then(Layer::Lstm { units: 1, gate: Gate::Sigmoid });
    let mut tested = model(net, 5);
    assert!(Program::new(&tested).is_ok());
    tested.precision = Precision::Int8;
    let refusal = Program::new(&tested).expect_err("73,728 inputs");
    assert!(refusal.text.contains("node 1 (lstm)") && refusal.text.contains("f32"), "{refusal}");
}

/// Goal: sums over the past that are shrunk and added to for ever stay those of the definition. Method: 100,000 ticks beside the same sums
/// in f64, and the bound that follows from forgetting.
#[test]
fn running_sums_do_not_drift_in_a_hundred_thousand_ticks() {
    for (decay, span) in [(0.5, 3), (0.999, 64), (0.999_99, 5)] {
        let mut net = Architecture::stateful(6);
        net.then(Layer::LinearAttention { keys: 5, outputs: 7, decay });
        net.then(Layer::LocalAttention { keys: 4, outputs: 3, span });
        let mut tested = model(net, 5);
        tested.contract = Contract::identity(6);
        let plan = tested.verify().expect("valid");
        let parameters: Vec<f64> = tested.parameters.iter().map(|value| f64::from(*value)).collect();
        let (mut exact, mut dice) = (Net::<f64>::new(&plan, 1, 1).expect("fits"), Dice(7));
        let mut predictor = Predictor::new(&tested).expect("valid");
        // Three roundings a tick, each half a unit of 2^-23, forgotten as the sums are; numerator and divisor both err.
        let bound = BOUNDS[0].min(3.0 * 2f64.powi(-23) / (1.0 - f64::from(decay)) + 2e-6);
        let (mut out, mut worst) = ([0.0f32; 3], [0.0f64; 2]);
        for tick in 0..100_000 {
            let row: Vec<f32> = (0..6).map(|_| dice.unit() * 2.0).collect();
            predictor.predict(&row, &mut out).expect("finite");
            let row: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
            for (got, wanted) in out.iter().zip(exact.forward(&parameters, &row, None)) {
                let late = usize::from(tick >= 50_000);
                worst[late] = worst[late].max((f64::from(*got) - wanted).abs());
            }
        }
        assert!(worst[0] > 0.0 && worst[0] < bound && worst[1] < bound, "{decay}: {worst:?}, bound {bound}");
        assert!(worst[1] < 4.0 * worst[0], "{decay}: the second half errs more, {worst:?}");
    }
}

#[test]
fn a_calibrated_model_is_near_the_one_it_was_made_of() {
    for (name, net) in nets() {
        let trained = model(net, 9);
        let columns = trained.contract.names.len();
        let mut dice = Dice(3);
        let raw: Vec<f32> = (0..300 * columns).map(|_| dice.unit() * 2.0).collect();
        let classes = (0..300).map(|_| dice.below(3) as u8).collect();
        let rows = Rows::new(&trained.contract, &raw, Targets::Classes(classes), &[0, 120]).expect("fits");
        for (precision, bound) in [(Precision::Bf16, BOUNDS[1]), (Precision::Int8, BOUNDS[2])] {
            let made = quantise(&trained, precision, &rows).expect("valid");
            assert_eq!(made.reach.is_empty(), precision == Precision::Bf16);
            let found = difference(&trained, &made, &raw, &rows).expect("valid");
            assert!(
                found.answers > 200 && found.largest > 0.0 && found.largest < bound,
                "{name} {precision:?}: {found:?}"
            );
            assert!(found.mean < bound / 4.0, "{name} {precision:?}: {found:?}");
            let bytes = tickline_model::file::encode(&made).expect("valid");
            assert_eq!(tickline_model::file::decode(&bytes).expect("just written").model, made);
        }
    }
}

#[test]
fn eight_bit_sums_are_the_same_on_every_level_to_the_last_rounding() {
    let contract = Contract::identity(64);
    let mut tested =
        model(Architecture::chain(64, &[dense(70, Activation::None), dense(33, Activation::None)]), 3);
    (tested.contract, tested.precision, tested.reach) = (contract, Precision::Int8, vec![2.0, 8.0]);
    let row: Vec<f32> = (0..64).map(|at| (at as f32 * 0.7).sin() * 2.0).collect();
    let mut first: Option<Vec<f32>> = None;
    for level in Level::available() {
        let mut out = vec![0.0; 33];
        Predictor::on(&tested, level).expect("valid").predict(&row, &mut out).expect("finite");
        let first = first.get_or_insert_with(|| out.clone());
        assert!(out.iter().zip(first.iter()).all(|(a, b)| (a - b).abs() < 1e-2), "{level:?}");
    }
}
