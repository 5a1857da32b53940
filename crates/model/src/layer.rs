//! The closed set of layers: their sizes, their tensors, and what they make of a shape.
//!
//! Between layers runs one vector a tick. Tensors are row-major; where a matrix maps inputs to outputs, inputs are the rows
//! (`[inputs, outputs]`, as in Keras).
use crate::error::{Fault, ModelError};

/// Most values a layer may take or give; bounds what a hostile file can make us allocate.
pub const WIDTH_MAX: usize = 8192;
/// Most layers in a model.
pub const LAYERS_MAX: usize = 64;

/// What follows a dense layer's sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// The sum itself.
    None,
    /// `max(0, x)`.
    Relu,
    /// `x * sigmoid(x)`.
    Swish,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `exp(x_i - max x) / sum`.
    Softmax,
    /// `x` above zero, `0.01 x` below.
    LeakyRelu,
}

impl Activation {
    /// Every activation; its place is its number in the file (`Activation` in `schemas/model.fbs`).
    pub const ALL: [Activation; 7] = [
        Activation::None,
        Activation::Relu,
        Activation::Swish,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softmax,
        Activation::LeakyRelu,
    ];

    /// The activation of a file's number.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The file's number.
    pub fn code(self) -> u16 {
        Self::ALL.iter().position(|each| *each == self).map_or(0, |at| at as u16)
    }
}

/// One layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// `y = act(x W + b)`; tensors `weight [inputs, outputs]`, `bias [outputs]`; parameters `inputs, outputs`.
    Dense {
        /// Values taken.
        inputs: usize,
        /// Values given.
        outputs: usize,
        /// What follows the sum.
        activation: Activation,
    },
    /// One step of an LSTM (Hochreiter and Schmidhuber 1997, with forget gate), gates in the order i, f, g, o:
    /// `c' = sigmoid(f) c + sigmoid(i) tanh(g)`, `h' = sigmoid(o) tanh(c')`, the gates being `x W + h R + b`.
    /// Tensors `kernel [inputs, 4 units]`, `recurrent [units, 4 units]`, `bias [4 units]`; parameters `inputs, units`.
    Lstm {
        /// Values taken.
        inputs: usize,
        /// Size of `h` and `c`; values given.
        units: usize,
    },
    /// One step of a GRU whose reset gate follows the recurrent product (cuDNN's and Keras' `reset_after`), gates z, r, n:
    /// `n = tanh(x Wn + bn + sigmoid(r) (h Rn + en))`, `h' = sigmoid(z) h + (1 - sigmoid(z)) n`.
    /// Tensors `kernel [inputs, 3 units]`, `recurrent [units, 3 units]`, `bias [2, 3 units]` (b, then e); parameters `inputs, units`.
    Gru {
        /// Values taken.
        inputs: usize,
        /// Size of `h`; values given.
        units: usize,
    },
    /// Adds the output of an earlier layer, or the input (`from` = -1 in the file, 0 here), to what the layer before gave.
    /// No tensors; parameter `from`.
    Skip {
        /// Which output is added: 0 the network's input, `n` the output of layer `n - 1`.
        from: usize,
    },
    /// Softmax over what the layer before gave. No tensors, no parameters.
    Softmax,
}

/// One tensor a layer owns: its name and shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Name in the file.
    pub name: &'static str,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// True when a shape holds nothing; no layer has such a tensor.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Layer {
    /// The layer's tensors in the order in which parameters lie in a flat vector.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let spec = |name, shape: &[usize]| TensorSpec { name, shape: shape.to_vec() };
        match *self {
            Layer::Dense { inputs, outputs, .. } => {
                vec![spec("weight", &[inputs, outputs]), spec("bias", &[outputs])]
            }
            Layer::Lstm { inputs, units } => vec![
                spec("kernel", &[inputs, 4 * units]),
                spec("recurrent", &[units, 4 * units]),
                spec("bias", &[4 * units]),
            ],
            Layer::Gru { inputs, units } => vec![
                spec("kernel", &[inputs, 3 * units]),
                spec("recurrent", &[units, 3 * units]),
                spec("bias", &[2, 3 * units]),
            ],
            Layer::Skip { .. } | Layer::Softmax => Vec::new(),
        }
    }

    /// Number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.tensors().iter().map(TensorSpec::len).sum()
    }

    /// Multiply-adds of one tick.
    pub fn multiply_adds(&self) -> usize {
        match *self {
            Layer::Dense { inputs, outputs, .. } => inputs * outputs,
            Layer::Lstm { inputs, units } => 4 * units * (inputs + units),
            Layer::Gru { inputs, units } => 3 * units * (inputs + units),
            Layer::Skip { .. } | Layer::Softmax => 0,
        }
    }

    /// True when the layer carries state from tick to tick.
    pub fn is_recurrent(&self) -> bool {
        matches!(self, Layer::Lstm { .. } | Layer::Gru { .. })
    }
}

