// @hot
//! One row through a dense layer.
//!
//! Batch-1 products are bound by the bytes of weights. What follows a ReLU is zero for about half of its numbers, and a zero's weights
//! need not be read: the row's other places are listed first, and only their rows of weights are met. Weights are finite
//! (`Model::verify`), so what is left out would have added nothing.
use crate::block::{LANES, Line, flat, words_mut};
use crate::digit::{Digit, Rows};
use crate::lanes::{Kernel, Lanes};
use crate::product::{block, block_width};
use std::marker::PhantomData;

/// One row through one matrix.
pub(crate) struct Row<'a, D> {
    pub(crate) x: &'a [Line],
    pub(crate) inputs: usize,
    /// The row has many zeros.
    pub(crate) sparse: bool,
    /// The reach, then blocks.
    pub(crate) weights: &'a [Line],
    /// What numbers below zero are multiplied by: 1 leaves them.
    pub(crate) slope: f32,
    pub(crate) spare: &'a mut [Line],
    /// Zero; a lane becomes NaN when a sum is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
    pub(crate) digit: PhantomData<D>,
}

/// What meets a block of weights: words in order, or the places of those that are not zero.
#[derive(Clone, Copy)]
enum Inputs<'a> {
    All(&'a [u32]),
    Some(&'a [f32], &'a [u32]),
}

impl<D: Digit> Kernel for Row<'_, D> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let reach = self.weights[0].0[0];
        let rows = Rows { count: 1, values: self.inputs, stride: self.x.len() };
        let (inputs, unit) = if D::PER == 1 && self.sparse {
            (Inputs::Some(flat(self.x), list::<L>(self.x, self.inputs, self.spare)), 1.0)
        } else {
            let (words, _, unit) = D::round::<L>(self.x, rows, reach, self.spare);
            (Inputs::All(&words[..self.inputs.div_ceil(D::PER)]), unit)
        };
        let depth = D::HEAD + self.inputs.div_ceil(D::PER);
        let (unit, slope) = (L::splat(unit), L::splat(self.slope));
        let (mut packed, mut to, mut guard) = (&self.weights[1..], self.to, L::load(self.guard));
        while !to.is_empty() {
            let width = block_width(to.len());
            let (own, rest) = packed.split_at(width * depth);
            let (lines, behind) = to.split_at_mut(width);
            guard = match width {
                4 => one::<L, D, 4>(inputs, own, unit, slope, guard, lines),
                2 => one::<L, D, 2>(inputs, own, unit, slope, guard, lines),
                _ => one::<L, D, 1>(inputs, own, unit, slope, guard, lines),
            };
            (packed, to) = (rest, behind);
        }
        guard.store(self.guard);
    }
}

/// One block.
#[inline(always)]
fn one<L: Lanes, D: Digit, const W: usize>(
    inputs: Inputs<'_>,
    packed: &[Line],
    unit: L,
    slope: L,
    mut guard: L,
    to: &mut [Line],
) -> L {
    let sums = match inputs {
        Inputs::All(words) => block::<L, D, W>(words, 0, (1, words.len()), packed, unit),
        Inputs::Some(x, places) => match const { L::CHAINS / W } {
            0 | 1 => gather::<L, W, 1>(x, places, packed),
            2 | 3 => gather::<L, W, 2>(x, places, packed),
            4..=7 => gather::<L, W, 4>(x, places, packed),
            _ => gather::<L, W, 8>(x, places, packed),
        },
    };
    for (y, to) in sums.into_iter().zip(to) {
        guard = y.mul_add(L::splat(0.0), guard);
        y.max(y.mul(slope)).store(to);
    }
    guard
}

/// Lists the places of the first `values` numbers that are not zero.
#[inline(always)]
fn list<'a, L: Lanes>(x: &[Line], values: usize, spare: &'a mut [Line]) -> &'a [u32] {
    let places = words_mut(spare);
    let mut count = 0;
    for (nth, line) in x[..values.div_ceil(LANES)].iter().enumerate() {
        if let Some(to) = places[count..].first_chunk_mut::<LANES>() {
            let left = (values - nth * LANES).min(LANES);
            count += L::load(line).keep(left).places((nth * LANES) as u32, to);
        }
    }
    &places[..count]
}

/// Sums of one block over listed places, in `S` parts that hide the latency.
#[inline(always)]
fn gather<L: Lanes, const W: usize, const S: usize>(x: &[f32], places: &[u32], packed: &[Line]) -> [L; W] {
    let (head, weights) = packed.split_at(W);
    let weights = weights.as_chunks::<W>().0;
    let x = &x[..weights.len()];
    let mut sums = [[L::splat(0.0); W]; S];
    for (sum, head) in sums[0].iter_mut().zip(head) {
        *sum = L::load(head);
    }
    let (groups, rest) = places.as_chunks::<S>();
    for group in groups {
        for (s, place) in group.iter().enumerate() {
            let (x, row) = (L::splat(x[*place as usize]), &weights[*place as usize]);
            for w in 0..W {
                sums[s][w] = x.mul_add(L::load(&row[w]), sums[s][w]);
            }
        }
    }
    for place in rest {
        let (x, row) = (L::splat(x[*place as usize]), &weights[*place as usize]);
        for w in 0..W {
            sums[0][w] = x.mul_add(L::load(&row[w]), sums[0][w]);
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
