//! Matrix products whose factors are rounded to bf16, with sums in f32: two multiply-adds a lane where the processor has them. Tiles are as
//! in `gemm.rs`; both sides are packed, two steps of the sum in a word.
use crate::block::{LANES, Line, lines, words_of};
use crate::lanes::{Kernel, Lanes, Level};
use crate::net::gemm::{Grid, add_tile};
use crate::net::sequence::pair;

/// Both factors of a product, rounded.
#[derive(Debug, Clone, Default)]
pub struct Rounded {
    left: Vec<u32>,
    right: Vec<Line>,
    depth: usize,
    columns: usize,
}

impl Rounded {
    /// Takes the right-hand matrix, `depth x columns`, without runs ([`Grid::run`]).
    pub(crate) fn fill(&mut self, level: Level, b: &[f32], grid: Grid, depth: usize, columns: usize) {
        (self.depth, self.columns) = (depth, columns);
        self.right.resize(depth.div_ceil(2) * lines(columns), Line::ZERO);
        // SAFETY: L1; levels come from `Level::detect` or lie below it.
        unsafe { level.run(Right { b, grid, depth, columns, to: &mut self.right }) }
    }

    /// `c += a b`; `a` is `rows x depth`, without runs; `c` is row-major.
    pub(crate) fn multiply(&mut self, level: Level, rows: usize, a: &[f32], grid: Grid, c: &mut [f32]) {
        let Rounded { left, right, depth, columns } = self;
        let pairs = depth.div_ceil(2);
        left.resize(rows * pairs, 0);
        // SAFETY: L1; as above.
        unsafe {
            level.run(Left { a, grid, rows, depth: *depth, to: left });
            level.run(Product { rows, pairs, columns: *columns, left, right, c });
        }
    }
}

/// Words of `a`, pair by pair: those of all rows lie side by side.
struct Left<'a> {
    a: &'a [f32],
    grid: Grid,
    rows: usize,
    depth: usize,
    to: &'a mut [u32],
}

impl Kernel for Left<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Left { a, grid, rows, depth, to } = self;
        let pairs = depth.div_ceil(2);
        if grid.row == 1 {
            for (at, to) in to.chunks_exact_mut(rows).enumerate() {
                let low = &a[grid.at + 2 * at * grid.column..][..rows];
                let high =
                    if 2 * at + 1 < depth { &a[grid.at + (2 * at + 1) * grid.column..][..rows] } else { &[] };
                pair_rows::<L>(low, high, to);
            }
            return;
        }
        for row in 0..rows {
            let mut whole = 0;
            if grid.column == 1 {
                for from in a[grid.place(row, 0)..][..depth].as_chunks::<{ 2 * LANES }>().0 {
                    let (low, high) = from.split_at(LANES);
                    let mut words = [0; LANES];
                    L::half_line(L::part(low), L::part(high), &mut words);
                    for (at, word) in words.iter().enumerate() {
                        to[(whole + at) * rows + row] = *word;
                    }
                    whole += LANES;
                }
            }
            for at in whole..pairs {
                let high = if 2 * at + 1 < depth { a[grid.place(row, 2 * at + 1)] } else { 0.0 };
                to[at * rows + row] = pair(a[grid.place(row, 2 * at)], high);
            }
        }
    }
}

/// Words of two rows, or of one and zeros.
#[inline(always)]
fn pair_rows<L: Lanes>(low: &[f32], high: &[f32], to: &mut [u32]) {
    let (low, low_rest) = low.as_chunks::<LANES>();
    let (high, high_rest) = high.as_chunks::<LANES>();
    let (lines, tail) = to.as_chunks_mut::<LANES>();
    for (at, (to, low)) in lines.iter_mut().zip(low).enumerate() {
        let high = if high.is_empty() { L::splat(0.0) } else { L::take(&high[at]) };
        L::take(low).pair_with(high, to);
    }
    if !tail.is_empty() {
        let mut line = [0; LANES];
        L::part(low_rest).pair_with(L::part(high_rest), &mut line);
        tail.copy_from_slice(&line[..tail.len()]);
    }
}

/// Words of `b` in panels of sixteen columns, padded with zeros.
struct Right<'a> {
    b: &'a [f32],
    grid: Grid,
    depth: usize,
    columns: usize,
    to: &'a mut [Line],
}

