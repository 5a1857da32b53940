//! What follows a sum.

/// A function of one number, or, for softmax, of the numbers at one time.
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
    /// `exp(x_i - max x) / sum`, over all numbers at one time.
    Softmax,
    /// `x` above zero, `0.01 x` below.
    LeakyRelu,
    /// `0.2 x + 0.5`, kept in [0, 1] (Keras 1 and 2, TensorFlow.js, ONNX).
    HardSigmoid,
}

impl Activation {
    /// Every activation; its place is its number in the file (`Activation` in `schemas/model.fbs`).
    pub const ALL: [Activation; 8] = [
        Activation::None,
        Activation::Relu,
        Activation::Swish,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softmax,
        Activation::LeakyRelu,
        Activation::HardSigmoid,
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

#[cfg(test)]
mod tests {
    use super::Activation;

    #[test]
    fn codes_go_both_ways() {
        for (code, activation) in Activation::ALL.iter().enumerate() {
            assert_eq!(activation.code() as usize, code);
            assert_eq!(Activation::from_code(code as u16), Some(*activation));
        }
        assert_eq!(Activation::from_code(8), None);
    }
}
