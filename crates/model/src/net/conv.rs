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

/// Patches of one sequence in the extended input: blocks of patches that lie evenly.
#[derive(Clone, Copy)]
struct Patches {
    /// Blocks, and from the first patch of one to that of the next.
    blocks: usize,
    block: usize,
    /// Patches of a block, and from one to the next.
    count: usize,
    place: usize,
    /// Numbers of one time of a patch, which lie together, and from there to the next time.
    run: usize,
    row: usize,
}

impl Patches {
    fn new(to: Shape, sweep: Sweep, extended: Shape) -> Patches {
        let (row, place) = (extended.features(), sweep.stride_width * extended.channels);
        let (block, run) = (sweep.stride_time * row, sweep.kernel_width * extended.channels);
        // Where the last patch of one time is followed by the first of the next, all are one block.
        if to.width == 1 || to.width * place == block {
            let place = if to.width == 1 { block } else { place };
            return Patches { blocks: 1, block: 0, count: to.time * to.width, place, run, row };
        }
        Patches { blocks: to.time, block, count: to.width, place, run, row }
    }

    /// Where each block begins in the extended input, and its first patch.
    fn blocks(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.blocks).map(move |nth| (nth * self.block, nth * self.count))
    }

    /// The patches of a block as rows of a matrix.
    fn grid(self, at: usize) -> Grid {
        Grid { at, row: self.place, column: 1, run: self.run, jump: self.row }
    }

    /// The numbers at one time of all patches of a block, patches side by side.
    fn turned(self, at: usize) -> Grid {
        Grid { at, row: 1, column: self.place, run: usize::MAX, jump: 0 }
    }
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
        let (whole, patches) = (extended(self.from, sweep), self.patches(sweep));
        let depth = sweep.kernel_time * patches.run;
        let (weight, bias) = self.w.split_at(depth * outputs);
        self.extend(sweep, cache, state);
        fill_rows(y, bias);
        T::pack(weight, Grid::rows(outputs), depth, outputs, &mut self.scratch.packed);
        for (x, y) in cache.chunks_exact(whole.len()).zip(y.chunks_exact_mut(self.to.len())) {
            for (at, first) in patches.blocks() {
                let y = &mut y[first * outputs..];
                let grid = patches.grid(at);
                T::multiply(self.level, patches.count, x, grid, &self.scratch.packed, y, outputs);
            }
        }
        self.activate(activation, y, cache);
    }

    fn patches(&self, sweep: &Sweep) -> Patches {
        Patches::new(self.to, *sweep, extended(self.from, sweep))
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
        let (whole, patches) = (extended(self.from, sweep), self.patches(sweep));
        let (run, depth) = (patches.run, sweep.kernel_time * patches.run);
        let weight = &self.w[..depth * outputs];
        let (d_weight, d_bias) = dw.split_at_mut(depth * outputs);
        self.level.plainly(|| add_rows(d_bias, dy));
        let samples = cache.chunks_exact(whole.len()).zip(dy.chunks_exact(self.to.len()));
        for (x, dy) in samples {
            for (at, first) in patches.blocks() {
                let dy = &dy[first * outputs..(first + patches.count) * outputs];
                T::pack(dy, Grid::rows(outputs), patches.count, outputs, &mut self.scratch.packed);
                for (i, dw) in d_weight.chunks_exact_mut(run * outputs).enumerate() {
                    let grid = patches.turned(at + i * patches.row);
                    T::multiply(self.level, run, x, grid, &self.scratch.packed, dw, outputs);
                }
            }
        }
        if !self.needed {
            return;
        }
        let mut slopes = std::mem::take(&mut self.scratch.second);
        let slopes_of_all = zeros(&mut slopes, self.batch * whole.len());
        for (i, weight) in weight.chunks_exact(run * outputs).enumerate() {
            T::pack(weight, Grid::turned(outputs), outputs, run, &mut self.scratch.packed);
            let samples = slopes_of_all.chunks_exact_mut(whole.len()).zip(dy.chunks_exact(self.to.len()));
            for (slopes, dy) in samples {
                for (at, first) in patches.blocks() {
                    let to = &mut slopes[at + i * patches.row..];
                    let grid = Grid::rows(outputs).from(first * outputs);
                    let packed = &self.scratch.packed;
                    T::multiply(self.level, patches.count, dy, grid, packed, to, patches.place);
                }
            }
        }
        for (lane, slopes) in slopes_of_all.chunks_exact(whole.len()).enumerate() {
            self.extend_back(sweep, lane, slopes, dx);
        }
        self.scratch.second = slopes;
    }
}
