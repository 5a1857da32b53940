//! Optimiser steps that go over all parameters at once, sixteen at a time on every instruction set.
use crate::block::{LANES, Line};
use crate::lanes::{Kernel, Lanes, Level};

/// Numbers of an Adam step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adam {
    pub(crate) betas: [f32; 2],
    pub(crate) rate: f32,
    /// With `s = 1 / (1 - beta^steps)` the step is `m s1 / (sqrt(v s2) + epsilon)`, which is `m / (sqrt(v) spread + floor)`.
    pub(crate) spread: f32,
    /// See `spread`.
    pub(crate) floor: f32,
    /// Added to the gradient, times the parameter.
    pub(crate) pull: f32,
    /// What a parameter is multiplied by before the step: one less the rate times decoupled weight decay.
    pub(crate) keep: f32,
}

/// First moments are kept to multiples of a `2^23`th of the first, second ones below the second count as 0: both are far below what
/// `epsilon` lets through, and numbers that are too small to be normal cost a processor ten times as much.
const LEAST: [f32; 2] = [1e-23, 1e-36];

/// `w -= rate g`.
pub(crate) fn descend(level: Level, w: &mut [f32], g: &[f32], rate: f32) {
    // SAFETY: L1; levels come from `Level::detect` or lie below it.
    unsafe { level.run(Descent { w, g, rate }) }
}

/// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, `w = keep w - rate m / (sqrt(v) spread + floor)`.
pub(crate) fn adam(level: Level, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], with: Adam) {
    // SAFETY: L1; as above.
    unsafe { level.run(Moments { w, g, m, v, with }) }
}

/// [`descend`] by the gradient of a dense layer that has seen one row, `g[i][j] = x[i] d[j]`, which is never written down.
pub(crate) fn descend_outer(level: Level, w: &mut [f32], x: &[f32], d: &[f32], rate: f32) {
    // SAFETY: L1; as above.
    unsafe { level.run(OuterDescent { w, x, d, rate }) }
}

/// [`adam`] by such a gradient.
pub(crate) fn adam_outer(
    level: Level,
    w: &mut [f32],
    (x, d): (&[f32], &[f32]),
    m: &mut [f32],
    v: &mut [f32],
    with: Adam,
) {
    // SAFETY: L1; as above.
    unsafe { level.run(OuterMoments { w, x, d, m, v, with }) }
}

struct Descent<'a> {
    w: &'a mut [f32],
    g: &'a [f32],
    rate: f32,
}

impl Kernel for Descent<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        add_times::<L>(self.w, self.g, -self.rate);
    }
}

struct OuterDescent<'a> {
    w: &'a mut [f32],
    x: &'a [f32],
    d: &'a [f32],
    rate: f32,
}

impl Kernel for OuterDescent<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        for (w, x) in self.w.chunks_exact_mut(self.d.len()).zip(self.x) {
            // Rows behind a ReLU that said nothing stay as they are.
            if *x != 0.0 {
                add_times::<L>(w, self.d, -self.rate * x);
            }
        }
    }
}

/// `w += factor g`.
#[inline(always)]
fn add_times<L: Lanes>(w: &mut [f32], g: &[f32], factor: f32) {
    let ((w, w_tail), (g, g_tail)) = (w.as_chunks_mut::<LANES>(), g.as_chunks::<LANES>());
    let lanes = L::splat(factor);
    for (w, g) in w.iter_mut().zip(g) {
        lanes.mul_add(L::take(g), L::take(w)).give(w);
    }
    for (w, g) in w_tail.iter_mut().zip(g_tail) {
        *w += factor * g;
    }
}

struct Moments<'a> {
    w: &'a mut [f32],
    g: &'a [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
    with: Adam,
}

impl Kernel for Moments<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let ((w, w_tail), (g, g_tail)) = (self.w.as_chunks_mut::<LANES>(), self.g.as_chunks::<LANES>());
        let ((m, m_tail), (v, v_tail)) = (self.m.as_chunks_mut::<LANES>(), self.v.as_chunks_mut::<LANES>());
        for ((w, g), (m, v)) in w.iter_mut().zip(g).zip(m.iter_mut().zip(v)) {
            step::<L>(w, L::take(g), m, v, self.with);
        }
        if !w_tail.is_empty() {
            let tails = (w_tail, m_tail, v_tail);
            part_step::<L>(L::part(g_tail), tails, self.with);
        }
    }
}

struct OuterMoments<'a> {
    w: &'a mut [f32],
    x: &'a [f32],
    d: &'a [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
    with: Adam,
}

impl Kernel for OuterMoments<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (wide, (d, d_tail)) = (self.d.len(), self.d.as_chunks::<LANES>());
        let rows = self.w.chunks_exact_mut(wide).zip(self.x);
        let moments = self.m.chunks_exact_mut(wide).zip(self.v.chunks_exact_mut(wide));
        for ((w, x), (m, v)) in rows.zip(moments) {
            let x = L::splat(*x);
            let (w, w_tail) = w.as_chunks_mut::<LANES>();
            let ((m, m_tail), (v, v_tail)) = (m.as_chunks_mut::<LANES>(), v.as_chunks_mut::<LANES>());
            for ((w, d), (m, v)) in w.iter_mut().zip(d).zip(m.iter_mut().zip(v)) {
                step::<L>(w, x.mul(L::take(d)), m, v, self.with);
            }
            if !w_tail.is_empty() {
                part_step::<L>(x.mul(L::part(d_tail)), (w_tail, m_tail, v_tail), self.with);
            }
        }
    }
}

/// A step of fewer than sixteen parameters with their moments.
#[inline(always)]
fn part_step<L: Lanes>(g: L, (w, m, v): (&mut [f32], &mut [f32], &mut [f32]), with: Adam) {
    let mut lines = [Line::ZERO; 3];
    for (line, tail) in lines.iter_mut().zip([&*w, &*m, &*v]) {
        L::part(tail).store(line);
    }
    let [lw, lm, lv] = &mut lines;
    step::<L>(&mut lw.0, g, &mut lm.0, &mut lv.0, with);
    for (line, tail) in lines.iter().zip([w, m, v]) {
        L::load(line).give_part(tail);
    }
}

#[inline(always)]
fn step<L: Lanes>(w: &mut [f32; 16], g: L, m: &mut [f32; 16], v: &mut [f32; 16], with: Adam) {
    let own = L::take(w);
    let gradient = own.mul_add(L::splat(with.pull), g);
    let old = L::take(m).mul(L::splat(with.betas[0]));
    let least = L::splat(LEAST[0]);
    let first = gradient.mul_add(L::splat(1.0 - with.betas[0]), old).add(least).sub(least);
    let old = L::take(v).mul(L::splat(with.betas[1]));
    let second = gradient.mul(L::splat(1.0 - with.betas[1])).mul_add(gradient, old);
    let second = second.pick(L::splat(LEAST[1]), L::splat(0.0), second);
    first.give(m);
    second.give(v);
    let size = first.div(second.sqrt().mul_add(L::splat(with.spread), L::splat(with.floor)));
    size.mul_add(L::splat(-with.rate), own.mul(L::splat(with.keep))).give(w);
}