fn layer_fault(at: usize, text: String) -> ModelError {
    ModelError::new(Fault::Layer, format!("layer {at}: {text}"))
}

/// Checks that the layers fit together and returns the widths: `[0]` the input's, `[n]` that of layer `n - 1`'s output.
///
/// # Errors
/// [`Fault::Layer`] naming the layer whose sizes are zero, too large or unlike what it is given.
pub fn widths(inputs: usize, layers: &[Layer]) -> Result<Vec<usize>, ModelError> {
    if layers.is_empty() || layers.len() > LAYERS_MAX {
        return Err(ModelError::new(
            Fault::Layer,
            format!("{} layers; a model has 1 to {LAYERS_MAX}", layers.len()),
        ));
    }
    if !(1..=WIDTH_MAX).contains(&inputs) {
        return Err(ModelError::new(
            Fault::Contract,
            format!("{inputs} inputs; a model takes 1 to {WIDTH_MAX}"),
        ));
    }
    let mut widths = vec![inputs];
    for (at, layer) in layers.iter().enumerate() {
        let given = widths[at];
        let (taken, gives) = match *layer {
            Layer::Dense { inputs, outputs, .. } => (inputs, outputs),
            Layer::Lstm { inputs, units } | Layer::Gru { inputs, units } => (inputs, units),
            Layer::Skip { from } => {
                if from >= at {
                    return Err(layer_fault(at, format!("skips from output {from}, which is not before it")));
                }
                (widths[from], widths[from])
            }
            Layer::Softmax => (given, given),
        };
        if taken != given {
            return Err(layer_fault(at, format!("takes {taken} values but is given {given}")));
        }
        if !(1..=WIDTH_MAX).contains(&gives) {
            return Err(layer_fault(at, format!("gives {gives} values; 1 to {WIDTH_MAX} are possible")));
        }
        widths.push(gives);
    }
    Ok(widths)
}

#[cfg(test)]
mod tests {
    use super::{Activation, Layer, WIDTH_MAX, widths};
    use crate::error::Fault;

    #[test]
    fn layers_that_do_not_fit_are_refused_by_place() {
        let dense = |inputs, outputs| Layer::Dense { inputs, outputs, activation: Activation::Relu };
        assert_eq!(widths(4, &[dense(4, 8), Layer::Softmax, Layer::Skip { from: 1 }]), Ok(vec![4, 8, 8, 8]));
        for wrong in
            [vec![dense(5, 8)], vec![dense(4, 8), Layer::Skip { from: 0 }], vec![Layer::Skip { from: 0 }]]
        {
            assert_eq!(widths(4, &wrong).expect_err("does not fit").fault, Fault::Layer);
        }
        assert_eq!(widths(4, &[]).expect_err("empty").fault, Fault::Layer);
        assert_eq!(widths(4, &[dense(4, WIDTH_MAX + 1)]).expect_err("too wide").fault, Fault::Layer);
        assert_eq!(widths(0, &[dense(0, 1)]).expect_err("no input").fault, Fault::Contract);
    }

    #[test]
    fn activation_codes_go_both_ways() {
        for (code, activation) in Activation::ALL.iter().enumerate() {
            assert_eq!(activation.code() as usize, code);
            assert_eq!(Activation::from_code(code as u16), Some(*activation));
        }
        assert_eq!(Activation::from_code(7), None);
    }
}
