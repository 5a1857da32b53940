//! Goal: every layer's way back is the derivative of its way forward.
//! Method: central differences in f64 of a random weighting of the answers, by parameters and by inputs, over random sizes, two sequences at
//! once and two passes with carried state; networks with kinks stay clear of them because a difference across a kink would be no error.
mod random;

use random::Dice;
use tickline_model::train::{Net, cross_entropy};
use tickline_model::{Activation, Architecture, Gate, Layer, Padding, Plan, Pooling, Reset, Sweep};
use tickline_trials::trials;

const BATCH: usize = 2;
const STEPS: usize = 5;

struct Case {
    net: Net<f64>,
    warm: Vec<f64>,
    input: Vec<f64>,
    weights: Vec<f64>,
    learning: Option<u64>,
}

impl Case {
    fn new(plan: &Plan, dice: &mut Dice, learning: bool) -> Case {
        let net = Net::<f64>::new(plan, BATCH, STEPS).expect("fits");
        let mut vector = |size: usize| (0..size).map(|_| f64::from(dice.unit())).collect::<Vec<f64>>();
        Case {
            warm: vector(net.inputs()),
            input: vector(net.inputs()),
            weights: vector(net.answer().len()),
            learning: learning.then_some(9),
            net,
        }
    }

    /// The loss: after a first pass whose state counts as given.
    fn run(&mut self, parameters: &[f64], given: &[f64], input: &[f64]) -> f64 {
        self.net.reset();
        self.net.forward(given, &self.warm, None);
        let mut dice = self.learning.map(tickline_model::train::Dice::new);
        let answer = self.net.forward(parameters, input, dice.as_mut());
        answer.iter().zip(&self.weights).map(|(y, w)| y * w).sum()
    }
}

/// Largest error of slopes against differences, relative to the larger of the slope and 1e-3.
fn check(plan: &Plan, parameters: &[f64], dice: &mut Dice, learning: bool) -> f64 {
    let mut case = Case::new(plan, dice, learning);
    let input = case.input.clone();
    case.run(parameters, parameters, &input);
    let mut gradient = vec![0.0; parameters.len()];
    let weights = case.weights.clone();
    case.net.backward(parameters, &weights, false, &mut gradient);
    let by_input = case.net.input_slopes().to_vec();
    let (reach, mut worst) = (1e-6, 0.0f64);
    let mut compare = |low: f64, high: f64, slope: f64, what: &str| {
        let difference = (high - low) / (2.0 * reach);
        let error = (difference - slope).abs() / difference.abs().max(1e-3);
        assert!(error < 5e-5, "{what}: difference {difference}, slope {slope}");
        worst = worst.max(error);
    };
    let measured: Vec<_> = plan
        .slices()
        .iter()
        .filter(|slice| slice.spec.rule == tickline_model::Rule::Measured)
        .map(|slice| slice.range.clone())
        .collect();
    for _ in 0..80.min(4 * parameters.len()) {
        let at = dice.below(parameters.len());
        if measured.iter().any(|range| range.contains(&at)) {
            continue;
        }
        let mut moved = |by: f64| {
            let mut moved = parameters.to_vec();
            moved[at] += by;
            case.run(&moved, parameters, &input)
        };
        let slice = plan.slices().iter().find(|slice| slice.range.contains(&at)).expect("in some tensor");
        compare(moved(-reach), moved(reach), gradient[at], slice.spec.name);
    }
    for _ in 0..40 {
        let at = dice.below(input.len());
        let mut moved = |by: f64| {
            let mut moved = input.clone();
            moved[at] += by;
            case.run(parameters, parameters, &moved)
        };
        compare(moved(-reach), moved(reach), by_input[at], "input");
    }
    worst
}

