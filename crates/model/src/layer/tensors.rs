//! Which parameters a layer owns.
use super::Layer;
use crate::activation::Activation;
use crate::shape::Shape;
use crate::tensor::{Rule, Start, TensorSpec};

/// The norm that columns of a bilinear layer's matrices are kept to.
const NORM_MAX: f32 = 10.0;

/// How a matrix before an activation starts.
fn start(activation: Activation, taken: usize, given: usize) -> Start {
    match activation {
        Activation::Relu | Activation::LeakyRelu | Activation::Swish => Start::He { taken },
        _ => Start::Glorot { taken, given },
    }
}

impl Layer {
    /// The layer's tensors, in the order in which they lie in the vector of parameters, when it takes `x`.
    pub fn tensors(&self, x: Shape) -> Vec<TensorSpec> {
        let features = x.features();
        let square = |taken: usize, given: usize| Start::Glorot { taken, given };
        match *self {
            Layer::Dense { outputs, activation } => vec![
                TensorSpec::matrix("weight", &[features, outputs], start(activation, features, outputs)),
                TensorSpec::vector("bias", &[outputs], 0.0),
            ],
            Layer::Lstm { units, .. } => vec![
                TensorSpec::matrix("kernel", &[features, 4 * units], square(features, units)),
                TensorSpec::matrix("recurrent", &[units, 4 * units], square(units, units)),
                TensorSpec { start: Start::Forget, ..TensorSpec::vector("bias", &[4 * units], 0.0) },
            ],
            Layer::Gru { units, .. } => vec![
                TensorSpec::matrix("kernel", &[features, 3 * units], square(features, units)),
                TensorSpec::matrix("recurrent", &[units, 3 * units], square(units, units)),
                TensorSpec::vector("bias", &[2, 3 * units], 0.0),
            ],
            Layer::Bl { .. } | Layer::Tabl { .. } | Layer::Bin => self.bilinear_tensors(x),
            Layer::Conv { outputs, sweep, activation } => {
                let seen = sweep.kernel_time * sweep.kernel_width;
                let shape = [sweep.kernel_time, sweep.kernel_width, x.channels, outputs];
                let start = start(activation, seen * x.channels, seen * outputs);
                vec![TensorSpec::matrix("weight", &shape, start), TensorSpec::vector("bias", &[outputs], 0.0)]
            }
            Layer::BatchNorm { .. } => vec![
                TensorSpec::vector("gamma", &[x.channels], 1.0),
                TensorSpec::vector("beta", &[x.channels], 0.0),
                TensorSpec::vector("mean", &[x.channels], 0.0).with(Rule::Measured),
                TensorSpec::vector("variance", &[x.channels], 1.0).with(Rule::Measured),
            ],
            Layer::Attention { units } => vec![
                TensorSpec::matrix("weight", &[features, units], square(features, units)),
                TensorSpec::vector("bias", &[units], 0.0),
                TensorSpec::matrix("query", &[units], square(units, 1)),
            ],
            Layer::LinearAttention { keys, outputs, .. } | Layer::LocalAttention { keys, outputs, .. } => {
                vec![
                    TensorSpec::matrix("query", &[features, keys], square(features, keys)),
                    TensorSpec::matrix("key", &[features, keys], square(features, keys)),
                    TensorSpec::matrix("value", &[features, outputs], square(features, outputs)),
                ]
            }
            Layer::Activate { .. }
            | Layer::Add
            | Layer::Concat
            | Layer::Reshape { .. }
            | Layer::Flatten
            | Layer::Last
            | Layer::Dropout { .. }
            | Layer::Pool { .. } => Vec::new(),
        }
    }

    fn bilinear_tensors(&self, x: Shape) -> Vec<TensorSpec> {
        let features = x.features();
        let square = |taken: usize, given: usize| Start::Glorot { taken, given };
        match *self {
            Layer::Bl { outputs, times, activation } => vec![
                TensorSpec::matrix("w1", &[features, outputs], start(activation, features, outputs))
                    .with(Rule::MaxNorm(NORM_MAX)),
                TensorSpec::matrix("w2", &[x.time, times], start(activation, x.time, times))
                    .with(Rule::MaxNorm(NORM_MAX)),
                TensorSpec::vector("bias", &[times, outputs], 0.0),
            ],
            Layer::Tabl { outputs, times, .. } => vec![
                TensorSpec::matrix("w1", &[features, outputs], square(features, outputs))
                    .with(Rule::MaxNorm(NORM_MAX)),
                TensorSpec::vector("w", &[x.time, x.time], 1.0 / x.time as f32)
                    .with(Rule::Diagonal(1.0 / x.time as f32)),
                TensorSpec::vector("l", &[1], 0.5).with(Rule::Between(0.0, 1.0)),
                TensorSpec::matrix("w2", &[x.time, times], square(x.time, times))
                    .with(Rule::MaxNorm(NORM_MAX)),
                TensorSpec::vector("bias", &[times, outputs], 0.0),
            ],
            Layer::Bin => vec![
                TensorSpec::vector("y1", &[1], 0.5).with(Rule::Positive(0.01)),
                TensorSpec::vector("y2", &[1], 0.5).with(Rule::Positive(0.01)),
                TensorSpec::vector("l1", &[x.time], 1.0),
                TensorSpec::vector("b1", &[x.time], 0.0),
                TensorSpec::vector("l2", &[features], 1.0),
                TensorSpec::vector("b2", &[features], 0.0),
            ],
            _ => Vec::new(),
        }
    }
}
