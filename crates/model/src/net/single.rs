//! Products of a single row for learning, straight from row-major weights: batch 1 is bound by reading them, packing would double that.
use crate::block::LANES;
use crate::lanes::portable::Plain;
use crate::lanes::{Lanes, Level};

/// `y += x W`, `W` row-major `[x.len(), y.len()]`.
pub(crate) fn row(level: Level, x: &[f32], w: &[f32], y: &mut [f32]) {
    match level {
        // SAFETY: L1; levels come from `Level::detect` or lie below it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => unsafe { row_avx512(x, w, y) },
        // SAFETY: L1; as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { row_avx2(x, w, y) },
        _ => forward::<Plain>(x, w, y),
    }
}

/// `dx += W dy`, `dw += x dy`.
pub(crate) fn row_back(level: Level, x: &[f32], w: &[f32], dy: &[f32], dx: &mut [f32], dw: &mut [f32]) {
    match level {
        // SAFETY: L1; levels come from `Level::detect` or lie below it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => unsafe { back_avx512(x, w, dy, dx, dw) },
        // SAFETY: L1; as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { back_avx2(x, w, dy, dx, dw) },
        _ => backward::<Plain>(x, w, dy, dx, dw),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn row_avx512(x: &[f32], w: &[f32], y: &mut [f32]) {
    forward::<crate::lanes::avx512::Zmm>(x, w, y);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn row_avx2(x: &[f32], w: &[f32], y: &mut [f32]) {
    forward::<crate::lanes::avx2::Pair>(x, w, y);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn back_avx512(x: &[f32], w: &[f32], dy: &[f32], dx: &mut [f32], dw: &mut [f32]) {
    backward::<crate::lanes::avx512::Zmm>(x, w, dy, dx, dw);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn back_avx2(x: &[f32], w: &[f32], dy: &[f32], dx: &mut [f32], dw: &mut [f32]) {
    backward::<crate::lanes::avx2::Pair>(x, w, dy, dx, dw);
}

#[inline(always)]
fn forward<L: Lanes>(x: &[f32], w: &[f32], y: &mut [f32]) {
    let wide = y.len();
    let (blocks, rest) = y.as_chunks_mut::<{ 4 * LANES }>();
    for (nth, y) in blocks.iter_mut().enumerate() {
        strip::<L, 4>(x, w, wide, nth * 4 * LANES, y);
    }
    let at = wide - rest.len();
    let (lines, tail) = rest.as_chunks_mut::<LANES>();
    for (nth, y) in lines.iter_mut().enumerate() {
        strip::<L, 1>(x, w, wide, at + nth * LANES, y);
    }
    if !tail.is_empty() {
        let at = wide - tail.len();
        for (x, w) in x.iter().zip(w.chunks_exact(wide)) {
            for (y, w) in tail.iter_mut().zip(&w[at..]) {
                *y += x * w;
            }
        }
    }
}

/// `W` lines of the outputs, in two sums each.
#[inline(always)]
fn strip<L: Lanes, const W: usize>(x: &[f32], w: &[f32], wide: usize, at: usize, y: &mut [f32]) {
    let mut sums = [[L::splat(0.0); W]; 2];
    let (pairs, last) = x.as_chunks::<2>();
    for (pair, rows) in pairs.iter().zip(w.chunks_exact(2 * wide)) {
        for s in 0..2 {
            let own = &rows[s * wide + at..s * wide + at + W * LANES];
            for (sum, w) in sums[s].iter_mut().zip(own.as_chunks::<LANES>().0) {
                *sum = L::splat(pair[s]).mul_add(L::take(w), *sum);
            }
        }
    }
    if let [x] = last {
        let own = &w[pairs.len() * 2 * wide + at..][..W * LANES];
        for (sum, w) in sums[0].iter_mut().zip(own.as_chunks::<LANES>().0) {
            *sum = L::splat(*x).mul_add(L::take(w), *sum);
        }
    }
    for (nth, y) in y.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        L::take(y).add(sums[0][nth].add(sums[1][nth])).give(y);
    }
}

#[inline(always)]
fn backward<L: Lanes>(x: &[f32], w: &[f32], dy: &[f32], dx: &mut [f32], dw: &mut [f32]) {
    let wide = dy.len();
    let (dy_lines, dy_tail) = dy.as_chunks::<LANES>();
    let rows = w.chunks_exact(wide).zip(dw.chunks_exact_mut(wide));
    for ((x, dx), (w, dw)) in x.iter().zip(dx).zip(rows) {
        let factor = L::splat(*x);
        let mut sum = L::splat(0.0);
        let ((w, w_tail), (dw, dw_tail)) = (w.as_chunks::<LANES>(), dw.as_chunks_mut::<LANES>());
        for ((w, dw), dy) in w.iter().zip(dw).zip(dy_lines) {
            let dy = L::take(dy);
            sum = dy.mul_add(L::take(w), sum);
            factor.mul_add(dy, L::take(dw)).give(dw);
        }
        let mut slope = if dy_lines.is_empty() { 0.0 } else { sum.sum() };
        for ((w, dw), dy) in w_tail.iter().zip(dw_tail).zip(dy_tail) {
            slope += w * dy;
            *dw += x * dy;
        }
        *dx += slope;
    }
}