fn checked(name: &str, net: &Architecture, learning: bool) {
    let plan = Plan::compile(net).unwrap_or_else(|error| panic!("{name}: {error}"));
    for seed in 1..=trials(6, 60) {
        let mut dice = Dice(seed * 131 + name.len() as u64);
        // Off their starting values, so that no parameter's slope hides behind a zero or a one.
        let mut parameters: Vec<f64> = plan
            .initial(&mut tickline_model::train::Dice::new(seed))
            .iter()
            .map(|value| f64::from(*value) + 0.2 * f64::from(dice.unit()))
            .collect();
        let mut single: Vec<f32> = parameters.iter().map(|value| *value as f32).collect();
        plan.enforce(&mut single);
        for slice in plan.slices().iter().filter(|slice| slice.spec.name == "variance") {
            single[slice.range.clone()].iter_mut().for_each(|value| *value = value.abs() + 0.5);
        }
        parameters = single.iter().map(|value| f64::from(*value)).collect();
        let worst = check(&plan, &parameters, &mut dice, learning);
        assert!(worst > 0.0, "{name}: the bound must be a real measurement");
    }
}

fn window(layers: &[Layer]) -> Architecture {
    let mut net = Architecture::over_window(6, 7);
    layers.iter().for_each(|layer| {
        net.then(*layer);
    });
    net
}

fn stateful(layers: &[Layer]) -> Architecture {
    let mut net = Architecture::stateful(6);
    layers.iter().for_each(|layer| {
        net.then(*layer);
    });
    net
}

const SMOOTH: [Activation; 5] =
    [Activation::None, Activation::Swish, Activation::Tanh, Activation::Sigmoid, Activation::Softmax];

fn conv(kernel: [usize; 2], stride: [usize; 2], padding: Padding, activation: Activation) -> Layer {
    let sweep = Sweep {
        kernel_time: kernel[0],
        kernel_width: kernel[1],
        stride_time: stride[0],
        stride_width: stride[1],
        padding,
    };
    Layer::Conv { outputs: 3, sweep, activation }
}

#[test]
fn dense_and_activations() {
    for activation in Activation::ALL {
        checked("dense", &window(&[Layer::Dense { outputs: 5, activation }]), false);
        checked("activate", &window(&[Layer::Activate { activation }]), false);
        checked("dense, row by row", &stateful(&[Layer::Dense { outputs: 4, activation }]), false);
    }
}

#[test]
fn bilinear_layers() {
    for activation in SMOOTH {
        checked("bl", &window(&[Layer::Bl { outputs: 4, times: 3, activation }]), false);
        checked("tabl", &window(&[Layer::Tabl { outputs: 3, times: 2, activation }]), false);
    }
    checked("bin", &window(&[Layer::Bin]), false);
    let whole = [
        Layer::Bin,
        Layer::Bl { outputs: 5, times: 4, activation: Activation::Tanh },
        Layer::Tabl { outputs: 3, times: 1, activation: Activation::Softmax },
    ];
    checked("bin-c(tabl)", &window(&whole), false);
}

#[test]
fn convolutions_and_pools() {
    for padding in Padding::ALL {
        checked("conv", &window(&[conv([3, 2], [1, 1], padding, Activation::Tanh)]), false);
        checked("conv, strided", &window(&[conv([3, 2], [2, 2], padding, Activation::Swish)]), false);
        let deep = [
            conv([2, 3], [1, 1], padding, Activation::Tanh),
            conv([2, 2], [1, 2], padding, Activation::None),
        ];
        checked("conv, deep", &window(&deep), false);
        for pooling in [Pooling::Max, Pooling::Average] {
            let sweep = Sweep { kernel_time: 3, kernel_width: 2, stride_time: 2, stride_width: 2, padding };
            checked("pool", &window(&[Layer::Pool { pooling, sweep }]), false);
        }
    }
    checked("conv, stateful", &stateful(&[conv([4, 2], [1, 2], Padding::Causal, Activation::Tanh)]), false);
    let pool = Layer::Pool { pooling: Pooling::Max, sweep: Sweep::times(3, Padding::Causal) };
    checked(
        "pool, stateful",
        &stateful(&[Layer::Dense { outputs: 4, activation: Activation::Tanh }, pool]),
        false,
    );
}

#[test]
fn recurrent_layers() {
    let all = |gate| {
        let gru = |reset| Layer::Gru { units: 5, gate, reset };
        [Layer::Lstm { units: 5, gate }, gru(Reset::After), gru(Reset::Before)]
    };
    for layer in Gate::ALL.into_iter().flat_map(all) {
        checked("over a window", &window(&[layer]), false);
        checked("last of a window", &window(&[layer, Layer::Last]), false);
        checked("stateful", &stateful(&[layer]), false);
        checked(
            "deep",
            &stateful(&[layer, layer, Layer::Dense { outputs: 3, activation: Activation::Softmax }]),
            false,
        );
    }
}

