//! Matrix products for learning: `c += a b` over strided views, in tiles of up to eight rows by two panels of sixteen columns, which fill an
//! AVX-512 processor's multipliers; the left-hand side is read where it lies, the right-hand side is packed.
//!
//! Every element of `c` gets one sum over `k` in ascending order, so the result does not depend on how rows are tiled.
use crate::block::{LANES, Line, lines};
use crate::lanes::{Kernel, Lanes, Level};
use crate::net::halves::Rounded;

/// Where the numbers of a matrix lie in a slice: element `(i, j)` at `at + i * row + j * column`, and after every `run` columns `jump`
/// further on, in place of the columns before.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// Place of the first element.
    pub at: usize,
    /// From one row to the next.
    pub row: usize,
    /// From one column to the next.
    pub column: usize,
    /// Columns that lie evenly.
    pub run: usize,
    /// From one run of columns to the next.
    pub jump: usize,
}

impl Grid {
    /// Row-major with `columns` columns.
    pub fn rows(columns: usize) -> Grid {
        Grid { at: 0, row: columns, column: 1, run: usize::MAX, jump: 0 }
    }

    /// The transpose of a row-major matrix that has `columns` columns.
    pub fn turned(columns: usize) -> Grid {
        Grid { at: 0, row: 1, column: columns, run: usize::MAX, jump: 0 }
    }

    /// The same from another first element on.
    #[must_use]
    pub fn from(self, at: usize) -> Grid {
        Grid { at, ..self }
    }

    /// Place of an element.
    #[inline(always)]
    pub fn place(self, row: usize, column: usize) -> usize {
        // Divisions only where there are runs.
        let (runs, column) =
            if column < self.run { (0, column) } else { (column / self.run, column % self.run) };
        self.at + row * self.row + runs * self.jump + column * self.column
    }
}

/// A right-hand matrix in panels of 16 columns, padded with zeros.
#[derive(Debug, Clone, Default)]
pub struct Panels {
    lines: Vec<Line>,
    rows: usize,
    columns: usize,
    rounded: Rounded,
}

impl Panels {
    /// Packs a matrix whose columns lie in one run.
    pub(crate) fn fill(&mut self, b: &[f32], grid: Grid, rows: usize, columns: usize) {
        (self.rows, self.columns) = (rows, columns);
        self.lines.resize(rows * lines(columns), Line::ZERO);
        for (panel, to) in self.lines.chunks_exact_mut(rows).enumerate() {
            let (first, wide) = (panel * LANES, (columns - panel * LANES).min(LANES));
            if wide < LANES {
                to.fill(Line::ZERO);
            }
            if grid.column == 1 {
                for (row, line) in to.iter_mut().enumerate() {
                    let from = &b[grid.place(row, first)..][..wide];
                    match <&[f32; LANES]>::try_from(from) {
                        Ok(whole) => line.0 = *whole,
                        Err(_) => line.0.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
                    }
                }
            } else {
                for lane in 0..wide {
                    let from = b[grid.place(0, first + lane)..].iter().step_by(grid.row);
                    to.iter_mut().zip(from).for_each(|(line, from)| line.0[lane] = *from);
                }
            }
        }
    }

    /// Room for products of rounded factors.
    pub(crate) fn rounded(&mut self) -> &mut Rounded {
        &mut self.rounded
    }

    /// Its lines as room for something else.
    pub(crate) fn lines(&mut self) -> &mut Vec<Line> {
        &mut self.lines
    }

    /// A panel's lines.
    #[inline(always)]
    fn panel(&self, at: usize) -> &[Line] {
        &self.lines[at * self.rows..(at + 1) * self.rows]
    }
}

/// `c += a b`; see [`crate::train::Real::multiply`].
pub(crate) fn multiply(
    level: Level,
    rows: usize,
    a: &[f32],
    grid: Grid,
    b: &Panels,
    c: &mut [f32],
    stride: usize,
) {
    // SAFETY: L1; levels come from `Level::detect` or lie below it.
    unsafe { level.run(Product { rows, a: Left { a, grid }, b, c, stride }) }
}

