// @hot
//! The arithmetic of a tick that is not a product with weights, generic over [`Lanes`].
use crate::activation::Activation;
use crate::block::{LANES, Line, flat};
use crate::lanes::Lanes;
use crate::math::{self, exp};

/// Softmax over the first `values` numbers.
#[inline(always)]
pub(crate) fn softmax<L: Lanes>(lines: &mut [Line], values: usize) {
    if let (Some(last), used @ 1..) = (lines.last_mut(), values % 16) {
        last.0[used..].fill(-1e30);
    }
    let mut top = L::splat(f32::MIN);
    for line in lines.iter() {
        top = top.max(L::load(line));
    }
    let top = L::splat(top.fold(|a, b| if a > b { a } else { b }));
    let mut sum = L::splat(0.0);
    for line in lines.iter_mut() {
        let power = exp(L::load(line).sub(top));
        power.store(line);
        sum = sum.add(power);
    }
    let sum = L::splat(sum.fold(|a, b| a + b));
    for line in lines.iter_mut() {
        L::load(line).div(sum).store(line);
    }
}

/// An activation over rows of `values` numbers in `wide` lines each, in place.
#[inline(always)]
pub(crate) fn activate<L: Lanes>(lines: &mut [Line], wide: usize, values: usize, activation: Activation) {
    // Loops and no closures: only what is inlined has the instruction set.
    match activation {
        Activation::None => {}
        Activation::Softmax => {
            for row in lines.chunks_exact_mut(wide) {
                softmax::<L>(row, values);
            }
        }
        _ => {
            for line in lines {
                math::activation(activation, L::load(line)).store(line);
            }
        }
    }
}

/// `to = clamp((to - mean) * scale, -clip, clip)`.
#[inline(always)]
pub(crate) fn normalise<L: Lanes>(to: &mut [Line], scaling: &[Line]) {
    let wide = to.len();
    let clip = L::load(&scaling[2 * wide]);
    let low = L::splat(0.0).sub(clip);
    for (at, line) in to.iter_mut().enumerate() {
        let scaled = L::load(line).sub(L::load(&scaling[at])).mul(L::load(&scaling[wide + at]));
        clip.min(low.max(scaled)).store(line);
    }
}

/// `to = a + b`.
#[inline(always)]
pub(crate) fn add<L: Lanes>(a: &[Line], b: &[Line], to: &mut [Line]) {
    for (out, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
        L::load(a).add(L::load(b)).store(out);
    }
}

/// Every row times one line of factors plus one of summands.
#[inline(always)]
pub(crate) fn scale<L: Lanes>(x: &[Line], weights: &[Line], wide: usize, to: &mut [Line]) {
    let (factors, summands) = weights.split_at(wide);
    for (x, to) in x.chunks_exact(wide).zip(to.chunks_exact_mut(wide)) {
        for (((x, to), factor), summand) in x.iter().zip(to).zip(factors).zip(summands) {
            L::load(x).mul_add(L::load(factor), L::load(summand)).store(to);
        }
    }
}

/// `to[j] = act(start[j] + sum over t of w[t][j] x[t])`; `weights`: `w`, then the rows of `start`.
#[inline(always)]
pub(crate) fn mix<L: Lanes>(
    x: &[Line],
    weights: &[Line],
    (times, given): (usize, usize),
    wide: usize,
    to: &mut [Line],
    activation: Activation,
) {
    let (w, start) = weights.split_at((times * given).div_ceil(LANES));
    let w = &flat(w)[..times * given];
    for column in 0..wide {
        let mut j = 0;
        while given - j >= 5 {
            mix_rows::<L, 5>(x, w, start, (j, given), (column, wide), to, activation);
            j += 5;
        }
        for j in j..given {
            mix_rows::<L, 1>(x, w, start, (j, given), (column, wide), to, activation);
        }
    }
}

#[inline(always)]
fn mix_rows<L: Lanes, const R: usize>(
    x: &[Line],
    w: &[f32],
    start: &[Line],
    (j, given): (usize, usize),
    (column, wide): (usize, usize),
    to: &mut [Line],
    activation: Activation,
) {
    let mut sums = [L::splat(0.0); R];
    for (r, sum) in sums.iter_mut().enumerate() {
        *sum = L::load(&start[(j + r) * wide + column]);
    }
    for (x, w) in x.chunks_exact(wide).zip(w.chunks_exact(given)) {
        let (x, w) = (L::load(&x[column]), &w[j..j + R]);
        for r in 0..R {
            sums[r] = L::splat(w[r]).mul_add(x, sums[r]);
        }
    }
    for (r, sum) in sums.into_iter().enumerate() {
        math::activation(activation, sum).store(&mut to[(j + r) * wide + column]);
    }
}

