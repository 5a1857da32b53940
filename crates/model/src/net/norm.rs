//! Batch normalisation.
use crate::net::pass::{Pass, zeros};
use crate::net::real::Real;

impl<T: Real> Pass<'_, T> {
    /// Cache: normalised numbers, then by channel mean, variance, one over the deviation (negative when the statistics were given).
    pub(super) fn batch_norm(&mut self, epsilon: f32, y: &mut [T], cache: &mut [T]) {
        let channels = self.to.channels;
        let [gamma, beta, given_mean, given_variance] = quarters(self.w, channels);
        let (hat, rest) = cache.split_at_mut(y.len());
        let (mean, rest) = rest.split_at_mut(channels);
        let (variance, rest) = rest.split_at_mut(channels);
        let inverse = &mut rest[..channels];
        if self.learning {
            let share = T::ONE / T::of((y.len() / channels) as f64);
            mean.fill(T::default());
            variance.fill(T::default());
            for row in self.x.chunks_exact(channels) {
                mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += *x * share);
            }
            for row in self.x.chunks_exact(channels) {
                for ((variance, mean), x) in variance.iter_mut().zip(mean.iter()).zip(row) {
                    *variance += (*x - *mean) * (*x - *mean) * share;
                }
            }
        } else {
            mean.copy_from_slice(given_mean);
            variance.copy_from_slice(given_variance);
        }
        for (inverse, variance) in inverse.iter_mut().zip(variance.iter()) {
            *inverse = T::ONE / (*variance + T::of(f64::from(epsilon))).sqrt();
        }
        let rows = self.x.chunks_exact(channels).zip(hat.chunks_exact_mut(channels));
        for ((x, hat), y) in rows.zip(y.chunks_exact_mut(channels)) {
            for c in 0..channels {
                hat[c] = (x[c] - mean[c]) * inverse[c];
                y[c] = gamma[c] * hat[c] + beta[c];
            }
        }
        if !self.learning {
            inverse.iter_mut().for_each(|inverse| *inverse = -*inverse);
        }
    }

    pub(super) fn batch_norm_back(&mut self, dy: &[T], cache: &[T], dx: &mut [T], dw: &mut [T]) {
        let channels = self.to.channels;
        let [gamma, ..] = quarters(self.w, channels);
        let (hat, rest) = cache.split_at(dy.len());
        let inverse = &rest[2 * channels..3 * channels];
        let share = T::ONE / T::of((dy.len() / channels) as f64);
        let (sums, along) = zeros(&mut self.scratch.first, 2 * channels).split_at_mut(channels);
        for (dy, hat) in dy.chunks_exact(channels).zip(hat.chunks_exact(channels)) {
            for c in 0..channels {
                sums[c] += dy[c];
                along[c] += dy[c] * hat[c];
            }
        }
        for c in 0..channels {
            dw[c] += along[c];
            dw[channels + c] += sums[c];
        }
        let rows = dy.chunks_exact(channels).zip(hat.chunks_exact(channels));
        for ((dy, hat), dx) in rows.zip(dx.chunks_exact_mut(channels)) {
            for c in 0..channels {
                dx[c] += if inverse[c] < T::default() {
                    -(gamma[c] * inverse[c] * dy[c])
                } else {
                    gamma[c] * inverse[c] * (dy[c] - (sums[c] + hat[c] * along[c]) * share)
                };
            }
        }
    }
}

/// Moves the measured mean and variance towards those of a learning pass whose output had `outputs` numbers.
pub(super) fn measure<T: Real>(w: &mut [T], cache: &[T], outputs: usize, channels: usize, momentum: f32) {
    let (kept, share) = (T::of(f64::from(momentum)), T::of(1.0 - f64::from(momentum)));
    for (moving, seen) in w[2 * channels..].iter_mut().zip(&cache[outputs..outputs + 2 * channels]) {
        *moving = *moving * kept + *seen * share;
    }
}

fn quarters<T>(w: &[T], channels: usize) -> [&[T]; 4] {
    [0, 1, 2, 3].map(|at| &w[at * channels..(at + 1) * channels])
}
