// @hot
//! Attention over the past that costs the same at every tick: sums that forget, and the last few times.
use crate::block::{LANES, Line, flat, flat_mut, lines};
use crate::kernel::softmax;
use crate::lanes::{Kernel, Lanes};
use crate::math::exp;

/// Keeps a division by nothing away, as the layer's definition says.
const LEAST: f32 = 1e-6;
/// Scores made at once.
const SCORES: usize = 4;

/// Places of a ring of keys: whole groups of scores.
pub(crate) fn places(span: usize) -> usize {
    span.next_multiple_of(SCORES)
}

/// Lines of state of a [`Linear`]: `S`, a row for each key, then `z`.
pub(crate) fn linear_state(keys: usize, wide: usize) -> usize {
    keys * wide + lines(keys)
}

/// Lines of state of a [`Local`]: where it stands, the ring of keys, the ring of values.
pub(crate) fn local_state(keys: usize, wide: usize, span: usize) -> usize {
    1 + places(span) * lines(keys) + span * wide
}

/// Linear attention: `S = decay S + f(k) v'`, `z = decay z + f(k)`, `y = f(q) S / (f(q) . z + 1e-6)`, `f(x) = elu(x) + 1`.
///
/// The sums are never taken from, only shrunk: a rounding error is forgotten with what it befell, so that no drift builds up. Of `n`
/// operations a tick none errs by more than half a unit in the last place, and the sums stay within `n eps / (1 - decay)` of exact ones.
pub(crate) struct Linear<'a> {
    /// Rows of queries, keys, values, each from a line's start; zeros behind them.
    pub(crate) x: &'a [Line],
    pub(crate) keys: usize,
    /// Lines of a row given.
    pub(crate) wide: usize,
    pub(crate) decay: f32,
    /// [`linear_state`] lines.
    pub(crate) state: &'a mut [Line],
    /// Lines for `f(q)` and `f(k)`.
    pub(crate) work: &'a mut [Line],
    /// Zero; a lane becomes NaN when a sum or a divisor is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
}

/// `elu(x) + 1`.
#[inline(always)]
fn positive<L: Lanes>(x: L) -> L {
    let zero = L::splat(0.0);
    exp(zero.min(x)).add(zero.max(x))
}

impl Kernel for Linear<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Linear { x, keys, wide, decay, state, work, guard, to } = self;
        let deep = lines(keys);
        let (sums, z) = state.split_at_mut(keys * wide);
        let (fq, fk) = work.split_at_mut(deep);
        let (zero, decay) = (L::splat(0.0), L::splat(decay));
        let mut watched = L::load(guard);
        for (x, to) in x.chunks_exact(2 * deep + wide).zip(to.chunks_exact_mut(wide)) {
            let (q, rest) = x.split_at(deep);
            let (k, v) = rest.split_at(deep);
            let mut along = zero;
            for at in 0..deep {
                let left = (keys - at * LANES).min(LANES);
                // Empty lanes are zero, and `f(0)` is not.
                let q = positive(L::load(&q[at])).keep(left);
                let k = positive(L::load(&k[at])).keep(left);
                let kept = decay.mul_add(L::load(&z[at]), k);
                along = q.mul_add(kept, along);
                kept.store(&mut z[at]);
                q.store(&mut fq[at]);
                k.store(&mut fk[at]);
            }
            let divisor = L::splat(along.sum() + LEAST);
            watched = divisor.mul_add(zero, watched);
            let pair = (&flat(fq)[..keys], &flat(fk)[..keys]);
            let mut column = 0;
            while column < wide {
                let place = (column, wide);
                if wide - column >= 4 {
                    watched = fold::<L, 4>(pair, v, place, decay, divisor, sums, watched, to);
                    column += 4;
                } else {
                    watched = fold::<L, 1>(pair, v, place, decay, divisor, sums, watched, to);
                    column += 1;
                }
            }
        }
        watched.store(guard);
    }
}

