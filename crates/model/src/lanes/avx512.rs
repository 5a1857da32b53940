// @hot
//! One AVX-512 register.
use super::portable::dot_bytes_plainly;
use super::{Kernel, Lanes};
use crate::block::Line;
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Wide<const DEEP: bool>(__m512);

/// Without VNNI and BF16.
pub(crate) type Zmm = Wide<false>;
/// With VNNI and BF16.
pub(crate) type Deep = Wide<true>;

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx512bf16,popcnt,bmi1,bmi2")]
#[inline(never)]
fn deep<K: Kernel>(kernel: K) {
    kernel.run::<Deep>();
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,popcnt,bmi1,bmi2")]
#[inline(never)]
fn zmm<K: Kernel>(kernel: K) {
    kernel.run::<Zmm>();
}

/// The first `count` lanes.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    ((1u32 << count) - 1) as __mmask16
}

/// Places of 32 halves whose lower sixteen and upper sixteen are to alternate.
#[repr(align(64))]
struct Places([u16; 32]);

const ALTERNATELY: &Places = &{
    let mut places = [0; 32];
    let mut at = 0;
    while at < 32 {
        places[at] = (at / 2 + at % 2 * 16) as u16;
        at += 1;
    }
    Places(places)
};

impl<const DEEP: bool> Wide<DEEP> {
    /// Sixteen bf16.
    #[inline(always)]
    fn rounded(self) -> __m256i {
        // SAFETY: L1; BF16 is there where `DEEP` is, and registers of equal size are cast into each other.
        unsafe {
            if DEEP {
                return std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(self.0));
            }
            let bits = _mm512_castps_si512(self.0);
            let even = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let round = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), even);
            let number = _mm512_cmp_ps_mask::<_CMP_ORD_Q>(self.0, self.0);
            // NaN must not round up to infinity or over: its payload gets a bit that stays.
            let quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x40_0000));
            _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(_mm512_mask_blend_epi32(number, quiet, round)))
        }
    }
}

