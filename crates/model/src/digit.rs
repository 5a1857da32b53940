// @hot
//! What weights are rounded to, and how sums of products are made of them.
//!
//! A word of 32 bits holds one f32, two bf16 or four 8-bit inputs; a line of weights holds as many for each of sixteen outputs. Before the
//! weights of an output line stand its head lines: what sums begin with, and for 8-bit numbers what they are scaled and moved by.
use crate::block::{LANES, Line, bytes_mut, flat, halves_mut, words};
use crate::lanes::Lanes;

/// A kind of weights on an instruction set.
pub(crate) trait Digit<L: Lanes> {
    /// Inputs in a word.
    const PER: usize;
    /// Head lines before the weights of an output line.
    const HEAD: usize;
    /// Sixteen sums.
    type Sum: Copy;
    fn zero() -> Self::Sum;
    /// What sums of line `w` of a block of `wide` begin with.
    fn begin(head: &[Line], w: usize) -> Self::Sum;
    fn dot(sum: Self::Sum, weights: &Line, x: u32) -> Self::Sum;
    fn add(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    /// `unit`: what one step of the inputs is worth.
    fn end(sum: Self::Sum, head: &[Line], w: usize, wide: usize, unit: L) -> L;
    /// Rounds rows of `values` numbers, `stride` numbers apart, into `to` when the kind needs it; the words to be read, from one row to the
    /// next, and what one step is worth. `reach`: the largest size to be told apart, 0: that of these rows.
    fn round<'a>(x: &'a [Line], rows: Rows, reach: f32, to: &'a mut [Line]) -> (&'a [u32], usize, f32);
}

/// How numbers lie in lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: usize,
    pub(crate) values: usize,
    /// From one row to the next, in lines.
    pub(crate) stride: usize,
}

/// As trained.
pub(crate) struct Whole32;
/// bf16.
pub(crate) struct Half;
/// 8-bit.
pub(crate) struct Byte;

impl<L: Lanes> Digit<L> for Whole32 {
    const PER: usize = 1;
    const HEAD: usize = 1;
    type Sum = L;
    #[inline(always)]
    fn zero() -> L {
        L::splat(0.0)
    }
    #[inline(always)]
    fn begin(head: &[Line], w: usize) -> L {
        L::load(&head[w])
    }
    #[inline(always)]
    fn dot(sum: L, weights: &Line, x: u32) -> L {
        L::splat(f32::from_bits(x)).mul_add(L::load(weights), sum)
    }
    #[inline(always)]
    fn add(a: L, b: L) -> L {
        a.add(b)
    }
    #[inline(always)]
    fn end(sum: L, _: &[Line], _: usize, _: usize, _: L) -> L {
        sum
    }
    #[inline(always)]
    fn round<'a>(x: &'a [Line], rows: Rows, _: f32, _: &'a mut [Line]) -> (&'a [u32], usize, f32) {
        (words(x), rows.stride * LANES, 1.0)
    }
}

impl<L: Lanes> Digit<L> for Half {
    const PER: usize = 2;
    const HEAD: usize = 1;
    type Sum = L;
    #[inline(always)]
    fn zero() -> L {
        L::splat(0.0)
    }
    #[inline(always)]
    fn begin(head: &[Line], w: usize) -> L {
        L::load(&head[w])
    }
    #[inline(always)]
    fn dot(sum: L, weights: &Line, x: u32) -> L {
        sum.dot_halves(weights, x)
    }
    #[inline(always)]
    fn add(a: L, b: L) -> L {
        a.add(b)
    }
    #[inline(always)]
    fn end(sum: L, _: &[Line], _: usize, _: usize, _: L) -> L {
        sum
    }
    #[inline(always)]
    fn round<'a>(x: &'a [Line], rows: Rows, _: f32, to: &'a mut [Line]) -> (&'a [u32], usize, f32) {
        let wide = rows.values.div_ceil(2 * LANES);
        for row in 0..rows.count {
            let (x, to) = (&x[row * rows.stride..], &mut to[row * wide..(row + 1) * wide]);
            let halves = halves_mut(to);
            for (x, to) in x[..rows.values.div_ceil(LANES)].iter().zip(halves.as_chunks_mut::<LANES>().0) {
                L::load(x).halves(to);
            }
            halves[rows.values..].fill(0);
        }
        (words(to), wide * LANES, 1.0)
    }
}

impl<L: Lanes> Digit<L> for Byte {
    const PER: usize = 4;
    const HEAD: usize = 3;
    type Sum = L::Whole;
    #[inline(always)]
    fn zero() -> L::Whole {
        L::whole(&Line::ZERO)
    }
    #[inline(always)]
    fn begin(head: &[Line], w: usize) -> L::Whole {
        L::whole(&head[w])
    }
    #[inline(always)]
    fn dot(sum: L::Whole, weights: &Line, x: u32) -> L::Whole {
        L::dot_bytes(sum, weights, x)
    }
    #[inline(always)]
    fn add(a: L::Whole, b: L::Whole) -> L::Whole {
        L::whole_add(a, b)
    }
    #[inline(always)]
    fn end(sum: L::Whole, head: &[Line], w: usize, wide: usize, unit: L) -> L {
        let scaled = L::from_whole(sum).mul(L::load(&head[wide + w]));
        scaled.mul_add(unit, L::load(&head[2 * wide + w]))
    }
    #[inline(always)]
    fn round<'a>(x: &'a [Line], rows: Rows, reach: f32, to: &'a mut [Line]) -> (&'a [u32], usize, f32) {
        let reach = if reach > 0.0 { reach } else { largest::<L>(x, rows) };
        let unit = if reach > 1e-30 { reach / 127.0 } else { 1.0 };
        let scale = L::splat(1.0 / unit);
        let wide = rows.values.div_ceil(4 * LANES);
        for row in 0..rows.count {
            let (x, to) = (&x[row * rows.stride..], &mut to[row * wide..(row + 1) * wide]);
            let bytes = bytes_mut(to);
            for (x, to) in x[..rows.values.div_ceil(LANES)].iter().zip(bytes.as_chunks_mut::<LANES>().0) {
                L::load(x).mul(scale).bytes(to);
            }
        }
        (words(to), wide * LANES, unit)
    }
}

/// The largest size in rows.
#[inline(always)]
fn largest<L: Lanes>(x: &[Line], rows: Rows) -> f32 {
    let zero = L::splat(0.0);
    let mut top = zero;
    let mut rest = 0.0f32;
    for row in 0..rows.count {
        let whole = rows.values / LANES;
        for line in &x[row * rows.stride..row * rows.stride + whole] {
            let x = L::load(line);
            top = top.max(x.max(zero.sub(x)));
        }
        for value in &flat(&x[row * rows.stride + whole..])[..rows.values % LANES] {
            rest = rest.max(value.abs());
        }
    }
    top.fold(|a, b| if a > b { a } else { b }).max(rest)
}
