//! Sixteen numbers at a time, written once for three instruction sets.
//!
//! A kernel is generic over [`Lanes`] and inlined whole into an entry function that carries the target features
//! ([`Lanes::enter`]); the intrinsics inside then become single instructions.
//!
//! - L1: `Zmm`, `Deep` and `Pair` are only made inside such an entry function, which is only called after [`Level::detect`] has seen the
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
    /// AVX-512 F, DQ, BW and VL.
    Avx512,
    /// AVX-512 with VNNI and BF16: products of 8-bit and of bf16 numbers are instructions.
    Avx512Vnni,
}

impl Level {
    /// Every level, worst first.
    pub const ALL: [Level; 4] = [Level::Portable, Level::Avx2, Level::Avx512, Level::Avx512Vnni];

    /// The best this processor has.
    pub fn detect() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            let with = |has: &[bool]| has.iter().all(|has| *has);
            let wide = with(&[
                is_x86_feature_detected!("avx512f"),
                is_x86_feature_detected!("avx512dq"),
                is_x86_feature_detected!("avx512bw"),
                is_x86_feature_detected!("avx512vl"),
                is_x86_feature_detected!("popcnt"),
                is_x86_feature_detected!("bmi1"),
                is_x86_feature_detected!("bmi2"),
            ]);
            if wide && is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bf16") {
                return Level::Avx512Vnni;
            }
            if wide {
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
        Level::ALL.into_iter().filter(|level| *level <= best).collect()
    }

    /// Name for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Portable => "portable",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
            Level::Avx512Vnni => "avx512-vnni",
        }
    }
}

/// Work that every instruction set can do.
pub(crate) trait Kernel {
    /// Does it; always inlined into [`Lanes::enter`].
    fn run<L: Lanes>(self);
}

/// Work that watches its sums: `guard` is zero until a number is not finite, and then NaN in a lane.
pub(crate) trait Watch {
    /// Does it; always inlined.
    fn watched<L: Lanes>(self, guard: L) -> L;
}

/// Work with a guard kept in memory.
pub(crate) struct Watched<'a, W>(pub(crate) W, pub(crate) &'a mut Line);

impl<W: Watch> Kernel for Watched<'_, W> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let guard = self.0.watched(L::load(self.1));
        guard.store(self.1);
    }
}

