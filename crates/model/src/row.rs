// @hot
//! One row through a dense layer.
//!
//! Batch-1 products are bound by the bytes of weights and by multiply-adds. What follows a ReLU is zero for about half of its numbers, and
//! a zero's weights need not be met: bits say which places are not. Weights are finite (`Model::verify`), so what is left out would have
//! added nothing.
use crate::block::{LANES, Line, flat};
use crate::digit::{Digit, Reach};
use crate::lanes::{Lanes, Watch};
use crate::product::block;
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
    pub(crate) to: &'a mut [Line],
    pub(crate) digit: PhantomData<D>,
}

/// What meets a block of weights: words in order, or the numbers that are not zero.
#[derive(Clone, Copy)]
enum Inputs<'a> {
    All(&'a [u32]),
    Present(&'a [Line]),
}

impl<D: Digit> Watch for Row<'_, D> {
    #[inline(always)]
    fn watched<L: Lanes>(self, mut guard: L) -> L {
        let reach = Reach::packed(&self.weights[0]);
        let (inputs, unit) = if D::PER == 1 && self.sparse {
            (Inputs::Present(self.x), 1.0)
        } else {
            let (words, unit) = D::row::<L>(self.x, self.inputs, reach, self.spare);
            (Inputs::All(words), unit)
        };
        let depth = D::HEAD + self.inputs.div_ceil(D::PER);
        let (unit, slope) = (L::splat(unit), L::splat(self.slope));
        let mut packed = &self.weights[1..];
        // Apart from the loop, so that what narrower blocks need is not made ready before it.
        let (fours, rest) = self.to.as_chunks_mut::<4>();
        for to in fours {
            guard = one::<L, D, 4>(inputs, &packed[..4 * depth], unit, slope, guard, to);
            packed = &packed[4 * depth..];
        }
        let (twos, rest) = rest.as_chunks_mut::<2>();
        if let Some(to) = twos.first_mut() {
            guard = one::<L, D, 2>(inputs, &packed[..2 * depth], unit, slope, guard, to);
            packed = &packed[2 * depth..];
        }
        if !rest.is_empty() {
            guard = one::<L, D, 1>(inputs, &packed[..depth], unit, slope, guard, rest);
        }
        guard
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
        Inputs::Present(x) => gather::<L, W>(x, packed),
    };
    for (y, to) in sums.into_iter().zip(to) {
        guard = y.mul_add(L::splat(0.0), guard);
        y.max(y.mul(slope)).store(to);
    }
    guard
}

/// Lines of a row whose bits fit one word.
const GROUP: usize = 4;

/// Sums of one block over the numbers that are not zero, in two parts that hide the latency.
#[inline(always)]
fn gather<L: Lanes, const W: usize>(x: &[Line], packed: &[Line]) -> [L; W] {
    let (head, weights) = packed.split_at(W);
    let mut sums = [[L::splat(0.0); W]; 2];
    for (sum, head) in sums[0].iter_mut().zip(head) {
        *sum = L::load(head);
    }
    let weights = weights.as_chunks::<W>().0;
    for (x, weights) in x.chunks(GROUP).zip(weights.chunks(GROUP * LANES)) {
        let mut bits = 0;
        for (nth, x) in x.iter().enumerate() {
            bits |= L::load(x).present() << (nth * LANES);
        }
        // Lanes behind the last input have no weights.
        bits &= u64::MAX >> (GROUP * LANES - weights.len());
        let x = &flat(x)[..weights.len()];
        for _ in 0..bits.count_ones() / 2 {
            for sums in &mut sums {
                meet(sums, x, weights, bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
        if bits != 0 {
            meet(&mut sums[0], x, weights, bits.trailing_zeros());
        }
    }
    let [mut sums, others] = sums;
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum = sum.add(other);
    }
    sums
}

/// One number with its weights.
#[inline(always)]
fn meet<L: Lanes, const W: usize>(sums: &mut [L; W], x: &[f32], weights: &[[Line; W]], at: u32) {
    let (x, row) = (L::splat(x[at as usize]), &weights[at as usize]);
    for w in 0..W {
        sums[w] = x.mul_add(L::load(&row[w]), sums[w]);
    }
}
