//! A checked architecture: shapes of every value, and where each parameter lies in one contiguous vector.
use crate::architecture::{Architecture, Node};
use crate::error::{Fault, ModelError};
use crate::layer::Layer;
use crate::shape::Shape;
use crate::tensor::{Start, TensorSpec};
use crate::train::Dice;
use std::ops::Range;

/// Most nodes in a network.
pub const NODES_MAX: usize = 256;
/// Most numbers in a row.
pub const COLUMNS_MAX: usize = 8192;
/// Most numbers in one value; bounds what a hostile file can make us allocate.
pub const VALUE_MAX: usize = 1 << 22;
/// Most parameters.
pub const PARAMETERS_MAX: usize = 1 << 27;

/// One tensor in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The node that owns it.
    pub node: usize,
    /// Name, shape, start and rule.
    pub spec: TensorSpec,
    /// Where its values lie.
    pub range: Range<usize>,
}

/// Everything about a network that does not depend on its parameters' values.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    architecture: Architecture,
    /// `[0]` the input's, `[n]` that of node `n - 1`'s output.
    shapes: Vec<Shape>,
    slices: Vec<Slice>,
    /// Where each node's parameters lie.
    owned: Vec<Range<usize>>,
    multiply_adds: usize,
}

fn wrong(at: usize, node: &Node, text: &str) -> ModelError {
    ModelError::new(Fault::Layer, format!("node {at} ({}): {text}", node.layer.name()))
}

impl Plan {
    /// Checks an architecture and lays it out.
    ///
    /// # Errors
    /// [`Fault::Contract`] for a wrong input, [`Fault::Layer`] naming the node that does not fit and why.
    pub fn compile(architecture: &Architecture) -> Result<Plan, ModelError> {
        let Architecture { columns, window, stateful, ref nodes } = *architecture;
        let contract = |text| Err(ModelError::new(Fault::Contract, text));
        if !(1..=COLUMNS_MAX).contains(&columns) {
            return contract(format!("{columns} columns; a network takes 1 to {COLUMNS_MAX}"));
        }
        if window == 0 || window.saturating_mul(columns) > VALUE_MAX || (stateful && window != 1) {
            return contract(format!(
                "window of {window} rows of {columns}; at most {VALUE_MAX} numbers, and 1 row in a stateful network"
            ));
        }
        if nodes.is_empty() || nodes.len() > NODES_MAX {
            let text = format!("{} nodes; a network has 1 to {NODES_MAX}", nodes.len());
            return Err(ModelError::new(Fault::Layer, text));
        }
        let input = Shape { time: window, width: columns, channels: 1 };
        let mut plan = Plan {
            architecture: architecture.clone(),
            shapes: vec![input],
            slices: Vec::new(),
            owned: Vec::new(),
            multiply_adds: 0,
        };
        for (at, node) in nodes.iter().enumerate() {
            plan.lay_out(at, node)?;
        }
        Ok(plan)
    }

    fn lay_out(&mut self, at: usize, node: &Node) -> Result<(), ModelError> {
        if let Some(late) = node.inputs.iter().find(|value| **value > at) {
            return Err(wrong(at, node, &format!("takes value {late}, which is not there before it")));
        }
        let inputs: Vec<Shape> = node.inputs.iter().map(|value| self.shapes[*value]).collect();
        let shape =
            node.layer.infer(&inputs, self.architecture.stateful).map_err(|text| wrong(at, node, &text))?;
        let product = [shape.time, shape.width, shape.channels]
            .iter()
            .try_fold(1usize, |product, size| product.checked_mul(*size));
        if !product.is_some_and(|product| (1..=VALUE_MAX).contains(&product)) {
            return Err(wrong(at, node, &format!("gives {shape} numbers; at most {VALUE_MAX} are possible")));
        }
        let start = self.parameters();
        let mut end = start;
        for spec in node.layer.tensors(inputs[0]) {
            let size = spec.shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
            let Some(next) =
                size.and_then(|size| size.checked_add(end)).filter(|next| *next <= PARAMETERS_MAX)
            else {
                return Err(wrong(at, node, &format!("more than {PARAMETERS_MAX} parameters in all")));
            };
            self.slices.push(Slice { node: at, spec, range: end..next });
            end = next;
        }
        self.owned.push(start..end);
        self.multiply_adds = self.multiply_adds.saturating_add(node.layer.multiply_adds(inputs[0], shape));
        self.shapes.push(shape);
        Ok(())
    }

    /// The network laid out.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The layers in order, with their inputs.
    pub fn nodes(&self) -> &[Node] {
        &self.architecture.nodes
    }

