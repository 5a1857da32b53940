//! GRU over sequences, forward and back; its equations are in `layer.rs`.
use crate::activation::Activation;
use crate::layer::Gate;
use crate::net::gemm::Grid;
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add_rows, fill_rows};

impl<T: Real> Pass<'_, T> {
    /// Cache, each `[batch][time]`: z, r, n; `q = h Rn + en`; h of before. State: h.
    pub(super) fn gru(&mut self, (units, gate): (usize, Gate), y: &mut [T], cache: &mut [T], h: &mut [T]) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let (kernel, rest) = self.w.split_at(features * 3 * units);
        let (recurrent, bias) = rest.split_at(units * 3 * units);
        let (gates, rest) = cache.split_at_mut(rows * 3 * units);
        let (after, h_before) = rest.split_at_mut(rows * units);
        fill_rows(gates, &bias[..3 * units]);
        self.product(rows, self.x, features, kernel, 3 * units, gates);
        T::pack(recurrent, Grid::rows(3 * units), units, 3 * units, &mut self.scratch.packed);
        let mut half = std::mem::take(&mut self.scratch.first);
        let sums = zeros(&mut half, self.batch * 3 * units);
        for t in 0..time {
            fill_rows(sums, &bias[3 * units..]);
            T::multiply(self.level, self.batch, h, Grid::rows(units), &self.scratch.packed, sums, 3 * units);
            for lane in 0..self.batch {
                let row = lane * time + t;
                let span = row * units..(row + 1) * units;
                let h = &mut h[lane * units..(lane + 1) * units];
                h_before[span.clone()].copy_from_slice(h);
                let sums = &sums[lane * 3 * units..(lane + 1) * 3 * units];
                let (z_r, n) = gates[row * 3 * units..(row + 1) * 3 * units].split_at_mut(2 * units);
                for (z_r, sum) in z_r.iter_mut().zip(sums) {
                    *z_r += *sum;
                }
                T::activate(self.level, gate.activation(), z_r);
                let after = &mut after[span.clone()];
                after.copy_from_slice(&sums[2 * units..]);
                let (z, r) = z_r.split_at(units);
                self.level.plainly(|| {
                    for (n, (r, after)) in n.iter_mut().zip(r.iter().zip(&*after)) {
                        *n += *r * *after;
                    }
                });
                T::activate(self.level, Activation::Tanh, n);
                self.level.plainly(|| {
                    for (h, (n, z)) in h.iter_mut().zip(n.iter().zip(z)) {
                        *h = *n + *z * (*h - *n);
                    }
                });
                y[span].copy_from_slice(h);
            }
        }
        self.scratch.first = half;
    }

    pub(super) fn gru_back(
        &mut self,
        (units, gate): (usize, Gate),
        dy: &[T],
        cache: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let (kernel, rest) = self.w.split_at(features * 3 * units);
        let recurrent = &rest[..units * 3 * units];
        let (gates, rest) = cache.split_at(rows * 3 * units);
        let (after, h_before) = rest.split_at(rows * units);
        let mut slopes = std::mem::take(&mut self.scratch.first);
        let mut carried = std::mem::take(&mut self.scratch.second);
        let (da, db) = zeros(&mut slopes, 2 * rows * 3 * units).split_at_mut(rows * 3 * units);
        let dh = zeros(&mut carried, self.batch * units);
        T::pack(recurrent, Grid::turned(3 * units), 3 * units, units, &mut self.scratch.packed);
        for t in (0..time).rev() {
            for lane in 0..self.batch {
                let row = lane * time + t;
                let (span, gates) =
                    (row * units..(row + 1) * units, &gates[row * 3 * units..(row + 1) * 3 * units]);
                let (after, h_before, dy) = (&after[span.clone()], &h_before[span.clone()], &dy[span]);
                let da = &mut da[row * 3 * units..(row + 1) * 3 * units];
                let db = &mut db[row * 3 * units..(row + 1) * 3 * units];
                let dh = &mut dh[lane * units..(lane + 1) * units];
                for u in 0..units {
                    let (z, r, n) = (gates[u], gates[units + u], gates[2 * units + u]);
                    let d = dy[u] + dh[u];
                    let dn = d * (T::ONE - z) * (T::ONE - n * n);
                    da[u] = gate.back(d * (h_before[u] - n), z);
                    da[units + u] = gate.back(dn * after[u], r);
                    da[2 * units + u] = dn;
                    (db[u], db[units + u], db[2 * units + u]) = (da[u], da[units + u], dn * r);
                    dh[u] = d * z;
                }
            }
            let grid = Grid::rows(time * 3 * units).from(t * 3 * units);
            T::multiply(self.level, self.batch, db, grid, &self.scratch.packed, dh, units);
        }
        let (d_kernel, rest) = dw.split_at_mut(features * 3 * units);
        let (d_recurrent, d_bias) = rest.split_at_mut(units * 3 * units);
        self.product_back(rows, self.x, features, kernel, 3 * units, da, dx, d_kernel);
        T::pack(db, Grid::rows(3 * units), rows, 3 * units, &mut self.scratch.packed);
        T::multiply(
            self.level,
            units,
            h_before,
            Grid::turned(units),
            &self.scratch.packed,
            d_recurrent,
            3 * units,
        );
        add_rows(&mut d_bias[..3 * units], da);
        add_rows(&mut d_bias[3 * units..], db);
        (self.scratch.first, self.scratch.second) = (slopes, carried);
    }
}
