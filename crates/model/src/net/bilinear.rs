//! BL, TABL and BiN over windows; the equations are in `layer.rs`.
use crate::activation::Activation;
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add, add_scaled, dot};

/// A deviation below this counts as 1.
const DEVIATION_MIN: f64 = 1e-4;

/// `y[j] += sum over t of w2[t][j] x[t]`: the product over time.
fn mix<T: Real>(x: &[T], w2: &[T], outputs: usize, times: usize, y: &mut [T]) {
    for (x, w2) in x.chunks_exact(outputs).zip(w2.chunks_exact(times)) {
        for (y, w) in y.chunks_exact_mut(outputs).zip(w2) {
            add_scaled(y, *w, x);
        }
    }
}

/// The way back of [`mix`]: `dx[t] += sum w2[t][j] dy[j]`, `dw2[t][j] += x[t] . dy[j]`.
fn mix_back<T: Real>(x: &[T], w2: &[T], outputs: usize, times: usize, dy: &[T], dx: &mut [T], dw2: &mut [T]) {
    let rows = x.chunks_exact(outputs).zip(dx.chunks_exact_mut(outputs));
    for ((x, dx), (w2, dw2)) in rows.zip(w2.chunks_exact(times).zip(dw2.chunks_exact_mut(times))) {
        for (dy, (w, dw)) in dy.chunks_exact(outputs).zip(w2.iter().zip(dw2)) {
            add_scaled(dx, *w, dy);
            *dw += dot(x, dy);
        }
    }
}

