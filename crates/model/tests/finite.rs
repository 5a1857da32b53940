//! Goal: a number that is not finite, wherever it arises, gives no answer, in every precision and on every instruction set; also where
//! ReLU, a sigmoid, a maximum or rounding to 8 bits would make it finite again.
//! Method: layers that overflow before each of these; packed weights with a NaN or an infinity anywhere.
mod random;

use random::{Dice, dense, model};
use tickline_model::{
    Activation, Architecture, Engine, Layer, Level, Line, Model, NoSignal, Padding, Pooling, Precision,
    Predictor, Program, State, Sweep, Weights, zoo,
};

const COLUMNS: usize = 20;
const WINDOW: usize = 6;

/// Networks whose first layer with weights is `node` (the number of the node), each followed by what might hide an infinity.
fn nets() -> Vec<(String, usize, Architecture)> {
    let mut nets = Vec::new();
    for activation in Activation::ALL {
        let layers = [dense(33, activation), dense(20, Activation::Relu), dense(3, Activation::Softmax)];
        nets.push((format!("dense {activation:?}"), 0, Architecture::chain(COLUMNS, &layers)));
        let layers = [dense(3, activation), dense(7, Activation::Tanh), dense(2, Activation::None)];
        nets.push((format!("narrow {activation:?}"), 0, Architecture::chain(COLUMNS, &layers)));
    }
    nets.push(("lstm".into(), 0, zoo::lstm(COLUMNS, &[20], 3)));
    nets.push(("gru".into(), 0, zoo::gru(COLUMNS, &[20], 3)));
    nets.push(("bilinear".into(), 0, zoo::c_tabl(COLUMNS, WINDOW, 3, 0.0)));
    nets.push(("normalised".into(), 0, zoo::bin_c_tabl(COLUMNS, WINDOW, 3, 0.0)));
    nets.push(("attention".into(), 1, zoo::cnn_lstm_attention(COLUMNS, WINDOW, 3)));
    nets.push(("attention, streaming".into(), 1, zoo::cnn_lstm_attention_streaming(COLUMNS, WINDOW, 3)));
    for taps in [3, 4] {
        let mut net = Architecture::stateful(COLUMNS);
        let sweep = Sweep { kernel_width: 2, stride_width: 2, ..Sweep::times(taps, Padding::Causal) };
        net.then(Layer::Conv { outputs: 16, sweep, activation: Activation::Tanh });
        net.dense(3, Activation::Softmax);
        nets.push((format!("convolution over a stream, {taps} taps"), 0, net));
    }
    for layer in [
        Layer::LinearAttention { keys: 9, outputs: 20, decay: 0.9 },
        Layer::LocalAttention { keys: 9, outputs: 20, span: 3 },
    ] {
        for mut net in [Architecture::stateful(COLUMNS), Architecture::over_window(COLUMNS, WINDOW)] {
            net.then(layer);
            net.then(Layer::Last);
            net.dense(12, Activation::Relu);
            net.dense(3, Activation::Softmax);
            nets.push((layer.name().into(), 0, net));
        }
    }
    for pooling in [Pooling::Max, Pooling::Average] {
        let mut net = Architecture::over_window(COLUMNS, WINDOW);
        let sweep = Sweep::times(3, Padding::Same);
        net.then(Layer::Conv { outputs: 8, sweep, activation: Activation::LeakyRelu });
        net.then(Layer::Pool { pooling, sweep: Sweep::times(2, Padding::Valid) });
        net.then(Layer::BatchNorm { epsilon: 1e-3, momentum: 0.9 });
        net.then(Layer::Flatten);
        net.dense(12, Activation::Sigmoid);
        net.dense(3, Activation::Softmax);
        nets.push((format!("pool {pooling:?}"), 0, net));
    }
    nets
}

/// The answer to a row once the window is full.
fn settled(predictor: &mut Predictor, row: &[f32], out: &mut [f32]) -> Result<(), NoSignal> {
    (0..WINDOW)
        .map(|_| predictor.predict(row, out))
        .find(|answer| *answer != Err(NoSignal::Filling))
        .unwrap_or(Err(NoSignal::Filling))
}

#[test]
fn an_overflow_before_any_activation_gives_no_answer() {
    for (name, node, net) in nets() {
        let sound = model(net, 3);
        let plan = sound.verify().expect("valid");
        for (precision, sign) in Precision::ALL.into_iter().flat_map(|each| [(each, 1.0), (each, -1.0)]) {
            let nodes = plan.nodes().len();
            for reach in [Vec::new(), vec![4.0; nodes]] {
                let mut huge = Model { precision, reach, ..sound.clone() };
                huge.parameters[plan.owned(node)].fill(sign * 3e38);
                for level in Level::available() {
                    let row = [9.0; COLUMNS];
                    let mut out = vec![7.0; plan.outputs()];
                    let mut predictor = Predictor::on(&huge, level).expect("finite parameters");
                    let answer = settled(&mut predictor, &row, &mut out);
                    let said = format!("{name} {precision:?} {level:?} {sign}: {out:?}");
                    assert_eq!(answer, Err(NoSignal::OutputNotFinite), "{said}");
                    assert!(out.iter().all(|value| *value == 7.0), "{said}");
                    let mut healthy = Model { precision, ..sound.clone() };
                    healthy.reach = huge.reach.clone();
                    predictor.swap(&healthy).expect("the same network");
                    assert_eq!(settled(&mut predictor, &row, &mut out), Ok(()), "{said}, then sound weights");
                }
            }
        }
    }
}

#[test]
fn an_infinite_weight_in_memory_gives_no_answer_or_has_no_part_in_it() {
    let mut dice = Dice(11);
    for (name, _, net) in nets() {
        for precision in [Precision::F32, Precision::Bf16] {
            let sound = Model { precision, ..model(net.clone(), 3) };
            let program = Program::new(&sound).expect("valid");
            let mut lines = vec![Line::ZERO; program.weights_lines()];
            program.pack(&sound, &mut lines).expect("fits");
            let row: Vec<f32> = (0..COLUMNS).map(|_| dice.unit()).collect();
            for level in Level::available() {
                let answer = |lines: &[Line]| {
                    let (mut engine, mut state) = (Engine::on(program.clone(), level), State::new(&program));
                    let mut out = vec![0.0; program.outputs()];
                    let mut last = Err(NoSignal::Filling);
                    for _ in 0..WINDOW {
                        last = engine.predict(Weights { lines, version: 1 }, &mut state, &row, &mut out);
                    }
                    last.map(|()| out.iter().map(|value| value.to_bits()).collect::<Vec<u32>>())
                };
                let right = answer(&lines);
                assert!(right.is_ok(), "{name}");
                let (mut refused, mut apart) = (0, 0);
                for _ in 0..60 {
                    // What lies before is the scaling, whose clip makes infinities finite by design.
                    let at = 2 * COLUMNS.div_ceil(16) + 1;
                    let at = at + dice.below(lines.len() - at);
                    let (lane, kept) = (dice.below(16), lines[at]);
                    lines[at].0[lane] = if dice.below(2) == 0 { f32::NAN } else { f32::INFINITY };
                    match answer(&lines) {
                        Err(reason) => {
                            assert_eq!(reason, NoSignal::OutputNotFinite);
                            refused += 1;
                        }
                        given => {
                            assert_eq!(given, right, "{name} {precision:?} {level:?} line {at} lane {lane}");
                            apart += 1;
                        }
                    }
                    lines[at] = kept;
                }
                assert!(refused > 0 && refused + apart == 60, "{name} {precision:?}: no weight was met");
            }
        }
    }
}