impl Level {
    /// Does the work on this instruction set.
    ///
    /// # Safety
    /// L1: not above what [`Level::detect`] says.
    #[inline(always)]
    pub(crate) unsafe fn run(self, kernel: impl Kernel) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni => avx512::Deep::enter(kernel),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::Zmm::enter(kernel),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::Pair::enter(kernel),
            _ => portable::Plain::enter(kernel),
        }
    }

    /// Runs plain loops with this instruction set: what is inlined into the call is compiled for it. Such loops give the same bits on every
    /// level, since the compiler neither reorders nor fuses what it is not told to.
    #[inline(always)]
    pub(crate) fn plainly<R>(self, task: impl FnOnce() -> R) -> R {
        match self {
            // SAFETY: L1; levels come from `Level::detect` or lie below it.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx512Vnni => unsafe { plainly_avx512(task) },
            // SAFETY: L1; as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { plainly_avx2(task) },
            _ => task(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn plainly_avx512<R>(task: impl FnOnce() -> R) -> R {
    task()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn plainly_avx2<R>(task: impl FnOnce() -> R) -> R {
    task()
}

/// Sixteen `f32`, lane by lane.
pub(crate) trait Lanes: Copy {
    /// Independent sums that hide the latency of a multiply-add without spilling registers.
    const CHAINS: usize;
    /// Does the work in a function of its own that carries the target features: a call, so that no kernel's registers are another's.
    fn enter<K: Kernel>(kernel: K);
    fn splat(value: f32) -> Self;
    fn load(line: &Line) -> Self;
    fn store(self, line: &mut Line);
    /// As `load`, from anywhere.
    fn take(from: &[f32; 16]) -> Self;
    /// As `store`, to anywhere.
    fn give(self, to: &mut [f32; 16]);
    /// Up to sixteen numbers, zeros behind them.
    #[inline(always)]
    fn part(from: &[f32]) -> Self {
        let mut line = Line::ZERO;
        line.0[..from.len()].copy_from_slice(from);
        Self::load(&line)
    }
    /// The first lanes, as many as there is room for.
    #[inline(always)]
    fn give_part(self, to: &mut [f32]) {
        let mut line = Line::ZERO;
        self.store(&mut line);
        to.copy_from_slice(&line.0[..to.len()]);
    }
    /// The first `count` lanes, zeros behind them.
    #[inline(always)]
    fn keep(self, count: usize) -> Self {
        let mut line = Line::ZERO;
        self.store(&mut line);
        line.0[count..].fill(0.0);
        Self::load(&line)
    }
    /// A bit for each lane that is not zero; NaN is not.
    #[inline(always)]
    fn present(self) -> u64 {
        let mut line = Line::ZERO;
        self.store(&mut line);
        let mut bits = 0;
        for (lane, value) in line.0.iter().enumerate() {
            bits |= u64::from(*value != 0.0) << lane;
        }
        bits
    }
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
    /// `self 2^n`, `n` as in `power_of_two`.
    #[inline(always)]
    fn times_power(self, n: Self) -> Self {
        self.mul(n.power_of_two())
    }
    /// Limited to at most `top`, and to what `times_power` takes where that has a lower limit.
    #[inline(always)]
    fn exponent(self, top: f32) -> Self {
        Self::splat(top).min(Self::splat(-126.0).max(self))
    }
    /// What is left above the next whole number below, of what `exponent` gave; 1 where rounding gives that.
    #[inline(always)]
    fn fraction(self) -> Self {
        let round = Self::splat(crate::math::ROUND);
        let below = self.sub(Self::splat(0.5)).add(round).sub(round);
        self.sub(below)
    }
    /// `self 2^(t - fraction)` with the fraction of `t`.
    #[inline(always)]
    fn times_power_below(self, t: Self, fraction: Self) -> Self {
        self.times_power(t.sub(fraction))
    }
    /// Square root.
    fn sqrt(self) -> Self;
    /// `below` where `self` is below `limit`, else `other`.
    fn pick(self, limit: Self, below: Self, other: Self) -> Self;
    /// All lanes added; in which order is the instruction set's choice.
    #[inline(always)]
    fn sum(self) -> f32 {
        self.fold(|a, b| a + b)
    }
    /// True when every lane is zero; NaN is not.
    #[inline(always)]
    fn is_zero(self) -> bool {
        let mut line = Line::ZERO;
        self.store(&mut line);
        line.0.iter().fold(true, |zero, value| zero & (*value == 0.0))
    }
    /// The lanes of each added, in the first four lanes; what stands behind them is finite where these are.
    #[inline(always)]
    fn four_sums(each: [Self; 4]) -> Self {
        let mut line = Line::ZERO;
        for (sum, each) in line.0.iter_mut().zip(each) {
            *sum = each.sum();
        }
        Self::load(&line)
    }
    /// Lane `N` of the first four of what `four_sums` gave, or of what was made of it lane by lane, in every lane.
    #[inline(always)]
    fn of_four<const N: usize>(self) -> Self {
        let mut line = Line::ZERO;
        self.store(&mut line);
        Self::splat(line.0[N])
    }
    /// The first four lanes.
    #[inline(always)]
    fn give_four(self, to: &mut [f32; 4]) {
        self.give_part(to);
    }
    /// The largest of the first four lanes, in these four.
    #[inline(always)]
    fn top_of_four(self) -> Self {
        let mut line = Line::ZERO;
        self.store(&mut line);
        let [a, b, c, d, ..] = line.0;
        let of = |a: f32, b: f32| if a > b { a } else { b };
        Self::splat(of(of(a, c), of(b, d)))
    }
    /// The sum of the first four lanes, in these four.
    #[inline(always)]
    fn sum_of_four(self) -> Self {
        let mut line = Line::ZERO;
        self.store(&mut line);
        let [a, b, c, d, ..] = line.0;
        Self::splat((a + c) + (b + d))
    }
    /// The largest lane; NaN need not show.
    #[inline(always)]
    fn top(self) -> f32 {
        self.fold(|a, b| if a > b { a } else { b })
    }
    /// Sixteen sums of products of 8-bit numbers.
    type Whole: Copy;
    /// Whole numbers from the bits of a line.
    fn whole(line: &Line) -> Self::Whole;
    /// Lane by lane.
    fn whole_add(a: Self::Whole, b: Self::Whole) -> Self::Whole;
    /// Whole numbers as numbers.
    fn from_whole(sum: Self::Whole) -> Self;
    /// `sum + w0 x0 + .. + w3 x3`: four signed bytes a lane, four unsigned bytes in `x`, exact.
    fn dot_bytes(sum: Self::Whole, weights: &Line, x: u32) -> Self::Whole;
    /// `self + w1 x1 + w0 x0`: two bf16 a lane, two in `x`.
    fn dot_halves(self, weights: &Line, x: u32) -> Self;
    /// Two lines rounded to bf16, number after number, two in a word.
    #[inline(always)]
    fn half_line(low: Self, high: Self, to: &mut [u32; 16]) {
        let mut halves = [[0; 16]; 2];
        low.halves(&mut halves[0]);
        high.halves(&mut halves[1]);
        for (to, pair) in to.iter_mut().zip(halves.as_flattened().as_chunks::<2>().0) {
            *to = u32::from(pair[0]) | u32::from(pair[1]) << 16;
        }
    }
    /// Rounded to bf16, lane by lane in the lower halves of words, `high` in the upper ones.
    #[inline(always)]
    fn pair_with(self, high: Self, to: &mut [u32; 16]) {
        let mut halves = [[0; 16]; 2];
        self.halves(&mut halves[0]);
        high.halves(&mut halves[1]);
        for (lane, to) in to.iter_mut().enumerate() {
            *to = u32::from(halves[0][lane]) | u32::from(halves[1][lane]) << 16;
        }
    }
    /// A square of words turned: word `j` of line `i` becomes word `i` of line `j`.
    #[inline(always)]
    fn turn(block: &mut [Line; 16]) {
        for row in 1..16 {
            let (above, below) = block.split_at_mut(row);
            for (column, line) in above.iter_mut().enumerate() {
                std::mem::swap(&mut line.0[row], &mut below[0].0[column]);
            }
        }
    }
    /// Rounded to the nearest whole number, limited to +-127, plus 128.
    #[inline(always)]
    fn bytes(self, to: &mut [u8; 16]) {
        let limited = Self::splat(127.0).min(Self::splat(-127.0).max(self));
        let mut line = Line::ZERO;
        limited.add(Self::splat(crate::math::ROUND)).store(&mut line);
        for (to, value) in to.iter_mut().zip(line.0) {
            // The low bits of a number this far up are its whole part.
            *to = (value.to_bits() as u8) ^ 0x80;
        }
    }
    /// Rounded to bf16, to the nearest, half to even.
    #[inline(always)]
    fn halves(self, to: &mut [u16; 16]) {
        let mut line = Line::ZERO;
        self.store(&mut line);
        for (to, value) in to.iter_mut().zip(line.0) {
            *to = bf16(value);
        }
    }

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

/// A number as bf16, rounded to the nearest, half to even; NaN stays NaN.
#[inline(always)]
pub(crate) fn bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        (bits >> 16) as u16 | 0x40
    } else {
        ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
    }
}

#[inline(always)]
fn dot_halves_of(sum: f32, weights: f32, x: u32) -> f32 {
    let (w, high) = (weights.to_bits(), 0xffff_0000);
    sum + (f32::from_bits(w & high) * f32::from_bits(x & high)
        + f32::from_bits(w << 16) * f32::from_bits(x << 16))
}
