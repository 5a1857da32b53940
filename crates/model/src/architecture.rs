//! A network as data: nodes in order, each taking earlier values.
use crate::activation::Activation;
use crate::layer::Layer;

/// One layer in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it computes.
    pub layer: Layer,
    /// Which values it takes: 0 is the network's input, `n` the output of node `n - 1`; each before this node.
    pub inputs: Vec<usize>,
}

/// A network without its parameters. The last node's output is the network's.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// Numbers in a row.
    pub columns: usize,
    /// Rows looked at: 1 in a stateful network.
    pub window: usize,
    /// True: takes one row a tick and carries state. False: looks at the last `window` rows anew each tick.
    pub stateful: bool,
    /// Layers in order.
    pub nodes: Vec<Node>,
}

impl Architecture {
    /// An empty network over the last `window` rows.
    pub fn over_window(columns: usize, window: usize) -> Architecture {
        Architecture { columns, window, stateful: false, nodes: Vec::new() }
    }

    /// An empty network that takes one row a tick and carries state.
    pub fn stateful(columns: usize) -> Architecture {
        Architecture { columns, window: 1, stateful: true, nodes: Vec::new() }
    }

    /// Puts a layer behind the newest value and returns the number of the value it gives.
    pub fn then(&mut self, layer: Layer) -> usize {
        self.on(&[self.nodes.len()], layer)
    }

    /// Puts a layer on given values and returns the number of the value it gives.
    pub fn on(&mut self, inputs: &[usize], layer: Layer) -> usize {
        self.nodes.push(Node { layer, inputs: inputs.to_vec() });
        self.nodes.len()
    }

    /// Puts a dense layer behind the newest value.
    pub fn dense(&mut self, outputs: usize, activation: Activation) -> usize {
        self.then(Layer::Dense { outputs, activation })
    }

    /// A chain of layers over one row, without state: the simplest network.
    pub fn chain(columns: usize, layers: &[Layer]) -> Architecture {
        let mut chain = Architecture::over_window(columns, 1);
        for layer in layers {
            chain.then(*layer);
        }
        chain
    }

    /// True when the network's answers are probabilities of classes: it ends in a softmax.
    pub fn classifies(&self) -> bool {
        self.nodes.last().is_some_and(|node| node.layer.activation() == Activation::Softmax)
    }

    /// Numbers of one input: columns times rows looked at.
    pub fn inputs(&self) -> usize {
        self.columns * self.window
    }
}