/// A left-hand matrix where it lies; nothing of it is copied.
#[derive(Clone, Copy)]
struct Left<'a> {
    a: &'a [f32],
    grid: Grid,
}

struct Product<'a> {
    rows: usize,
    a: Left<'a>,
    b: &'a Panels,
    c: &'a mut [f32],
    stride: usize,
}

impl Kernel for Product<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Product { rows, a, b, c, stride } = self;
        let mut row = 0;
        while L::CHAINS == 8 && rows - row >= 8 {
            let rest = sweep::<L, 8, 2>(row, 0, a, b, c, stride);
            sweep::<L, 8, 1>(row, rest, a, b, c, stride);
            row += 8;
        }
        while rows - row >= 4 {
            sweep::<L, 4, 1>(row, 0, a, b, c, stride);
            row += 4;
        }
        // One row against four panels at a time: as many sums in flight as hide the latency.
        for row in row..rows {
            let rest = sweep::<L, 1, 4>(row, 0, a, b, c, stride);
            sweep::<L, 1, 1>(row, rest, a, b, c, stride);
        }
    }
}

/// `R` rows against the panels from `panel` on, `P` at a time, as long as there are so many; the first panel left.
#[inline(always)]
fn sweep<L: Lanes, const R: usize, const P: usize>(
    row: usize,
    panel: usize,
    a: Left<'_>,
    b: &Panels,
    c: &mut [f32],
    stride: usize,
) -> usize {
    let (all, mut at) = (lines(b.columns), panel);
    while all - at >= P {
        group::<L, R, P>(row, at, a, b, c, stride);
        at += P;
    }
    at
}

/// `R` rows against `P` panels.
#[allow(
    clippy::needless_range_loop,
    reason = "iterators take closures, which may be compiled without this instruction set"
)]
#[inline(always)]
fn group<L: Lanes, const R: usize, const P: usize>(
    row: usize,
    panel: usize,
    a: Left<'_>,
    b: &Panels,
    c: &mut [f32],
    stride: usize,
) {
    let mut panels = [b.panel(panel); P];
    for (p, own) in panels.iter_mut().enumerate() {
        *own = b.panel(panel + p);
    }
    let sums = tile::<L, R, P>(row, a, panels);
    add_tile(sums, &mut c[row * stride..], (b.columns, stride), panel * LANES);
}

/// Adds the sums of a tile to `c`, where its first row begins at 0 and rows `stride` numbers apart, from the column `first` on.
#[allow(
    clippy::needless_range_loop,
    reason = "iterators take closures, which may be compiled without this instruction set"
)]
#[inline(always)]
pub(crate) fn add_tile<L: Lanes, const R: usize, const P: usize>(
    sums: [[L; R]; P],
    c: &mut [f32],
    (columns, stride): (usize, usize),
    first: usize,
) {
    // Loops without a way out are unrolled, and so the sums stay where they are.
    if first + P * LANES <= columns {
        for r in 0..R {
            let (row, _) = c[r * stride + first..][..P * LANES].as_chunks_mut::<LANES>();
            for p in 0..P {
                L::take(&row[p]).add(sums[p][r]).give(&mut row[p]);
            }
        }
        return;
    }
    for r in 0..R {
        let row = &mut c[r * stride + first..][..columns - first];
        for (p, c) in row.chunks_mut(LANES).enumerate() {
            L::part(c).add(sums[p][r]).give_part(c);
        }
    }
}

