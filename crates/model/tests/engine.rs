//! Goal: the engine computes what the layers' definitions say, on every instruction set, step by step, without allocating.
//! Method: random models and streams against a slow f64 model; a counting allocator; golden numbers.
mod random;
mod slow;

use random::{Dice, any_model, chain, dense, model};
use slow::Slow;
use tickline_model::{
    Activation, Architecture, Fault, Gate, Layer, Level, Model, NoSignal, Padding, Precision, Predictor,
    Reset, Sweep, zoo,
};
use tickline_trials::{Counting, allocations, trials};

/// The stated bound between instruction sets and against f64, for activations of order 1 and up to 8 layers of up to 200 inputs.
const BOUND: f64 = 2e-5;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn every_level_agrees_with_the_definitions_tick_by_tick() {
    let mut worst = 0.0f64;
    for seed in 1..=trials(150, 5_000) {
        let mut dice = Dice(seed);
        let model = any_model(&mut dice);
        for level in Level::available() {
            let mut dice = Dice(seed);
            let mut slow = Slow::default();
            let mut fast = Predictor::on(&model, level).expect("a random model is valid");
            let mut out = vec![0.0; model.outputs()];
            for tick in 0..12 {
                let row: Vec<f32> = (0..model.contract.names.len()).map(|_| dice.unit() * 4.0).collect();
                let answer = fast.predict(&row, &mut out);
                match slow.tick(&model, &row) {
                    None => assert_eq!(answer, Err(NoSignal::Filling), "seed {seed}"),
                    Some(wanted) => {
                        assert_eq!(answer, Ok(()), "seed {seed}");
                        for (got, wanted) in out.iter().zip(&wanted) {
                            let error = (f64::from(*got) - wanted).abs() / wanted.abs().max(1.0);
                            worst = worst.max(error);
                            assert!(error < BOUND, "seed {seed} {level:?} tick {tick}: {got} not {wanted}");
                        }
                    }
                }
                if tick % 3 == 0 {
                    fast.prepare();
                }
            }
        }
    }
    assert!(worst > 0.0, "the bound must be a real measurement");
}

/// Networks that compute something ahead of the next row.
fn ahead() -> Vec<Architecture> {
    let recurrent = |gate| {
        [
            Layer::Lstm { units: 37, gate },
            Layer::Gru {
                units: 20,
                gate,
                reset: if gate == Gate::Hard { Reset::Before } else { Reset::After },
            },
            dense(3, Activation::Softmax),
        ]
    };
    let over = |taps| Layer::Conv {
        outputs: 20,
        sweep: Sweep { kernel_width: 2, stride_width: 2, ..Sweep::times(taps, Padding::Causal) },
        activation: Activation::LeakyRelu,
    };
    let convolutions = [over(4), over(3), over(4), dense(3, Activation::Softmax)];
    let [smooth, hard] = Gate::ALL.map(|gate| chain(40, true, &recurrent(gate)));
    vec![smooth, hard, chain(40, true, &convolutions), zoo::deeplob_streaming(3)]
}

#[test]
fn preparing_what_does_not_need_the_row_changes_nothing() {
    for (net, precision) in ahead().into_iter().flat_map(|net| Precision::ALL.map(|each| (net.clone(), each)))
    {
        let model = Model { precision, ..model(net, 9) };
        for level in Level::available() {
            let mut plain = Predictor::on(&model, level).expect("valid");
            let mut ahead = Predictor::on(&model, level).expect("valid");
            let mut dice = Dice(4);
            for tick in 0..60 {
                let row: Vec<f32> = (0..40).map(|_| dice.unit()).collect();
                let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
                plain.predict(&row, &mut a).expect("finite");
                ahead.predict(&row, &mut b).expect("finite");
                (0..dice.below(3)).for_each(|_| ahead.prepare());
                assert_eq!(a.map(f32::to_bits), b.map(f32::to_bits), "{level:?} {precision:?} tick {tick}");
            }
        }
    }
}

