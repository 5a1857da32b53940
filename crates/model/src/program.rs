//! How a model lies in memory when it runs: operations in order, and where each finds its packed weights.
//!
//! Packed weights are lines of 16 lanes, one lane an output unit. A *block* is up to four lines wide, so that one pass over the
//! inputs feeds up to 64 outputs: first the block's head (start values), then for every word of inputs the block's weights of it.
//! Recurrent layers have one block per 16 units whose lines are the gates. Reading is sequential from first to last byte.
mod fold;
mod layout;
mod past;
mod weights;

use crate::activation::Activation;
use crate::block::{LANES, Line, lines};
use crate::digit::Rows;
use crate::error::{Fault, ModelError};
use crate::layer::{Gate, Pooling, Reset, Sweep};
use crate::model::{Model, Precision};
use crate::plan::Plan;
use crate::product::Patches;
use crate::stream::Stream;
use fold::folded;
use layout::Layout;
use layout::scaling_lines;
use weights::pack_node;

/// A stretch of the scratch memory: rows of numbers, each at the start of a line, and a spare line behind them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// First line.
    pub at: usize,
    /// Rows: times.
    pub rows: usize,
    /// Numbers in a row.
    pub values: usize,
    /// Lines of a row.
    wide: usize,
    /// Lines of all rows.
    lines: usize,
}

impl Span {
    pub(crate) fn new(at: usize, rows: usize, values: usize) -> Span {
        let wide = lines(values);
        Span { at, rows, values, wide, lines: rows * wide }
    }

    /// Lines of one row.
    pub(crate) fn wide(self) -> usize {
        self.wide
    }

    /// Lines of all rows.
    pub(crate) fn lines(self) -> usize {
        self.lines
    }

    /// How the rows lie.
    pub(crate) fn as_rows(self) -> Rows {
        Rows { count: self.rows, values: self.values, stride: self.wide() }
    }
}

/// Where a recurrent layer's halves and memory lie. `input`, `hidden`: first lines of packed weights; `state`: first line in a state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gates {
    pub(crate) from: Span,
    pub(crate) to: Span,
    pub(crate) input: usize,
    pub(crate) hidden: usize,
    pub(crate) state: usize,
    /// Lines of state for sixteen units.
    pub(crate) held: usize,
    pub(crate) gate: Gate,
    pub(crate) reset: Reset,
}

impl Gates {
    /// Lines of the layer's state: `h`, (`c` of an LSTM,) the recurrent half of the next step.
    pub(crate) fn state_lines(&self) -> usize {
        self.to.wide() * self.held
    }
}

/// One step of a tick. `weights`: first line in the packed weights; `state`: first line in a state.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    /// A dense layer over one row; `sparse`: the row follows a ReLU.
    Row {
        from: Span,
        to: Span,
        weights: usize,
        digit: Precision,
        inputs: usize,
        sparse: bool,
        activation: Activation,
    },
    /// A dense layer of few outputs.
    Narrow {
        from: Span,
        to: Span,
        weights: usize,
        activation: Activation,
    },
    /// `starts`: first line of what is added to each row.
    Product {
        from: Span,
        to: Span,
        weights: usize,
        starts: Option<usize>,
        digit: Precision,
        patches: Patches,
        activation: Activation,
    },
    /// A convolution over time in a stateful network.
    Stream(Stream),
    Lstm(Gates),
    Gru(Gates),
    Add {
        from: Span,
        other: Span,
        to: Span,
    },
    Activate {
        from: Span,
        to: Span,
        activation: Activation,
    },
    /// Every row times one line of factors plus one of summands.
    Scale {
        from: Span,
        to: Span,
        weights: usize,
    },
    /// Copies runs of numbers: each row's to `at`, `wide` apart, rows `to_row` apart.
    Spread {
        from: Span,
        to: Span,
        run: usize,
        to_row: usize,
        wide: usize,
        at: usize,
    },
    /// Puts `before` rows in front: from the state, where there is one, else zeros; zeros behind.
    Extend {
        from: Span,
        to: Span,
        before: usize,
        state: Option<usize>,
    },
    Pool {
        from: Span,
        to: Span,
        before: usize,
        time: usize,
        channels: usize,
        width: usize,
        pooling: Pooling,
        sweep: Sweep,
    },
    /// Product over time: weights `[from.rows][to.rows]`, then a row of summands for each row given.
    Mix {
        from: Span,
        to: Span,
        weights: usize,
        activation: Activation,
    },
    /// The attention of a TABL: `blend` and `energy` are its own scratch.
    Focus {
        from: Span,
        to: Span,
        energy: Span,
        weights: usize,
    },
    Bin {
        from: Span,
        work: Span,
        to: Span,
        weights: usize,
    },
    /// Folds rows by the softmax of each row's product with a query.
    Attend {
        from: Span,
        hidden: Span,
        to: Span,
        weights: usize,
    },
    /// Linear attention over queries, keys and values; `work`: its own scratch.
    Linear {
        from: Span,
        work: Span,
        to: Span,
        keys: usize,
        decay: f32,
        state: usize,
    },
    /// Attention over the last `span` times.
    Local {
        from: Span,
        work: Span,
        to: Span,
        keys: usize,
        span: usize,
        state: usize,
    },
}

