//! What a network's sums alone cost: as many multiply-adds as it has, its weights read once, in one plain loop of the widest instructions
//! there are. Nothing waits for anything, nothing is made of the sums. A network that leaves some out (zeros behind a ReLU, two ticks at
//! once) may be faster.

use std::hint::black_box;
use tickline_model::{LANES, Level, Line, Precision};

/// Sums under way at once: enough to hide the latency of each.
const CHAINS: usize = 8;

/// The loop for one network in one precision.
pub struct Sums {
    precision: Precision,
    weights: Vec<Line>,
    /// Instructions, each sixteen sums of one, two or four products.
    count: usize,
}

impl Sums {
    /// `None` where the processor's widest sums are not these.
    pub fn new(precision: Precision, multiply_adds: usize, parameters: usize) -> Option<Sums> {
        let per = match precision {
            Precision::F32 => 1,
            Precision::Bf16 => 2,
            Precision::Int8 => 4,
        };
        let lines = parameters.div_ceil(LANES * per).next_multiple_of(CHAINS);
        let count = multiply_adds.div_ceil(LANES * per);
        let wide = Level::detect() == Level::Avx512Vnni;
        wide.then(|| Sums { precision, weights: vec![Line::ZERO; lines], count })
    }

    /// All sums once.
    pub fn run(&self) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `new` has seen the instructions.
        unsafe {
            match self.precision {
                Precision::F32 => wide::singles(&self.weights, self.count),
                Precision::Bf16 => wide::pairs(&self.weights, self.count),
                Precision::Int8 => wide::quads(&self.weights, self.count),
            }
        }
        black_box(&self.weights);
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use super::CHAINS;
    use std::arch::x86_64::*;
    use std::hint::black_box;
    use tickline_model::Line;

    /// A loop of `$dot(sum, word, weights)`.
    macro_rules! sums {
        ($name:ident, $zero:expr, $word:expr, $load:expr, $dot:expr) => {
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512bf16")]
            pub(super) fn $name(weights: &[Line], count: usize) {
                let mut sums = [$zero; CHAINS];
                // Each line stays in its register for all that it is met with.
                let (each, more) = (count / weights.len(), count % weights.len());
                for (nth, lines) in weights.as_chunks::<CHAINS>().0.iter().enumerate() {
                    let word = $word;
                    for _ in 0..each + usize::from(nth * CHAINS < more) {
                        for (sum, line) in sums.iter_mut().zip(lines) {
                            *sum = $dot(*sum, word, $load(line));
                        }
                    }
                }
                black_box(sums);
            }
        };
    }

    #[target_feature(enable = "avx512f")]
    fn numbers(line: &Line) -> __m512 {
        // SAFETY: a line is 64 readable bytes, 64-byte aligned.
        unsafe { _mm512_load_ps(line.0.as_ptr()) }
    }

    #[target_feature(enable = "avx512f")]
    fn bits(line: &Line) -> __m512i {
        _mm512_castps_si512(numbers(line))
    }

    #[target_feature(enable = "avx512f")]
    fn halves(bits: __m512i) -> __m512bh {
        // SAFETY: registers of equal size.
        unsafe { std::mem::transmute(bits) }
    }

    sums!(singles, _mm512_setzero_ps(), _mm512_set1_ps(black_box(1.0)), numbers, |sum, word, line| {
        _mm512_fmadd_ps(word, line, sum)
    });
    sums!(pairs, _mm512_setzero_ps(), _mm512_set1_epi32(black_box(1)), bits, |sum, word, line| {
        _mm512_dpbf16_ps(sum, halves(word), halves(line))
    });
    sums!(quads, _mm512_setzero_si512(), _mm512_set1_epi32(black_box(1)), bits, |sum, word, line| {
        _mm512_dpbusd_epi32(sum, word, line)
    });
}
