//! Packs the weights of one node after another, in the order in which `layout` laid them out.
use super::fold::{affine, is_folded};
use super::layout::{digit, sweep_patches, time_first};
use super::past::{pack_attention, pack_stream};
use super::put;
use crate::activation::Activation;
use crate::block::{Line, lines};
use crate::digit::Reach;
use crate::layer::{Gate, Layer};
use crate::math::LSTM_FACTORS;
use crate::model::Precision;
use crate::narrow::is_narrow;
use crate::pack::{Form, Matrix};
use crate::plan::Plan;
use crate::shape::Shape;

/// Packs one node's tensors and returns the lines behind; the mirror image of `Layout::node`.
pub(super) fn pack_node<'a>(
    plan: &Plan,
    at: usize,
    wanted: Precision,
    reach: f32,
    values: &[f32],
    out: &'a mut [Line],
) -> &'a mut [Line] {
    let node = &plan.nodes()[at];
    let (x, y) = (plan.shape(node.inputs[0]), plan.shape(at + 1));
    let features = x.features();
    match node.layer {
        Layer::Dense { outputs, activation } => {
            let (weights, bias) = values.split_at(features * outputs);
            pack_dense(
                wanted,
                reach,
                activation,
                Matrix { weights, bias, taps: 1, run: features, outputs, factors: &[] },
                out,
            )
        }
        Layer::Conv { outputs, sweep, .. } => {
            let (taps, run, place) = sweep_patches(x, y, &sweep);
            let (weights, bias) = values.split_at(taps * run * outputs);
            let digit = digit(wanted, taps, run, place);
            let matrix = Matrix { weights, bias, taps, run, outputs, factors: &[] };
            if plan.architecture().stateful && taps > 1 {
                return pack_stream(digit, reach, matrix, out);
            }
            pack_blocks(digit, reach, matrix, out)
        }
        Layer::Lstm { units, gate, .. } => {
            let (kernel, rest) = values.split_at(features * 4 * units);
            let (recurrent, bias) = rest.split_at(units * 4 * units);
            // The bias starts the recurrent half; the input half is added to the recurrent half's sums.
            let factors = if gate == Gate::Sigmoid { &LSTM_FACTORS[..] } else { &[] };
            pack_halves(wanted, reach, [kernel, recurrent], [&[], bias], (4, factors), (features, units), out)
        }
        Layer::Gru { units, .. } => {
            let (kernel, rest) = values.split_at(features * 3 * units);
            let (recurrent, bias) = rest.split_at(units * 3 * units);
            let (first, second) = bias.split_at(3 * units);
            // Only in the sums of `n` are the halves apart: elsewhere both biases start the recurrent half.
            let (mut given, mut kept) = (first.to_vec(), second.to_vec());
            given[..2 * units].fill(0.0);
            kept.iter_mut().zip(&first[..2 * units]).for_each(|(kept, first)| *kept += first);
            pack_halves(wanted, reach, [kernel, recurrent], [&given, &kept], (3, &[]), (features, units), out)
        }
        Layer::Bl { .. } | Layer::Tabl { .. } | Layer::Bin => {
            pack_bilinear(&node.layer, x, wanted, reach, values, out)
        }
        Layer::BatchNorm { .. } if is_folded(plan, at) => out,
        Layer::BatchNorm { epsilon, .. } => {
            let affine = affine(epsilon, x.channels, values);
            let each = |at: usize| affine[at % x.channels];
            let factors: Vec<f32> = (0..features).map(|at| each(at).0).collect();
            let summands: Vec<f32> = (0..features).map(|at| each(at).1).collect();
            pack_numbers(&summands, pack_numbers(&factors, out))
        }
        Layer::Attention { .. } | Layer::LinearAttention { .. } | Layer::LocalAttention { .. } => {
            pack_attention(&node.layer, features, wanted, reach, values, out)
        }
        _ => out,
    }
}

