//! BL, TABL and BiN over windows; the equations are in `layer.rs`.
use crate::activation::Activation;
use crate::net::gemm::Grid;
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add, add_rows, dot, sum};

/// A deviation below this counts as 1.
const DEVIATION_MIN: f64 = 1e-4;

impl<T: Real> Pass<'_, T> {
    /// `y[j] += sum over t of w2[t][j] x[t]`: the product over time, of one sequence.
    fn mix(&mut self, x: &[T], w2: &[T], outputs: usize, times: usize, y: &mut [T]) {
        let packed = &mut self.scratch.packed;
        T::pack(x, Grid::rows(outputs), x.len() / outputs, outputs, packed);
        T::multiply(self.level, times, w2, Grid::turned(times), packed, y, outputs);
    }

    /// The way back of [`Pass::mix`]: `dx[t] += sum w2[t][j] dy[j]`, `dw2[t][j] += x[t] . dy[j]`.
    #[allow(clippy::too_many_arguments, reason = "the operands of two products")]
    fn mix_back(
        &mut self,
        x: &[T],
        w2: &[T],
        outputs: usize,
        times: usize,
        dy: &[T],
        dx: &mut [T],
        dw2: &mut [T],
    ) {
        let (time, packed) = (x.len() / outputs, &mut self.scratch.packed);
        T::pack(dy, Grid::rows(outputs), times, outputs, packed);
        T::multiply(self.level, time, w2, Grid::rows(times), packed, dx, outputs);
        T::pack(dy, Grid::turned(outputs), outputs, times, packed);
        T::multiply(self.level, time, x, Grid::rows(outputs), packed, dw2, times);
    }

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
            self.mix(inner, w2, outputs, times, y);
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
            self.mix_back(inner, w2, outputs, times, dy, d_inner, dw2);
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
        let block = time * outputs;
        let w = self.mixing(w, time);
        for (at, y) in y.chunks_exact_mut(times * outputs).enumerate() {
            let span = at * block..(at + 1) * block;
            let (inner, attention) = (&inner[span.clone()], &mut attention[span.clone()]);
            let blend = &mut blend[span];
            attention.fill(T::default());
            self.mix(inner, &w, outputs, time, attention);
            self.level.plainly(|| {
                softmax_over_time(attention, outputs);
                for ((blend, x), a) in blend.iter_mut().zip(inner).zip(&*attention) {
                    *blend = *x * (l[0] + (T::ONE - l[0]) * *a);
                }
            });
            y.copy_from_slice(bias);
            self.mix(blend, w2, outputs, times, y);
        }
        self.scratch.second = w;
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
        let (whole, block) = (self.rows() * outputs, time * outputs);
        let w = self.mixing(w, time);
        let mut slopes = std::mem::take(&mut self.scratch.first);
        let (d_inner, rest) = zeros(&mut slopes, whole + 2 * block + time * time).split_at_mut(whole);
        let (d_blend, rest) = rest.split_at_mut(block);
        let (energy, d_mixing) = rest.split_at_mut(block);
        for (at, dy) in dy.chunks_exact(times * outputs).enumerate() {
            let span = at * block..(at + 1) * block;
            let (inner, attention) = (&cache[span.clone()], &cache[whole..][span.clone()]);
            let (blend, d_inner) = (&cache[2 * whole..][span.clone()], &mut d_inner[span]);
            add(d_bias, dy);
            d_blend.fill(T::default());
            self.mix_back(blend, w2, outputs, times, dy, d_blend, dw2);
            self.level.plainly(|| {
                for at in 0..block {
                    let (x, a, d) = (inner[at], attention[at], d_blend[at]);
                    energy[at] = d * x * (T::ONE - a);
                    d_inner[at] = d * (l[0] + (T::ONE - l[0]) * a);
                }
                dl[0] += sum(energy);
                for at in 0..block {
                    energy[at] = d_blend[at] * inner[at] * (T::ONE - l[0]);
                }
                softmax_over_time_back(attention, energy, outputs);
            });
            self.mix_back(inner, &w, outputs, time, energy, d_inner, d_mixing);
        }
        for (at, (dw, d)) in d_w.iter_mut().zip(&*d_mixing).enumerate() {
            // The diagonal is fixed.
            *dw += if at % (time + 1) == 0 { T::default() } else { *d };
        }
        self.product_back(self.rows(), self.x, features, w1, outputs, d_inner, dx, dw1);
        (self.scratch.first, self.scratch.second) = (slopes, w);
    }

    /// A TABL's matrix over time with its diagonal fixed, to be put back into `scratch.second`.
    fn mixing(&mut self, w: &[T], time: usize) -> Vec<T> {
        let mut own = std::mem::take(&mut self.scratch.second);
        own.clear();
        own.extend_from_slice(w);
        own.iter_mut().step_by(time + 1).for_each(|w| *w = T::ONE / T::of(time as f64));
        own
    }

    /// Cache of each sequence: `Z1`, `Z2`, one over each feature's and each time's deviation, negative where that counts as 1.
    pub(super) fn bin(&mut self, y: &mut [T], cache: &mut [T]) {
        let (time, features, all) = (self.from.time, self.from.features(), self.from.len());
        let (y12, rest) = self.w.split_at(2);
        let ((l1, b1), rest) = (rest[..2 * time].split_at(time), &rest[2 * time..]);
        let (l2, b2) = rest.split_at(features);
        let samples = y.chunks_exact_mut(all).zip(self.x.chunks_exact(all));
        self.level.plainly(|| {
            for ((y, x), cache) in samples.zip(cache.chunks_exact_mut(2 * all + features + time)) {
                let (z1, rest) = cache.split_at_mut(all);
                let (z2, rest) = rest.split_at_mut(all);
                let (by_feature, by_time) = rest.split_at_mut(features);
                let rows = x.chunks_exact(features).zip(z1.chunks_exact_mut(features));
                for ((x, z), inverse) in rows.zip(by_time) {
                    *inverse = normalise(x, z);
                }
                normalise_columns(x, z2, by_feature);
                for t in 0..time {
                    let span = t * features..(t + 1) * features;
                    let (y, z1, z2) = (&mut y[span.clone()], &z1[span.clone()], &z2[span]);
                    let (l1, b1) = (l1[t], b1[t]);
                    for f in 0..features {
                        y[f] = y12[0] * (l1 * z1[f] + b1) + y12[1] * (l2[f] * z2[f] + b2[f]);
                    }
                }
            }
        });
    }

    pub(super) fn bin_back(&mut self, dy: &[T], cache: &[T], dx: &mut [T], dw: &mut [T]) {
        let (time, features, all) = (self.from.time, self.from.features(), self.from.len());
        let (y12, rest) = self.w.split_at(2);
        let ((l1, b1), rest) = (rest[..2 * time].split_at(time), &rest[2 * time..]);
        let (l2, b2) = rest.split_at(features);
        let (dy12, rest) = dw.split_at_mut(2);
        let (d1, d2) = rest.split_at_mut(2 * time);
        let ((dl1, db1), (dl2, db2)) = (d1.split_at_mut(time), d2.split_at_mut(features));
        let scratch = zeros(&mut self.scratch.first, 3 * features);
        let samples = dy.chunks_exact(all).zip(dx.chunks_exact_mut(all));
        self.level.plainly(|| {
            for ((dy, dx), cache) in samples.zip(cache.chunks_exact(2 * all + features + time)) {
                let (z1, rest) = cache.split_at(all);
                let (z2, rest) = rest.split_at(all);
                let (by_feature, by_time) = rest.split_at(features);
                for t in 0..time {
                    let span = t * features..(t + 1) * features;
                    let (dy, z1) = (&dy[span.clone()], &z1[span.clone()]);
                    let (mean, along) = (sum(dy), dot(dy, z1));
                    dy12[0] += l1[t] * along + b1[t] * mean;
                    dl1[t] += y12[0] * along;
                    db1[t] += y12[0] * mean;
                    normalise_back(z1, dy, &mut dx[span], by_time[t], y12[0] * l1[t], mean, along);
                }
                let (mean, rest) = scratch.split_at_mut(features);
                let (along, factor) = rest.split_at_mut(features);
                mean.fill(T::default());
                along.fill(T::default());
                for (dy, z) in dy.chunks_exact(features).zip(z2.chunks_exact(features)) {
                    for f in 0..features {
                        mean[f] += dy[f];
                        along[f] += dy[f] * z[f];
                    }
                }
                let share = T::ONE / T::of(time as f64);
                for f in 0..features {
                    dy12[1] += l2[f] * along[f] + b2[f] * mean[f];
                    dl2[f] += y12[1] * along[f];
                    db2[f] += y12[1] * mean[f];
                    let small = by_feature[f] < T::default();
                    factor[f] = y12[1] * l2[f] * if small { T::ONE } else { by_feature[f] };
                    along[f] = if small { T::default() } else { along[f] * share };
                    mean[f] = mean[f] * share;
                }
                let rows = dy.chunks_exact(features).zip(z2.chunks_exact(features));
                for ((dy, z), dx) in rows.zip(dx.chunks_exact_mut(features)) {
                    for f in 0..features {
                        dx[f] += factor[f] * (dy[f] - mean[f] - z[f] * along[f]);
                    }
                }
            }
        });
    }
}