/// Goal: new weights take effect at once and whole, whatever was computed ahead with the old ones. Method: a stream with swaps now and then,
/// prepared or not at any tick, is answered alike to the bit.
#[test]
fn swapped_weights_take_effect_at_once_even_when_prepared() {
    for net in ahead() {
        let both = [model(net.clone(), 1), model(net, 2)];
        let mut prepared = Predictor::new(&both[0]).expect("valid");
        let mut fresh = Predictor::new(&both[0]).expect("valid");
        let (mut dice, mut differs) = (Dice(11), 0);
        for tick in 0..200 {
            let row: Vec<f32> = (0..40).map(|_| dice.unit()).collect();
            let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
            prepared.predict(&row, &mut a).expect("finite");
            fresh.predict(&row, &mut b).expect("finite");
            assert_eq!(a.map(f32::to_bits), b.map(f32::to_bits), "tick {tick}");
            if dice.below(2) == 0 {
                prepared.prepare();
            }
            if dice.below(3) == 0 {
                let next = &both[dice.below(2)];
                prepared.swap(next).expect("same architecture");
                fresh.swap(next).expect("same architecture");
                differs += 1;
            }
            if dice.below(2) == 0 {
                prepared.prepare();
            }
        }
        assert!(differs > 20);
        let other = model(chain(8, true, &[dense(3, Activation::Softmax)]), 3);
        assert_eq!(prepared.swap(&other).expect_err("another architecture").fault, Fault::Architecture);
    }
}

/// Goal: after a swap the answers are those of the new weights over the rows before, not of a mixture. Method: convolutions, whose only memory
/// is rows, beside a network that had the new weights all along.
#[test]
fn a_convolution_remembers_rows_and_no_products_of_old_weights() {
    let over = |taps| Layer::Conv {
        outputs: 20,
        sweep: Sweep { kernel_width: 4, stride_width: 4, ..Sweep::times(taps, Padding::Causal) },
        activation: Activation::Tanh,
    };
    for (taps, before) in [(4, 6), (4, 7), (3, 5)] {
        let net = || chain(40, true, &[over(taps), dense(3, Activation::Softmax)]);
        let (old, new) = (model(net(), 1), Model { contract: model(net(), 1).contract, ..model(net(), 2) });
        let (mut swapped, mut always) =
            (Predictor::new(&old).expect("valid"), Predictor::new(&new).expect("valid"));
        let mut dice = Dice(3);
        for tick in 0..before + 4 {
            if tick == before {
                swapped.swap(&new).expect("same architecture");
            }
            let row: Vec<f32> = (0..40).map(|_| dice.unit()).collect();
            let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
            swapped.predict(&row, &mut a).expect("finite");
            always.predict(&row, &mut b).expect("finite");
            assert_eq!(a == b, tick >= before, "{taps} taps, tick {tick}: {a:?}, {b:?}");
        }
    }
}

#[test]
fn nothing_that_is_not_a_number_becomes_a_prediction() {
    let small = model(chain(20, false, &[dense(5, Activation::Relu), dense(3, Activation::Softmax)]), 5);
    for level in Level::available() {
        let mut predictor = Predictor::on(&small, level).expect("valid");
        let mut out = [7.0; 3];
        for place in 0..20 {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut row = [0.1; 20];
                row[place] = bad;
                assert_eq!(predictor.predict(&row, &mut out), Err(NoSignal::InputNotFinite));
            }
        }
        assert_eq!(predictor.predict(&[0.0; 19], &mut out), Err(NoSignal::Length));
        assert_eq!(predictor.predict(&[0.0; 20], &mut out[..2]), Err(NoSignal::Length));
        assert_eq!(out, [7.0; 3], "the output is untouched");
        assert_eq!(
            predictor.predict(&[f32::MAX; 20], &mut out),
            Ok(()),
            "large numbers are clipped, not refused"
        );
    }
}

