// @hot
//! Layers over the matrix of a whole window: bilinear ones and attention over time.
use crate::block::{LANES, Line, flat, flat_mut, lines};
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
        let (mut column, mut guard) = (0, L::load(self.guard));
        while column < wide {
            // As many lines at a time as registers allow, and the sums of one hide each other's latency.
            let columns = if const { L::CHAINS == 8 } { (wide - column).min(4) } else { 1 };
            guard = match columns {
                4 => self.column::<L, 4>(column, given, guard),
                3 => self.column::<L, 3>(column, given, guard),
                2 => self.column::<L, 2>(column, given, guard),
                _ => self.column::<L, 1>(column, given, guard),
            };
            column += columns;
        }
        guard.store(self.guard);
    }
}

impl Mix<'_> {
    /// All rows of `C` lines.
    #[inline(always)]
    fn column<L: Lanes, const C: usize>(&mut self, column: usize, given: usize, mut guard: L) -> L {
        let mut j = 0;
        while given - j >= 5 {
            guard = self.some::<L, 5, C>(j, column, guard);
            j += 5;
        }
        while j < given {
            guard = self.some::<L, 1, C>(j, column, guard);
            j += 1;
        }
        guard
    }

    /// `R` rows of `C` lines.
    #[inline(always)]
    fn some<L: Lanes, const R: usize, const C: usize>(&mut self, j: usize, column: usize, guard: L) -> L {
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
            let (given, w) = (&x[column..column + C], &w[j..j + R]);
            let mut x = [L::splat(0.0); C];
            for c in 0..C {
                x[c] = L::load(&given[c]);
            }
            for r in 0..R {
                let w = L::splat(w[r]);
                for c in 0..C {
                    sums[r][c] = w.mul_add(x[c], sums[r][c]);
                }
            }
        }
        // The sum of all is finite only where each is; added up they wait for one another less than in the guard itself.
        let (zero, slope, mut all) = (L::splat(0.0), L::splat(self.slope), L::splat(0.0));
        for (r, sums) in sums.into_iter().enumerate() {
            let to = &mut self.to[(j + r) * wide + column..][..C];
            for (sum, to) in sums.into_iter().zip(to) {
                all = all.add(sum);
                sum.max(sum.mul(slope)).store(to);
            }
        }
        all.mul_add(zero, guard)
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
    /// y1, y2, `l1`, `b1`, `l2`, `b2`.
    pub(crate) weights: &'a [Line],
    pub(crate) wide: usize,
    pub(crate) values: usize,
    /// A line three times for sixteen rows: their means, what deviations from them are multiplied by, what is added.
    pub(crate) work: &'a mut [Line],
    /// Zero; a lane becomes NaN when a deviation or an output is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
}

impl Kernel for BilinearNorm<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let BilinearNorm { x, weights, wide, values, work, guard, to } = self;
        let time = x.len() / wide;
        let (deep, (y1, y2)) = (lines(time), (L::load(&weights[0]), L::load(&weights[1])));
        let (own, lanes) = weights[2..].split_at(2 * deep);
        let (means, rest) = work.split_at_mut(deep);
        let (factors, summands) = rest.split_at_mut(deep);
        let mut watched = L::load(guard);
        let to_rows =
            [&mut *means, &mut *factors, &mut *summands].map(|each| flat_mut(each).as_chunks_mut::<4>().0);
        watched = in_rows(x, (wide, values), own, y1, watched, to_rows);
        let rows = [flat(means), flat(factors), flat(summands)].map(|each| &each[..time]);
        let mut column = 0;
        while column < wide {
            if wide - column >= 3 {
                watched = columns::<L, 3>(x, lanes, (column, wide), rows, y2, watched, to);
                column += 3;
            } else {
                watched = columns::<L, 1>(x, lanes, (column, wide), rows, y2, watched, to);
                column += 1;
            }
        }
        watched.store(guard);
    }
}

/// One over a deviation; a small one counts as 1.
#[inline(always)]
fn inverse<L: Lanes>(deviation: L) -> L {
    let (one, least) = (L::splat(1.0), L::splat(1e-4));
    one.div(deviation.pick(least, one, deviation))
}

