//! Optimiser steps that go over all parameters at once, sixteen at a time on every instruction set.
use crate::block::{LANES, Line};
use crate::lanes::{Kernel, Lanes, Level};
use std::array;

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

/// First moments are kept to multiples of a `2^23`th of the first, second ones at the second or above: both are far below what `epsilon`
/// lets through, and numbers that are too small to be normal cost a processor ten times as much.
const LEAST: [f32; 2] = [1e-23, 1e-36];

/// Lines that share a division in an Adam step, which waits for the divider otherwise: each step is then right to 5e-7 of itself.
const SHARED: usize = 2;

/// Largest root of a second moment that a step is divided by, so that two of them have a product: gradients of 1e19 reach it.
const MOST: f32 = 1e19;

/// `w -= rate g`.
pub(crate) fn descend(level: Level, w: &mut [f32], g: &[f32], rate: f32) {
    // SAFETY: L1; levels come from `Level::detect` or lie below it.
    unsafe { level.run(Descent { w, g, rate }) }
}

/// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, `w = keep w - rate m / (sqrt(v) spread + floor)`.
pub(crate) fn adam(level: Level, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], with: Adam) {
    if !g.is_empty() {
        adam_outer(level, w, (&[1.0], g), m, v, with);
    }
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
    if with.pull == 0.0 && with.keep == 1.0 {
        // SAFETY: L1; as above.
        unsafe { level.run(Moments::<false> { w, x, d, m, v, with }) }
    } else {
        // SAFETY: L1; as above.
        unsafe { level.run(Moments::<true> { w, x, d, m, v, with }) }
    }
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

struct Moments<'a, const DECAY: bool> {
    w: &'a mut [f32],
    x: &'a [f32],
    d: &'a [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
    with: Adam,
}

impl<const DECAY: bool> Kernel for Moments<'_, DECAY> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (wide, (d, d_tail)) = (self.d.len(), self.d.as_chunks::<LANES>());
        let (many_d, d) = d.as_chunks::<SHARED>();
        let rows = self.w.chunks_exact_mut(wide).zip(self.x);
        let moments = self.m.chunks_exact_mut(wide).zip(self.v.chunks_exact_mut(wide));
        for ((w, x), (m, v)) in rows.zip(moments) {
            let x = Factor::<L>::new(*x, self.with);
            let (w, w_tail) = w.as_chunks_mut::<LANES>();
            let ((m, m_tail), (v, v_tail)) = (m.as_chunks_mut::<LANES>(), v.as_chunks_mut::<LANES>());
            let ((many_w, w), (many_m, m)) = (w.as_chunks_mut::<SHARED>(), m.as_chunks_mut::<SHARED>());
            let (many_v, v) = v.as_chunks_mut::<SHARED>();
            for ((w, d), (m, v)) in many_w.iter_mut().zip(many_d).zip(many_m.iter_mut().zip(many_v)) {
                step::<L, SHARED, DECAY>(w, (&x, [L::take(&d[0]), L::take(&d[1])]), m, v, self.with);
            }
            for ((w, d), (m, v)) in w.iter_mut().zip(d).zip(m.iter_mut().zip(v)) {
                let (w, m, v) = (array::from_mut(w), array::from_mut(m), array::from_mut(v));
                step::<L, 1, DECAY>(w, (&x, [L::take(d)]), m, v, self.with);
            }
            if !w_tail.is_empty() {
                part_step::<L, DECAY>((&x, L::part(d_tail)), (w_tail, m_tail, v_tail), self.with);
            }
        }
    }
}

/// A step of fewer than sixteen parameters with their moments.
#[inline(always)]
fn part_step<L: Lanes, const DECAY: bool>(
    (x, d): (&Factor<L>, L),
    (w, m, v): (&mut [f32], &mut [f32], &mut [f32]),
    with: Adam,
) {
    let mut lines = [Line::ZERO; 3];
    for (line, tail) in lines.iter_mut().zip([&*w, &*m, &*v]) {
        L::part(tail).store(line);
    }
    let [lw, lm, lv] = lines.each_mut().map(|line| array::from_mut(&mut line.0));
    step::<L, 1, DECAY>(lw, (x, [d]), lm, lv, with);
    for (line, tail) in lines.iter().zip([w, m, v]) {
        L::load(line).give_part(tail);
    }
}

/// A step of `N` lines of parameters, one or [`SHARED`], by the gradient `x d`.
#[inline(always)]
fn step<L: Lanes, const N: usize, const DECAY: bool>(
    w: &mut [[f32; LANES]; N],
    (x, d): (&Factor<L>, [L; N]),
    m: &mut [[f32; LANES]; N],
    v: &mut [[f32; LANES]; N],
    with: Adam,
) {
    let (mut first, mut second, mut root) = ([x.one; N], [x.one; N], [x.one; N]);
    for n in 0..N {
        let (by, g) = if DECAY {
            (x.shares, L::take(&w[n]).mul_add(L::splat(with.pull), x.one.mul(d[n])))
        } else {
            (x.own, d[n])
        };
        let least = L::splat(LEAST[0]);
        first[n] = by[0].mul_add(g, L::take(&m[n]).mul(L::splat(with.betas[0]))).add(least).sub(least);
        let size = by[1].mul(g);
        second[n] = L::splat(LEAST[1]).max(size.mul_add(size, L::take(&v[n]).mul(L::splat(with.betas[1]))));
        root[n] = second[n].sqrt().mul_add(L::splat(with.spread), L::splat(with.floor)).min(L::splat(MOST));
    }
    for n in 0..N {
        first[n].give(&mut m[n]);
    }
    for n in 0..N {
        second[n].give(&mut v[n]);
    }
    let mut pace = L::splat(-with.rate);
    if N == SHARED {
        // `1 / a` is `b / (a b)`.
        pace = pace.div(root[0].mul(root[N - 1]));
        for n in 0..N {
            first[n] = first[n].mul(root[N - 1 - n]);
        }
    } else {
        pace = pace.div(root[0]);
    }
    for n in 0..N {
        let own = L::take(&w[n]);
        let own = if DECAY { own.mul(L::splat(with.keep)) } else { own };
        first[n].mul_add(pace, own).give(&mut w[n]);
    }
}

/// What a line of slopes is multiplied by to become a gradient, and what by to become what the moments take of it.
struct Factor<L> {
    one: L,
    /// `1 - b1` and the root of `1 - b2`.
    shares: [L; 2],
    /// The same times the factor.
    own: [L; 2],
}

impl<L: Lanes> Factor<L> {
    #[inline(always)]
    fn new(x: f32, with: Adam) -> Factor<L> {
        let [first, second] = [1.0 - with.betas[0], (1.0 - with.betas[1]).sqrt()];
        let own = [L::splat(x * first), L::splat(x * second)];
        Factor { one: L::splat(x), shares: [L::splat(first), L::splat(second)], own }
    }
}