#[allow(
    clippy::needless_range_loop,
    reason = "iterators take closures, which may be compiled without this instruction set"
)]
#[inline(always)]
fn tile<L: Lanes, const R: usize, const P: usize>(
    row: usize,
    a: Left<'_>,
    panels: [&[Line]; P],
) -> [[L; R]; P] {
    let Left { a, grid } = a;
    let mut sums = [[L::splat(0.0); R]; P];
    let (depth, mut from, mut first) = (panels[0].len(), 0, grid.at + row * grid.row);
    while from < depth {
        let run = grid.run.min(depth - from);
        let mut own = panels;
        for panel in &mut own {
            *panel = &panel[from..][..run];
        }
        if grid.column == 1 {
            let mut rows = [&a[..0]; R];
            for (r, row) in rows.iter_mut().enumerate() {
                *row = &a[first + r * grid.row..][..run];
            }
            for k in 0..run {
                let lines = at::<L, P>(own, k);
                for r in 0..R {
                    add_products(&mut sums, r, rows[r][k], lines);
                }
            }
        } else if grid.row == 1 {
            for k in 0..run {
                let (column, lines) = (&a[first + k * grid.column..][..R], at::<L, P>(own, k));
                for r in 0..R {
                    add_products(&mut sums, r, column[r], lines);
                }
            }
        } else {
            for k in 0..run {
                let lines = at::<L, P>(own, k);
                for r in 0..R {
                    add_products(&mut sums, r, a[first + r * grid.row + k * grid.column], lines);
                }
            }
        }
        (from, first) = (from + run, first + grid.jump);
    }
    sums
}

/// One line of each panel.
#[allow(
    clippy::needless_range_loop,
    reason = "iterators take closures, which may be compiled without this instruction set"
)]
#[inline(always)]
fn at<L: Lanes, const P: usize>(panels: [&[Line]; P], k: usize) -> [L; P] {
    let mut lines = [L::splat(0.0); P];
    for p in 0..P {
        lines[p] = L::load(&panels[p][k]);
    }
    lines
}

#[inline(always)]
fn add_products<L: Lanes, const R: usize, const P: usize>(
    sums: &mut [[L; R]; P],
    r: usize,
    a: f32,
    b: [L; P],
) {
    let factor = L::splat(a);
    for p in 0..P {
        sums[p][r] = factor.mul_add(b[p], sums[p][r]);
    }
}

#[cfg(test)]
mod tests {
    use super::{Grid, Panels, multiply};
    use crate::lanes::Level;
    use crate::train::Dice;

    /// Goal: the product on every level. Method: random sizes and views against three loops in f64.
    #[test]
    fn products_of_any_size_and_view_are_right_on_every_level() {
        let mut dice = Dice::new(5);
        for round in 0..300 {
            let (m, n, k) = (
                1 + dice.below(21),
                1 + dice.below(70),
                1 + dice.below(if round % 9 == 0 { 600 } else { 40 }),
            );
            let mut numbers =
                |count: usize| (0..count).map(|_| dice.unit() as f32 - 0.5).collect::<Vec<f32>>();
            let (a, b, start) = (numbers(m * k + 3), numbers(k * n + 5), numbers(m * n));
            let a_grid = if round % 2 == 0 { Grid::rows(k) } else { Grid::turned(m) }.from(3);
            // Now and then the columns of `a` lie in runs with a gap in between, as patches of a convolution do.
            let run = 1 + dice.below(k);
            let (a_grid, a) = if round % 5 == 4 {
                let gap = dice.below(4);
                let grid = Grid { run, jump: m * (run + gap), row: run + gap, ..Grid::rows(k) }.from(3);
                let count = 3 + k.div_ceil(run) * m * (run + gap);
                (grid, (0..count).map(|_| dice.unit() as f32 - 0.5).collect())
            } else {
                (a_grid, a)
            };
            let b_grid = if round % 3 == 0 { Grid::turned(k) } else { Grid::rows(n) }.from(5);
            let mut panels = Panels::default();
            panels.fill(&b, b_grid, k, n);
            for level in Level::available() {
                let mut c = start.clone();
                multiply(level, m, &a, a_grid, &panels, &mut c, n);
                for i in 0..m {
                    for j in 0..n {
                        let sum: f64 = (0..k)
                            .map(|p| f64::from(a[a_grid.place(i, p)]) * f64::from(b[b_grid.place(p, j)]))
                            .sum();
                        let wanted = f64::from(start[i * n + j]) + sum;
                        assert!(
                            (f64::from(c[i * n + j]) - wanted).abs() < 2e-5,
                            "{level:?} {m}x{n}x{k} {i},{j}"
                        );
                    }
                }
            }
        }
    }
}
