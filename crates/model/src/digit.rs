// @hot
//! What weights are rounded to, and how sums of products are made of them.
//!
//! A word of 32 bits holds one f32, two bf16 or four 8-bit inputs; a line of weights holds as many for each of sixteen outputs. Before the
//! weights of an output line stand its head lines: what sums begin with, and for 8-bit numbers what they are scaled and moved by.
use crate::block::{LANES, Line, bytes_mut, halves_mut, words};
use crate::lanes::Lanes;

/// A call of `$body` with `$digit` bound to the kind of a precision.
macro_rules! by_digit {
    ($precision:expr, $digit:ident, $body:expr) => {
        match $precision {
            crate::model::Precision::F32 => {
                type $digit = crate::digit::Whole32;
                $body
            }
            crate::model::Precision::Bf16 => {
                type $digit = crate::digit::Half;
                $body
            }
            crate::model::Precision::Int8 => {
                type $digit = crate::digit::Byte;
                $body
            }
        }
    };
}
pub(crate) use by_digit;

/// A kind of weights.
pub(crate) trait Digit {
    /// Inputs in a word.
    const PER: usize;
    /// Head lines before the weights of an output line.
    const HEAD: usize;
    /// Head lines where nothing is added to scaled sums but what they begin with holds it: see `raw`.
    const BARE: usize;
    /// Sums err so much that what follows them may err too.
    const COARSE: bool;
    /// Sixteen sums.
    type Sum<L: Lanes>: Copy;
    fn zero<L: Lanes>() -> Self::Sum<L>;
    /// What sums of line `w` of a block of `wide` begin with.
    fn begin<L: Lanes>(head: &[Line], w: usize) -> Self::Sum<L>;
    fn dot<L: Lanes>(sum: Self::Sum<L>, weights: &Line, x: u32) -> Self::Sum<L>;
    fn add<L: Lanes>(a: Self::Sum<L>, b: Self::Sum<L>) -> Self::Sum<L>;
    /// `unit`: what one step of the inputs is worth.
    fn end<L: Lanes>(sum: Self::Sum<L>, head: &[Line], w: usize, wide: usize, unit: L) -> L;
    /// Sums as numbers, with a bare head; times `unit` they are what they stand for.
    fn raw<L: Lanes>(sum: Self::Sum<L>, head: &[Line], w: usize, wide: usize) -> L;
    /// `raw unit + other`, where `unit` may be other than 1.
    fn joined<L: Lanes>(raw: L, unit: L, other: L) -> L;
    /// As `round`, one row; the words of `values` numbers and what one step is worth.
    fn row<'a, L: Lanes>(x: &'a [Line], values: usize, reach: Reach, to: &'a mut [Line]) -> (&'a [u32], f32);
    /// Rounds rows of `values` numbers, `stride` lines apart, into `to` when the kind needs it; the words to be read, from one row to the
    /// next, and what one step is worth.
    fn round<'a, L: Lanes>(
        x: &'a [Line],
        rows: Rows,
        reach: Reach,
        to: &'a mut [Line],
    ) -> (&'a [u32], usize, f32);
}

/// The sizes that 8-bit inputs tell apart.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    /// What one of 127 steps is worth; 0: found from the numbers themselves. NaN makes every sum NaN.
    unit: f32,
    /// Steps in one.
    scale: f32,
}

impl Reach {
    /// Up to a largest size; 0: that of the numbers themselves.
    #[inline(always)]
    pub(crate) fn of(largest: f32) -> Reach {
        let least = if largest == 0.0 { 0.0 } else { 1e-30 };
        let unit = largest.max(least) / 127.0;
        Reach { unit, scale: 1.0 / unit }
    }

    /// As packed before a product's weights.
    #[inline(always)]
    pub(crate) fn packed(line: &Line) -> Reach {
        Reach { unit: line.0[0], scale: line.0[1] }
    }

    /// What one step is worth.
    pub(crate) fn unit(self) -> f32 {
        self.unit
    }

    /// The line that says it.
    pub(crate) fn pack(self) -> Line {
        let mut line = Line::ZERO;
        (line.0[0], line.0[1]) = (self.unit, self.scale);
        line
    }
}

/// How numbers lie in lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: usize,
    pub(crate) values: usize,
    /// From one row to the next, in lines.
    pub(crate) stride: usize,
}