/// One over a deviation, negative where that is so small that it counts as 1.
#[inline(always)]
fn inverse_of<T: Real>(variance: T) -> T {
    let deviation = variance.sqrt();
    if deviation < T::of(DEVIATION_MIN) { -T::ONE } else { T::ONE / deviation }
}

/// Normalises numbers and returns one over their deviation, negative where that counts as 1.
#[inline(always)]
fn normalise<T: Real>(x: &[T], z: &mut [T]) -> T {
    let share = T::ONE / T::of(x.len() as f64);
    let mean = sum(x) * share;
    z.iter_mut().zip(x).for_each(|(z, x)| *z = *x - mean);
    let inverse = inverse_of(dot(z, z) * share);
    let scale = if inverse < T::default() { -inverse } else { inverse };
    z.iter_mut().for_each(|z| *z = *z * scale);
    inverse
}

/// The same of each column of rows as long as `inverses`.
#[inline(always)]
fn normalise_columns<T: Real>(x: &[T], z: &mut [T], inverses: &mut [T]) {
    let features = inverses.len();
    let share = T::ONE / T::of((x.len() / features) as f64);
    // The means stand where the inverses will.
    inverses.fill(T::default());
    add_rows(inverses, x);
    inverses.iter_mut().for_each(|mean| *mean = *mean * share);
    for (z, x) in z.chunks_exact_mut(features).zip(x.chunks_exact(features)) {
        for f in 0..features {
            z[f] = x[f] - inverses[f];
        }
    }
    inverses.fill(T::default());
    for z in z.chunks_exact(features) {
        for f in 0..features {
            inverses[f] += z[f] * z[f];
        }
    }
    inverses.iter_mut().for_each(|variance| *variance = inverse_of(*variance * share));
    for z in z.chunks_exact_mut(features) {
        for f in 0..features {
            z[f] = z[f] * if inverses[f] < T::default() { -inverses[f] } else { inverses[f] };
        }
    }
}

/// The way back of [`normalise`]: slopes by `z` are `dy * scale`; `mean` is their sum and `along` their product with `z`, unscaled.
#[inline(always)]
fn normalise_back<T: Real>(z: &[T], dy: &[T], dx: &mut [T], inverse: T, scale: T, mean: T, along: T) {
    let share = T::ONE / T::of(z.len() as f64);
    let small = inverse < T::default();
    let (mean, along) = (mean * share, if small { T::default() } else { along * share });
    let factor = scale * if small { T::ONE } else { inverse };
    for (dx, (dy, z)) in dx.iter_mut().zip(dy.iter().zip(z)) {
        *dx += factor * (*dy - mean - *z * along);
    }
}

/// Softmax over time for each of `outputs` features of a `[time][outputs]` block.
#[inline(always)]
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
#[inline(always)]
fn softmax_over_time_back<T: Real>(a: &[T], slopes: &mut [T], outputs: usize) {
    for feature in 0..outputs {
        let places = || (feature..a.len()).step_by(outputs);
        let mut mean = T::default();
        places().for_each(|at| mean += a[at] * slopes[at]);
        places().for_each(|at| slopes[at] = a[at] * (slopes[at] - mean));
    }
}