/// A model's operations and sizes; the weights themselves are apart, so that they can be swapped.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) plan: Plan,
    pub(crate) ops: Vec<Op>,
    /// The network's input in the scratch memory: a row for each of the window.
    pub(crate) input: Span,
    pub(crate) output: Span,
    pub(crate) precision: Precision,
    /// Every operation is a layer over one row in this precision, dense or an LSTM with smooth gates; and whether one is an LSTM.
    pub(crate) chain: Option<bool>,
    pub(crate) columns: usize,
    pub(crate) window: usize,
    pub(crate) stateful: bool,
    outputs: usize,
    pub(crate) scratch_lines: usize,
    pub(crate) spare_lines: usize,
    pub(crate) state_lines: usize,
    weights_lines: usize,
    fingerprint: u64,
}

/// Which way of packing weights this is: another number for another layout of any layer, so that two builds on one segment refuse each
/// other.
const PACKING: u64 = 2;

impl Program {
    /// Lays out a model.
    ///
    /// # Errors
    /// What [`Model::verify`] finds; [`Fault::Layer`] for int8 on a recurrent layer whose 8-bit sums could overflow.
    pub fn new(model: &Model) -> Result<Program, ModelError> {
        let plan = model.verify()?;
        let mut layout = Layout::new(&plan, model.precision);
        if let Some(at) = (0..plan.nodes().len()).find(|at| !layout.node(&plan, *at)) {
            let (layer, name) = (plan.layer(at).name(), model.precision.name());
            let text = format!(
                "node {at} ({layer}) has too many inputs for the sums of {name}; give the model precision f32"
            );
            return Err(ModelError::new(Fault::Layer, text));
        }
        Ok(Program {
            output: layout.output(),
            input: layout.input(),
            precision: model.precision,
            chain: chain(&layout.ops, model.precision),
            columns: plan.architecture().columns,
            window: plan.architecture().window,
            stateful: plan.architecture().stateful,
            outputs: plan.outputs(),
            scratch_lines: layout.scratch,
            spare_lines: layout.spare,
            state_lines: layout.state,
            weights_lines: layout.weights,
            fingerprint: model.fingerprint(),
            ops: layout.ops,
            plan,
        })
    }

    /// Lines that the packed weights take.
    pub fn weights_lines(&self) -> usize {
        self.weights_lines
    }

    /// Columns of one input row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Values of one output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Shapes and parameters of the network.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What packed weights for this program must be made for: the model's architecture and columns ([`Model::fingerprint`]), and how this
    /// build packs.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint.wrapping_add(PACKING)
    }

    /// Packs a model's weights and scaling for this program into `out`, which has [`Program::weights_lines`] lines.
    ///
    /// # Errors
    /// What [`Model::verify`] finds, and an architecture or contract other than the program's.
    pub fn pack(&self, model: &Model, out: &mut [Line]) -> Result<(), ModelError> {
        model.verify()?;
        if model.fingerprint() != self.fingerprint || out.len() != self.weights_lines {
            let text = format!(
                "{:?} has another architecture or contract than the running model; restart to change it",
                model.name
            );
            return Err(ModelError::new(Fault::Architecture, text));
        }
        out.fill(Line::ZERO);
        let contract = &model.contract;
        let wide = lines(self.columns);
        let scale: Vec<f32> = contract.scale.iter().map(|scale| 1.0 / scale).collect();
        put(&mut out[..wide], &contract.mean);
        put(&mut out[wide..2 * wide], &scale);
        out[2 * wide] = Line([contract.clip; LANES]);
        let mut rest = &mut out[scaling_lines(self.columns)..];
        for at in 0..self.plan.nodes().len() {
            let reach = model.reach.get(at).copied().unwrap_or(0.0);
            let folded = folded(&self.plan, at, &model.parameters);
            let own = folded.as_deref().unwrap_or(&model.parameters[self.plan.owned(at)]);
            rest = pack_node(&self.plan, at, self.precision, reach, own, rest);
        }
        Ok(())
    }
}

/// See [`Program::chain`].
fn chain(ops: &[Op], wanted: Precision) -> Option<bool> {
    let link = |op: &Op| match *op {
        Op::Row { digit, .. } => digit == wanted,
        Op::Narrow { from, .. } => from.rows == 1,
        Op::Lstm(Gates { from, gate, .. }) => from.rows == 1 && gate == Gate::Sigmoid,
        _ => false,
    };
    ops.iter().all(link).then(|| ops.iter().any(|op| matches!(op, Op::Lstm(_))))
}

/// Copies numbers into the first lanes of lines.
pub(crate) fn put(out: &mut [Line], values: &[f32]) {
    for (line, chunk) in out.iter_mut().zip(values.chunks(LANES)) {
        line.0[..chunk.len()].copy_from_slice(chunk);
    }
}