impl<T: Real> Pass<'_, T> {
    /// Cache, `[batch]`: `x W1`.
    pub(super) fn bl(
        &mut self,
        outputs: usize,
        times: usize,
        activation: Activation,
        y: &mut [T],
        cache: &mut [T],
    ) {
        let (time, features) = (self.from.time, self.from.features());
        let (w1, rest) = self.w.split_at(features * outputs);
        let (w2, bias) = rest.split_at(time * times);
        let inner = &mut cache[..self.rows() * outputs];
        inner.fill(T::default());
        self.product(self.rows(), self.x, features, w1, outputs, inner);
        for (y, inner) in y.chunks_exact_mut(times * outputs).zip(inner.chunks_exact(time * outputs)) {
            y.copy_from_slice(bias);
            mix(inner, w2, outputs, times, y);
        }
        self.activate(activation, y, cache);
    }

    pub(super) fn bl_back(
        &mut self,
        outputs: usize,
        times: usize,
        dy: &[T],
        cache: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        let (time, features) = (self.from.time, self.from.features());
        let (w1, rest) = self.w.split_at(features * outputs);
        let w2 = &rest[..time * times];
        let (dw1, rest) = dw.split_at_mut(features * outputs);
        let (dw2, d_bias) = rest.split_at_mut(time * times);
        let mut slopes = std::mem::take(&mut self.scratch.first);
        let d_inner = zeros(&mut slopes, self.rows() * outputs);
        let inner = cache.chunks_exact(time * outputs).zip(d_inner.chunks_exact_mut(time * outputs));
        for (dy, (inner, d_inner)) in dy.chunks_exact(times * outputs).zip(inner) {
            add(d_bias, dy);
            mix_back(inner, w2, outputs, times, dy, d_inner, dw2);
        }
        self.product_back(self.rows(), self.x, features, w1, outputs, d_inner, dx, dw1);
        self.scratch.first = slopes;
    }

    /// Cache, each `[batch][time][outputs]`: `X = x W1`, the attention `A`, the blend.
    pub(super) fn tabl(
        &mut self,
        outputs: usize,
        times: usize,
        activation: Activation,
        y: &mut [T],
        cache: &mut [T],
    ) {
        let (time, features) = (self.from.time, self.from.features());
        let (w1, rest) = self.w.split_at(features * outputs);
        let (w, rest) = rest.split_at(time * time);
        let (l, rest) = rest.split_at(1);
        let (w2, bias) = rest.split_at(time * times);
        let whole = self.rows() * outputs;
        let (inner, rest) = cache.split_at_mut(whole);
        inner.fill(T::default());
        self.product(self.rows(), self.x, features, w1, outputs, inner);
        let (attention, rest) = rest.split_at_mut(whole);
        let blend = &mut rest[..whole];
        let (block, own) = (time * outputs, T::ONE / T::of(time as f64));
        for (at, y) in y.chunks_exact_mut(times * outputs).enumerate() {
            let span = at * block..(at + 1) * block;
            let (inner, attention) = (&inner[span.clone()], &mut attention[span.clone()]);
            let blend = &mut blend[span];
            attention.fill(T::default());
            for (s, inner) in inner.chunks_exact(outputs).enumerate() {
                for (j, energy) in attention.chunks_exact_mut(outputs).enumerate() {
                    add_scaled(energy, if s == j { own } else { w[s * time + j] }, inner);
                }
            }
            softmax_over_time(attention, outputs);
            for ((blend, x), a) in blend.iter_mut().zip(inner).zip(attention) {
                *blend = *x * (l[0] + (T::ONE - l[0]) * *a);
            }
            y.copy_from_slice(bias);
            mix(blend, w2, outputs, times, y);
        }
        self.activate(activation, y, cache);
    }

    pub(super) fn tabl_back(
        &mut self,
        outputs: usize,
        times: usize,
        dy: &[T],
        cache: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        let (time, features) = (self.from.time, self.from.features());
        let (w1, rest) = self.w.split_at(features * outputs);
        let (w, rest) = rest.split_at(time * time);
        let (l, rest) = rest.split_at(1);
        let w2 = &rest[..time * times];
        let (dw1, rest) = dw.split_at_mut(features * outputs);
        let (d_w, rest) = rest.split_at_mut(time * time);
        let (dl, rest) = rest.split_at_mut(1);
        let (dw2, d_bias) = rest.split_at_mut(time * times);
        let (whole, block, own) = (self.rows() * outputs, time * outputs, T::ONE / T::of(time as f64));
        let mut slopes = std::mem::take(&mut self.scratch.first);
        let mut others = std::mem::take(&mut self.scratch.second);
        let d_inner = zeros(&mut slopes, whole);
        let (d_blend, energy) = zeros(&mut others, 2 * block).split_at_mut(block);
        for (at, dy) in dy.chunks_exact(times * outputs).enumerate() {
            let span = at * block..(at + 1) * block;
            let (inner, attention) = (&cache[span.clone()], &cache[whole..][span.clone()]);
            let (blend, d_inner) = (&cache[2 * whole..][span.clone()], &mut d_inner[span]);
            add(d_bias, dy);
            d_blend.fill(T::default());
            mix_back(blend, w2, outputs, times, dy, d_blend, dw2);
            for at in 0..block {
                let (x, a, d) = (inner[at], attention[at], d_blend[at]);
                dl[0] += d * x * (T::ONE - a);
                d_inner[at] = d * (l[0] + (T::ONE - l[0]) * a);
                energy[at] = d * x * (T::ONE - l[0]);
            }
            softmax_over_time_back(attention, energy, outputs);
            let rows = inner.chunks_exact(outputs).zip(d_inner.chunks_exact_mut(outputs));
            for (s, (x, dx)) in rows.enumerate() {
                for (j, energy) in energy.chunks_exact(outputs).enumerate() {
                    add_scaled(dx, if s == j { own } else { w[s * time + j] }, energy);
                    if s != j {
                        d_w[s * time + j] += dot(x, energy);
                    }
                }
            }
        }
        self.product_back(self.rows(), self.x, features, w1, outputs, d_inner, dx, dw1);
        (self.scratch.first, self.scratch.second) = (slopes, others);
    }

    /// Cache of each sequence: `Z1`, `Z2`, one over each feature's and each time's deviation, negative where that counts as 1.
    pub(super) fn bin(&mut self, y: &mut [T], cache: &mut [T]) {
        let (time, features, all) = (self.from.time, self.from.features(), self.from.len());
        let (y12, rest) = self.w.split_at(2);
        let ((l1, b1), rest) = (rest[..2 * time].split_at(time), &rest[2 * time..]);
        let (l2, b2) = rest.split_at(features);
        let samples = y.chunks_exact_mut(all).zip(self.x.chunks_exact(all));
        for ((y, x), cache) in samples.zip(cache.chunks_exact_mut(2 * all + features + time)) {
            let (z1, rest) = cache.split_at_mut(all);
            let (z2, rest) = rest.split_at_mut(all);
            let (by_feature, by_time) = rest.split_at_mut(features);
            for (t, inverse) in by_time.iter_mut().enumerate() {
                *inverse = normalise(x, z1, t * features, 1, features);
            }
            for (f, inverse) in by_feature.iter_mut().enumerate() {
                *inverse = normalise(x, z2, f, features, time);
            }
            for t in 0..time {
                for f in 0..features {
                    let at = t * features + f;
                    y[at] = y12[0] * (l1[t] * z1[at] + b1[t]) + y12[1] * (l2[f] * z2[at] + b2[f]);
                }
            }
        }
    }

    pub(super) fn bin_back(&mut self, dy: &[T], cache: &[T], dx: &mut [T], dw: &mut [T]) {
        let (time, features, all) = (self.from.time, self.from.features(), self.from.len());
        let (y12, rest) = self.w.split_at(2);
        let ((l1, b1), rest) = (rest[..2 * time].split_at(time), &rest[2 * time..]);
        let (l2, b2) = rest.split_at(features);
        let (dy12, rest) = dw.split_at_mut(2);
        let (d1, d2) = rest.split_at_mut(2 * time);
        let ((dl1, db1), (dl2, db2)) = (d1.split_at_mut(time), d2.split_at_mut(features));
        let samples = dy.chunks_exact(all).zip(dx.chunks_exact_mut(all));
        for ((dy, dx), cache) in samples.zip(cache.chunks_exact(2 * all + features + time)) {
            let (z1, rest) = cache.split_at(all);
            let (z2, rest) = rest.split_at(all);
            let (by_feature, by_time) = rest.split_at(features);
            for t in 0..time {
                for f in 0..features {
                    let at = t * features + f;
                    dy12[0] += dy[at] * (l1[t] * z1[at] + b1[t]);
                    dy12[1] += dy[at] * (l2[f] * z2[at] + b2[f]);
                    dl1[t] += dy[at] * y12[0] * z1[at];
                    db1[t] += dy[at] * y12[0];
                    dl2[f] += dy[at] * y12[1] * z2[at];
                    db2[f] += dy[at] * y12[1];
                }
            }
            for (t, inverse) in by_time.iter().enumerate() {
                normalise_back(z1, dy, dx, *inverse, y12[0] * l1[t], t * features, 1, features);
            }
            for (f, inverse) in by_feature.iter().enumerate() {
                normalise_back(z2, dy, dx, *inverse, y12[1] * l2[f], f, features, time);
            }
        }
    }
}

