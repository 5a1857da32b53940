//! Convolution over time and width, as a product of unfolded patches with the kernel.
use crate::activation::Activation;
use crate::layer::{Padding, Sweep};
use crate::net::gemm::Grid;
use crate::net::pass::{Pass, zeros};
use crate::net::real::{Real, add, add_rows, fill_rows};
use crate::shape::Shape;

/// The input with its padding: what the sweep walks over.
pub(super) fn extended(from: Shape, sweep: &Sweep) -> Shape {
    let (before, given) = sweep.times_of(from.time);
    from.with_time((before + from.time).max((given - 1) * sweep.stride_time + sweep.kernel_time))
}

/// Where each patch of one sequence begins in the extended input: every output time and place, in order.
fn patches(to: Shape, sweep: Sweep, extended: Shape) -> impl Iterator<Item = usize> {
    let (row, place) = (sweep.stride_time * extended.features(), sweep.stride_width * extended.channels);
    (0..to.time).flat_map(move |t| (0..to.width).map(move |w| t * row + w * place))
}

impl<T: Real> Pass<'_, T> {
    /// Copies the input into `cache` with what stands before and after it, and carries the last rows on.
    pub(super) fn extend(&self, sweep: &Sweep, cache: &mut [T], state: &mut [T]) {
        let whole = extended(self.from, sweep);
        let (size, row) = (self.from.len(), whole.features());
        let before = sweep.times_of(self.from.time).0 * row;
        for lane in 0..self.batch {
            let to = &mut cache[lane * whole.len()..(lane + 1) * whole.len()];
            to.fill(T::default());
            to[before..before + size].copy_from_slice(&self.x[lane * size..(lane + 1) * size]);
            if sweep.padding == Padding::Causal && before > 0 {
                let state = &mut state[lane * before..(lane + 1) * before];
                to[..before].copy_from_slice(state);
                state.copy_from_slice(&to[size..size + before]);
            }
        }
    }

    /// Adds slopes by the extended input of one sequence to slopes by the input.
    pub(super) fn extend_back(&self, sweep: &Sweep, lane: usize, slopes: &[T], dx: &mut [T]) {
        let size = self.from.len();
        let before = sweep.times_of(self.from.time).0 * self.from.features();
        add(&mut dx[lane * size..(lane + 1) * size], &slopes[before..before + size]);
    }

    /// Cache: the extended inputs.
    pub(super) fn conv(
        &mut self,
        outputs: usize,
        sweep: &Sweep,
        activation: Activation,
        y: &mut [T],
        cache: &mut [T],
        state: &mut [T],
    ) {
        let whole = extended(self.from, sweep);
        let (run, row) = (sweep.kernel_width * whole.channels, whole.features());
        let depth = sweep.kernel_time * run;
        let (weight, bias) = self.w.split_at(depth * outputs);
        self.extend(sweep, cache, state);
        fill_rows(y, bias);
        T::pack(weight, Grid::rows(outputs), depth, outputs, &mut self.scratch.packed);
        let count = self.to.time * self.to.width;
        for lane in 0..self.batch {
            let x = &cache[lane * whole.len()..(lane + 1) * whole.len()];
            let unfolded = zeros(&mut self.scratch.first, count * depth);
            unfold(x, patches(self.to, *sweep, whole), row, run, depth, unfolded);
            let y = &mut y[lane * self.to.len()..(lane + 1) * self.to.len()];
            T::multiply(self.level, count, unfolded, Grid::rows(depth), &self.scratch.packed, y, outputs);
        }
        self.activate(activation, y, cache);
    }

    pub(super) fn conv_back(
        &mut self,
        outputs: usize,
        sweep: &Sweep,
        dy: &[T],
        cache: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        let whole = extended(self.from, sweep);
        let (run, row) = (sweep.kernel_width * whole.channels, whole.features());
        let depth = sweep.kernel_time * run;
        let weight = &self.w[..depth * outputs];
        let (d_weight, d_bias) = dw.split_at_mut(depth * outputs);
        add_rows(d_bias, dy);
        let count = self.to.time * self.to.width;
        let mut turned = T::Packed::default();
        T::pack(weight, Grid::turned(outputs), outputs, depth, &mut turned);
        for lane in 0..self.batch {
            let x = &cache[lane * whole.len()..(lane + 1) * whole.len()];
            let dy = &dy[lane * self.to.len()..(lane + 1) * self.to.len()];
            let unfolded = zeros(&mut self.scratch.first, count * depth);
            unfold(x, patches(self.to, *sweep, whole), row, run, depth, unfolded);
            T::pack(dy, Grid::rows(outputs), count, outputs, &mut self.scratch.packed);
            T::multiply(
                self.level,
                depth,
                unfolded,
                Grid::turned(depth),
                &self.scratch.packed,
                d_weight,
                outputs,
            );
            unfolded.fill(T::default());
            T::multiply(self.level, count, dy, Grid::rows(outputs), &turned, unfolded, depth);
            let slopes = zeros(&mut self.scratch.second, whole.len());
            for (patch, from) in unfolded.chunks_exact(depth).zip(patches(self.to, *sweep, whole)) {
                for (i, patch) in patch.chunks_exact(run).enumerate() {
                    add(&mut slopes[from + i * row..from + i * row + run], patch);
                }
            }
            let slopes = std::mem::take(&mut self.scratch.second);
            self.extend_back(sweep, lane, &slopes, dx);
            self.scratch.second = slopes;
        }
    }
}

fn unfold<T: Real>(
    x: &[T],
    patches: impl Iterator<Item = usize>,
    row: usize,
    run: usize,
    depth: usize,
    to: &mut [T],
) {
    for (patch, from) in to.chunks_exact_mut(depth).zip(patches) {
        for (i, patch) in patch.chunks_exact_mut(run).enumerate() {
            patch.copy_from_slice(&x[from + i * row..from + i * row + run]);
        }
    }
}
