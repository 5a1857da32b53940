// @hot
//! Layers over the matrix of a whole window: bilinear ones and attention over time.
use crate::block::{LANES, Line, flat};
use crate::kernel::softmax;
use crate::lanes::{Kernel, Lanes};
use crate::math::exp;

/// `to[j] = start[j] + sum over t of w[t][j] x[t]`, pieces below zero sloped.
pub(crate) struct Mix<'a> {
    pub(crate) x: &'a [Line],
    /// `w`, then the rows of `start`.
    pub(crate) weights: &'a [Line],
    /// Rows taken, rows given, lines of a row.
    pub(crate) shape: (usize, usize, usize),
    pub(crate) slope: f32,
    /// Zero; a lane becomes NaN when a sum is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
}

impl Kernel for Mix<'_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self) {
        let (_, given, wide) = self.shape;
        let mut column = 0;
        while column < wide {
            let columns = if wide - column >= 2 { 2 } else { 1 };
            let mut j = 0;
            while j < given {
                let rows = if given - j >= 5 { 5 } else { 1 };
                match (rows, columns) {
                    (5, 2) => self.some::<L, 5, 2>(j, column),
                    (5, _) => self.some::<L, 5, 1>(j, column),
                    (_, 2) => self.some::<L, 1, 2>(j, column),
                    _ => self.some::<L, 1, 1>(j, column),
                }
                j += rows;
            }
            column += columns;
        }
    }
}

impl Mix<'_> {
    /// `R` rows of `C` lines.
    #[inline(always)]
    fn some<L: Lanes, const R: usize, const C: usize>(&mut self, j: usize, column: usize) {
        let (times, given, wide) = self.shape;
        let (w, start) = self.weights.split_at((times * given).div_ceil(LANES));
        let w = &flat(w)[..times * given];
        let mut sums = [[L::splat(0.0); C]; R];
        for r in 0..R {
            for c in 0..C {
                sums[r][c] = L::load(&start[(j + r) * wide + column + c]);
            }
        }
        for (x, w) in self.x.chunks_exact(wide).zip(w.chunks_exact(given)) {
            let (x, w) = (&x[column..column + C], &w[j..j + R]);
            for c in 0..C {
                let x = L::load(&x[c]);
                for r in 0..R {
                    sums[r][c] = L::splat(w[r]).mul_add(x, sums[r][c]);
                }
            }
        }
        let (zero, slope, mut guard) = (L::splat(0.0), L::splat(self.slope), L::load(self.guard));
        for (r, sums) in sums.into_iter().enumerate() {
            for (c, sum) in sums.into_iter().enumerate() {
                guard = sum.mul_add(zero, guard);
                sum.max(sum.mul(slope)).store(&mut self.to[(j + r) * wide + column + c]);
            }
        }
        guard.store(self.guard);
    }
}

/// The attention of a TABL: `to = x (l + (1 - l) a)`, `a` the softmax over time of `w' x` whose diagonal is one over the time.
pub(crate) struct Focus<'a> {
    pub(crate) x: &'a [Line],
    /// A line of `l`, then `w`.
    pub(crate) weights: &'a [Line],
    pub(crate) wide: usize,
    pub(crate) energy: &'a mut [Line],
    /// Zero; a lane becomes NaN when an energy is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
}

impl Kernel for Focus<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Focus { x, weights, wide, energy, guard, to } = self;
        let time = x.len() / wide;
        let (l, w) = weights.split_at(1);
        let (l, w) = (L::load(&l[0]), &flat(w)[..time * time]);
        let (own, rest) = (L::splat(1.0 / time as f32), L::splat(1.0).sub(l));
        let mut watched = L::load(guard);
        for column in 0..wide {
            let mut top = L::splat(f32::MIN);
            for j in 0..time {
                let mut sum = L::splat(0.0);
                for s in 0..time {
                    let factor = if s == j { own } else { L::splat(w[s * time + j]) };
                    sum = factor.mul_add(L::load(&x[s * wide + column]), sum);
                }
                sum.store(&mut energy[j * wide + column]);
                watched = sum.mul_add(L::splat(0.0), watched);
                top = top.max(sum);
            }
            let mut all = L::splat(0.0);
            for j in 0..time {
                let power = exp(L::load(&energy[j * wide + column]).sub(top));
                power.store(&mut energy[j * wide + column]);
                all = all.add(power);
            }
            let share = rest.div(all);
            for j in 0..time {
                let at = j * wide + column;
                let factor = L::load(&energy[at]).mul_add(share, l);
                L::load(&x[at]).mul(factor).store(&mut to[at]);
            }
        }
        watched.store(guard);
    }
}