#[test]
fn an_overflow_inside_is_refused_and_forgotten() {
    let mut huge = model(chain(2, false, &[dense(4, Activation::None), dense(2, Activation::None)]), 5);
    huge.parameters.fill(3e38);
    for level in Level::available() {
        let mut predictor = Predictor::on(&huge, level).expect("finite weights");
        let mut out = [0.0; 2];
        assert_eq!(predictor.predict(&[3.0, 3.0], &mut out), Err(NoSignal::OutputNotFinite), "{level:?}");
        assert_eq!(out, [0.0; 2]);
    }
}

#[test]
fn a_tick_allocates_nothing() {
    let mut net = Architecture::stateful(40);
    net.then(Layer::Lstm { units: 64, gate: Gate::Sigmoid });
    let skipped = net.then(Layer::Gru { units: 32, gate: Gate::Sigmoid, reset: Reset::After });
    let last = net.dense(32, Activation::Swish);
    net.on(&[last, skipped], Layer::Add);
    net.dense(3, Activation::Softmax);
    let mut nets = vec![(net, 0)];
    nets.push((zoo::bin_c_tabl(40, 10, 3, 0.1), 9));
    nets.push((zoo::mlp(40, 3, &[64, 64], Activation::Relu, 3, true), 2));
    nets.push((zoo::cnn_lstm_attention(40, 6, 3), 5));
    nets.push((zoo::cnn_lstm_attention_streaming(40, 6, 3), 0));
    nets.push((zoo::deeplob_streaming(3), 0));
    let mut past = Architecture::stateful(40);
    past.then(Layer::LinearAttention { keys: 20, outputs: 40, decay: 0.99 });
    past.dense(3, Activation::Softmax);
    nets.push((past, 0));
    for (net, filling) in nets {
        let mut predictor = Predictor::new(&model(net, 3)).expect("valid");
        let (row, mut out) = ([0.25; 40], [0.0; 3]);
        let mut answers: u32 = (0..20).map(|_| u32::from(predictor.predict(&row, &mut out).is_ok())).sum();
        let before = allocations();
        for _ in 20..500 {
            answers += u32::from(predictor.predict(&row, &mut out).is_ok());
            predictor.prepare();
        }
        assert_eq!(allocations() - before, 0);
        assert!(before > 0, "the counter counts");
        assert_eq!(answers, 500 - filling, "the first rows only fill the window");
    }
}

/// A hand-computed network: 2 inputs, 2 hidden ReLU units, softmax.
#[test]
fn golden_numbers() {
    let net = chain(2, false, &[dense(2, Activation::Relu), dense(2, Activation::Softmax)]);
    // weight [[1, -1], [0.5, 2]], bias [0.25, 0]; weight [[1, 0], [0, 1]], bias [0, 0]
    let parameters = vec![1.0, -1.0, 0.5, 2.0, 0.25, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    let mut golden = Model::bare("golden", net, parameters);
    (golden.contract.mean, golden.contract.scale) = (vec![1.0, 0.0], vec![2.0, 0.5]);
    golden.contract.clip = 2.0;
    golden.classes = vec!["down".into(), "up".into()];
    // x = ((3 - 1) / 2, clip(4 / 0.5)) = (1, 2); hidden = (1 + 1 + 0.25, -1 + 4) = (2.25, 3); softmax(2.25, 3).
    let wanted = 1.0 / (1.0 + 0.75f64.exp());
    for level in Level::available() {
        let mut out = [0.0; 2];
        Predictor::on(&golden, level).expect("valid").predict(&[3.0, 4.0], &mut out).expect("finite");
        assert!(
            (f64::from(out[0]) - wanted).abs() < 1e-7 && (f64::from(out[1]) - (1.0 - wanted)).abs() < 1e-7
        );
    }
}