impl Kernel for Right<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Right { b, grid, depth, columns, to } = self;
        for (panel, to) in to.chunks_exact_mut(depth.div_ceil(2)).enumerate() {
            let (first, wide) = (panel * LANES, (columns - panel * LANES).min(LANES));
            for (at, line) in to.iter_mut().enumerate() {
                let mut rows = [L::splat(0.0); 2];
                for half in 0..(depth - 2 * at).min(2) {
                    rows[half] = if grid.column == 1 && wide == LANES {
                        L::part(&b[grid.place(2 * at + half, first)..][..LANES])
                    } else if grid.column == 1 {
                        L::part(&b[grid.place(2 * at + half, first)..][..wide])
                    } else {
                        let mut column = Line::ZERO;
                        for lane in 0..wide {
                            column.0[lane] = b[grid.place(2 * at + half, first + lane)];
                        }
                        L::load(&column)
                    };
                }
                rows[0].pair_with(rows[1], words_of(line));
            }
        }
    }
}

struct Product<'a> {
    rows: usize,
    pairs: usize,
    columns: usize,
    left: &'a [u32],
    right: &'a [Line],
    c: &'a mut [f32],
}

impl Kernel for Product<'_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self) {
        let mut row = 0;
        while L::CHAINS == 8 && self.rows - row >= 8 {
            let rest = self.sweep::<L, 8, 2>(row, 0);
            self.sweep::<L, 8, 1>(row, rest);
            row += 8;
        }
        while self.rows - row >= 4 {
            self.sweep::<L, 4, 1>(row, 0);
            row += 4;
        }
        while self.rows > row {
            let rest = self.sweep::<L, 1, 4>(row, 0);
            self.sweep::<L, 1, 1>(row, rest);
            row += 1;
        }
    }
}

impl Product<'_> {
    /// `R` rows against the panels from `panel` on, `P` at a time, as long as there are so many; the first panel left.
    #[allow(
        clippy::needless_range_loop,
        reason = "iterators take closures, which may be compiled without this instruction set"
    )]
    #[inline(always)]
    fn sweep<L: Lanes, const R: usize, const P: usize>(&mut self, row: usize, panel: usize) -> usize {
        let (all, mut at) = (lines(self.columns), panel);
        while all - at >= P {
            let sums = self.tile::<L, R, P>(row, at);
            let shape = (self.columns, self.columns);
            add_tile(sums, &mut self.c[row * self.columns..], shape, at * LANES);
            at += P;
        }
        at
    }

    #[allow(
        clippy::needless_range_loop,
        reason = "iterators take closures, which may be compiled without this instruction set"
    )]
    #[inline(always)]
    fn tile<L: Lanes, const R: usize, const P: usize>(&self, row: usize, panel: usize) -> [[L; R]; P] {
        let mut sums = [[L::splat(0.0); R]; P];
        let mut panels = [&self.right[..0]; P];
        for p in 0..P {
            panels[p] = &self.right[(panel + p) * self.pairs..][..self.pairs];
        }
        let mut left = &self.left[row..];
        // No way out of the loop, though neither alternative is ever taken: beside a panic the sums are moved about.
        for k in 0..self.pairs {
            let words = left.first_chunk::<R>().unwrap_or(&[0; R]);
            for p in 0..P {
                let line = &panels[p][k];
                for r in 0..R {
                    sums[p][r] = sums[p][r].dot_halves(line, words[r]);
                }
            }
            left = left.get(self.rows..).unwrap_or(&[]);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::Rounded;
    use crate::lanes::{Level, bf16};
    use crate::net::gemm::Grid;
    use crate::train::Dice;

    /// Goal: the product of rounded factors on every level. Method: random sizes and views against three loops in f64 over numbers rounded
    /// one by one.
    #[test]
    fn rounded_products_of_any_size_and_view_are_right_on_every_level() {
        let mut dice = Dice::new(8);
        let mut room = Rounded::default();
        let near = |value: f32| f64::from(f32::from_bits(u32::from(bf16(value)) << 16));
        for round in 0..200 {
            let (m, n, k) = (1 + dice.below(21), 1 + dice.below(70), 1 + dice.below(40));
            let mut numbers =
                |count: usize| (0..count).map(|_| dice.unit() as f32 - 0.5).collect::<Vec<f32>>();
            let (a, b, start) = (numbers(m * k + 3), numbers(k * n + 5), numbers(m * n));
            let a_grid = if round % 2 == 0 { Grid::rows(k) } else { Grid::turned(m) }.from(3);
            let b_grid = if round % 3 == 0 { Grid::turned(k) } else { Grid::rows(n) }.from(5);
            for level in Level::available() {
                let mut c = start.clone();
                room.fill(level, &b, b_grid, k, n);
                room.multiply(level, m, &a, a_grid, &mut c);
                for i in 0..m {
                    for j in 0..n {
                        let product = |p| near(a[a_grid.place(i, p)]) * near(b[b_grid.place(p, j)]);
                        let wanted = f64::from(start[i * n + j]) + (0..k).map(product).sum::<f64>();
                        let error = (f64::from(c[i * n + j]) - wanted).abs();
                        assert!(error < 4e-6, "{level:?} {m}x{n}x{k} {i},{j}: {error}");
                    }
                }
            }
        }
    }
}