impl Rows {
    /// From one row to the next, in words of `per` inputs, once rounded: rows that fill their lines are rounded as one.
    fn stride(self, per: usize) -> usize {
        if self.is_flat() { self.values / per } else { self.values.div_ceil(per * LANES) * LANES }
    }

    fn is_flat(self) -> bool {
        self.values.is_multiple_of(LANES) && self.stride * LANES == self.values
    }

    /// The same numbers as one row, where nothing lies between rows.
    fn joined(self) -> Rows {
        if !self.is_flat() {
            return self;
        }
        Rows { count: 1, values: self.count * self.values, stride: self.count * self.stride }
    }
}

/// As trained.
pub(crate) struct Whole32;
/// bf16.
pub(crate) struct Half;
/// 8-bit.
pub(crate) struct Byte;

impl Digit for Whole32 {
    const PER: usize = 1;
    const COARSE: bool = false;
    const HEAD: usize = 1;
    const BARE: usize = 1;
    type Sum<L: Lanes> = L;
    #[inline(always)]
    fn zero<L: Lanes>() -> L {
        L::splat(0.0)
    }
    #[inline(always)]
    fn begin<L: Lanes>(head: &[Line], w: usize) -> L {
        L::load(&head[w])
    }
    #[inline(always)]
    fn dot<L: Lanes>(sum: L, weights: &Line, x: u32) -> L {
        L::splat(f32::from_bits(x)).mul_add(L::load(weights), sum)
    }
    #[inline(always)]
    fn add<L: Lanes>(a: L, b: L) -> L {
        a.add(b)
    }
    #[inline(always)]
    fn end<L: Lanes>(sum: L, _: &[Line], _: usize, _: usize, _: L) -> L {
        sum
    }
    #[inline(always)]
    fn raw<L: Lanes>(sum: L, _: &[Line], _: usize, _: usize) -> L {
        sum
    }
    #[inline(always)]
    fn joined<L: Lanes>(raw: L, _: L, other: L) -> L {
        raw.add(other)
    }
    #[inline(always)]
    fn row<'a, L: Lanes>(x: &'a [Line], values: usize, _: Reach, _: &'a mut [Line]) -> (&'a [u32], f32) {
        (&words(x)[..values], 1.0)
    }
    #[inline(always)]
    fn round<'a, L: Lanes>(
        x: &'a [Line],
        rows: Rows,
        _: Reach,
        _: &'a mut [Line],
    ) -> (&'a [u32], usize, f32) {
        (words(x), rows.stride * LANES, 1.0)
    }
}

impl Digit for Half {
    const PER: usize = 2;
    const COARSE: bool = true;
    const HEAD: usize = 1;
    const BARE: usize = 1;
    type Sum<L: Lanes> = L;
    #[inline(always)]
    fn zero<L: Lanes>() -> L {
        L::splat(0.0)
    }
    #[inline(always)]
    fn begin<L: Lanes>(head: &[Line], w: usize) -> L {
        L::load(&head[w])
    }
    #[inline(always)]
    fn dot<L: Lanes>(sum: L, weights: &Line, x: u32) -> L {
        sum.dot_halves(weights, x)
    }
    #[inline(always)]
    fn add<L: Lanes>(a: L, b: L) -> L {
        a.add(b)
    }
    #[inline(always)]
    fn end<L: Lanes>(sum: L, _: &[Line], _: usize, _: usize, _: L) -> L {
        sum
    }
    #[inline(always)]
    fn raw<L: Lanes>(sum: L, _: &[Line], _: usize, _: usize) -> L {
        sum
    }
    #[inline(always)]
    fn joined<L: Lanes>(raw: L, _: L, other: L) -> L {
        raw.add(other)
    }
    #[inline(always)]
    fn row<'a, L: Lanes>(x: &'a [Line], values: usize, _: Reach, to: &'a mut [Line]) -> (&'a [u32], f32) {
        let halves = halves_mut(to);
        for (x, to) in x.iter().zip(halves.as_chunks_mut::<LANES>().0) {
            L::load(x).halves(to);
        }
        if !values.is_multiple_of(2) {
            halves[values] = 0;
        }
        (&words(to)[..values.div_ceil(2)], 1.0)
    }
    #[inline(always)]
    fn round<'a, L: Lanes>(
        x: &'a [Line],
        rows: Rows,
        _: Reach,
        to: &'a mut [Line],
    ) -> (&'a [u32], usize, f32) {
        let stride = rows.stride(2);
        let rows = rows.joined();
        let wide = rows.values.div_ceil(2 * LANES);
        for row in 0..rows.count {
            let (x, to) = (&x[row * rows.stride..], &mut to[row * wide..(row + 1) * wide]);
            let halves = halves_mut(to);
            for (x, to) in x[..rows.values.div_ceil(LANES)].iter().zip(halves.as_chunks_mut::<LANES>().0) {
                L::load(x).halves(to);
            }
            halves[rows.values..].fill(0);
        }
        (words(to), stride, 1.0)
    }
}

