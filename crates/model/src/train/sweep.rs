//! Optimiser steps that go over all parameters at once, sixteen at a time on every instruction set.
use crate::block::{LANES, Line};
use crate::lanes::portable::Plain;
use crate::lanes::{Lanes, Level};

/// Numbers of an Adam step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adam {
    pub(crate) betas: [f32; 2],
    pub(crate) epsilon: f32,
    pub(crate) rate: f32,
    /// `1 / (1 - beta^steps)`.
    pub(crate) scales: [f32; 2],
}

/// `w -= rate g`.
pub(crate) fn descend(level: Level, w: &mut [f32], g: &[f32], rate: f32) {
    match level {
        // SAFETY: L1; levels come from `Level::detect` or lie below it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => unsafe { descend_avx512(w, g, rate) },
        // SAFETY: L1; as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { descend_avx2(w, g, rate) },
        _ => plain_descent::<Plain>(w, g, rate),
    }
}

/// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, `w -= rate (m s1) / (sqrt(v s2) + epsilon)`.
pub(crate) fn adam(level: Level, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], with: Adam) {
    match level {
        // SAFETY: L1; levels come from `Level::detect` or lie below it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => unsafe { adam_avx512(w, g, m, v, with) },
        // SAFETY: L1; as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { adam_avx2(w, g, m, v, with) },
        _ => moments::<Plain>(w, g, m, v, with),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn descend_avx512(w: &mut [f32], g: &[f32], rate: f32) {
    plain_descent::<crate::lanes::avx512::Zmm>(w, g, rate);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn descend_avx2(w: &mut [f32], g: &[f32], rate: f32) {
    plain_descent::<crate::lanes::avx2::Pair>(w, g, rate);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn adam_avx512(w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], with: Adam) {
    moments::<crate::lanes::avx512::Zmm>(w, g, m, v, with);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn adam_avx2(w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], with: Adam) {
    moments::<crate::lanes::avx2::Pair>(w, g, m, v, with);
}

#[inline(always)]
fn plain_descent<L: Lanes>(w: &mut [f32], g: &[f32], rate: f32) {
    let ((w, w_tail), (g, g_tail)) = (w.as_chunks_mut::<LANES>(), g.as_chunks::<LANES>());
    let down = L::splat(-rate);
    for (w, g) in w.iter_mut().zip(g) {
        down.mul_add(L::take(g), L::take(w)).give(w);
    }
    for (w, g) in w_tail.iter_mut().zip(g_tail) {
        *w -= rate * g;
    }
}

#[inline(always)]
fn moments<L: Lanes>(w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], with: Adam) {
    let ((w, w_tail), (g, g_tail)) = (w.as_chunks_mut::<LANES>(), g.as_chunks::<LANES>());
    let ((m, m_tail), (v, v_tail)) = (m.as_chunks_mut::<LANES>(), v.as_chunks_mut::<LANES>());
    for ((w, g), (m, v)) in w.iter_mut().zip(g).zip(m.iter_mut().zip(v)) {
        step::<L>(w, g, m, v, with);
    }
    if !w_tail.is_empty() {
        let count = w_tail.len();
        let mut lines = [Line::ZERO; 4];
        for (line, tail) in lines.iter_mut().zip([&*w_tail, g_tail, &*m_tail, &*v_tail]) {
            line.0[..count].copy_from_slice(tail);
        }
        let [w, g, m, v] = &mut lines;
        step::<L>(&mut w.0, &g.0, &mut m.0, &mut v.0, with);
        w_tail.copy_from_slice(&w.0[..count]);
        m_tail.copy_from_slice(&m.0[..count]);
        v_tail.copy_from_slice(&v.0[..count]);
    }
}

#[inline(always)]
fn step<L: Lanes>(w: &mut [f32; 16], g: &[f32; 16], m: &mut [f32; 16], v: &mut [f32; 16], with: Adam) {
    let gradient = L::take(g);
    let fresh = gradient.mul(L::splat(1.0 - with.betas[0]));
    let first = L::take(m).mul_add(L::splat(with.betas[0]), fresh);
    let square = gradient.mul(gradient).mul(L::splat(1.0 - with.betas[1]));
    let second = L::take(v).mul_add(L::splat(with.betas[1]), square);
    first.give(m);
    second.give(v);
    let deviation = second.mul(L::splat(with.scales[1])).sqrt().add(L::splat(with.epsilon));
    let size = first.mul(L::splat(with.scales[0])).div(deviation);
    size.mul_add(L::splat(-with.rate), L::take(w)).give(w);
}