    /// A node's layer.
    pub fn layer(&self, node: usize) -> &Layer {
        &self.architecture.nodes[node].layer
    }

    /// The shape of a value: 0 the input, `n` the output of node `n - 1`.
    pub fn shape(&self, value: usize) -> Shape {
        self.shapes[value]
    }

    /// The shape of the network's output.
    pub fn output(&self) -> Shape {
        self.shapes[self.shapes.len() - 1]
    }

    /// Numbers the network gives each tick.
    pub fn outputs(&self) -> usize {
        self.output().len()
    }

    /// Every tensor in its place.
    pub fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// Where a node's parameters lie.
    pub fn owned(&self, node: usize) -> Range<usize> {
        self.owned[node].clone()
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.owned.last().map_or(0, |range| range.end)
    }

    /// Multiply-adds of one tick.
    pub fn multiply_adds(&self) -> usize {
        self.multiply_adds
    }

    /// Random parameters to start from; the dice determine them.
    pub fn initial(&self, dice: &mut Dice) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.parameters());
        for slice in &self.slices {
            let count = slice.spec.len();
            let mut uniform = |reach: f64| {
                values.extend((0..count).map(|_| ((2.0 * dice.unit() - 1.0) * reach) as f32));
            };
            match slice.spec.start {
                Start::Glorot { taken, given } => uniform((6.0 / (taken + given) as f64).sqrt()),
                Start::He { taken } => uniform((6.0 / taken as f64).sqrt()),
                Start::Constant(value) => values.extend(std::iter::repeat_n(value, count)),
                Start::Forget => {
                    values.extend((0..count).map(|at| if at * 4 / count == 1 { 1.0 } else { 0.0 }));
                }
            }
        }
        values
    }

    /// Makes parameters obey every tensor's rule; to be called after each step of training.
    pub fn enforce(&self, parameters: &mut [f32]) {
        for slice in &self.slices {
            slice.spec.enforce(&mut parameters[slice.range.clone()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS_MAX, Plan};
    use crate::activation::Activation;
    use crate::architecture::Architecture;
    use crate::error::Fault;
    use crate::layer::{Layer, Padding, Sweep};

    fn dense(outputs: usize) -> Layer {
        Layer::Dense { outputs, activation: Activation::Relu }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_place() {
        let refusal = |net: &Architecture| Plan::compile(net).expect_err("does not fit");
        let mut net = Architecture::chain(4, &[dense(8), dense(3)]);
        net.on(&[1, 2], Layer::Add);
        let error = refusal(&net);
        assert_eq!(error.fault, Fault::Layer);
        assert!(error.text.contains("node 2 (add)") && error.text.contains("1x1x8, 1x1x3"), "{}", error.text);
        let mut late = Architecture::chain(4, &[dense(8)]);
        late.on(&[2], dense(2));
        assert!(refusal(&late).text.contains("takes value 2"));
        assert_eq!(refusal(&Architecture::chain(4, &[])).fault, Fault::Layer);
        assert_eq!(refusal(&Architecture::chain(0, &[dense(1)])).fault, Fault::Contract);
        assert_eq!(refusal(&Architecture::chain(COLUMNS_MAX + 1, &[dense(1)])).fault, Fault::Contract);
        let mut none = Architecture::chain(4, &[]);
        none.on(&[], Layer::Add);
        assert!(refusal(&none).text.contains("no input"));
    }

    #[test]
    fn a_stateful_network_refuses_layers_that_see_a_whole_window() {
        let conv = |padding| Layer::Conv {
            outputs: 4,
            sweep: Sweep::times(3, padding),
            activation: Activation::None,
        };
        let with = |layer| {
            let mut net = Architecture::stateful(6);
            net.then(layer);
            Plan::compile(&net)
        };
        for layer in [Layer::Flatten, Layer::Bin, Layer::Attention { units: 3 }, conv(Padding::Same)] {
            assert_eq!(with(layer).expect_err("needs a window").fault, Fault::Layer);
        }
        assert!(with(conv(Padding::Causal)).is_ok());
        let strided = Sweep { stride_time: 2, ..Sweep::times(3, Padding::Causal) };
        let strided = Layer::Conv { outputs: 4, sweep: strided, activation: Activation::None };
        assert!(with(strided).is_err());
    }

    #[test]
    fn sizes_that_would_overflow_are_refused() {
        let huge = Layer::Dense { outputs: 1 << 16, activation: Activation::None };
        assert_eq!(
            Plan::compile(&Architecture::chain(COLUMNS_MAX, &[huge, huge])).expect_err("too large").fault,
            Fault::Layer
        );
        assert!(Plan::compile(&Architecture::chain(4, &[dense(usize::MAX)])).is_err());
    }
}
