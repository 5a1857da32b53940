//! The closed set of layers: what each computes, what it makes of shapes, and which parameters it owns.
//!
//! A matrix that maps inputs to outputs has inputs as rows (`[inputs, outputs]`, as in Keras). Below, `x[t]` is the vector of all numbers
//! at time `t`. A layer that is *causal* can run in a stateful network, one row a tick, and gives there what it gives on a whole sequence
//! that began with rows of zeros.
mod infer;
mod tensors;

use crate::activation::Activation;
use crate::train::Real;

/// What stands before the first time of a convolution or a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Padding {
    /// Nothing: the output is shorter by `kernel - 1`.
    Valid,
    /// Half of `kernel - 1` rows on each side, the larger half after (Keras' `same`); zeros for a convolution, absent for a pool.
    Same,
    /// `kernel - 1` rows of zeros before.
    Causal,
}

impl Padding {
    /// Every padding; its place is its number in the file.
    pub const ALL: [Padding; 3] = [Padding::Valid, Padding::Same, Padding::Causal];
}

/// A sliding window over time and width. The width is never padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sweep {
    /// Times seen at once.
    pub kernel_time: usize,
    /// Places seen at once.
    pub kernel_width: usize,
    /// Times from one output to the next; 1 in a stateful network.
    pub stride_time: usize,
    /// Places from one output to the next.
    pub stride_width: usize,
    /// What stands beside the first and last time.
    pub padding: Padding,
}

impl Sweep {
    /// Over time alone, step by step.
    pub fn times(kernel: usize, padding: Padding) -> Sweep {
        Sweep { kernel_time: kernel, kernel_width: 1, stride_time: 1, stride_width: 1, padding }
    }

    /// Over width alone, without overlap.
    pub fn places(kernel: usize) -> Sweep {
        let padding = Padding::Causal;
        Sweep { kernel_time: 1, kernel_width: kernel, stride_time: 1, stride_width: kernel, padding }
    }
}

/// How a pool folds what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pooling {
    /// The largest.
    Max,
    /// The mean.
    Average,
}

/// What closes and opens the gates of a recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gate {
    /// [`Activation::Sigmoid`].
    Sigmoid,
    /// [`Activation::HardSigmoid`].
    Hard,
}

impl Gate {
    /// Every gate; its place is its number in the file.
    pub const ALL: [Gate; 2] = [Gate::Sigmoid, Gate::Hard];

    /// The curve.
    pub const fn activation(self) -> Activation {
        match self {
            Gate::Sigmoid => Activation::Sigmoid,
            Gate::Hard => Activation::HardSigmoid,
        }
    }

    /// A slope by what the gate gave as one by what it was given.
    #[inline(always)]
    pub(crate) fn back<T: Real>(self, slope: T, gate: T) -> T {
        match self {
            Gate::Sigmoid => slope * gate * (T::ONE - gate),
            Gate::Hard if gate > T::default() && gate < T::ONE => slope * T::of(0.2),
            Gate::Hard => T::default(),
        }
    }
}

/// Where the reset gate of a GRU stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reset {
    /// After the recurrent product, which then needs no gate and can be made ahead.
    After,
    /// Before it.
    Before,
}

impl Reset {
    /// Every place; its own place is its number in the file.
    pub const ALL: [Reset; 2] = [Reset::After, Reset::Before];
}