/// Bilinear normalisation over rows of `values` numbers.
pub(crate) struct BilinearNorm<'a> {
    pub(crate) x: &'a [Line],
    /// y1, y2, a line for each `l1`, for each `b1`, then `l2`, `b2`.
    pub(crate) weights: &'a [Line],
    pub(crate) wide: usize,
    pub(crate) values: usize,
    /// Zero; a lane becomes NaN when a deviation or an output is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
}

impl Kernel for BilinearNorm<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let BilinearNorm { x, weights, wide, values, guard, to } = self;
        let time = x.len() / wide;
        let (zero, one, least) = (L::splat(0.0), L::splat(1.0), L::splat(1e-4));
        let (y1, y2) = (L::load(&weights[0]), L::load(&weights[1]));
        let (rows, lanes) = weights[2..].split_at(2 * time);
        let (l2, b2) = lanes.split_at(wide);
        let mut watched = L::load(guard);
        let share = 1.0 / values as f32;
        for (t, (x, to)) in x.chunks_exact(wide).zip(to.chunks_exact_mut(wide)).enumerate() {
            let mean = L::splat(total::<L, false>(x, values, zero) * share);
            let variance = total::<L, true>(x, values, mean) * share;
            let deviation = L::splat(variance).sqrt();
            watched = deviation.mul_add(zero, watched);
            let inverse = one.div(deviation.pick(least, one, deviation));
            let factor = y1.mul(L::load(&rows[t])).mul(inverse);
            let summand = y1.mul(L::load(&rows[time + t]));
            for (x, to) in x.iter().zip(to) {
                L::load(x).sub(mean).mul_add(factor, summand).store(to);
            }
        }
        let share = L::splat(1.0 / time as f32);
        for column in 0..wide {
            let mut mean = zero;
            for x in x.chunks_exact(wide) {
                mean = mean.add(L::load(&x[column]));
            }
            mean = mean.mul(share);
            let mut variance = zero;
            for x in x.chunks_exact(wide) {
                let off = L::load(&x[column]).sub(mean);
                variance = off.mul_add(off, variance);
            }
            let deviation = variance.mul(share).sqrt();
            watched = deviation.mul_add(zero, watched);
            let inverse = one.div(deviation.pick(least, one, deviation));
            let (factor, summand) = (y2.mul(L::load(&l2[column])).mul(inverse), y2.mul(L::load(&b2[column])));
            for (x, to) in x.chunks_exact(wide).zip(to.chunks_exact_mut(wide)) {
                let scaled = L::load(&x[column]).sub(mean).mul_add(factor, summand);
                let sum = scaled.add(L::load(&to[column]));
                watched = sum.mul_add(zero, watched);
                sum.store(&mut to[column]);
            }
        }
        watched.store(guard);
    }
}

/// Sum of the first `values` numbers less `off`, or of the squares of that.
#[inline(always)]
fn total<L: Lanes, const SQUARES: bool>(x: &[Line], values: usize, off: L) -> f32 {
    let mut sum = L::splat(0.0);
    for (at, x) in x.iter().enumerate() {
        let moved = L::load(x).sub(off);
        let value = if SQUARES { moved.mul(moved) } else { moved };
        let left = values - at * LANES;
        sum = sum.add(if left >= LANES { value } else { value.keep(left) });
    }
    sum.sum()
}

/// `to = sum a[t] x[t]`, `a` the softmax over time of `hidden[t] . query`; uses up `hidden`, rows of `hidden_wide` lines whose empty
/// lanes meet zeros in the query.
pub(crate) struct Attend<'a> {
    pub(crate) x: &'a [Line],
    pub(crate) hidden: &'a mut [Line],
    pub(crate) hidden_wide: usize,
    pub(crate) query: &'a [Line],
    /// Zero; a lane becomes NaN when a product is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
}

impl Kernel for Attend<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Attend { x, hidden, hidden_wide, query, guard, to } = self;
        let (time, wide) = (hidden.len() / hidden_wide, to.len());
        let mut watched = L::load(guard);
        for t in 0..time {
            let mut sum = L::splat(0.0);
            for (h, q) in hidden[t * hidden_wide..(t + 1) * hidden_wide].iter().zip(query) {
                sum = L::load(h).mul_add(L::load(q), sum);
            }
            let sum = sum.sum();
            watched = L::splat(sum).mul_add(L::splat(0.0), watched);
            // Row `t` has been read, and place `t` lies in a row that has.
            hidden[t / LANES].0[t % LANES] = sum;
        }
        watched.store(guard);
        let weights = &mut hidden[..time.div_ceil(LANES)];
        softmax::<L>(weights, time);
        to.fill(Line::ZERO);
        for (t, x) in x.chunks_exact(wide).enumerate() {
            let a = L::splat(weights[t / LANES].0[t % LANES]);
            for (to, x) in to.iter_mut().zip(x) {
                a.mul_add(L::load(x), L::load(to)).store(to);
            }
        }
    }
}
