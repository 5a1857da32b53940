// @hot
//! Plain code; the compiler vectorises it for the build's target.
//!
//! Its loops go over references: arrays taken apart by value (`map`, `from_fn`, `zip` with an array) become the same instructions, but
//! in twice the time for the whole crate.
use super::{Kernel, Lanes, dot_halves_of};
use crate::block::Line;

#[derive(Clone, Copy)]
pub(crate) struct Plain([f32; 16]);

impl Plain {
    /// The first lane.
    #[inline(always)]
    pub(crate) fn first(self) -> f32 {
        self.0[0]
    }

    #[inline(always)]
    fn with(self, other: Self, each: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = self.0;
        for (a, b) in out.iter_mut().zip(&other.0) {
            *a = each(*a, *b);
        }
        Plain(out)
    }
}

#[inline(never)]
fn plain<K: Kernel>(kernel: K) {
    kernel.run::<Plain>();
}

impl Lanes for Plain {
    const CHAINS: usize = 2;
    #[inline(always)]
    fn enter<K: Kernel>(kernel: K) {
        plain(kernel);
    }
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Plain([value; 16])
    }
    #[inline(always)]
    fn load(line: &Line) -> Self {
        Plain(line.0)
    }
    #[inline(always)]
    fn store(self, line: &mut Line) {
        line.0 = self.0;
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.with(self, |a, _| a.sqrt())
    }
    #[inline(always)]
    fn pick(self, limit: Self, below: Self, other: Self) -> Self {
        let mut out = other.0;
        for (lane, out) in out.iter_mut().enumerate() {
            *out = if self.0[lane] < limit.0[lane] { below.0[lane] } else { *out };
        }
        Plain(out)
    }
    type Whole = [i32; 16];
    #[inline(always)]
    fn whole(line: &Line) -> [i32; 16] {
        whole_plainly(line)
    }
    #[inline(always)]
    fn whole_add(a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        whole_add_plainly(a, b)
    }
    #[inline(always)]
    fn from_whole(sum: [i32; 16]) -> Self {
        Self::load(&line_plainly(&sum))
    }
    #[inline(always)]
    fn dot_bytes(mut sum: [i32; 16], weights: &Line, x: u32) -> [i32; 16] {
        dot_bytes_plainly(&mut sum, weights, x);
        sum
    }
    #[inline(always)]
    fn dot_halves(self, weights: &Line, x: u32) -> Self {
        let mut out = self.0;
        dot_halves_plainly(&mut out, weights, x);
        Plain(out)
    }
    #[inline(always)]
    fn take(from: &[f32; 16]) -> Self {
        Plain(*from)
    }
    #[inline(always)]
    fn give(self, to: &mut [f32; 16]) {
        *to = self.0;
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.with(other, |a, b| a / b)
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        self.mul(factor).add(sum)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.with(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.with(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        self.with(self, |a, _| f32::from_bits(((a as i32 + 127) << 23) as u32))
    }
}

/// What bf16 instructions do, in plain code: products and sums in f32.
#[inline(always)]
pub(crate) fn dot_halves_plainly(sums: &mut [f32; 16], weights: &Line, x: u32) {
    for (sum, w) in sums.iter_mut().zip(weights.0) {
        *sum = dot_halves_of(*sum, w, x);
    }
}

/// Whole numbers from the bits of a line.
#[inline(always)]
pub(crate) fn whole_plainly(line: &Line) -> [i32; 16] {
    let mut out = [0; 16];
    for (out, value) in out.iter_mut().zip(&line.0) {
        *out = value.to_bits() as i32;
    }
    out
}

/// Lane by lane.
#[inline(always)]
pub(crate) fn whole_add_plainly(mut a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
    for (a, b) in a.iter_mut().zip(&b) {
        *a += b;
    }
    a
}

/// Whole numbers as numbers.
#[inline(always)]
pub(crate) fn line_plainly(whole: &[i32; 16]) -> Line {
    let mut line = Line::ZERO;
    for (to, value) in line.0.iter_mut().zip(whole) {
        *to = *value as f32;
    }
    line
}

/// What VNNI does, in plain code.
#[inline(always)]
pub(crate) fn dot_bytes_plainly(sums: &mut [i32; 16], weights: &Line, x: u32) {
    let x = x.to_le_bytes().map(i32::from);
    for (sum, w) in sums.iter_mut().zip(weights.0) {
        let w = w.to_bits().to_le_bytes().map(|byte| i32::from(byte as i8));
        *sum += w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + w[3] * x[3];
    }
}