/// Normalises rows of `values` numbers, four at once: their means, what deviations from them are multiplied by, what is added.
#[inline(always)]
fn in_rows<L: Lanes>(
    x: &[Line],
    (wide, values): (usize, usize),
    own: &[Line],
    y1: L,
    mut watched: L,
    [means, factors, summands]: [&mut [[f32; 4]]; 3],
) -> L {
    let (zero, share) = (L::splat(0.0), L::splat(1.0 / values as f32));
    let (l1, b1) = flat(own).split_at(own.len() / 2 * LANES);
    for (nth, x) in x.chunks(4 * wide).enumerate() {
        let (mut sums, given) = ([zero; 4], x.len() / wide);
        for r in 0..4 {
            if r < given {
                sums[r] = total::<L, false>(&x[r * wide..(r + 1) * wide], values, zero);
            }
        }
        let mean = L::four_sums(sums).mul(share);
        let each = [mean.of_four::<0>(), mean.of_four::<1>(), mean.of_four::<2>(), mean.of_four::<3>()];
        for r in 0..4 {
            if r < given {
                sums[r] = total::<L, true>(&x[r * wide..(r + 1) * wide], values, each[r]);
            }
        }
        let deviation = L::four_sums(sums).mul(share).sqrt();
        watched = deviation.mul_add(zero, watched);
        mean.give_four(&mut means[nth]);
        y1.mul(L::part(&l1[4 * nth..4 * nth + 4])).mul(inverse(deviation)).give_four(&mut factors[nth]);
        y1.mul(L::part(&b1[4 * nth..4 * nth + 4])).give_four(&mut summands[nth]);
    }
    watched
}

/// Normalises `C` lines over time and adds what rows give: their means, factors and summands.
#[inline(always)]
fn columns<L: Lanes, const C: usize>(
    x: &[Line],
    lanes: &[Line],
    (column, wide): (usize, usize),
    [means, factors, summands]: [&[f32]; 3],
    y2: L,
    mut watched: L,
    to: &mut [Line],
) -> L {
    let (zero, share) = (L::splat(0.0), L::splat(1.0 / means.len() as f32));
    let (mut mean, mut variance) = ([zero; C], [zero; C]);
    for x in x.chunks_exact(wide) {
        for (mean, x) in mean.iter_mut().zip(&x[column..column + C]) {
            *mean = mean.add(L::load(x));
        }
    }
    for mean in &mut mean {
        *mean = mean.mul(share);
    }
    for x in x.chunks_exact(wide) {
        for c in 0..C {
            let off = L::load(&x[column + c]).sub(mean[c]);
            variance[c] = off.mul_add(off, variance[c]);
        }
    }
    let (mut factor, mut summand) = ([zero; C], [zero; C]);
    for c in 0..C {
        let deviation = variance[c].mul(share).sqrt();
        watched = deviation.mul_add(zero, watched);
        factor[c] = y2.mul(L::load(&lanes[column + c])).mul(inverse(deviation));
        summand[c] = y2.mul(L::load(&lanes[wide + column + c]));
    }
    let mut all = [zero; C];
    for (t, (x, to)) in x.chunks_exact(wide).zip(to.chunks_exact_mut(wide)).enumerate() {
        let (x, to) = (&x[column..column + C], &mut to[column..column + C]);
        let (own, by, and) = (L::splat(means[t]), L::splat(factors[t]), L::splat(summands[t]));
        for c in 0..C {
            let x = L::load(&x[c]);
            let over = x.sub(mean[c]).mul_add(factor[c], summand[c]);
            let sum = over.add(x.sub(own).mul_add(by, and));
            all[c] = all[c].add(sum);
            sum.store(&mut to[c]);
        }
    }
    for all in all {
        watched = all.mul_add(zero, watched);
    }
    watched
}

/// Lane by lane, the first `values` numbers less `off`, or the squares of that, added.
#[inline(always)]
fn total<L: Lanes, const SQUARES: bool>(x: &[Line], values: usize, off: L) -> L {
    let mut sum = L::splat(0.0);
    for (at, x) in x.iter().enumerate() {
        let moved = L::load(x).sub(off);
        let value = if SQUARES { moved.mul(moved) } else { moved };
        let left = values - at * LANES;
        sum = sum.add(if left >= LANES { value } else { value.keep(left) });
    }
    sum
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
