//! One named block of parameters: its shape, how it starts and what it must obey.

/// How a tensor starts before training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// Uniform within `sqrt(6 / (taken + given))` (Glorot and Bengio 2010).
    Glorot {
        /// Values a unit takes.
        taken: usize,
        /// Units a value reaches.
        given: usize,
    },
    /// Uniform within `sqrt(6 / taken)` (He et al. 2015), for ReLU and its like.
    He {
        /// Values a unit takes.
        taken: usize,
    },
    /// All the same.
    Constant(f32),
    /// Zero, but one for the second of four gates, the forget gate (Jozefowicz et al. 2015).
    Forget,
}

/// What a tensor obeys after every step of training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Nothing.
    Free,
    /// Columns longer than this are shortened to it.
    MaxNorm(f32),
    /// Limited to an interval, both ends included.
    Between(f32, f32),
    /// Numbers not above zero become this.
    Positive(f32),
    /// A square matrix whose diagonal is this.
    Diagonal(f32),
    /// A statistic that training measures, not a parameter that it learns.
    Measured,
}

/// One tensor a layer owns.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSpec {
    /// Name in the file.
    pub name: &'static str,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Before training.
    pub start: Start,
    /// After every step.
    pub rule: Rule,
    /// True for matrices that weight decay shrinks; biases, scales and mixes stay as they are.
    pub decays: bool,
}

impl TensorSpec {
    pub(crate) fn matrix(name: &'static str, shape: &[usize], start: Start) -> TensorSpec {
        TensorSpec { name, shape: shape.to_vec(), start, rule: Rule::Free, decays: true }
    }

    pub(crate) fn vector(name: &'static str, shape: &[usize], value: f32) -> TensorSpec {
        let start = Start::Constant(value);
        TensorSpec { name, shape: shape.to_vec(), start, rule: Rule::Free, decays: false }
    }

    pub(crate) fn with(mut self, rule: Rule) -> TensorSpec {
        self.rule = rule;
        self
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// True when a shape holds nothing; no layer has such a tensor.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes values obey the rule.
    pub fn enforce(&self, values: &mut [f32]) {
        let columns = self.shape.last().copied().unwrap_or(1);
        match self.rule {
            Rule::Free | Rule::Measured => {}
            Rule::Between(low, high) => values.iter_mut().for_each(|value| *value = value.clamp(low, high)),
            Rule::Positive(reset) => {
                values.iter_mut().filter(|value| **value <= 0.0).for_each(|value| *value = reset);
            }
            Rule::Diagonal(fixed) => {
                values.iter_mut().step_by(columns + 1).for_each(|value| *value = fixed);
            }
            Rule::MaxNorm(most) => max_norm(values, columns, most),
        }
    }
}

fn max_norm(values: &mut [f32], columns: usize, most: f32) {
    for column in 0..columns {
        let squares: f64 = values[column..].iter().step_by(columns).map(|v| f64::from(*v).powi(2)).sum();
        if squares > f64::from(most).powi(2) {
            let scale = (f64::from(most) / squares.sqrt()) as f32;
            values[column..].iter_mut().step_by(columns).for_each(|value| *value *= scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rule, Start, TensorSpec};

    #[test]
    fn each_rule_leaves_what_obeys_and_mends_what_does_not() {
        let spec = |shape: &[usize], rule| TensorSpec::matrix("w", shape, Start::Constant(0.0)).with(rule);
        let enforced = |spec: TensorSpec, values: &[f32]| {
            let mut values = values.to_vec();
            spec.enforce(&mut values);
            values
        };
        assert_eq!(enforced(spec(&[3], Rule::Between(0.0, 1.0)), &[-0.1, 0.5, 1.1]), [0.0, 0.5, 1.0]);
        assert_eq!(enforced(spec(&[3], Rule::Positive(0.01)), &[-1.0, 0.0, 2.0]), [0.01, 0.01, 2.0]);
        assert_eq!(enforced(spec(&[2, 2], Rule::Diagonal(0.5)), &[1.0, 2.0, 3.0, 4.0]), [0.5, 2.0, 3.0, 0.5]);
        let shortened = enforced(spec(&[2, 2], Rule::MaxNorm(5.0)), &[6.0, 3.0, 8.0, 4.0]);
        assert!(
            shortened.iter().zip([3.0, 3.0, 4.0, 4.0]).all(|(a, b)| (a - b).abs() < 1e-6),
            "{shortened:?}"
        );
    }
}
