//! Additive attention over time.
use crate::activation::Activation;
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add_rows, add_scaled, dot, fill_rows};
use crate::net::soft::{softmax, softmax_back};

impl<T: Real> Pass<'_, T> {
    /// Cache, each `[batch][time]`: the hidden vectors, the weights.
    pub(super) fn attention(&mut self, units: usize, y: &mut [T], cache: &mut [T]) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let (weight, rest) = self.w.split_at(features * units);
        let (bias, query) = rest.split_at(units);
        let (hidden, weights) = cache.split_at_mut(rows * units);
        fill_rows(hidden, bias);
        self.product(rows, self.x, features, weight, units, hidden);
        T::activate(self.level, Activation::Tanh, hidden);
        for (a, hidden) in weights.iter_mut().zip(hidden.chunks_exact(units)) {
            *a = dot(query, hidden);
        }
        let samples = y.chunks_exact_mut(features).zip(self.x.chunks_exact(time * features));
        for ((y, x), weights) in samples.zip(weights.chunks_exact_mut(time)) {
            softmax(weights);
            y.fill(T::default());
            for (x, a) in x.chunks_exact(features).zip(weights) {
                add_scaled(y, *a, x);
            }
        }
    }

    pub(super) fn attention_back(&mut self, units: usize, dy: &[T], cache: &[T], dx: &mut [T], dw: &mut [T]) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let (weight, rest) = self.w.split_at(features * units);
        let query = &rest[units..];
        let (d_weight, rest) = dw.split_at_mut(features * units);
        let (d_bias, d_query) = rest.split_at_mut(units);
        let (hidden, weights) = cache.split_at(rows * units);
        let mut energies = std::mem::take(&mut self.scratch.first);
        let mut slopes = std::mem::take(&mut self.scratch.second);
        let (de, dz) = (zeros(&mut energies, rows), zeros(&mut slopes, rows * units));
        for (sample, dy) in dy.chunks_exact(features).enumerate() {
            let span = sample * time..(sample + 1) * time;
            for row in span.clone() {
                let own = row * features..(row + 1) * features;
                de[row] = dot(dy, &self.x[own.clone()]);
                add_scaled(&mut dx[own], weights[row], dy);
            }
            softmax_back(&weights[span.clone()], &mut de[span]);
        }
        for ((de, hidden), dz) in de.iter().zip(hidden.chunks_exact(units)).zip(dz.chunks_exact_mut(units)) {
            add_scaled(d_query, *de, hidden);
            add_scaled(dz, *de, query);
        }
        T::activate_back(self.level, Activation::Tanh, hidden, hidden, dz);
        add_rows(d_bias, dz);
        self.product_back(rows, self.x, features, weight, units, dz, dx, d_weight);
        (self.scratch.first, self.scratch.second) = (energies, slopes);
    }
}
