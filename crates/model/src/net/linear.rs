//! Linear attention with forgetting.
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add_scaled, dot};

/// Keeps a division by nothing away.
const LEAST: f64 = 1e-6;

/// Of each sequence: `f(q)`, `f(k)`, `v`, the answers, their divisors, and the sums `S`, `z` after each time.
pub(super) fn cache_len(time: usize, keys: usize, outputs: usize) -> usize {
    time * (2 * keys + 2 * outputs + 1 + keys * (outputs + 1))
}

/// `elu(x) + 1`.
fn positive<T: Real>(x: T) -> T {
    if x > T::default() { x + T::ONE } else { x.exp() }
}

/// Slope of [`positive`], from its value.
fn positive_slope<T: Real>(value: T) -> T {
    if value > T::ONE { T::ONE } else { value }
}

/// The parts of a cache.
struct Parts<S> {
    q: S,
    k: S,
    v: S,
    answers: S,
    divisors: S,
    sums: S,
}

fn parts<T>(cache: &[T], rows: usize, keys: usize, outputs: usize) -> Parts<&[T]> {
    let (q, rest) = cache.split_at(rows * keys);
    let (k, rest) = rest.split_at(rows * keys);
    let (v, rest) = rest.split_at(rows * outputs);
    let (answers, rest) = rest.split_at(rows * outputs);
    let (divisors, sums) = rest.split_at(rows);
    Parts { q, k, v, answers, divisors, sums }
}

fn parts_mut<T>(cache: &mut [T], rows: usize, keys: usize, outputs: usize) -> Parts<&mut [T]> {
    let (q, rest) = cache.split_at_mut(rows * keys);
    let (k, rest) = rest.split_at_mut(rows * keys);
    let (v, rest) = rest.split_at_mut(rows * outputs);
    let (answers, rest) = rest.split_at_mut(rows * outputs);
    let (divisors, sums) = rest.split_at_mut(rows);
    Parts { q, k, v, answers, divisors, sums }
}

impl<T: Real> Pass<'_, T> {
    /// State of each sequence: `S` (`keys` rows of `outputs`), `z`.
    pub(super) fn linear_attention(
        &mut self,
        keys: usize,
        outputs: usize,
        decay: f32,
        y: &mut [T],
        cache: &mut [T],
        state: &mut [T],
    ) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let (wq, rest) = self.w.split_at(features * keys);
        let (wk, wv) = rest.split_at(features * keys);
        let part = parts_mut(cache, rows, keys, outputs);
        for (w, given, to) in
            [(wq, keys, &mut *part.q), (wk, keys, &mut *part.k), (wv, outputs, &mut *part.v)]
        {
            to.fill(T::default());
            self.product(rows, self.x, features, w, given, to);
        }
        part.q.iter_mut().chain(part.k.iter_mut()).for_each(|value| *value = positive(*value));
        let (decay, size) = (T::of(f64::from(decay)), keys * (outputs + 1));
        for row in 0..rows {
            let (lane, first) = (row / time, row % time == 0);
            let state = &mut state[lane * size..(lane + 1) * size];
            let (before, own) = part.sums.split_at_mut(row * size);
            let own = &mut own[..size];
            own.copy_from_slice(if first { state } else { &before[(row - 1) * size..] });
            own.iter_mut().for_each(|sum| *sum = *sum * decay);
            let (s, z) = own.split_at_mut(keys * outputs);
            let (q, k) = (&part.q[row * keys..(row + 1) * keys], &part.k[row * keys..(row + 1) * keys]);
            let v = &part.v[row * outputs..(row + 1) * outputs];
            let y = &mut y[row * outputs..(row + 1) * outputs];
            y.fill(T::default());
            for (key, s) in s.chunks_exact_mut(outputs).enumerate() {
                add_scaled(s, k[key], v);
                z[key] += k[key];
                add_scaled(y, q[key], s);
            }
            let divisor = dot(q, z) + T::of(LEAST);
            y.iter_mut().for_each(|y| *y = *y / divisor);
            part.divisors[row] = divisor;
            part.answers[row * outputs..(row + 1) * outputs].copy_from_slice(y);
            if row % time == time - 1 {
                state.copy_from_slice(own);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "sizes, slopes and memory of one layer")]
    pub(super) fn linear_attention_back(
        &mut self,
        keys: usize,
        outputs: usize,
        decay: f32,
        dy: &[T],
        cache: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let part = parts(cache, rows, keys, outputs);
        let mut slopes = std::mem::take(&mut self.scratch.first);
        let mut carried = std::mem::take(&mut self.scratch.second);
        let (dq, rest) = zeros(&mut slopes, rows * (2 * keys + outputs)).split_at_mut(rows * keys);
        let (dk, dv) = rest.split_at_mut(rows * keys);
        let (decay, size) = (T::of(f64::from(decay)), keys * (outputs + 1));
        let d_sums = zeros(&mut carried, size + outputs);
        for row in (0..rows).rev() {
            let (d_sums, scaled) = d_sums.split_at_mut(size);
            if row % time == time - 1 {
                d_sums.fill(T::default());
            }
            let (s, z) = part.sums[row * size..(row + 1) * size].split_at(keys * outputs);
            let (ds, d_z) = d_sums.split_at_mut(keys * outputs);
            let span = row * outputs..(row + 1) * outputs;
            let own = row * keys..(row + 1) * keys;
            let (q, k, v) = (&part.q[own.clone()], &part.k[own.clone()], &part.v[span.clone()]);
            let (dq, dk, dv) = (&mut dq[own.clone()], &mut dk[own], &mut dv[span.clone()]);
            let share = T::ONE / part.divisors[row];
            for (scaled, dy) in scaled.iter_mut().zip(&dy[span.clone()]) {
                *scaled = *dy * share;
            }
            let along = dot(scaled, &part.answers[span]);
            for key in 0..keys {
                let (s, ds) =
                    (&s[key * outputs..(key + 1) * outputs], &mut ds[key * outputs..(key + 1) * outputs]);
                dq[key] = (dot(s, scaled) - along * z[key]) * positive_slope(q[key]);
                add_scaled(ds, q[key], scaled);
                d_z[key] += -(along * q[key]);
                dk[key] = (dot(ds, v) + d_z[key]) * positive_slope(k[key]);
                add_scaled(dv, k[key], ds);
            }
            d_sums.iter_mut().for_each(|slope| *slope = *slope * decay);
        }
        let mut at = 0;
        for (given, slopes) in [(keys, &*dq), (keys, &*dk), (outputs, &*dv)] {
            let span = at..at + features * given;
            at = span.end;
            self.product_back(
                rows,
                self.x,
                features,
                &self.w[span.clone()],
                given,
                slopes,
                dx,
                &mut dw[span],
            );
        }
        (self.scratch.first, self.scratch.second) = (slopes, carried);
    }
}
