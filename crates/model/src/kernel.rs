// @hot
//! The arithmetic of a tick, generic over [`Lanes`].
//!
//! Batch-1 matrix-vector products are bound by the bytes of weights that stream through the core, so a kernel reads them once,
//! in order, and keeps its sums in registers.
use crate::activation::Activation;
use crate::block::{Line, flat};
use crate::lanes::Lanes;
use crate::math::{self, exp, sigmoid, tanh};
use crate::program::BLOCK_LINES;

/// `start + sum over k of x[k] * weights[k]` for a block of `W` lines, with `S` sums a line to hide latency.
#[inline(always)]
fn sums_of<L: Lanes, const W: usize, const S: usize>(start: &[Line], weights: &[Line], x: &[f32]) -> [L; W] {
    let mut sums = [[L::splat(0.0); W]; S];
    for (sum, line) in sums[0].iter_mut().zip(start) {
        *sum = L::load(line);
    }
    let (groups, rest) = x.as_chunks::<S>();
    let (body, tail) = weights.split_at(groups.len() * S * W);
    for (group, rows) in groups.iter().zip(body.chunks_exact(S * W)) {
        for s in 0..S {
            let value = L::splat(group[s]);
            for w in 0..W {
                sums[s][w] = value.mul_add(L::load(&rows[s * W + w]), sums[s][w]);
            }
        }
    }
    for (value, row) in rest.iter().zip(tail.chunks_exact(W)) {
        let value = L::splat(*value);
        for w in 0..W {
            sums[0][w] = value.mul_add(L::load(&row[w]), sums[0][w]);
        }
    }
    let mut half = S / 2;
    while half > 0 {
        let (low, high) = sums.split_at_mut(half);
        for (low, high) in low.iter_mut().zip(high) {
            for (low, high) in low.iter_mut().zip(high) {
                *low = low.add(*high);
            }
        }
        half /= 2;
    }
    sums[0]
}

/// [`sums_of`] with as many sums as the instruction set has room for; the match is decided at compile time.
#[inline(always)]
fn sums<L: Lanes, const W: usize>(start: &[Line], weights: &[Line], x: &[f32]) -> [L; W] {
    match L::CHAINS / W {
        0 | 1 => sums_of::<L, W, 1>(start, weights, x),
        2 | 3 => sums_of::<L, W, 2>(start, weights, x),
        4..=7 => sums_of::<L, W, 4>(start, weights, x),
        _ => sums_of::<L, W, 8>(start, weights, x),
    }
}

#[inline(always)]
fn dense_block<L: Lanes, const W: usize>(x: &[f32], block: &[Line], to: &mut [Line], activation: Activation) {
    let (start, weights) = block.split_at(W);
    for (sum, out) in sums::<L, W>(start, weights, x).into_iter().zip(to) {
        math::activation(activation, sum).store(out);
    }
}

/// `to = activation(x W + b)`; `values` is the true number of outputs, for softmax.
#[inline(always)]
pub(crate) fn dense<L: Lanes>(
    x: &[f32],
    packed: &[Line],
    to: &mut [Line],
    values: usize,
    activation: Activation,
) {
    let mut packed = packed;
    for out in to.chunks_mut(BLOCK_LINES) {
        let (block, rest) = packed.split_at(out.len() * (1 + x.len()));
        packed = rest;
        match out.len() {
            1 => dense_block::<L, 1>(x, block, out, activation),
            2 => dense_block::<L, 2>(x, block, out, activation),
            3 => dense_block::<L, 3>(x, block, out, activation),
            _ => dense_block::<L, 4>(x, block, out, activation),
        }
    }
    if activation == Activation::Softmax {
        softmax::<L>(to, values);
    }
}

/// Softmax over the first `values` numbers.
#[inline(always)]
pub(crate) fn softmax<L: Lanes>(lines: &mut [Line], values: usize) {
    if let (Some(last), used @ 1..) = (lines.last_mut(), values % 16) {
        last.0[used..].fill(-1e30);
    }
    let mut top = L::splat(f32::MIN);
    for line in lines.iter() {
        top = top.max(L::load(line));
    }
    let top = L::splat(top.fold(|a, b| if a > b { a } else { b }));
    let mut sum = L::splat(0.0);
    for line in lines.iter_mut() {
        let power = exp(L::load(line).sub(top));
        power.store(line);
        sum = sum.add(power);
    }
    let sum = L::splat(sum.fold(|a, b| a + b));
    for line in lines.iter_mut() {
        L::load(line).div(sum).store(line);
    }
}

