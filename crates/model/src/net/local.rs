//! Softmax attention over the last few times.
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add_scaled, dot};
use crate::net::soft::{softmax, softmax_back};

/// Of each sequence: `q`; `k` and `v` with those carried in before them; the weights.
pub(super) fn cache_len(time: usize, keys: usize, outputs: usize, span: usize) -> usize {
    time * keys + (span - 1 + time) * (keys + outputs) + time * span
}

/// Splits a cache: `q [batch][time]`, `k` and `v [batch][span - 1 + time]`, weights `[batch][time][span]`.
fn places(batch: usize, time: usize, keys: usize, outputs: usize, span: usize) -> [usize; 3] {
    let (q, wide) = (batch * time * keys, batch * (span - 1 + time));
    [q, q + wide * keys, q + wide * (keys + outputs)]
}

impl<T: Real> Pass<'_, T> {
    /// State of each sequence: `k` and `v` of the last `span - 1` times, and how many of them are real.
    pub(super) fn local_attention(
        &mut self,
        keys: usize,
        outputs: usize,
        span: usize,
        y: &mut [T],
        cache: &mut [T],
        state: &mut [T],
    ) {
        let (rows, time, features, old) = (self.rows(), self.from.time, self.from.features(), span - 1);
        let (wq, rest) = self.w.split_at(features * keys);
        let (wk, wv) = rest.split_at(features * keys);
        let [at_k, at_v, at_a] = places(self.batch, time, keys, outputs, span);
        let (q, rest) = cache.split_at_mut(at_k);
        let (k, rest) = rest.split_at_mut(at_v - at_k);
        let (v, weights) = rest.split_at_mut(at_a - at_v);
        q.fill(T::default());
        self.product(rows, self.x, features, wq, keys, q);
        let size = old * (keys + outputs) + 1;
        let mut fresh = std::mem::take(&mut self.scratch.first);
        for (wide, w, to, from) in [(keys, wk, &mut *k, 0), (outputs, wv, &mut *v, old * keys)] {
            let fresh = zeros(&mut fresh, rows * wide);
            self.product(rows, self.x, features, w, wide, fresh);
            let all = (old + time) * wide;
            for (lane, to) in to.chunks_exact_mut(all).enumerate() {
                let state = &mut state[lane * size + from..lane * size + from + old * wide];
                to[..old * wide].copy_from_slice(state);
                to[old * wide..].copy_from_slice(&fresh[lane * time * wide..(lane + 1) * time * wide]);
                state.copy_from_slice(&to[time * wide..]);
            }
        }
        self.scratch.first = fresh;
        let scale = T::ONE / T::of(keys as f64).sqrt();
        weights.fill(T::default());
        y.fill(T::default());
        for row in 0..rows {
            let (lane, t) = (row / time, row % time);
            let known = (state[(lane + 1) * size - 1].wide() as usize + t).min(old);
            let base = lane * (old + time) + t;
            let weights = &mut weights[row * span..(row + 1) * span][old - known..];
            for (nth, a) in weights.iter_mut().enumerate() {
                let place = base + old - known + nth;
                *a = dot(&q[row * keys..(row + 1) * keys], &k[place * keys..(place + 1) * keys]) * scale;
            }
            softmax(weights);
            for (nth, a) in weights.iter().enumerate() {
                let place = base + old - known + nth;
                add_scaled(
                    &mut y[row * outputs..(row + 1) * outputs],
                    *a,
                    &v[place * outputs..(place + 1) * outputs],
                );
            }
        }
        for count in state.chunks_exact_mut(size).filter_map(<[T]>::last_mut) {
            *count = T::of((count.wide() + time as f64).min(old as f64));
        }
    }

    #[allow(clippy::too_many_arguments, reason = "sizes, slopes and memory of one layer")]
    pub(super) fn local_attention_back(
        &mut self,
        keys: usize,
        outputs: usize,
        span: usize,
        dy: &[T],
        cache: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        let (rows, time, features, old) = (self.rows(), self.from.time, self.from.features(), span - 1);
        let [at_k, at_v, at_a] = places(self.batch, time, keys, outputs, span);
        let (q, k) = (&cache[..at_k], &cache[at_k..at_v]);
        let (v, weights) = (&cache[at_v..at_a], &cache[at_a..]);
        let mut slopes = std::mem::take(&mut self.scratch.first);
        let mut energies = std::mem::take(&mut self.scratch.second);
        let (dq, rest) = zeros(&mut slopes, rows * (2 * keys + outputs)).split_at_mut(rows * keys);
        let (dk, dv) = rest.split_at_mut(rows * keys);
        let de = zeros(&mut energies, span);
        let scale = T::ONE / T::of(keys as f64).sqrt();
        for row in 0..rows {
            let (lane, t) = (row / time, row % time);
            let base = lane * (old + time) + t;
            let (weights, dy) =
                (&weights[row * span..(row + 1) * span], &dy[row * outputs..(row + 1) * outputs]);
            for (nth, de) in de.iter_mut().enumerate() {
                *de = dot(dy, &v[(base + nth) * outputs..(base + nth + 1) * outputs]);
            }
            softmax_back(weights, de);
            for nth in 0..span {
                let slope = de[nth] * scale;
                let k = &k[(base + nth) * keys..(base + nth + 1) * keys];
                add_scaled(&mut dq[row * keys..(row + 1) * keys], slope, k);
                // Slopes end at the start of the pass: what was carried in gets none.
                if t + nth >= old {
                    let source = row + nth - old;
                    let q = &q[row * keys..(row + 1) * keys];
                    add_scaled(&mut dk[source * keys..(source + 1) * keys], slope, q);
                    add_scaled(&mut dv[source * outputs..(source + 1) * outputs], weights[nth], dy);
                }
            }
        }
        let mut at = 0;
        for (given, slopes) in [(keys, &*dq), (keys, &*dk), (outputs, &*dv)] {
            let range = at..at + features * given;
            at = range.end;
            self.product_back(
                rows,
                self.x,
                features,
                &self.w[range.clone()],
                given,
                slopes,
                dx,
                &mut dw[range],
            );
        }
        (self.scratch.first, self.scratch.second) = (slopes, energies);
    }
}
