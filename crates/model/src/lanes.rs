//! Sixteen numbers at a time, written once for three instruction sets.
//!
//! A kernel is generic over [`Lanes`] and inlined whole into an entry function that carries the target features
//! (`engine.rs`); the intrinsics inside then become single instructions.
//!
//! - L1: `Zmm` and `Pair` are only made inside such an entry function, which is only called after [`Level::detect`] has seen the
//!   features on this processor.
use crate::block::Line;

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod portable;

/// Instruction sets, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Whatever the compiler makes of plain code for the build's target.
    Portable,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 F.
    Avx512,
}

impl Level {
    /// The best this processor has.
    pub fn detect() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                return Level::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Level::Avx2;
            }
        }
        Level::Portable
    }

    /// Every level this processor can run, worst first.
    pub fn available() -> Vec<Level> {
        let best = Level::detect();
        [Level::Portable, Level::Avx2, Level::Avx512].into_iter().filter(|level| *level <= best).collect()
    }

    /// Name for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Portable => "portable",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }
}

/// Sixteen `f32`, lane by lane.
pub(crate) trait Lanes: Copy {
    /// Independent sums that hide the latency of a multiply-add without spilling registers.
    const CHAINS: usize;
    fn splat(value: f32) -> Self;
    fn load(line: &Line) -> Self;
    fn store(self, line: &mut Line);
    /// As `load`, from anywhere.
    fn take(from: &[f32; 16]) -> Self;
    /// As `store`, to anywhere.
    fn give(self, to: &mut [f32; 16]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// `self * factor + sum`; fused where the instruction set fuses.
    fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// `self` where it is above `other`, else `other`: a NaN in `other` stays, one in `self` does not.
    fn max(self, other: Self) -> Self;
    /// `self` where it is below `other`, else `other`; NaN as in `max`.
    fn min(self, other: Self) -> Self;
    /// `2^self` for whole numbers from -126 to 127.
    fn power_of_two(self) -> Self;
    /// The sixteen lanes folded in halves by `each`: 8 with 8, 4 with 4, 2 with 2, 1 with 1; the same order on every level.
    #[inline(always)]
    fn fold(self, each: impl Fn(f32, f32) -> f32) -> f32 {
        let mut line = Line::ZERO;
        self.store(&mut line);
        let mut half = 8;
        while half > 0 {
            for lane in 0..half {
                line.0[lane] = each(line.0[lane], line.0[lane + half]);
            }
            half /= 2;
        }
        line.0[0]
    }
}