fn pack_bilinear<'a>(
    layer: &Layer,
    x: Shape,
    wanted: Precision,
    reach: f32,
    values: &[f32],
    out: &'a mut [Line],
) -> &'a mut [Line] {
    let features = x.features();
    match *layer {
        Layer::Bl { outputs, times, activation } => {
            let (weights, rest) = values.split_at(features * outputs);
            let (w2, bias) = rest.split_at(x.time * times);
            let matrix = Matrix { weights, bias: &[], taps: 1, run: features, outputs, factors: &[] };
            if time_first(x, outputs, times) {
                let out = &mut pack_numbers(w2, out)[times * lines(features)..];
                // What enters the product is not what calibration saw: its reach is found anew each tick.
                if times == 1 {
                    pack_dense(wanted, 0.0, activation, Matrix { bias, ..matrix }, out)
                } else {
                    let out = pack_rows(bias, outputs, out);
                    pack_blocks(digit(wanted, 1, features, 0), 0.0, matrix, out)
                }
            } else {
                let out = pack_dense(wanted, reach, Activation::None, matrix, out);
                pack_rows(bias, outputs, pack_numbers(w2, out))
            }
        }
        Layer::Tabl { outputs, times, .. } => {
            let (weights, rest) = values.split_at(features * outputs);
            let (w, rest) = rest.split_at(x.time * x.time);
            let (l, rest) = rest.split_at(1);
            let (w2, bias) = rest.split_at(x.time * times);
            let out = pack_dense(
                wanted,
                reach,
                Activation::None,
                Matrix { weights, bias: &[], taps: 1, run: features, outputs, factors: &[] },
                out,
            );
            let (own, out) = out.split_at_mut(1);
            own[0].0.fill(l[0]);
            pack_rows(bias, outputs, pack_numbers(w2, pack_numbers(w, out)))
        }
        Layer::Bin => {
            let (y12, rest) = values.split_at(2);
            let (time, columns) = rest.split_at(2 * x.time);
            let (own, behind) = out.split_at_mut(2);
            own[0].0.fill(y12[0]);
            own[1].0.fill(y12[1]);
            pack_rows(columns, features, pack_rows(time, x.time, behind))
        }
        _ => out,
    }
}

/// A dense layer in the form that `Layout::dense` gives it.
pub(super) fn pack_dense<'a>(
    wanted: Precision,
    reach: f32,
    activation: Activation,
    matrix: Matrix<'_>,
    out: &'a mut [Line],
) -> &'a mut [Line] {
    if is_narrow(matrix.run, matrix.outputs) {
        matrix.pack_narrow(activation == Activation::Softmax, out)
    } else {
        pack_blocks(digit(wanted, 1, matrix.run, 0), reach, matrix, out)
    }
}

/// The reach, then the matrix.
pub(super) fn pack_blocks<'a>(
    precision: Precision,
    reach: f32,
    matrix: Matrix<'_>,
    out: &'a mut [Line],
) -> &'a mut [Line] {
    let (own, behind) = out.split_at_mut(1);
    own[0] = Reach::of(reach).pack();
    matrix.pack(precision, behind)
}

fn pack_halves<'a>(
    precision: Precision,
    reach: f32,
    weights: [&[f32]; 2],
    bias: [&[f32]; 2],
    (gates, factors): (usize, &[f32]),
    (features, units): (usize, usize),
    out: &'a mut [Line],
) -> &'a mut [Line] {
    let (own, out) = out.split_at_mut(1);
    own[0] = Reach::of(reach).pack();
    let half = |nth: usize, run| Matrix {
        weights: weights[nth],
        bias: bias[nth],
        taps: 1,
        run,
        outputs: gates * units,
        factors,
    };
    let [given, kept] = Form::of_halves(gates);
    let out = half(0, features).pack_gates(precision, (gates, given), out);
    half(1, units).pack_gates(precision, (gates, kept), out)
}

pub(super) fn pack_numbers<'a>(values: &[f32], out: &'a mut [Line]) -> &'a mut [Line] {
    let (own, behind) = out.split_at_mut(lines(values.len()));
    put(own, values);
    behind
}

fn pack_rows<'a>(values: &[f32], wide: usize, mut out: &'a mut [Line]) -> &'a mut [Line] {
    for row in values.chunks_exact(wide) {
        out = pack_numbers(row, out);
    }
    out
}
