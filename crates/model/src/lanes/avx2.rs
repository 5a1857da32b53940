// @hot
//! Two AVX registers.
use super::portable::{
    dot_bytes_plainly, dot_halves_plainly, line_plainly, whole_add_plainly, whole_plainly,
};
use super::{Kernel, Lanes};
use crate::block::Line;
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Pair(__m256, __m256);

#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn pair<K: Kernel>(kernel: K) {
    kernel.run::<Pair>();
}

impl Lanes for Pair {
    const CHAINS: usize = 4;
    #[inline(always)]
    fn enter<K: Kernel>(kernel: K) {
        // SAFETY: L1; the features are there where this type is named.
        unsafe { pair(kernel) }
    }
    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: L1.
        let value = unsafe { _mm256_set1_ps(value) };
        Pair(value, value)
    }
    #[inline(always)]
    fn load(line: &Line) -> Self {
        let (low, high) = line.0.split_at(8);
        // SAFETY: L1; each half is 32 readable bytes, 32-byte aligned since a line is 64-byte aligned.
        unsafe { Pair(_mm256_load_ps(low.as_ptr()), _mm256_load_ps(high.as_ptr())) }
    }
    #[inline(always)]
    fn store(self, line: &mut Line) {
        let (low, high) = line.0.split_at_mut(8);
        // SAFETY: L1; each half is 32 writable bytes, 32-byte aligned since a line is 64-byte aligned.
        unsafe {
            _mm256_store_ps(low.as_mut_ptr(), self.0);
            _mm256_store_ps(high.as_mut_ptr(), self.1);
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: L1.
        unsafe { Pair(_mm256_sqrt_ps(self.0), _mm256_sqrt_ps(self.1)) }
    }
    #[inline(always)]
    fn pick(self, limit: Self, below: Self, other: Self) -> Self {
        // SAFETY: L1.
        let half = |x, limit, below, other| unsafe {
            _mm256_blendv_ps(other, below, _mm256_cmp_ps::<_CMP_LT_OQ>(x, limit))
        };
        Pair(half(self.0, limit.0, below.0, other.0), half(self.1, limit.1, below.1, other.1))
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
        let mut line = Line::ZERO;
        self.store(&mut line);
        dot_halves_plainly(&mut line.0, weights, x);
        Self::load(&line)
    }
    #[inline(always)]
    fn take(from: &[f32; 16]) -> Self {
        let (low, high) = from.split_at(8);
        // SAFETY: L1; each half is 32 readable bytes.
        unsafe { Pair(_mm256_loadu_ps(low.as_ptr()), _mm256_loadu_ps(high.as_ptr())) }
    }
    #[inline(always)]
    fn give(self, to: &mut [f32; 16]) {
        let (low, high) = to.split_at_mut(8);
        // SAFETY: L1; each half is 32 writable bytes.
        unsafe {
            _mm256_storeu_ps(low.as_mut_ptr(), self.0);
            _mm256_storeu_ps(high.as_mut_ptr(), self.1);
        }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: L1.
        unsafe { Pair(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: L1.
        unsafe { Pair(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: L1.
        unsafe { Pair(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: L1.
        unsafe { Pair(_mm256_div_ps(self.0, other.0), _mm256_div_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        // SAFETY: L1.
        unsafe { Pair(_mm256_fmadd_ps(self.0, factor.0, sum.0), _mm256_fmadd_ps(self.1, factor.1, sum.1)) }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: L1.
        unsafe { Pair(_mm256_max_ps(self.0, other.0), _mm256_max_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: L1.
        unsafe { Pair(_mm256_min_ps(self.0, other.0), _mm256_min_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        // SAFETY: L1.
        unsafe {
            let bias = _mm256_set1_epi32(127);
            let scale = |n| {
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvtps_epi32(n), bias)))
            };
            Pair(scale(self.0), scale(self.1))
        }
    }
}
