//! How a model lies in memory when it runs: operations in order, and where each finds its packed weights.
//!
//! Packed weights are lines of 16 lanes, one lane an output unit. A *block* is up to four lines wide, so that one pass over the
//! inputs feeds up to 64 outputs: first the block's start values (bias), then for every input `k` the block's weights from `k`.
//! Recurrent layers have one block per 16 units whose lines are the gates. Reading is sequential from first to last byte.
use crate::activation::Activation;
use crate::block::{LANES, Line, flat_mut, lines};
use crate::error::{Fault, ModelError};
use crate::layer::Layer;
use crate::model::{Model, Precision};
use crate::net::Net;
use crate::plan::Plan;

/// Lines in the widest block.
pub(crate) const BLOCK_LINES: usize = 4;

/// A stretch of the scratch memory: one vector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// First line.
    pub at: usize,
    /// Numbers in it.
    pub values: usize,
}

impl Span {
    pub(crate) fn lines(self) -> usize {
        lines(self.values)
    }
}

/// One step of a tick. `weights`: first line in the packed weights; `state`: first line in a state.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Dense { from: Span, to: Span, weights: usize, activation: Activation },
    Lstm { from: Span, to: Span, weights: usize, state: usize },
    Gru { from: Span, to: Span, weights: usize, state: usize },
    Add { from: Span, skip: Span, to: Span },
    Activate { from: Span, to: Span, activation: Activation },
}

/// A model's operations and sizes; the weights themselves are apart, so that they can be swapped.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) plan: Plan,
    /// `None`: some layer has no fast form, and the network runs on [`crate::train::Net`].
    pub(crate) ops: Option<Vec<Op>>,
    /// The network's input in the scratch memory.
    pub(crate) input: Span,
    pub(crate) output: Span,
    pub(crate) columns: usize,
    pub(crate) window: usize,
    pub(crate) scratch_lines: usize,
    pub(crate) state_lines: usize,
    weights_lines: usize,
    fingerprint: u64,
}

/// Lines of one recurrent half's packed weights: start values and a line per gate and unit of `inputs`.
pub(crate) fn half_lines(gates: usize, inputs: usize, units: usize) -> usize {
    lines(units) * gates * (1 + inputs)
}

fn dense_lines(inputs: usize, outputs: usize) -> usize {
    lines(outputs) * (1 + inputs)
}

/// Lines before the first layer's weights: mean, reciprocal scale, and one line that repeats the clip.
pub(crate) fn scaling_lines(columns: usize) -> usize {
    2 * lines(columns) + 1
}

/// Operations as they are laid out.
struct Layout {
    ops: Vec<Op>,
    spans: Vec<Span>,
    scratch: usize,
    weights: usize,
    state: usize,
}

impl Layout {
    fn new(plan: &Plan) -> Layout {
        let inputs = plan.shape(0).len();
        let input = Span { at: 0, values: inputs };
        let weights = scaling_lines(plan.architecture().columns);
        Layout { ops: Vec::new(), spans: vec![input], scratch: lines(inputs), weights, state: 0 }
    }

    fn span(&mut self, values: usize) -> Span {
        let span = Span { at: self.scratch, values };
        self.scratch += span.lines();
        span
    }

    /// Lays out one node; `false` when it has no fast form.
    fn node(&mut self, plan: &Plan, at: usize) -> bool {
        let node = &plan.nodes()[at];
        let (taken, given) = (plan.shape(node.inputs[0]), plan.shape(at + 1));
        let from = self.spans[node.inputs[0]];
        match node.layer {
            Layer::Reshape { .. } | Layer::Flatten | Layer::Dropout { .. } => {
                self.spans.push(from);
                return true;
            }
            Layer::Last if taken.time == 1 => {
                self.spans.push(from);
                return true;
            }
            _ => {}
        }
        if taken.time != 1 || given.time != 1 {
            return false;
        }
        let to = self.span(given.len());
        self.spans.push(to);
        let (weights, state) = (self.weights, self.state);
        match node.layer {
            Layer::Dense { activation, .. } => {
                self.ops.push(Op::Dense { from, to, weights, activation });
                self.weights += dense_lines(from.values, to.values);
            }
            Layer::Lstm { units } => {
                self.ops.push(Op::Lstm { from, to, weights, state });
                self.weights += half_lines(4, from.values, units) + half_lines(4, units, units);
                self.state += 6 * lines(units);
            }
            Layer::Gru { units } => {
                self.ops.push(Op::Gru { from, to, weights, state });
                self.weights += half_lines(3, from.values, units) + half_lines(3, units, units);
                self.state += 4 * lines(units);
            }
            Layer::Add if node.inputs.len() == 2 => {
                self.ops.push(Op::Add { from, skip: self.spans[node.inputs[1]], to });
            }
            Layer::Activate { activation } => self.ops.push(Op::Activate { from, to, activation }),
            _ => return false,
        }
        true
    }
}