impl<const DEEP: bool> Lanes for Wide<DEEP> {
    const CHAINS: usize = 8;
    #[inline(always)]
    fn enter<K: Kernel>(kernel: K) {
        // SAFETY: L1; the features are there where this type is named.
        unsafe { if DEEP { deep(kernel) } else { zmm(kernel) } }
    }
    #[inline(always)]
    fn part(from: &[f32]) -> Self {
        debug_assert!(from.len() <= 16);
        // SAFETY: L1; only lanes that the mask holds are read.
        Wide(unsafe { _mm512_maskz_loadu_ps(first(from.len()), from.as_ptr()) })
    }
    #[inline(always)]
    fn give_part(self, to: &mut [f32]) {
        debug_assert!(to.len() <= 16);
        // SAFETY: L1; only lanes that the mask holds are written.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), first(to.len()), self.0) }
    }
    #[inline(always)]
    fn keep(self, count: usize) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_maskz_mov_ps(first(count), self.0) })
    }
    #[inline(always)]
    fn present(self) -> u64 {
        // SAFETY: L1.
        u64::from(unsafe { _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(self.0, _mm512_setzero_ps()) })
    }
    #[inline(always)]
    fn is_zero(self) -> bool {
        // SAFETY: L1.
        unsafe { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, _mm512_setzero_ps()) == 0xffff }
    }
    #[inline(always)]
    fn four_sums([a, b, c, d]: [Self; 4]) -> Self {
        // SAFETY: L1. Pairs of lanes, then pairs of pairs, are added while four sums stand side by side; then the quarters.
        unsafe {
            let ab = _mm512_add_ps(_mm512_unpacklo_ps(a.0, b.0), _mm512_unpackhi_ps(a.0, b.0));
            let cd = _mm512_add_ps(_mm512_unpacklo_ps(c.0, d.0), _mm512_unpackhi_ps(c.0, d.0));
            let low = _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd);
            let all = _mm512_add_ps(low, _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd));
            let all = _mm512_add_ps(all, _mm512_shuffle_f32x4::<0b01_00_11_10>(all, all));
            Wide(_mm512_add_ps(all, _mm512_shuffle_f32x4::<0b10_11_00_01>(all, all)))
        }
    }
    #[inline(always)]
    fn of_four<const N: usize>(self) -> Self {
        // SAFETY: L1. Each quarter of what `four_sums` gave holds the same four.
        Wide(unsafe {
            match N {
                0 => _mm512_permute_ps::<0b00_00_00_00>(self.0),
                1 => _mm512_permute_ps::<0b01_01_01_01>(self.0),
                2 => _mm512_permute_ps::<0b10_10_10_10>(self.0),
                _ => _mm512_permute_ps::<0b11_11_11_11>(self.0),
            }
        })
    }
    #[inline(always)]
    fn give_four(self, to: &mut [f32; 4]) {
        // SAFETY: L1; 16 writable bytes. A masked store would not be forwarded to a load that follows.
        unsafe { _mm_storeu_ps(to.as_mut_ptr(), _mm512_castps512_ps128(self.0)) }
    }
    #[inline(always)]
    fn top_of_four(self) -> Self {
        // SAFETY: L1.
        unsafe {
            let two = _mm512_max_ps(self.0, _mm512_permute_ps::<0b01_00_11_10>(self.0));
            Wide(_mm512_max_ps(two, _mm512_permute_ps::<0b10_11_00_01>(two)))
        }
    }
    #[inline(always)]
    fn sum_of_four(self) -> Self {
        // SAFETY: L1.
        unsafe {
            let two = _mm512_add_ps(self.0, _mm512_permute_ps::<0b01_00_11_10>(self.0));
            Wide(_mm512_add_ps(two, _mm512_permute_ps::<0b10_11_00_01>(two)))
        }
    }
    #[inline(always)]
    fn top(self) -> f32 {
        // SAFETY: L1.
        unsafe { _mm512_reduce_max_ps(self.0) }
    }
    #[inline(always)]
    fn halves(self, to: &mut [u16; 16]) {
        // SAFETY: L1; 32 writable bytes.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), self.rounded()) }
    }
    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    fn load(line: &Line) -> Self {
        // SAFETY: L1; a line is 64 readable bytes, 64-byte aligned.
        Wide(unsafe { _mm512_load_ps(line.0.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, line: &mut Line) {
        // SAFETY: L1; a line is 64 writable bytes, 64-byte aligned.
        unsafe { _mm512_store_ps(line.0.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn pick(self, limit: Self, below: Self, other: Self) -> Self {
        // SAFETY: L1.
        Wide(unsafe {
            let mask = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, limit.0);
            _mm512_mask_blend_ps(mask, other.0, below.0)
        })
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: L1.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }
    type Whole = __m512i;
    #[inline(always)]
    fn whole(line: &Line) -> __m512i {
        // SAFETY: L1; a line is 64 readable bytes, 64-byte aligned.
        unsafe { _mm512_load_si512(line.0.as_ptr().cast()) }
    }
    #[inline(always)]
    fn whole_add(a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: L1.
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    fn from_whole(sum: __m512i) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_cvtepi32_ps(sum) })
    }
    #[inline(always)]
    fn dot_bytes(sum: __m512i, weights: &Line, x: u32) -> __m512i {
        if DEEP {
            // SAFETY: L1; VNNI is there where `DEEP` is.
            return unsafe { _mm512_dpbusd_epi32(sum, _mm512_set1_epi32(x as i32), Self::whole(weights)) };
        }
        // SAFETY: L1; sixteen whole numbers are as large as the register.
        unsafe {
            let mut sums = std::mem::transmute::<__m512i, [i32; 16]>(sum);
            dot_bytes_plainly(&mut sums, weights, x);
            std::mem::transmute::<[i32; 16], __m512i>(sums)
        }
    }
    #[inline(always)]
    fn dot_halves(self, weights: &Line, x: u32) -> Self {
        // SAFETY: L1; BF16 is there where `DEEP` is, and registers of equal size are cast into each other.
        unsafe {
            if DEEP {
                let weights = std::mem::transmute::<__m512i, __m512bh>(Self::whole(weights));
                let x = std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(x as i32));
                return Wide(_mm512_dpbf16_ps(self.0, weights, x));
            }
            let whole = Self::whole(weights);
            let high =
                _mm512_castsi512_ps(_mm512_and_si512(whole, _mm512_set1_epi32(0xffff_0000_u32 as i32)));
            let low = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(whole));
            let sum = _mm512_fmadd_ps(high, _mm512_set1_ps(f32::from_bits(x & 0xffff_0000)), self.0);
            Wide(_mm512_fmadd_ps(low, _mm512_set1_ps(f32::from_bits(x << 16)), sum))
        }
    }
    #[inline(always)]
    fn half_line(low: Self, high: Self, to: &mut [u32; 16]) {
        // SAFETY: L1; 64 writable bytes; BF16 is there where `DEEP` is, and registers of equal size are cast into each other.
        unsafe {
            let halves = if DEEP {
                std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high.0, low.0))
            } else {
                let low = _mm512_castsi256_si512(low.rounded());
                _mm512_inserti64x4::<1>(low, high.rounded())
            };
            _mm512_storeu_si512(to.as_mut_ptr().cast(), halves);
        }
    }
    #[inline(always)]
    fn turn(block: &mut [Line; 16]) {
        // SAFETY: L1. Words change places within pairs of lines, then pairs of words within fours; then quarters of lines, twice.
        unsafe {
            let mut rows = [_mm512_setzero_ps(); 16];
            for (row, line) in rows.iter_mut().zip(&*block) {
                *row = _mm512_load_ps(line.0.as_ptr());
            }
            let mut fours = [_mm512_setzero_ps(); 16];
            for (from, to) in rows.as_chunks::<4>().0.iter().zip(fours.as_chunks_mut::<4>().0) {
                let ab = [_mm512_unpacklo_ps(from[0], from[1]), _mm512_unpackhi_ps(from[0], from[1])];
                let cd = [_mm512_unpacklo_ps(from[2], from[3]), _mm512_unpackhi_ps(from[2], from[3])];
                to[0] = _mm512_shuffle_ps::<0b01_00_01_00>(ab[0], cd[0]);
                to[1] = _mm512_shuffle_ps::<0b11_10_11_10>(ab[0], cd[0]);
                to[2] = _mm512_shuffle_ps::<0b01_00_01_00>(ab[1], cd[1]);
                to[3] = _mm512_shuffle_ps::<0b11_10_11_10>(ab[1], cd[1]);
            }
            for column in 0..4 {
                let [a, b, c, d] = [fours[column], fours[4 + column], fours[8 + column], fours[12 + column]];
                let even = [
                    _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b),
                    _mm512_shuffle_f32x4::<0b10_00_10_00>(c, d),
                ];
                let odd = [
                    _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b),
                    _mm512_shuffle_f32x4::<0b11_01_11_01>(c, d),
                ];
                for (nth, [low, high]) in [even, odd].into_iter().enumerate() {
                    let near = _mm512_shuffle_f32x4::<0b10_00_10_00>(low, high);
                    let far = _mm512_shuffle_f32x4::<0b11_01_11_01>(low, high);
                    _mm512_store_ps(block[4 * nth + column].0.as_mut_ptr(), near);
                    _mm512_store_ps(block[8 + 4 * nth + column].0.as_mut_ptr(), far);
                }
            }
        }
    }
    #[inline(always)]
    fn pair_with(self, high: Self, to: &mut [u32; 16]) {
        // SAFETY: L1; 64 writable bytes; BF16 is there where `DEEP` is, and registers of equal size are cast into each other.
        unsafe {
            let words = if DEEP {
                let halves = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high.0, self.0));
                _mm512_permutexvar_epi16(_mm512_load_si512(ALTERNATELY.0.as_ptr().cast()), halves)
            } else {
                let low = _mm512_cvtepu16_epi32(self.rounded());
                let high = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(high.rounded()));
                _mm512_or_si512(low, high)
            };
            _mm512_storeu_si512(to.as_mut_ptr().cast(), words);
        }
    }
    #[inline(always)]
    fn bytes(self, to: &mut [u8; 16]) {
        // SAFETY: L1; sixteen writable bytes.
        unsafe {
            let limited = Self::splat(127.0).min(Self::splat(-127.0).max(self));
            let bytes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(limited.0));
            _mm_storeu_si128(to.as_mut_ptr().cast(), _mm_xor_si128(bytes, _mm_set1_epi8(-128)));
        }
    }
    #[inline(always)]
    fn take(from: &[f32; 16]) -> Self {
        // SAFETY: L1; 64 readable bytes.
        Wide(unsafe { _mm512_loadu_ps(from.as_ptr()) })
    }
    #[inline(always)]
    fn give(self, to: &mut [f32; 16]) {
        // SAFETY: L1; 64 writable bytes.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_mul_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_div_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_fmadd_ps(self.0, factor.0, sum.0) })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_max_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_min_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn times_power(self, n: Self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_scalef_ps(self.0, n.0) })
    }
    #[inline(always)]
    fn exponent(self, top: f32) -> Self {
        // What is far below scales to zero.
        Self::splat(top).min(self)
    }
    #[inline(always)]
    fn fraction(self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_reduce_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(self.0) })
    }
    #[inline(always)]
    fn times_power_below(self, t: Self, _: Self) -> Self {
        // The exponent is rounded down by the instruction itself.
        self.times_power(t)
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        // SAFETY: L1.
        Wide(unsafe { _mm512_scalef_ps(_mm512_set1_ps(1.0), self.0) })
    }
}
