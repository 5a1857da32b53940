// @hot
//! Products of patches with packed weights: dense layers, convolutions, the halves of recurrent layers.
//!
//! Batch-1 products are bound by the bytes of weights that stream through the core, so a block of up to four output lines is read once, in
//! order, for up to five patches at a time, and sums stay in registers.
use crate::activation::Activation;
use crate::block::{LANES, Line, flat_mut};
use crate::digit::{Digit, Rows};
use crate::lanes::Lanes;
use crate::math;

/// Lines in the widest block.
pub(crate) const BLOCK_LINES: usize = 4;
/// Patches at a time where registers allow it.
const PATCHES: usize = 5;

/// Which words make up each input of a product, and where its outputs go; all in words of the product's kind, from the first word on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patches {
    /// Times and places: patches in all are their product.
    pub(crate) times: usize,
    pub(crate) places: usize,
    /// From one time's patches to the next, in rows.
    pub(crate) time_rows: usize,
    /// From one place's patch to the next, in inputs.
    pub(crate) place_inputs: usize,
    /// Rows in a patch, one below the other.
    pub(crate) taps: usize,
    /// Inputs of each row in a patch.
    pub(crate) run: usize,
    /// Numbers given for each patch.
    pub(crate) outputs: usize,
    /// From one time's outputs to the next, in numbers; places follow one another.
    pub(crate) to_stride: usize,
}

/// Lines of packed weights of `outputs` outputs over `taps` runs of `run` inputs.
pub(crate) fn packed_lines(head: usize, per: usize, taps: usize, run: usize, outputs: usize) -> usize {
    outputs.div_ceil(LANES) * (head + taps * run.div_ceil(per))
}

/// Sums of one block for `R` patches that begin at the words `at`.
#[inline(always)]
fn tile<L: Lanes, D: Digit<L>, const W: usize, const R: usize>(
    x: &[u32],
    at: [usize; R],
    stride: usize,
    (taps, run): (usize, usize),
    head: &[Line],
    weights: &[Line],
) -> [[D::Sum; W]; R] {
    let mut sums = [[D::zero(); W]; R];
    for each in &mut sums {
        for (w, sum) in each.iter_mut().enumerate() {
            *sum = D::begin(head, w);
        }
    }
    for (tap, weights) in weights.chunks_exact(run * W).take(taps).enumerate() {
        let xs: [&[u32]; R] = at.map(|at| &x[at + tap * stride..][..run]);
        for (j, weights) in weights.chunks_exact(W).enumerate() {
            for r in 0..R {
                for w in 0..W {
                    sums[r][w] = D::dot(sums[r][w], &weights[w], xs[r][j]);
                }
            }
        }
    }
    sums
}

/// Sums of one block for one patch, in `S` parts that hide the latency.
#[inline(always)]
fn single<L: Lanes, D: Digit<L>, const W: usize, const S: usize>(
    x: &[u32],
    stride: usize,
    (taps, run): (usize, usize),
    head: &[Line],
    weights: &[Line],
) -> [D::Sum; W] {
    let mut sums = [[D::zero(); W]; S];
    for (w, sum) in sums[0].iter_mut().enumerate() {
        *sum = D::begin(head, w);
    }
    for (tap, weights) in weights.chunks_exact(run * W).take(taps).enumerate() {
        let (groups, rest) = x[tap * stride..][..run].as_chunks::<S>();
        let (body, tail) = weights.split_at(groups.len() * S * W);
        for (group, rows) in groups.iter().zip(body.chunks_exact(S * W)) {
            for s in 0..S {
                for w in 0..W {
                    sums[s][w] = D::dot(sums[s][w], &rows[s * W + w], group[s]);
                }
            }
        }
        for (x, row) in rest.iter().zip(tail.chunks_exact(W)) {
            for w in 0..W {
                sums[0][w] = D::dot(sums[0][w], &row[w], *x);
            }
        }
    }
    let mut half = S / 2;
    while half > 0 {
        let (low, high) = sums.split_at_mut(half);
        for (low, high) in low.iter_mut().zip(high) {
            for (low, high) in low.iter_mut().zip(high) {
                *low = D::add(*low, *high);
            }
        }
        half /= 2;
    }
    sums[0]
}

