//! Ready-made networks.
use crate::activation::Activation;
use crate::architecture::Architecture;
use crate::layer::{Gate, Layer, Padding, Pooling, Reset, Sweep};

/// A dense network over the last `window` rows, ending in a softmax over `classes`. With `skips`, every hidden layer as wide as the one
/// before is added to it.
pub fn mlp(
    columns: usize,
    window: usize,
    hidden: &[usize],
    activation: Activation,
    classes: usize,
    skips: bool,
) -> Architecture {
    let mut net = Architecture::over_window(columns, window);
    if window > 1 {
        net.then(Layer::Flatten);
    }
    let mut before = None;
    for outputs in hidden {
        let (from, made) = (net.nodes.len(), net.dense(*outputs, activation));
        if skips && before == Some(*outputs) {
            net.on(&[made, from], Layer::Add);
        }
        before = Some(*outputs);
    }
    net.dense(classes, Activation::Softmax);
    net
}

/// One dense layer and a softmax: multinomial logistic regression.
pub fn logistic(columns: usize, window: usize, classes: usize) -> Architecture {
    mlp(columns, window, &[], Activation::None, classes, false)
}

/// Stateful LSTM layers, then a softmax over `classes`.
pub fn lstm(columns: usize, units: &[usize], classes: usize) -> Architecture {
    recurrent(columns, units, classes, |units| Layer::Lstm { units, gate: Gate::Sigmoid })
}

/// Stateful GRU layers, then a softmax over `classes`.
pub fn gru(columns: usize, units: &[usize], classes: usize) -> Architecture {
    recurrent(columns, units, classes, |units| Layer::Gru { units, gate: Gate::Sigmoid, reset: Reset::After })
}

fn recurrent(
    columns: usize,
    units: &[usize],
    classes: usize,
    layer: impl Fn(usize) -> Layer,
) -> Architecture {
    let mut net = Architecture::stateful(columns);
    for units in units {
        net.then(layer(*units));
    }
    net.dense(classes, Activation::Softmax);
    net
}

/// C(TABL) (Tran et al. 2018): two bilinear layers and an attention one; 11,344 parameters for 40 columns, 10 rows, 3 classes.
pub fn c_tabl(columns: usize, window: usize, classes: usize, dropout: f32) -> Architecture {
    let mut net = Architecture::over_window(columns, window);
    bilinear(&mut net, window, classes, dropout);
    net
}

/// BiN-C(TABL) (Tran et al. 2021): bilinear normalisation before [`c_tabl`]; 102 parameters more for 40 columns, 10 rows.
pub fn bin_c_tabl(columns: usize, window: usize, classes: usize, dropout: f32) -> Architecture {
    let mut net = Architecture::over_window(columns, window);
    net.then(Layer::Bin);
    bilinear(&mut net, window, classes, dropout);
    net
}

fn bilinear(net: &mut Architecture, window: usize, classes: usize, dropout: f32) {
    for (outputs, times) in [(60, window), (120, window.div_ceil(2))] {
        net.then(Layer::Bl { outputs, times, activation: Activation::Relu });
        if dropout > 0.0 {
            net.then(Layer::Dropout { rate: dropout });
        }
    }
    net.then(Layer::Tabl { outputs: classes, times: 1, activation: Activation::Softmax });
}

/// Three convolutions with 1x1 kernels over the columns of each row, an LSTM over the window, attention over its states, a softmax.
pub fn cnn_lstm_attention(columns: usize, window: usize, classes: usize) -> Architecture {
    let mut net = Architecture::over_window(columns, window);
    net.then(Layer::Reshape { width: 1, channels: columns });
    for outputs in [64, 32, 32] {
        let sweep = Sweep::times(1, Padding::Valid);
        net.then(Layer::Conv { outputs, sweep, activation: Activation::Relu });
    }
    net.then(Layer::Lstm { units: 64, gate: Gate::Sigmoid });
    net.then(Layer::Attention { units: 32 });
    net.dense(classes, Activation::Softmax);
    net
}

/// The same as a stateful network: attention looks at the last `span` states.
pub fn cnn_lstm_attention_streaming(columns: usize, span: usize, classes: usize) -> Architecture {
    let mut net = Architecture::stateful(columns);
    net.then(Layer::Reshape { width: 1, channels: columns });
    for outputs in [64, 32, 32] {
        let sweep = Sweep::times(1, Padding::Causal);
        net.then(Layer::Conv { outputs, sweep, activation: Activation::Relu });
    }
    net.then(Layer::Lstm { units: 64, gate: Gate::Sigmoid });
    net.then(Layer::LocalAttention { keys: 32, outputs: 64, span });
    net.dense(classes, Activation::Softmax);
    net
}

/// DeepLOB (Zhang et al. 2019) over a window of at least 19 rows; columns are 10 levels of price and size, ask then bid: 40.
pub fn deeplob(window: usize, classes: usize) -> Architecture {
    let mut net = Architecture::over_window(40, window);
    convolutions(&mut net, Padding::Valid, Padding::Same);
    net.then(Layer::Last);
    net.dense(classes, Activation::Softmax);
    net
}