/// An activation in place; `values` is the true number of outputs, for softmax.
#[inline(always)]
pub(crate) fn activate<L: Lanes>(lines: &mut [Line], values: usize, activation: Activation) {
    if activation == Activation::Softmax {
        return softmax::<L>(lines, values);
    }
    for line in lines {
        math::activation(activation, L::load(line)).store(line);
    }
}

/// The recurrent half `sums = start + h R` of a layer with `G` gates, for every block of 16 units.
#[inline(always)]
pub(crate) fn recurrent<L: Lanes, const G: usize>(h: &[f32], packed: &[Line], to: &mut [Line]) {
    for (block, out) in packed.chunks_exact(G * (1 + h.len())).zip(to.chunks_exact_mut(G)) {
        let (start, weights) = block.split_at(G);
        for (sum, out) in sums::<L, G>(start, weights, h).into_iter().zip(out) {
            sum.store(out);
        }
    }
}

/// The input half and the gates of an LSTM step. `half`: what [`recurrent`] made of the last `h`, bias included.
#[inline(always)]
pub(crate) fn lstm<L: Lanes>(x: &[f32], packed: &[Line], half: &[Line], h: &mut [Line], c: &mut [Line]) {
    let blocks = packed.chunks_exact(4 * (1 + x.len())).zip(half.chunks_exact(4));
    for ((block, half), (h, c)) in blocks.zip(h.iter_mut().zip(c)) {
        let [i, f, g, o] = sums::<L, 4>(half, &block[4..], x);
        let cell = sigmoid(f).mul_add(L::load(c), sigmoid(i).mul(tanh(g)));
        cell.store(c);
        sigmoid(o).mul(tanh(cell)).store(h);
    }
}

/// The input half and the gates of a GRU step. `half`: what [`recurrent`] made of the last `h`.
#[inline(always)]
pub(crate) fn gru<L: Lanes>(x: &[f32], packed: &[Line], half: &[Line], h: &mut [Line]) {
    let blocks = packed.chunks_exact(3 * (1 + x.len())).zip(half.chunks_exact(3));
    for ((block, half), h) in blocks.zip(h.iter_mut()) {
        let (start, weights) = block.split_at(3);
        let [z, r, n] = sums::<L, 3>(start, weights, x);
        let z = sigmoid(z.add(L::load(&half[0])));
        let r = sigmoid(r.add(L::load(&half[1])));
        let n = tanh(r.mul_add(L::load(&half[2]), n));
        z.mul_add(L::load(h).sub(n), n).store(h);
    }
}

/// `to = clamp((to - mean) * scale, -clip, clip)`.
#[inline(always)]
pub(crate) fn normalise<L: Lanes>(to: &mut [Line], scaling: &[Line]) {
    let wide = to.len();
    let clip = L::load(&scaling[2 * wide]);
    let low = L::splat(0.0).sub(clip);
    for (at, line) in to.iter_mut().enumerate() {
        let scaled = L::load(line).sub(L::load(&scaling[at])).mul(L::load(&scaling[wide + at]));
        clip.min(low.max(scaled)).store(line);
    }
}

/// `to = a + b`.
#[inline(always)]
pub(crate) fn add<L: Lanes>(a: &[Line], b: &[Line], to: &mut [Line]) {
    for (out, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
        L::load(a).add(L::load(b)).store(out);
    }
}

/// True when all numbers are finite.
#[inline(always)]
pub(crate) fn all_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    values.iter().fold(true, |good, value| good & (value.to_bits() & EXPONENT != EXPONENT))
}

/// The first `values` numbers of lines.
#[inline(always)]
pub(crate) fn head(lines: &[Line], values: usize) -> &[f32] {
    &flat(lines)[..values]
}