/// One patch against one block, head included; as many parts as the instruction set has room for, decided at compile time.
#[inline(always)]
pub(crate) fn block<L: Lanes, D: Digit<L>, const W: usize>(
    x: &[u32],
    stride: usize,
    shape: (usize, usize),
    packed: &[Line],
    unit: L,
) -> [L; W] {
    let (head, weights) = packed.split_at(W * D::HEAD);
    let sums = match const { L::CHAINS / W } {
        0 | 1 => single::<L, D, W, 1>(x, stride, shape, head, weights),
        2 | 3 => single::<L, D, W, 2>(x, stride, shape, head, weights),
        4..=7 => single::<L, D, W, 4>(x, stride, shape, head, weights),
        _ => single::<L, D, W, 8>(x, stride, shape, head, weights),
    };
    let mut out = [unit; W];
    for (w, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
        *out = D::end(sum, head, w, W, unit);
    }
    out
}

/// Every patch against every block; outputs go through the activation (softmax apart) to `to`, which has a spare line at its end.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product")]
pub(crate) fn product<L: Lanes, D: Digit<L>>(
    x: &[Line],
    rows: Rows,
    patches: Patches,
    reach: f32,
    packed: &[Line],
    activation: Activation,
    spare: &mut [Line],
    to: &mut [Line],
) {
    let (x, stride, unit) = D::round(x, rows, reach, spare);
    let unit = L::splat(unit);
    let to = flat_mut(to);
    let depth = D::HEAD + patches.taps * patches.run.div_ceil(D::PER);
    let lines = patches.outputs.div_ceil(LANES);
    let mut packed = packed;
    let mut first = 0;
    while first < lines {
        let width = block_width(lines - first);
        let (own, rest) = packed.split_at(width * depth);
        packed = rest;
        let to = &mut to[first * LANES..];
        if width == BLOCK_LINES {
            blocks::<L, D, BLOCK_LINES>(x, stride, &patches, own, unit, activation, to);
        } else {
            blocks::<L, D, 1>(x, stride, &patches, own, unit, activation, to);
        }
        first += width;
    }
}

/// Lines of the next block when `left` are left: as many as fit, or one. Two widths keep the code small.
pub(crate) const fn block_width(left: usize) -> usize {
    if left >= BLOCK_LINES { BLOCK_LINES } else { 1 }
}

/// Walks over patches: where each begins and where its outputs go.
struct Walk {
    place: usize,
    from: usize,
    to: usize,
}

impl Walk {
    #[inline(always)]
    fn next(&mut self, patches: &Patches, (time, place): (usize, usize)) -> (usize, usize) {
        let now = (self.from, self.to);
        self.place += 1;
        self.from += place;
        self.to += patches.outputs;
        if self.place == patches.places {
            self.from += time - self.place * place;
            self.to += patches.to_stride - self.place * patches.outputs;
            self.place = 0;
        }
        now
    }
}

#[inline(always)]
fn blocks<L: Lanes, D: Digit<L>, const W: usize>(
    x: &[u32],
    stride: usize,
    patches: &Patches,
    packed: &[Line],
    unit: L,
    activation: Activation,
    to: &mut [f32],
) {
    let shape = (patches.taps, patches.run.div_ceil(D::PER));
    let count = patches.times * patches.places;
    let steps = (patches.time_rows * stride, patches.place_inputs / D::PER);
    let mut walk = Walk { place: 0, from: 0, to: 0 };
    let mut left = count;
    while const { L::CHAINS == 8 } && left >= PATCHES {
        let (head, weights) = packed.split_at(W * D::HEAD);
        let mut at = [0; PATCHES];
        let mut goes = [0; PATCHES];
        for nth in 0..PATCHES {
            (at[nth], goes[nth]) = walk.next(patches, steps);
        }
        let sums = tile::<L, D, W, PATCHES>(x, at, stride, shape, head, weights);
        for (sums, goes) in sums.into_iter().zip(goes) {
            for (w, sum) in sums.into_iter().enumerate() {
                let y = math::activation(activation, D::end(sum, head, w, W, unit));
                put(y, &mut to[goes + w * LANES..]);
            }
        }
        left -= PATCHES;
    }
    for _ in 0..left {
        let (at, goes) = walk.next(patches, steps);
        let sums = block::<L, D, W>(&x[at..], stride, shape, packed, unit);
        for (w, y) in sums.into_iter().enumerate() {
            put(math::activation(activation, y), &mut to[goes + w * LANES..]);
        }
    }
}

/// Writes sixteen numbers; what spills over the outputs is overwritten by those that follow or lies in the spare line.
#[inline(always)]
fn put<L: Lanes>(y: L, to: &mut [f32]) {
    if let Some(to) = to.first_chunk_mut::<LANES>() {
        y.give(to);
    }
}
