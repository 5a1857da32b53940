// @hot
//! Plain code; the compiler vectorises it for the build's target.
use super::Lanes;
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

impl Lanes for Plain {
    const CHAINS: usize = 2;
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
