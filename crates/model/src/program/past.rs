//! Layout and packing of layers that remember rows: convolutions over a stream and attention.
use super::layout::{Layout, digit, sweep_patches};
use super::weights::{pack_blocks, pack_dense, pack_numbers};
use super::{Op, Span};
use crate::activation::Activation;
use crate::attention::{linear_state, local_state, places};
use crate::block::{LANES, Line, lines};
use crate::layer::{Layer, Sweep};
use crate::model::Precision;
use crate::pack::{Matrix, matrix_lines};
use crate::product::Patches;
use crate::shape::Shape;
use crate::stream::{BEFORE, Stream, TAPS, is_paired};

impl Layout {
    /// A convolution over time whose rows before are in the state.
    pub(super) fn stream(
        &mut self,
        x: Shape,
        y: Shape,
        from: Span,
        sweep: &Sweep,
        activation: Activation,
    ) -> Span {
        let to = self.span(1, y.features());
        let (taps, run, place_inputs) = sweep_patches(x, y, sweep);
        let (outputs, digit) = (y.channels, digit(self.wanted, taps, run, place_inputs));
        let patches = Patches {
            times: 1,
            places: y.width,
            time_rows: 1,
            place_inputs,
            taps: 1,
            run,
            outputs,
            to_place: outputs,
            to_stride: to.wide() * LANES,
        };
        let paired = is_paired(digit, taps);
        // One after another at different ticks, so that every tick has about the same to do.
        let phase = paired.then_some(self.paired % 2);
        self.paired += usize::from(paired);
        let given = if paired { taps } else { taps - 1 };
        let past = self.take_weights(1 + matrix_lines(digit, given, run, outputs));
        let now = self.take_weights(1 + matrix_lines(digit, 1, run, outputs));
        let (before, state) = (taps - 1, self.state);
        let stream = Stream { from, to, past, now, digit, patches, before, phase, state, activation };
        self.state += stream.state_lines();
        self.spare = self.spare.max(stream.spare_lines());
        self.ops.push(Op::Stream(stream));
        to
    }

    /// Attention over a window or over the past.
    pub(super) fn attends(&mut self, layer: Layer, x: Shape, from: Span, sparse: bool) -> Span {
        match layer {
            Layer::LinearAttention { keys, outputs, decay } => {
                let (from, work) = self.queries(from, keys, outputs, sparse);
                let (to, state) = (self.span(x.time, outputs), self.state);
                self.state += linear_state(keys, to.wide());
                self.ops.push(Op::Linear { from, work, to, keys, decay, state });
                to
            }
            Layer::LocalAttention { keys, outputs, span } => {
                let (from, _) = self.queries(from, keys, outputs, sparse);
                let work = self.span(1, places(span));
                let (to, state) = (self.span(x.time, outputs), self.state);
                self.state += local_state(keys, to.wide(), span);
                self.ops.push(Op::Local { from, work, to, keys, span, state });
                to
            }
            Layer::Attention { units } => {
                let hidden = self.span(x.time, units);
                self.dense(from, hidden, None, false, Activation::Tanh);
                let (to, weights) = (self.span(1, x.features()), self.take_weights(lines(units)));
                self.ops.push(Op::Attend { from, hidden, to, weights });
                to
            }
            _ => from,
        }
    }

    /// Queries, keys and values of attention as one product whose parts begin at a line each; and lines for two rows of keys.
    fn queries(&mut self, from: Span, keys: usize, outputs: usize, sparse: bool) -> (Span, Span) {
        let to = self.span(from.rows, (2 * lines(keys) + lines(outputs)) * LANES);
        self.dense(from, to, None, sparse, Activation::None);
        (to, self.span(2, keys))
    }
}

/// A convolution over a stream: the taps over rows before, then the row at hand's.
pub(super) fn pack_stream<'a>(
    digit: Precision,
    reach: f32,
    matrix: Matrix<'_>,
    out: &'a mut [Line],
) -> &'a mut [Line] {
    let Matrix { weights, taps, run, outputs, .. } = matrix;
    let (past, now) = weights.split_at((taps - 1) * run * outputs);
    let pair = is_paired(digit, taps).then(|| paired(past));
    let (past, given) = pair.as_deref().map_or((past, taps - 1), |pair| (pair, taps));
    let out = pack_blocks(digit, reach, Matrix { weights: past, taps: given, ..matrix }, out);
    pack_blocks(digit, reach, Matrix { weights: now, bias: &[], taps: 1, ..matrix }, out)
}

/// The weights of the four products, from those of the taps over rows before.
fn paired(taps: &[f32]) -> Vec<f32> {
    let size = taps.len() / BEFORE;
    let at = |tap: usize, nth: usize| taps[tap * size + nth];
    let sum = |nth, sign: f32| (at(0, nth) + sign * at(1, nth) + at(2, nth)) / 2.0;
    let each = |nth: usize| match nth / size {
        0 => at(0, nth),
        1 => sum(nth - size, 1.0),
        2 => sum(nth - 2 * size, -1.0),
        _ => at(2, nth - 3 * size),
    };
    (0..TAPS * size).map(each).collect()
}

/// Attention's tensors in the form that `Layout::attends` gives them.
pub(super) fn pack_attention<'a>(
    layer: &Layer,
    features: usize,
    wanted: Precision,
    reach: f32,
    values: &[f32],
    out: &'a mut [Line],
) -> &'a mut [Line] {
    match *layer {
        Layer::LinearAttention { keys, outputs, .. } | Layer::LocalAttention { keys, outputs, .. } => {
            let (weights, given) = side_by_side(values, features, &[keys, keys, outputs]);
            let matrix =
                Matrix { weights: &weights, bias: &[], taps: 1, run: features, outputs: given, factors: &[] };
            pack_dense(wanted, reach, Activation::None, matrix, out)
        }
        Layer::Attention { units } => {
            let (weights, rest) = values.split_at(features * units);
            let (bias, query) = rest.split_at(units);
            let matrix = Matrix { weights, bias, taps: 1, run: features, outputs: units, factors: &[] };
            pack_numbers(query, pack_dense(wanted, reach, Activation::Tanh, matrix, out))
        }
        _ => out,
    }
}

/// Matrices of `features` rows as one whose parts begin at whole lines, zeros behind each; and how many numbers it gives.
fn side_by_side(mut values: &[f32], features: usize, parts: &[usize]) -> (Vec<f32>, usize) {
    let wide: usize = parts.iter().map(|part| lines(*part) * LANES).sum();
    let (mut joined, mut at) = (vec![0.0; features * wide], 0);
    for part in parts {
        let (own, rest) = values.split_at(features * part);
        for (row, to) in own.chunks_exact(*part).zip(joined.chunks_exact_mut(wide)) {
            to[at..at + part].copy_from_slice(row);
        }
        (values, at) = (rest, at + lines(*part) * LANES);
    }
    (joined, wide)
}