impl Digit for Byte {
    const PER: usize = 4;
    const COARSE: bool = true;
    const HEAD: usize = 3;
    const BARE: usize = 2;
    type Sum<L: Lanes> = L::Whole;
    #[inline(always)]
    fn zero<L: Lanes>() -> L::Whole {
        L::whole(&Line::ZERO)
    }
    #[inline(always)]
    fn begin<L: Lanes>(head: &[Line], w: usize) -> L::Whole {
        L::whole(&head[w])
    }
    #[inline(always)]
    fn dot<L: Lanes>(sum: L::Whole, weights: &Line, x: u32) -> L::Whole {
        L::dot_bytes(sum, weights, x)
    }
    #[inline(always)]
    fn add<L: Lanes>(a: L::Whole, b: L::Whole) -> L::Whole {
        L::whole_add(a, b)
    }
    #[inline(always)]
    fn end<L: Lanes>(sum: L::Whole, head: &[Line], w: usize, wide: usize, unit: L) -> L {
        let scaled = L::from_whole(sum).mul(L::load(&head[wide + w]));
        scaled.mul_add(unit, L::load(&head[2 * wide + w]))
    }
    #[inline(always)]
    fn raw<L: Lanes>(sum: L::Whole, head: &[Line], w: usize, wide: usize) -> L {
        L::from_whole(sum).mul(L::load(&head[wide + w]))
    }
    #[inline(always)]
    fn joined<L: Lanes>(raw: L, unit: L, other: L) -> L {
        raw.mul_add(unit, other)
    }
    #[inline(always)]
    fn row<'a, L: Lanes>(x: &'a [Line], values: usize, reach: Reach, to: &'a mut [Line]) -> (&'a [u32], f32) {
        let Reach { unit, scale } = if reach.unit == 0.0 {
            let rows = Rows { count: 1, values, stride: x.len() };
            Reach::of(largest::<L>(x, rows).max(1e-30))
        } else {
            reach
        };
        let scale = L::splat(scale);
        for (x, to) in x.iter().zip(bytes_mut(to).as_chunks_mut::<LANES>().0) {
            L::load(x).mul(scale).bytes(to);
        }
        (&words(to)[..values.div_ceil(4)], unit)
    }
    #[inline(always)]
    fn round<'a, L: Lanes>(
        x: &'a [Line],
        rows: Rows,
        reach: Reach,
        to: &'a mut [Line],
    ) -> (&'a [u32], usize, f32) {
        let stride = rows.stride(4);
        let rows = rows.joined();
        let Reach { unit, scale } =
            if reach.unit == 0.0 { Reach::of(largest::<L>(x, rows).max(1e-30)) } else { reach };
        let scale = L::splat(scale);
        let wide = rows.values.div_ceil(4 * LANES);
        for row in 0..rows.count {
            let (x, to) = (&x[row * rows.stride..], &mut to[row * wide..(row + 1) * wide]);
            let bytes = bytes_mut(to);
            for (x, to) in x[..rows.values.div_ceil(LANES)].iter().zip(bytes.as_chunks_mut::<LANES>().0) {
                L::load(x).mul(scale).bytes(to);
            }
        }
        (words(to), stride, unit)
    }
}

/// The largest size in rows.
#[inline(always)]
fn largest<L: Lanes>(x: &[Line], rows: Rows) -> f32 {
    let zero = L::splat(0.0);
    let mut top = zero;
    for row in 0..rows.count {
        let whole = rows.values / LANES;
        for line in &x[row * rows.stride..row * rows.stride + whole] {
            let x = L::load(line);
            top = top.max(x.max(zero.sub(x)));
        }
        if !rows.values.is_multiple_of(LANES) {
            let x = L::load(&x[row * rows.stride + whole]).keep(rows.values % LANES);
            top = top.max(x.max(zero.sub(x)));
        }
    }
    top.top().max(0.0)
}
