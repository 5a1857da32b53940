//! How a model lies in memory when it runs: operations in order, and where each finds its packed weights.
//!
//! Packed weights are lines of 16 lanes, one lane an output unit. A *block* is up to four lines wide, so that one pass over the
//! inputs feeds up to 64 outputs: first the block's start values (bias), then for every input `k` the block's weights from `k`.
//! Recurrent layers have one block per 16 units whose lines are the gates. Reading is sequential from first to last byte.
use crate::block::{LANES, Line, lines};
use crate::error::ModelError;
use crate::layer::{Activation, Layer};
use crate::model::Model;

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
    Softmax { from: Span, to: Span },
}

/// A model's operations and sizes; the weights themselves are apart, so that they can be swapped.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) ops: Vec<Op>,
    /// The network's input in the scratch memory.
    pub(crate) input: Span,
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

impl Plan {
    /// Lays out a model.
    ///
    /// # Errors
    /// What [`Model::verify`] finds.
    pub fn new(model: &Model) -> Result<Plan, ModelError> {
        let widths = model.verify()?;
        let (mut scratch, mut weights, mut state) = (0, scaling_lines(model.contract.names.len()), 0);
        let spans: Vec<Span> = widths
            .iter()
            .map(|values| {
                let span = Span { at: scratch, values: *values };
                scratch += span.lines();
                span
            })
            .collect();
        let mut ops = Vec::new();
        for (at, layer) in model.layers.iter().enumerate() {
            let (from, to) = (spans[at], spans[at + 1]);
            match *layer {
                Layer::Dense { inputs, outputs, activation } => {
                    ops.push(Op::Dense { from, to, weights, activation });
                    weights += dense_lines(inputs, outputs);
                }
                Layer::Lstm { inputs, units } => {
                    ops.push(Op::Lstm { from, to, weights, state });
                    weights += half_lines(4, inputs, units) + half_lines(4, units, units);
                    state += 6 * lines(units);
                }
                Layer::Gru { inputs, units } => {
                    ops.push(Op::Gru { from, to, weights, state });
                    weights += half_lines(3, inputs, units) + half_lines(3, units, units);
                    state += 4 * lines(units);
                }
                Layer::Skip { from: skip } => ops.push(Op::Add { from, skip: spans[skip], to }),
                Layer::Softmax => ops.push(Op::Softmax { from, to }),
            }
        }
        Ok(Plan {
            ops,
            input: spans[0],
            columns: model.contract.names.len(),
            window: model.contract.window,
            scratch_lines: scratch,
            state_lines: state,
            weights_lines: weights,
            fingerprint: model.fingerprint(),
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
        self.output().values
    }

    /// What weights for this plan must be made for; see [`Model::fingerprint`].
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    pub(crate) fn output(&self) -> Span {
        match self.ops.last() {
            Some(
                Op::Dense { to, .. }
                | Op::Lstm { to, .. }
                | Op::Gru { to, .. }
                | Op::Add { to, .. }
                | Op::Softmax { to, .. },
            ) => *to,
            None => self.input,
        }
    }

    /// Packs a model's weights and scaling for this plan into `out`, which has [`Plan::weights_lines`] lines.
    ///
    /// # Errors
    /// What [`Model::verify`] finds, and an architecture or contract other than the plan's.
    pub fn pack(&self, model: &Model, out: &mut [Line]) -> Result<(), ModelError> {
        model.verify()?;
        if model.fingerprint() != self.fingerprint || out.len() != self.weights_lines {
            return Err(ModelError::new(
                crate::error::Fault::Architecture,
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
        let (mut rest, mut values) = (&mut out[scaling_lines(self.columns)..], &model.parameters[..]);
        for layer in &model.layers {
            let (own, behind) = values.split_at(layer.parameter_count());
            values = behind;
            rest = pack_layer(layer, own, rest);
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
fn pack_layer<'a>(layer: &Layer, values: &[f32], out: &'a mut [Line]) -> &'a mut [Line] {
    match *layer {
        Layer::Dense { inputs, outputs, .. } => {
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
        Layer::Lstm { inputs, units } => {
            let (kernel, rest) = values.split_at(inputs * 4 * units);
            let (recurrent, bias) = rest.split_at(units * 4 * units);
            // The bias starts the recurrent half; the input half starts from the recurrent half's sums.
            let out = pack_half(4, units, kernel, None, out);
            pack_half(4, units, recurrent, Some(bias), out)
        }
        Layer::Gru { inputs, units } => {
            let (kernel, rest) = values.split_at(inputs * 3 * units);
            let (recurrent, bias) = rest.split_at(units * 3 * units);
            let out = pack_half(3, units, kernel, Some(&bias[..3 * units]), out);
            pack_half(3, units, recurrent, Some(&bias[3 * units..]), out)
        }
        Layer::Skip { .. } | Layer::Softmax => out,
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