impl Program {
    /// Lays out a model.
    ///
    /// # Errors
    /// What [`Model::verify`] finds.
    pub fn new(model: &Model) -> Result<Program, ModelError> {
        let plan = model.verify()?;
        if model.precision != Precision::F32 {
            let text = format!("precision {} has no kernels in this build", model.precision.name());
            return Err(ModelError::new(Fault::Layer, text));
        }
        let mut layout = Layout::new(&plan);
        let fast = (0..plan.nodes().len()).all(|at| layout.node(&plan, at));
        let input = layout.spans[0];
        let mut program = Program {
            output: layout.spans[layout.spans.len() - 1],
            input,
            columns: plan.architecture().columns,
            window: plan.architecture().window,
            scratch_lines: layout.scratch,
            state_lines: layout.state,
            weights_lines: layout.weights,
            fingerprint: model.fingerprint(),
            ops: Some(layout.ops),
            plan,
        };
        if !fast {
            program.output = Span { at: input.lines(), values: program.plan.outputs() };
            program.ops = None;
            program.scratch_lines = input.lines() + program.output.lines();
            program.state_lines = lines(Net::<f32>::new(&program.plan, 1, 1)?.state().len());
            program.weights_lines = scaling_lines(program.columns) + lines(program.plan.parameters());
        }
        Ok(program)
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
        self.output.values
    }

    /// Shapes and parameters of the network.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// True when every layer runs in its fast form.
    pub fn is_fast(&self) -> bool {
        self.ops.is_some()
    }

    /// What weights for this program must be made for; see [`Model::fingerprint`].
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Packs a model's weights and scaling for this program into `out`, which has [`Program::weights_lines`] lines.
    ///
    /// # Errors
    /// What [`Model::verify`] finds, and an architecture or contract other than the program's.
    pub fn pack(&self, model: &Model, out: &mut [Line]) -> Result<(), ModelError> {
        model.verify()?;
        if model.fingerprint() != self.fingerprint || out.len() != self.weights_lines {
            return Err(ModelError::new(
                Fault::Architecture,
                format!(
                    "{:?} has another architecture or contract than the running model; restart to change it",
                    model.name
                ),
            ));
        }
        out.fill(Line::ZERO);
        let contract = &model.contract;
        let wide = lines(self.columns);
        let scale: Vec<f32> = contract.scale.iter().map(|scale| 1.0 / scale).collect();
        put(&mut out[..wide], &contract.mean);
        put(&mut out[wide..2 * wide], &scale);
        out[2 * wide] = Line([contract.clip; LANES]);
        let rest = &mut out[scaling_lines(self.columns)..];
        if self.ops.is_none() {
            flat_mut(rest)[..model.parameters.len()].copy_from_slice(&model.parameters);
            return Ok(());
        }
        let mut rest = rest;
        for (at, node) in self.plan.nodes().iter().enumerate() {
            let taken = self.plan.shape(node.inputs[0]).features();
            rest = pack_layer(&node.layer, taken, &model.parameters[self.plan.owned(at)], rest);
        }
        Ok(())
    }
}

/// Copies numbers into the first lanes of lines.
fn put(out: &mut [Line], values: &[f32]) {
    for (line, chunk) in out.iter_mut().zip(values.chunks(LANES)) {
        line.0[..chunk.len()].copy_from_slice(chunk);
    }
}

/// Packs one layer and returns the lines behind it.
fn pack_layer<'a>(layer: &Layer, inputs: usize, values: &[f32], out: &'a mut [Line]) -> &'a mut [Line] {
    match *layer {
        Layer::Dense { outputs, .. } => {
            let (weight, bias) = values.split_at(inputs * outputs);
            let (mut own, behind) = out.split_at_mut(dense_lines(inputs, outputs));
            for first in (0..lines(outputs)).step_by(BLOCK_LINES) {
                let width = (lines(outputs) - first).min(BLOCK_LINES);
                let (block, rest) = own.split_at_mut(width * (1 + inputs));
                own = rest;
                let from = first * LANES;
                let to = (from + width * LANES).min(outputs);
                put(&mut block[..width], &bias[from..to]);
                for k in 0..inputs {
                    let row = &weight[k * outputs..(k + 1) * outputs];
                    put(&mut block[width * (1 + k)..width * (2 + k)], &row[from..to]);
                }
            }
            behind
        }
        Layer::Lstm { units } => {
            let (kernel, rest) = values.split_at(inputs * 4 * units);
            let (recurrent, bias) = rest.split_at(units * 4 * units);
            // The bias starts the recurrent half; the input half starts from the recurrent half's sums.
            let out = pack_half(4, units, kernel, None, out);
            pack_half(4, units, recurrent, Some(bias), out)
        }
        Layer::Gru { units } => {
            let (kernel, rest) = values.split_at(inputs * 3 * units);
            let (recurrent, bias) = rest.split_at(units * 3 * units);
            let out = pack_half(3, units, kernel, Some(&bias[..3 * units]), out);
            pack_half(3, units, recurrent, Some(&bias[3 * units..]), out)
        }
        _ => out,
    }
}

/// Packs one half of a recurrent layer: `matrix [inputs, gates * units]`.
fn pack_half<'a>(
    gates: usize,
    units: usize,
    matrix: &[f32],
    bias: Option<&[f32]>,
    out: &'a mut [Line],
) -> &'a mut [Line] {
    let wide = gates * units;
    let inputs = matrix.len() / wide;
    let (own, behind) = out.split_at_mut(half_lines(gates, inputs, units));
    for (block, lines) in own.chunks_mut(gates * (1 + inputs)).enumerate() {
        let (from, to) = (block * LANES, ((block + 1) * LANES).min(units));
        for (gate, line) in lines.iter_mut().enumerate() {
            let (row, gate) = (gate / gates, gate % gates);
            let span = gate * units + from..gate * units + to;
            let source = match row {
                0 => bias.map(|bias| &bias[span]),
                k => Some(&matrix[(k - 1) * wide..k * wide][span]),
            };
            if let Some(source) = source {
                line.0[..source.len()].copy_from_slice(source);
            }
        }
    }
    behind
}
