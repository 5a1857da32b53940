// @hot
//! One AVX-512 register.
use super::Lanes;
use crate::block::Line;
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Zmm(__m512);

impl Lanes for Zmm {
    const CHAINS: usize = 8;
    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: L1.
        Zmm(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    fn load(line: &Line) -> Self {
        // SAFETY: L1; a line is 64 readable bytes, 64-byte aligned.
        Zmm(unsafe { _mm512_load_ps(line.0.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, line: &mut Line) {
        // SAFETY: L1; a line is 64 writable bytes, 64-byte aligned.
        unsafe { _mm512_store_ps(line.0.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn take(from: &[f32; 16]) -> Self {
        // SAFETY: L1; 64 readable bytes.
        Zmm(unsafe { _mm512_loadu_ps(from.as_ptr()) })
    }
    #[inline(always)]
    fn give(self, to: &mut [f32; 16]) {
        // SAFETY: L1; 64 writable bytes.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: L1.
        Zmm(unsafe { _mm512_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: L1.
        Zmm(unsafe { _mm512_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: L1.
        Zmm(unsafe { _mm512_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: L1.
        Zmm(unsafe { _mm512_div_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        // SAFETY: L1.
        Zmm(unsafe { _mm512_fmadd_ps(self.0, factor.0, sum.0) })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: L1.
        Zmm(unsafe { _mm512_max_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: L1.
        Zmm(unsafe { _mm512_min_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        // SAFETY: L1.
        Zmm(unsafe { _mm512_scalef_ps(_mm512_set1_ps(1.0), self.0) })
    }
}
