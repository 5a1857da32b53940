//! LSTM over sequences, forward and back; the equations are in `layer.rs`.
use crate::activation::Activation;
use crate::layer::Gate;
use crate::net::gemm::Grid;
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add_rows, fill_rows};

/// What an LSTM keeps of one sequence's ticks, each `[time][units]`, gates `[time][4 units]`.
pub struct Ticks<V> {
    /// Sums before the gates i, f, g, o, then the gates.
    pub gates: V,
    /// `tanh(c')`.
    pub squashed: V,
    /// `h` before the tick.
    pub h_before: V,
    /// `c` before the tick.
    pub c_before: V,
}

impl<T: Real> Pass<'_, T> {
    /// Cache, each `[batch][time]`: gates i, f, g, o; tanh(c'); h and c of before. State of each sequence: h, c.
    pub(super) fn lstm(
        &mut self,
        (units, gate): (usize, Gate),
        y: &mut [T],
        cache: &mut [T],
        state: &mut [T],
    ) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let (kernel, rest) = self.w.split_at(features * 4 * units);
        let (recurrent, bias) = rest.split_at(units * 4 * units);
        let (gates, rest) = cache.split_at_mut(rows * 4 * units);
        let (squashed, rest) = rest.split_at_mut(rows * units);
        let (h_before, c_before) = rest.split_at_mut(rows * units);
        let both = Grid::rows(2 * units);
        fill_rows(gates, bias);
        self.product(rows, self.x, features, kernel, 4 * units, gates);
        if self.batch == 1 && gate == Gate::Sigmoid {
            let rounded = self.rounded;
            let cache = Ticks { gates, squashed, h_before, c_before };
            if T::lstm_ticks(self.level, rounded, recurrent, cache, y, state, &mut self.scratch.packed) {
                return;
            }
        }
        let (gates, rest) = cache.split_at_mut(rows * 4 * units);
        let (squashed, rest) = rest.split_at_mut(rows * units);
        let (h_before, c_before) = rest.split_at_mut(rows * units);
        T::pack(recurrent, Grid::rows(4 * units), units, 4 * units, &mut self.scratch.packed);
        for t in 0..time {
            let at = &mut gates[t * 4 * units..];
            T::multiply(self.level, self.batch, state, both, &self.scratch.packed, at, time * 4 * units);
            for lane in 0..self.batch {
                let row = lane * time + t;
                let span = row * units..(row + 1) * units;
                let (h, c) = state[lane * 2 * units..(lane + 1) * 2 * units].split_at_mut(units);
                h_before[span.clone()].copy_from_slice(h);
                c_before[span.clone()].copy_from_slice(c);
                let gates = &mut gates[row * 4 * units..(row + 1) * 4 * units];
                let (i_f, g_o) = gates.split_at_mut(2 * units);
                let (g, o) = g_o.split_at_mut(units);
                T::activate(self.level, gate.activation(), i_f);
                T::activate(self.level, Activation::Tanh, g);
                T::activate(self.level, gate.activation(), o);
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

    pub(super) fn lstm_back(
        &mut self,
        (units, gate): (usize, Gate),
        dy: &[T],
        cache: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        let (rows, features) = (self.rows(), self.from.features());
        let (kernel, rest) = self.w.split_at(features * 4 * units);
        let recurrent = &rest[..units * 4 * units];
        let (gates, rest) = cache.split_at(rows * 4 * units);
        let (squashed, rest) = rest.split_at(rows * units);
        let (h_before, c_before) = rest.split_at(rows * units);
        let mut slopes = std::mem::take(&mut self.scratch.sums);
        let mut carried = std::mem::take(&mut self.scratch.second);
        let dz = slopes.resize(rows * 4 * units);
        zeros(&mut carried, 2 * self.batch * units);
        let done = self.batch == 1 && gate == Gate::Sigmoid && {
            let cache = Ticks { gates, squashed, h_before, c_before };
            let (rounded, room) = (self.rounded, &mut self.scratch.packed);
            T::lstm_ticks_back(self.level, rounded, recurrent, cache, dy, dz, &mut carried, room)
        };
        if !done {
            self.lstm_back_tick_by_tick((units, gate), dy, cache, dz, &mut carried);
        }
        let (d_kernel, rest) = dw.split_at_mut(features * 4 * units);
        let (d_recurrent, d_bias) = rest.split_at_mut(units * 4 * units);
        if self.needed {
            self.slopes_by_input(rows, features, kernel, 4 * units, dz, dx);
        }
        let lefts = [(self.x, features, d_kernel), (h_before, units, d_recurrent)];
        self.outer_sums(rows, lefts, dz, 4 * units);
        self.level.plainly(|| add_rows(d_bias, dz));
        (self.scratch.sums, self.scratch.second) = (slopes, carried);
    }

    /// The way back of the recurrent half, for any batch.
    fn lstm_back_tick_by_tick(
        &mut self,
        (units, gate): (usize, Gate),
        dy: &[T],
        cache: &[T],
        dz: &mut [T],
        carried: &mut [T],
    ) {
        let (rows, time, features) = (self.rows(), self.from.time, self.from.features());
        let recurrent = &self.w[features * 4 * units..][..units * 4 * units];
        let (gates, rest) = cache.split_at(rows * 4 * units);
        let (squashed, rest) = rest.split_at(rows * units);
        let c_before = &rest[rows * units..];
        let (dh, dc) = carried.split_at_mut(self.batch * units);
        T::pack(recurrent, Grid::turned(4 * units), 4 * units, units, &mut self.scratch.packed);
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
                match gate {
                    Gate::Sigmoid => {
                        self.level.plainly(|| slopes.of_lstm::<false>(gates, squashed, c_before))
                    }
                    Gate::Hard => self.level.plainly(|| slopes.of_lstm::<true>(gates, squashed, c_before)),
                }
            }
            dh.fill(T::default());
            let grid = Grid::rows(time * 4 * units).from(t * 4 * units);
            T::multiply(self.level, self.batch, dz, grid, &self.scratch.packed, dh, units);
        }
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
    fn of_lstm<const HARD: bool>(self, gates: &[T], squashed: &[T], c_before: &[T]) {
        let (units, gate) = (self.dh.len(), const { if HARD { Gate::Hard } else { Gate::Sigmoid } });
        let [i, f, g, o] = fours(gates, units);
        let (low, high) = self.dz.split_at_mut(2 * units);
        let ((di, df), (dg, d_o)) = (low.split_at_mut(units), high.split_at_mut(units));
        let (dy, dc) = (&self.dy[..units], &mut self.dc[..units]);
        let (squashed, c_before, d_o) = (&squashed[..units], &c_before[..units], &mut d_o[..units]);
        for u in 0..units {
            let d_out = dy[u] + self.dh[u];
            let d_cell = dc[u] + d_out * o[u] * (T::ONE - squashed[u] * squashed[u]);
            di[u] = gate.back(d_cell * g[u], i[u]);
            df[u] = gate.back(d_cell * c_before[u], f[u]);
            dg[u] = d_cell * i[u] * (T::ONE - g[u] * g[u]);
            d_o[u] = gate.back(d_out * squashed[u], o[u]);
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