/// DeepLOB as a stateful network: every convolution sees the past alone and only the new column is computed each tick.
pub fn deeplob_streaming(classes: usize) -> Architecture {
    let mut net = Architecture::stateful(40);
    convolutions(&mut net, Padding::Causal, Padding::Causal);
    net.dense(classes, Activation::Softmax);
    net
}

fn convolutions(net: &mut Architecture, blocks: Padding, inception: Padding) {
    let conv = |net: &mut Architecture, sweep, activation| {
        net.then(Layer::Conv { outputs: 32, sweep, activation });
    };
    for (places, activation) in
        [(2, Activation::LeakyRelu), (2, Activation::Tanh), (10, Activation::LeakyRelu)]
    {
        conv(net, Sweep::places(places), activation);
        conv(net, Sweep::times(4, blocks), activation);
        conv(net, Sweep::times(4, blocks), activation);
    }
    let (from, activation) = (net.nodes.len(), Activation::LeakyRelu);
    let one = Layer::Conv { outputs: 64, sweep: Sweep::places(1), activation };
    let branch = |net: &mut Architecture, times| {
        let first = net.on(&[from], one);
        net.on(&[first], Layer::Conv { outputs: 64, sweep: Sweep::times(times, inception), activation })
    };
    let (three, five) = (branch(net, 3), branch(net, 5));
    let pooled = Layer::Pool { pooling: Pooling::Max, sweep: Sweep::times(3, inception) };
    let pooled = net.on(&[from], pooled);
    let pooled = net.on(&[pooled], one);
    net.on(&[three, five, pooled], Layer::Concat);
    net.then(Layer::Lstm { units: 64, gate: Gate::Sigmoid });
}

/// Shapes of the STAC-ML inference benchmark's LSTM models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stac {
    /// 2 layers of 100 units on 50 rows of 100 columns.
    A,
    /// 3 layers of 200 units on 100 rows of 250 columns.
    B,
    /// 4 layers of 1000 units on 100 rows of 500 columns.
    C,
}

/// An LSTM of a STAC-ML shape with one output; over a whole window, or stateful.
pub fn stac(shape: Stac, stateful: bool) -> Architecture {
    let (layers, units, window, columns) = match shape {
        Stac::A => (2, 100, 50, 100),
        Stac::B => (3, 200, 100, 250),
        Stac::C => (4, 1000, 100, 500),
    };
    let mut net =
        if stateful { Architecture::stateful(columns) } else { Architecture::over_window(columns, window) };
    for _ in 0..layers {
        net.then(Layer::Lstm { units, gate: Gate::Sigmoid });
    }
    if !stateful {
        net.then(Layer::Last);
    }
    net.dense(1, Activation::None);
    net
}

/// An autoencoder of one row: hidden layers down to `code` numbers and up again; train it on [`crate::train::Targets::Itself`].
pub fn autoencoder(columns: usize, hidden: &[usize], code: usize) -> Architecture {
    let mut net = Architecture::over_window(columns, 1);
    for outputs in hidden {
        net.dense(*outputs, Activation::Tanh);
    }
    net.dense(code, Activation::None);
    for outputs in hidden.iter().rev() {
        net.dense(*outputs, Activation::Tanh);
    }
    net.dense(columns, Activation::None);
    net
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn plan(net: &Architecture) -> Plan {
        Plan::compile(net).expect("a ready-made network compiles")
    }

    #[test]
    fn sizes_are_the_published_ones() {
        assert_eq!(plan(&c_tabl(40, 10, 3, 0.1)).parameters(), 11_344);
        let bin = plan(&bin_c_tabl(40, 10, 3, 0.1));
        assert_eq!(bin.parameters(), 11_344 + 102);
        assert!((65_000..75_000).contains(&bin.multiply_adds()), "{}", bin.multiply_adds());
        let (window, stream) = (plan(&deeplob(100, 3)), plan(&deeplob_streaming(3)));
        assert_eq!(window.parameters(), stream.parameters());
        assert!((140_000..146_000).contains(&window.parameters()), "{}", window.parameters());
        assert!((330_000..400_000).contains(&stream.multiply_adds()), "{}", stream.multiply_adds());
        assert!(window.multiply_adds() > 25_000_000, "{}", window.multiply_adds());
        let a = plan(&stac(Stac::A, true));
        assert_eq!(a.parameters(), 4 * 100 * 201 * 2 + 101);
        assert_eq!(plan(&stac(Stac::A, false)).parameters(), a.parameters());
    }

    #[test]
    fn every_ready_made_network_compiles() {
        for net in [
            mlp(40, 1, &[64, 64, 64], Activation::Relu, 3, false),
            mlp(40, 5, &[64, 64, 64, 32], Activation::Swish, 3, true),
            logistic(40, 10, 3),
            lstm(40, &[64], 3),
            gru(40, &[64, 32], 3),
            cnn_lstm_attention(40, 50, 3),
            cnn_lstm_attention_streaming(40, 10, 3),
            stac(Stac::B, true),
            stac(Stac::C, false),
        ] {
            assert!(plan(&net).parameters() > 0);
        }
        assert_eq!(plan(&autoencoder(40, &[20], 4)).outputs(), 40);
        assert_eq!(mlp(8, 1, &[16, 16], Activation::Relu, 3, true).nodes.len(), 4);
    }
}