/// Normalises `count` numbers, `step` apart, and returns one over their deviation, negative where that counts as 1.
fn normalise<T: Real>(x: &[T], z: &mut [T], from: usize, step: usize, count: usize) -> T {
    let places = || (0..count).map(|nth| from + nth * step);
    let share = T::ONE / T::of(count as f64);
    let mut mean = T::default();
    places().for_each(|at| mean += x[at]);
    mean = mean * share;
    let mut variance = T::default();
    places().for_each(|at| variance += (x[at] - mean) * (x[at] - mean));
    let deviation = (variance * share).sqrt();
    let small = deviation < T::of(DEVIATION_MIN);
    let inverse = if small { T::ONE } else { T::ONE / deviation };
    places().for_each(|at| z[at] = (x[at] - mean) * inverse);
    if small { -inverse } else { inverse }
}

/// The way back of [`normalise`]: slopes by `z` are `dy * scale`.
#[allow(clippy::too_many_arguments, reason = "three vectors and how they are walked")]
fn normalise_back<T: Real>(
    z: &[T],
    dy: &[T],
    dx: &mut [T],
    inverse: T,
    scale: T,
    from: usize,
    step: usize,
    count: usize,
) {
    let places = || (0..count).map(|nth| from + nth * step);
    let share = T::ONE / T::of(count as f64);
    let small = inverse < T::default();
    let (mut mean, mut along) = (T::default(), T::default());
    places().for_each(|at| {
        mean += dy[at];
        along += dy[at] * z[at];
    });
    mean = mean * share;
    along = if small { T::default() } else { along * share };
    let factor = scale * if small { T::ONE } else { inverse };
    places().for_each(|at| dx[at] += factor * (dy[at] - mean - z[at] * along));
}

/// Softmax over time for each of `outputs` features of a `[time][outputs]` block.
fn softmax_over_time<T: Real>(values: &mut [T], outputs: usize) {
    for feature in 0..outputs {
        let mut top = values[feature];
        for value in values[feature..].iter().step_by(outputs) {
            if *value > top {
                top = *value;
            }
        }
        let mut sum = T::default();
        for value in values[feature..].iter_mut().step_by(outputs) {
            *value = (*value - top).exp();
            sum += *value;
        }
        for value in values[feature..].iter_mut().step_by(outputs) {
            *value = *value / sum;
        }
    }
}

/// Turns slopes by the attention into slopes by the energies, in place.
fn softmax_over_time_back<T: Real>(a: &[T], slopes: &mut [T], outputs: usize) {
    for feature in 0..outputs {
        let places = || (feature..a.len()).step_by(outputs);
        let mut mean = T::default();
        places().for_each(|at| mean += a[at] * slopes[at]);
        places().for_each(|at| slopes[at] = a[at] * (slopes[at] - mean));
    }
}