/// `C` lines of the sums, and of the answer from them.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of one row")]
fn fold<L: Lanes, const C: usize>(
    (q, k): (&[f32], &[f32]),
    v: &[Line],
    (column, wide): (usize, usize),
    decay: L,
    divisor: L,
    sums: &mut [Line],
    mut watched: L,
    to: &mut [Line],
) -> L {
    let (mut y, mut given) = ([L::splat(0.0); C], [L::splat(0.0); C]);
    for (c, given) in given.iter_mut().enumerate() {
        *given = L::load(&v[column + c]);
    }
    for ((sums, q), k) in sums.chunks_exact_mut(wide).zip(q).zip(k) {
        let (q, k, sums) = (L::splat(*q), L::splat(*k), &mut sums[column..column + C]);
        for c in 0..C {
            let sum = decay.mul_add(L::load(&sums[c]), k.mul(given[c]));
            sum.store(&mut sums[c]);
            y[c] = q.mul_add(sum, y[c]);
        }
    }
    for (y, to) in y.into_iter().zip(&mut to[column..]) {
        watched = y.mul_add(L::splat(0.0), watched);
        y.div(divisor).store(to);
    }
    watched
}

/// Softmax attention over the last `span` times, the one at hand included. Keys and values lie in rings, which are read whole: the order
/// of times does not matter to a softmax.
pub(crate) struct Local<'a> {
    /// As [`Linear::x`].
    pub(crate) x: &'a [Line],
    pub(crate) keys: usize,
    /// Lines of a row given.
    pub(crate) wide: usize,
    pub(crate) span: usize,
    /// [`local_state`] lines.
    pub(crate) state: &'a mut [Line],
    /// Lines for a score of each place.
    pub(crate) work: &'a mut [Line],
    /// Zero; a lane becomes NaN when a score or a sum is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
}

impl Kernel for Local<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Local { x, keys, wide, span, state, work, guard, to } = self;
        let deep = lines(keys);
        let (stand, rings) = state.split_at_mut(1);
        let (ring_k, ring_v) = rings.split_at_mut(places(span) * deep);
        let scale = L::splat(1.0 / (keys as f32).sqrt());
        let (zero, mut watched) = (L::splat(0.0), L::load(guard));
        // Where the next time goes, and how many are there; below 2^16, so exact.
        let [mut next, mut known] = [stand[0].0[0] as usize, stand[0].0[1] as usize];
        for (x, to) in x.chunks_exact(2 * deep + wide).zip(to.chunks_exact_mut(wide)) {
            let (q, rest) = x.split_at(deep);
            let (k, v) = rest.split_at(deep);
            ring_k[next * deep..(next + 1) * deep].copy_from_slice(k);
            ring_v[next * wide..(next + 1) * wide].copy_from_slice(v);
            next = if next + 1 == span { 0 } else { next + 1 };
            known = (known + 1).min(span);
            let scores = flat_mut(work).as_chunks_mut::<SCORES>().0;
            for (k, scores) in ring_k.chunks_exact(SCORES * deep).zip(scores).take(known.div_ceil(SCORES)) {
                let mut sums = [zero; SCORES];
                for (at, q) in q.iter().enumerate() {
                    let q = L::load(q);
                    for each in 0..SCORES {
                        sums[each] = q.mul_add(L::load(&k[each * deep + at]), sums[each]);
                    }
                }
                let four = L::four_sums(sums).mul(scale);
                watched = four.mul_add(zero, watched);
                four.give_four(scores);
            }
            let shares = &mut work[..lines(known)];
            softmax::<L>(shares, known);
            let shares = &flat(shares)[..known];
            let mut column = 0;
            while column < wide {
                if wide - column >= 4 {
                    watched = blend::<L, 4>(shares, ring_v, (column, wide), watched, to);
                    column += 4;
                } else {
                    watched = blend::<L, 1>(shares, ring_v, (column, wide), watched, to);
                    column += 1;
                }
            }
        }
        [stand[0].0[0], stand[0].0[1]] = [next as f32, known as f32];
        watched.store(guard);
    }
}

/// `C` lines of the values' mean.
#[inline(always)]
fn blend<L: Lanes, const C: usize>(
    shares: &[f32],
    values: &[Line],
    (column, wide): (usize, usize),
    mut watched: L,
    to: &mut [Line],
) -> L {
    let mut y = [L::splat(0.0); C];
    for (share, values) in shares.iter().zip(values.chunks_exact(wide)) {
        let (share, values) = (L::splat(*share), &values[column..column + C]);
        for c in 0..C {
            y[c] = share.mul_add(L::load(&values[c]), y[c]);
        }
    }
    for (y, to) in y.into_iter().zip(&mut to[column..]) {
        watched = y.mul_add(L::splat(0.0), watched);
        y.store(to);
    }
    watched
}