#[test]
fn attention_layers() {
    checked("additive", &window(&[Layer::Attention { units: 4 }]), false);
    let linear = Layer::LinearAttention { keys: 3, outputs: 4, decay: 0.9 };
    checked("linear", &window(&[linear]), false);
    checked("linear, stateful", &stateful(&[linear]), false);
    for span in [1, 3, 9] {
        let local = Layer::LocalAttention { keys: 3, outputs: 4, span };
        checked("local", &window(&[local]), false);
        checked("local, stateful", &stateful(&[local]), false);
    }
}

#[test]
fn normalisation_and_dropout() {
    let norm = Layer::BatchNorm { epsilon: 1e-3, momentum: 0.9 };
    for learning in [false, true] {
        checked("batch norm", &window(&[Layer::Reshape { width: 2, channels: 3 }, norm]), learning);
        checked("batch norm, stateful", &stateful(&[norm]), learning);
    }
    checked("dropout", &window(&[Layer::Dropout { rate: 0.4 }, Layer::Flatten]), true);
}

#[test]
fn skips_joins_and_folds() {
    let mut net = window(&[Layer::Dense { outputs: 6, activation: Activation::Tanh }]);
    let second = net.dense(6, Activation::Swish);
    let added = net.on(&[1, second], Layer::Add);
    let joined = net.on(&[added, 1, second], Layer::Concat);
    net.on(&[joined], Layer::Flatten);
    net.dense(3, Activation::Softmax);
    checked("skips", &net, false);
    checked("reshape", &window(&[Layer::Reshape { width: 3, channels: 2 }, Layer::Last]), false);
}

#[test]
fn whole_networks() {
    let smooth = |mut net: Architecture| {
        for node in &mut net.nodes {
            match &mut node.layer {
                Layer::Dense { activation, .. }
                | Layer::Conv { activation, .. }
                | Layer::Bl { activation, .. }
                    if matches!(activation, Activation::Relu | Activation::LeakyRelu) =>
                {
                    *activation = Activation::Swish;
                }
                _ => {}
            }
        }
        net
    };
    use tickline_model::zoo;
    checked("bin-c(tabl)", &smooth(zoo::bin_c_tabl(8, 10, 3, 0.0)), false);
    checked("cnn-lstm-attention", &smooth(zoo::cnn_lstm_attention(8, 6, 3)), false);
    checked("cnn-lstm-attention, streaming", &smooth(zoo::cnn_lstm_attention_streaming(8, 3, 3)), false);
    checked("deeplob, streaming", &smooth(zoo::deeplob_streaming(3)), false);
}

#[test]
fn slopes_by_logits_are_those_of_the_cross_entropy() {
    let plan = Plan::compile(&Architecture::chain(
        4,
        &[Layer::Dense { outputs: 3, activation: Activation::Softmax }],
    ))
    .expect("compiles");
    let mut net = Net::<f64>::new(&plan, 1, 1).expect("fits");
    let parameters: Vec<f64> = (0..15).map(|at| (f64::from(at) * 0.37).sin()).collect();
    let x = [0.3, -0.2, 0.9, 0.4];
    let mut loss = |parameters: &[f64]| {
        let mut slope = vec![0.0; 3];
        (cross_entropy(net.forward(parameters, &x, None), 2, 1.7, &mut slope), slope)
    };
    let differences: Vec<f64> = (0..15)
        .map(|at| {
            let mut moved = |by: f64| {
                let mut moved = parameters.clone();
                moved[at] += by;
                loss(&moved).0
            };
            (moved(1e-6) - moved(-1e-6)) / 2e-6
        })
        .collect();
    let (_, slope) = loss(&parameters);
    let mut gradient = vec![0.0; 15];
    net.backward(&parameters, &slope, true, &mut gradient);
    for (at, (difference, slope)) in differences.iter().zip(&gradient).enumerate() {
        assert!((difference - slope).abs() < 1e-8, "parameter {at}: {difference} not {slope}");
    }
}