/// The attention of a TABL: `to = x (l + (1 - l) a)`, `a` the softmax over time of `w' x` whose diagonal is one over the time.
#[inline(always)]
pub(crate) fn focus<L: Lanes>(
    x: &[Line],
    weights: &[Line],
    wide: usize,
    energy: &mut [Line],
    to: &mut [Line],
) {
    let time = x.len() / wide;
    let (l, w) = weights.split_at(1);
    let (l, w) = (L::load(&l[0]), &flat(w)[..time * time]);
    let (own, rest) = (L::splat(1.0 / time as f32), L::splat(1.0).sub(l));
    for column in 0..wide {
        let mut top = L::splat(f32::MIN);
        for j in 0..time {
            let mut sum = L::splat(0.0);
            for s in 0..time {
                let factor = if s == j { own } else { L::splat(w[s * time + j]) };
                sum = factor.mul_add(L::load(&x[s * wide + column]), sum);
            }
            sum.store(&mut energy[j * wide + column]);
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
}

/// Bilinear normalisation over rows of `values` numbers; `weights`: y1, y2, a line for each `l1`, for each `b1`, then `l2`, `b2`.
#[inline(always)]
pub(crate) fn bilinear_norm<L: Lanes>(
    x: &[Line],
    weights: &[Line],
    wide: usize,
    values: usize,
    to: &mut [Line],
) {
    let time = x.len() / wide;
    let (one, least) = (L::splat(1.0), L::splat(1e-4));
    let (y1, y2) = (L::load(&weights[0]), L::load(&weights[1]));
    let (rows, lanes) = weights[2..].split_at(2 * time);
    let (l2, b2) = lanes.split_at(wide);
    let share = 1.0 / values as f32;
    for (t, (x, to)) in x.chunks_exact(wide).zip(to.chunks_exact_mut(wide)).enumerate() {
        let mean = L::splat(total::<L, false>(x, values, L::splat(0.0)) * share);
        let variance = total::<L, true>(x, values, mean) * share;
        let deviation = L::splat(variance).sqrt();
        let inverse = one.div(deviation.pick(least, one, deviation));
        let factor = y1.mul(L::load(&rows[t])).mul(inverse);
        let summand = y1.mul(L::load(&rows[time + t]));
        for (x, to) in x.iter().zip(to) {
            L::load(x).sub(mean).mul_add(factor, summand).store(to);
        }
    }
    let share = L::splat(1.0 / time as f32);
    for column in 0..wide {
        let mut mean = L::splat(0.0);
        for x in x.chunks_exact(wide) {
            mean = mean.add(L::load(&x[column]));
        }
        mean = mean.mul(share);
        let mut variance = L::splat(0.0);
        for x in x.chunks_exact(wide) {
            let off = L::load(&x[column]).sub(mean);
            variance = off.mul_add(off, variance);
        }
        let deviation = variance.mul(share).sqrt();
        let inverse = one.div(deviation.pick(least, one, deviation));
        let (factor, summand) = (y2.mul(L::load(&l2[column])).mul(inverse), y2.mul(L::load(&b2[column])));
        for (x, to) in x.chunks_exact(wide).zip(to.chunks_exact_mut(wide)) {
            let scaled = L::load(&x[column]).sub(mean).mul_add(factor, summand);
            scaled.add(L::load(&to[column])).store(&mut to[column]);
        }
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
        if left >= LANES {
            sum = sum.add(value);
        } else {
            let mut line = Line::ZERO;
            value.store(&mut line);
            line.0[left..].fill(0.0);
            sum = sum.add(L::load(&line));
        }
    }
    sum.sum()
}

/// `to = sum a[t] x[t]`, `a` the softmax over time of `hidden[t] . query`; uses up `hidden`, rows of `values` numbers.
#[inline(always)]
pub(crate) fn attend<L: Lanes>(
    x: &[Line],
    hidden: &mut [Line],
    (hidden_wide, values): (usize, usize),
    query: &[Line],
    to: &mut [Line],
) {
    let (time, wide) = (hidden.len() / hidden_wide, to.len());
    for t in 0..time {
        let mut sum = L::splat(0.0);
        for (nth, (h, q)) in hidden[t * hidden_wide..(t + 1) * hidden_wide].iter().zip(query).enumerate() {
            let product = L::load(h).mul(L::load(q));
            // Lanes behind the last number are not the hidden vector's; the query's are zero there.
            debug_assert!(values > nth * LANES);
            sum = sum.add(product);
        }
        // Row `t` has been read, and place `t` lies in a row that has.
        hidden[t / LANES].0[t % LANES] = sum.sum();
    }
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

/// True when all numbers are finite.
#[inline(always)]
pub(crate) fn all_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    values.iter().fold(true, |good, value| good & (value.to_bits() & EXPONENT != EXPONENT))
}

/// The first `values` numbers of lines.
#[inline(always)]
pub(crate) fn head(lines: &[Line], values: usize) -> &[f32] {
    &flat(lines)[..values]
}
