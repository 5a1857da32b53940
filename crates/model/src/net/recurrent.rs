//! LSTM and GRU over sequences, forward and back; the equations are in `layer.rs`.
use crate::activation::Activation;
use crate::net::gemm::Grid;
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add_rows, fill_rows};

impl<T: Real> Pass<'_, T> {
    /// Cache, each `[batch][time]`: gates i, f, g, o; tanh(c'); h and c of before. State of each sequence: h, c.
    pub(super) fn lstm(&mut self, units: usize, y: &mut [T], cache: &mut [T], state: &mut [T]) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let (kernel, rest) = self.w.split_at(features * 4 * units);
        let (recurrent, bias) = rest.split_at(units * 4 * units);
        let (gates, rest) = cache.split_at_mut(rows * 4 * units);
        let (squashed, rest) = rest.split_at_mut(rows * units);
        let (h_before, c_before) = rest.split_at_mut(rows * units);
        let both = Grid::rows(2 * units);
        fill_rows(gates, bias);
        self.product(rows, self.x, features, kernel, 4 * units, gates);
        T::pack(recurrent, Grid::rows(4 * units), units, 4 * units, &mut self.scratch.packed);
        for t in 0..time {
            let at = &mut gates[t * 4 * units..];
            if self.batch == 1 {
                // Every other step the other way round: half the matrix is still in cache.
                T::single(
                    self.level,
                    &state[..units],
                    &self.scratch.packed,
                    &mut at[..4 * units],
                    t % 2 == 1,
                );
            } else {
                T::multiply(self.level, self.batch, state, both, &self.scratch.packed, at, time * 4 * units);
            }
            for lane in 0..self.batch {
                let row = lane * time + t;
                let span = row * units..(row + 1) * units;
                let (h, c) = state[lane * 2 * units..(lane + 1) * 2 * units].split_at_mut(units);
                h_before[span.clone()].copy_from_slice(h);
                c_before[span.clone()].copy_from_slice(c);
                let gates = &mut gates[row * 4 * units..(row + 1) * 4 * units];
                let (i_f, g_o) = gates.split_at_mut(2 * units);
                let (g, o) = g_o.split_at_mut(units);
                T::activate(self.level, Activation::Sigmoid, i_f);
                T::activate(self.level, Activation::Tanh, g);
                T::activate(self.level, Activation::Sigmoid, o);
                let (i, f) = i_f.split_at(units);
                let squashed = &mut squashed[span.clone()];
                self.level.plainly(|| {
                    let gates = f.iter().zip(i).zip(&*g);
                    for ((c, squashed), ((f, i), g)) in c.iter_mut().zip(&mut *squashed).zip(gates) {
                        *c = *f * *c + *i * *g;
                        *squashed = *c;
                    }
                });
                T::activate(self.level, Activation::Tanh, squashed);
                self.level.plainly(|| {
                    for (h, (o, squashed)) in h.iter_mut().zip(o.iter().zip(&*squashed)) {
                        *h = *o * *squashed;
                    }
                });
                y[span].copy_from_slice(h);
            }
        }
    }

    pub(super) fn lstm_back(&mut self, units: usize, dy: &[T], cache: &[T], dx: &mut [T], dw: &mut [T]) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let (kernel, rest) = self.w.split_at(features * 4 * units);
        let recurrent = &rest[..units * 4 * units];
        let (gates, rest) = cache.split_at(rows * 4 * units);
        let (squashed, rest) = rest.split_at(rows * units);
        let (h_before, c_before) = rest.split_at(rows * units);
        let mut slopes = std::mem::take(&mut self.scratch.first);
        let mut carried = std::mem::take(&mut self.scratch.second);
        let dz = zeros(&mut slopes, rows * 4 * units);
        let (dh, dc) = zeros(&mut carried, 2 * self.batch * units).split_at_mut(self.batch * units);
        if self.batch > 1 {
            T::pack(recurrent, Grid::turned(4 * units), 4 * units, units, &mut self.scratch.packed);
        }
        for t in (0..time).rev() {
            for lane in 0..self.batch {
                let row = lane * time + t;
                let span = row * units..(row + 1) * units;
                let slopes = Slopes {
                    dy: &dy[span.clone()],
                    dh: &dh[lane * units..(lane + 1) * units],
                    dc: &mut dc[lane * units..(lane + 1) * units],
                    dz: &mut dz[row * 4 * units..(row + 1) * 4 * units],
                };
                let gates = &gates[row * 4 * units..(row + 1) * 4 * units];
                let (squashed, c_before) = (&squashed[span.clone()], &c_before[span]);
                self.level.plainly(|| slopes.of_lstm(gates, squashed, c_before));
            }
            dh.fill(T::default());
            if self.batch == 1 {
                let dz = &dz[t * 4 * units..(t + 1) * 4 * units];
                T::row_slopes(self.level, recurrent, dz, dh, t % 2 == 1);
            } else {
                let grid = Grid::rows(time * 4 * units).from(t * 4 * units);
                T::multiply(self.level, self.batch, dz, grid, &self.scratch.packed, dh, units);
            }
        }
        let (d_kernel, rest) = dw.split_at_mut(features * 4 * units);
        let (d_recurrent, d_bias) = rest.split_at_mut(units * 4 * units);
        self.product_back(rows, self.x, features, kernel, 4 * units, dz, dx, d_kernel);
        T::pack(dz, Grid::rows(4 * units), rows, 4 * units, &mut self.scratch.packed);
        T::multiply(
            self.level,
            units,
            h_before,
            Grid::turned(units),
            &self.scratch.packed,
            d_recurrent,
            4 * units,
        );
        self.level.plainly(|| add_rows(d_bias, dz));
        (self.scratch.first, self.scratch.second) = (slopes, carried);
    }

    /// Cache, each `[batch][time]`: z, r, n; `q = h Rn + en`; h of before. State: h.
    pub(super) fn gru(&mut self, units: usize, y: &mut [T], cache: &mut [T], h: &mut [T]) {
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
                for (gate, sum) in z_r.iter_mut().zip(sums) {
                    *gate += *sum;
                }
                T::activate(self.level, Activation::Sigmoid, z_r);
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

    pub(super) fn gru_back(&mut self, units: usize, dy: &[T], cache: &[T], dx: &mut [T], dw: &mut [T]) {
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
                    da[u] = d * (h_before[u] - n) * z * (T::ONE - z);
                    da[units + u] = dn * after[u] * r * (T::ONE - r);
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

/// Slopes of one row of one sequence: by its answer, by the state carried on, and by the sums before its gates.
struct Slopes<'a, T> {
    dy: &'a [T],
    dh: &'a [T],
    dc: &'a mut [T],
    dz: &'a mut [T],
}

impl<T: Real> Slopes<'_, T> {
    #[inline(always)]
    fn of_lstm(self, gates: &[T], squashed: &[T], c_before: &[T]) {
        let units = self.dh.len();
        let [i, f, g, o] = fours(gates, units);
        let (low, high) = self.dz.split_at_mut(2 * units);
        let ((di, df), (dg, d_o)) = (low.split_at_mut(units), high.split_at_mut(units));
        let (dy, dc) = (&self.dy[..units], &mut self.dc[..units]);
        let (squashed, c_before, d_o) = (&squashed[..units], &c_before[..units], &mut d_o[..units]);
        for u in 0..units {
            let d_out = dy[u] + self.dh[u];
            let d_cell = dc[u] + d_out * o[u] * (T::ONE - squashed[u] * squashed[u]);
            di[u] = d_cell * g[u] * i[u] * (T::ONE - i[u]);
            df[u] = d_cell * c_before[u] * f[u] * (T::ONE - f[u]);
            dg[u] = d_cell * i[u] * (T::ONE - g[u] * g[u]);
            d_o[u] = d_out * squashed[u] * o[u] * (T::ONE - o[u]);
            dc[u] = d_cell * f[u];
        }
    }
}

/// Four vectors of `units` numbers.
#[inline(always)]
fn fours<T>(gates: &[T], units: usize) -> [&[T]; 4] {
    let (low, high) = gates[..4 * units].split_at(2 * units);
    let ((i, f), (g, o)) = (low.split_at(units), high.split_at(units));
    [i, f, g, o]
}
