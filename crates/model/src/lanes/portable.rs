// @hot
//! Plain code; the compiler vectorises it for the build's target.
use super::{Kernel, Lanes, dot_bytes_plainly, dot_halves_plainly};
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
        for (a, b) in out.iter_mut().zip(other.0) {
            *a = each(*a, b);
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
        Plain(self.0.map(f32::sqrt))
    }
    #[inline(always)]
    fn pick(self, limit: Self, below: Self, other: Self) -> Self {
        let each = |lane: usize| if self.0[lane] < limit.0[lane] { below.0[lane] } else { other.0[lane] };
        Plain(std::array::from_fn(each))
    }
    type Whole = [i32; 16];
    #[inline(always)]
    fn whole(line: &Line) -> [i32; 16] {
        line.0.map(|value| value.to_bits() as i32)
    }
    #[inline(always)]
    fn whole_add(a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }
    #[inline(always)]
    fn from_whole(sum: [i32; 16]) -> Self {
        Self::load(&Line(sum.map(|value| value as f32)))
    }
    #[inline(always)]
    fn dot_bytes(mut sum: [i32; 16], weights: &Line, x: u32) -> [i32; 16] {
        dot_bytes_plainly(&mut sum, weights, x);
        sum
    }
    #[inline(always)]
    fn dot_halves(self, weights: &Line, x: u32) -> Self {
        let mut line = Line::ZERO;
        self.store(&mut line);
        dot_halves_plainly(&mut line.0, weights, x);
        Self::load(&line)
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