/// One layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Layer {
    /// `y[t] = act(x[t] W + b)`. Causal. Tensors `weight [features, outputs]`, `bias [outputs]`.
    Dense {
        /// Numbers given at each time.
        outputs: usize,
        /// What follows the sum.
        activation: Activation,
    },
    /// An activation alone. Causal.
    Activate {
        /// Which.
        activation: Activation,
    },
    /// Adds all its inputs, which have the same shape. Causal.
    Add,
    /// Puts its inputs' channels behind one another; times and widths are the same. Causal.
    Concat,
    /// The same numbers at each time seen as `width` places of `channels`. Causal.
    Reshape {
        /// Places.
        width: usize,
        /// Numbers at a place.
        channels: usize,
    },
    /// All times as one: `[time][features]` becomes `[1][time * features]`.
    Flatten,
    /// The last time alone. Causal: in a stateful network it is the time at hand.
    Last,
    /// In training each number is dropped with this probability, and what stays is scaled up by `1 / (1 - rate)`; else nothing. Causal.
    Dropout {
        /// Probability, 0 to below 1.
        rate: f32,
    },
    /// LSTM (Hochreiter and Schmidhuber 1997, with forget gate), gates in the order i, f, g, o: `c' = sigmoid(f) c + sigmoid(i) tanh(g)`,
    /// `h' = sigmoid(o) tanh(c')`, the gates being `x[t] K + h R + b`; gives `h'` at each time. Causal. `sigmoid` stands for the layer's gate.
    /// Tensors `kernel [features, 4 units]`, `recurrent [units, 4 units]`, `bias [4 units]`.
    Lstm {
        /// Size of `h` and `c`.
        units: usize,
        /// What stands for `sigmoid`.
        gate: Gate,
    },
    /// GRU, gates z, r, n: `h' = sigmoid(z) h + (1 - sigmoid(z)) n`; gives `h'` at each time. Causal. With the reset gate after the recurrent
    /// product (cuDNN, PyTorch, Keras' `reset_after`) `n = tanh(x Kn + bn + sigmoid(r) (h Rn + en))`, with the gate before it (Cho et al. 2014,
    /// TensorFlow.js) `n = tanh(x Kn + bn + (sigmoid(r) h) Rn + en)`. `sigmoid` stands for the layer's gate.
    /// Tensors `kernel [features, 3 units]`, `recurrent [units, 3 units]`, `bias [2, 3 units]` (b, then e).
    Gru {
        /// Size of `h`.
        units: usize,
        /// What stands for `sigmoid`.
        gate: Gate,
        /// Where the reset gate stands.
        reset: Reset,
    },
    /// Bilinear layer (Tran et al. 2018): `y = act(W2' x W1 + B)` over the `[time][features]` matrix `x`.
    /// Tensors `w1 [features, outputs]`, `w2 [time, times]`, `bias [times, outputs]`; columns of `w1` and `w2` are kept to norm 10.
    Bl {
        /// Features given.
        outputs: usize,
        /// Times given.
        times: usize,
        /// What follows the sum.
        activation: Activation,
    },
    /// Temporal attention augmented bilinear layer (Tran et al. 2018): `X = x W1`; `E = W' X` with the diagonal of `W` fixed to `1 / time`;
    /// `A = softmax of E over time`; `Y = act(W2' (l X + (1 - l) X * A) + B)`, `l` kept in [0, 1].
    /// Tensors `w1 [features, outputs]`, `w [time, time]`, `l [1]`, `w2 [time, times]`, `bias [times, outputs]`.
    Tabl {
        /// Features given.
        outputs: usize,
        /// Times given.
        times: usize,
        /// What follows the sum.
        activation: Activation,
    },
    /// Bilinear normalisation (Tran et al. 2021): `y1 X1 + y2 X2`; `X2` is each feature normalised over time (deviation below 1e-4 counts
    /// as 1), times `l2`, plus `b2`; `X1` is each time normalised over features, times `l1`, plus `b1`; `y1`, `y2` kept above 0.
    /// Tensors `y1 [1]`, `y2 [1]`, `l1 [time]`, `b1 [time]`, `l2 [features]`, `b2 [features]`.
    Bin,
    /// Cross-correlation over time and width: `y[t][w] = act(b + sum x[t s + i - p][w r + j] W[i][j])`. Causal with causal padding.
    /// Tensors `weight [kernel_time, kernel_width, channels, outputs]`, `bias [outputs]`.
    Conv {
        /// Channels given.
        outputs: usize,
        /// Kernel, strides, padding.
        sweep: Sweep,
        /// What follows the sum.
        activation: Activation,
    },
    /// Folds what a sliding window sees, channel by channel. Causal with causal padding.
    Pool {
        /// How.
        pooling: Pooling,
        /// Kernel, strides, padding.
        sweep: Sweep,
    },
    /// Batch normalisation (Ioffe and Szegedy 2015) by channel: in training over batch, time and width, else with the measured statistics.
    /// Causal. Tensors `gamma`, `beta`, `mean`, `variance`, each `[channels]`; the last two are measured, moving by `1 - momentum` a step.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
        /// Share of the old statistics kept a step.
        momentum: f32,
    },
    /// Additive attention over time: `e[t] = v . tanh(x[t] W + b)`, `a = softmax of e over time`, `y = sum a[t] x[t]`; one time is left.
    /// Tensors `weight [features, units]`, `bias [units]`, `query [units]`.
    Attention {
        /// Size of the hidden vector.
        units: usize,
    },
    /// Linear attention (Katharopoulos et al. 2020) with forgetting: `S[t] = decay S[t-1] + f(k) v'`, `z[t] = decay z[t-1] + f(k)`,
    /// `y[t] = f(q) S[t] / (f(q) . z[t] + 1e-6)`, `f(x) = elu(x) + 1`. Causal. Tensors `query`, `key [features, keys]`, `value [features, outputs]`.
    LinearAttention {
        /// Size of queries and keys.
        keys: usize,
        /// Numbers given at each time.
        outputs: usize,
        /// Share of the sums kept a tick, above 0 and at most 1; below 1 in a stateful network.
        decay: f32,
    },
    /// Softmax attention over the last `span` times, the one at hand included: scores `q . k / sqrt(keys)`. Causal; before the stream
    /// began there is nothing to attend to. Tensors `query`, `key [features, keys]`, `value [features, outputs]`.
    LocalAttention {
        /// Size of queries and keys.
        keys: usize,
        /// Numbers given at each time.
        outputs: usize,
        /// Times attended to.
        span: usize,
    },
}

impl Layer {
    /// Short name, as in tables and in the file's schema.
    pub const fn name(&self) -> &'static str {
        match self {
            Layer::Dense { .. } => "dense",
            Layer::Activate { .. } => "activate",
            Layer::Add => "add",
            Layer::Concat => "concat",
            Layer::Reshape { .. } => "reshape",
            Layer::Flatten => "flatten",
            Layer::Last => "last",
            Layer::Dropout { .. } => "dropout",
            Layer::Lstm { .. } => "lstm",
            Layer::Gru { .. } => "gru",
            Layer::Bl { .. } => "bl",
            Layer::Tabl { .. } => "tabl",
            Layer::Bin => "bin",
            Layer::Conv { .. } => "conv",
            Layer::Pool { .. } => "pool",
            Layer::BatchNorm { .. } => "batch_norm",
            Layer::Attention { .. } => "attention",
            Layer::LinearAttention { .. } => "linear_attention",
            Layer::LocalAttention { .. } => "local_attention",
        }
    }

    /// What follows the layer's sum; [`Activation::None`] where a layer has none of its own.
    pub const fn activation(&self) -> Activation {
        match *self {
            Layer::Dense { activation, .. }
            | Layer::Activate { activation }
            | Layer::Bl { activation, .. }
            | Layer::Tabl { activation, .. }
            | Layer::Conv { activation, .. } => activation,
            _ => Activation::None,
        }
    }

    /// True when the layer takes any number of inputs and not exactly one.
    pub const fn joins(&self) -> bool {
        matches!(self, Layer::Add | Layer::Concat)
    }
}
