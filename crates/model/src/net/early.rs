//! GRU whose reset gate stands before the recurrent product, over sequences, forward and back; its equations are in `layer.rs`. The product of
//! the gates and that of `n` are each made with all columns, and those of the other left: the layer is for models that come from elsewhere.
use crate::activation::Activation;
use crate::layer::Gate;
use crate::net::gemm::Grid;
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add_rows, fill_rows};

impl<T: Real> Pass<'_, T> {
    /// Cache, each `[batch][time]`: z, r, n; `r h`; h of before. State: h.
    pub(super) fn early_gru(
        &mut self,
        (units, gate): (usize, Gate),
        y: &mut [T],
        cache: &mut [T],
        h: &mut [T],
    ) {
        let (rows, time, features, wide) = (self.rows(), self.from.time, self.from.features(), 3 * units);
        let (kernel, rest) = self.w.split_at(features * wide);
        let (recurrent, bias) = rest.split_at(units * wide);
        let (gates, rest) = cache.split_at_mut(rows * wide);
        let (reset, h_before) = rest.split_at_mut(rows * units);
        fill_rows(gates, &bias[..wide]);
        self.product(rows, self.x, features, kernel, wide, gates);
        T::pack(recurrent, Grid::rows(wide), units, wide, &mut self.scratch.packed);
        let mut half = std::mem::take(&mut self.scratch.first);
        let mut kept = std::mem::take(&mut self.scratch.second);
        let (sums, through) = (zeros(&mut half, self.batch * wide), zeros(&mut kept, self.batch * units));
        for t in 0..time {
            let span = |lane: usize| (lane * time + t) * units..(lane * time + t + 1) * units;
            fill_rows(sums, &bias[wide..]);
            T::multiply(self.level, self.batch, h, Grid::rows(units), &self.scratch.packed, sums, wide);
            for lane in 0..self.batch {
                let (row, lanes) = (lane * time + t, lane * units..(lane + 1) * units);
                let z_r = &mut gates[row * wide..row * wide + 2 * units];
                for (z_r, sum) in z_r.iter_mut().zip(&sums[lane * wide..]) {
                    *z_r += *sum;
                }
                T::activate(self.level, gate.activation(), z_r);
                h_before[span(lane)].copy_from_slice(&h[lanes.clone()]);
                for (to, (r, h)) in
                    through[lanes.clone()].iter_mut().zip(z_r[units..].iter().zip(&h[lanes.clone()]))
                {
                    *to = *r * *h;
                }
                reset[span(lane)].copy_from_slice(&through[lanes]);
            }
            fill_rows(sums, &bias[wide..]);
            T::multiply(self.level, self.batch, through, Grid::rows(units), &self.scratch.packed, sums, wide);
            for lane in 0..self.batch {
                let (z_r, n) = gates[(lane * time + t) * wide..][..wide].split_at_mut(2 * units);
                for (n, sum) in n.iter_mut().zip(&sums[lane * wide + 2 * units..]) {
                    *n += *sum;
                }
                T::activate(self.level, Activation::Tanh, n);
                let h = &mut h[lane * units..(lane + 1) * units];
                for (h, (n, z)) in h.iter_mut().zip(n.iter().zip(&*z_r)) {
                    *h = *n + *z * (*h - *n);
                }
                y[span(lane)].copy_from_slice(h);
            }
        }
        (self.scratch.first, self.scratch.second) = (half, kept);
    }

    pub(super) fn early_gru_back(
        &mut self,
        (units, gate): (usize, Gate),
        dy: &[T],
        cache: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        let (rows, time, features, wide) = (self.rows(), self.from.time, self.from.features(), 3 * units);
        let (kernel, rest) = self.w.split_at(features * wide);
        let recurrent = &rest[..units * wide];
        let (gates, rest) = cache.split_at(rows * wide);
        let (reset, h_before) = rest.split_at(rows * units);
        let mut slopes = std::mem::take(&mut self.scratch.first);
        let mut carried = std::mem::take(&mut self.scratch.second);
        // Slopes by all sums; by those of the gates alone and those of `n` alone, zeros elsewhere.
        let (da, parts) = zeros(&mut slopes, 3 * rows * wide).split_at_mut(rows * wide);
        let (of_gates, of_n) = parts.split_at_mut(rows * wide);
        let (dh, d_reset) = zeros(&mut carried, 2 * self.batch * units).split_at_mut(self.batch * units);
        T::pack(recurrent, Grid::turned(wide), wide, units, &mut self.scratch.packed);
        for t in (0..time).rev() {
            let grid = Grid::rows(time * wide).from(t * wide);
            for lane in 0..self.batch {
                let row = lane * time + t;
                let (gates, before) = (&gates[row * wide..][..wide], &h_before[row * units..][..units]);
                let (da, of_n) = (&mut da[row * wide..][..wide], &mut of_n[row * wide..][..wide]);
                let dh = &mut dh[lane * units..][..units];
                for u in 0..units {
                    let (z, n) = (gates[u], gates[2 * units + u]);
                    let d = dy[row * units + u] + dh[u];
                    da[u] = gate.back(d * (before[u] - n), z);
                    da[2 * units + u] = d * (T::ONE - z) * (T::ONE - n * n);
                    of_n[2 * units + u] = da[2 * units + u];
                    dh[u] = d * z;
                }
            }
            d_reset.fill(T::default());
            T::multiply(self.level, self.batch, of_n, grid, &self.scratch.packed, d_reset, units);
            for lane in 0..self.batch {
                let row = lane * time + t;
                let (gates, before) = (&gates[row * wide..][..wide], &h_before[row * units..][..units]);
                let (da, of_gates) = (&mut da[row * wide..][..wide], &mut of_gates[row * wide..][..wide]);
                for u in 0..units {
                    let (r, d) = (gates[units + u], d_reset[lane * units + u]);
                    da[units + u] = gate.back(d * before[u], r);
                    (of_gates[u], of_gates[units + u]) = (da[u], da[units + u]);
                    dh[lane * units + u] += d * r;
                }
            }
            T::multiply(self.level, self.batch, of_gates, grid, &self.scratch.packed, dh, units);
        }
        let (d_kernel, rest) = dw.split_at_mut(features * wide);
        let (d_recurrent, d_bias) = rest.split_at_mut(units * wide);
        self.product_back(rows, self.x, features, kernel, wide, da, dx, d_kernel);
        for (taken, slopes) in [(h_before, &*of_gates), (reset, &*of_n)] {
            T::pack(slopes, Grid::rows(wide), rows, wide, &mut self.scratch.packed);
            let turned = Grid::turned(units);
            T::multiply(self.level, units, taken, turned, &self.scratch.packed, d_recurrent, wide);
        }
        add_rows(&mut d_bias[..wide], da);
        add_rows(&mut d_bias[wide..], da);
        (self.scratch.first, self.scratch.second) = (slopes, carried);
    }
}
