//! Matrix products for learning: `c += a b` over strided views, in tiles of up to eight rows by sixteen columns.
//!
//! Every element of `c` gets one sum over `k` in ascending order, so the result does not depend on how rows are tiled.
use crate::block::{LANES, Line, lines};
use crate::lanes::portable::Plain;
use crate::lanes::{Lanes, Level};

/// Where the numbers of a matrix lie in a slice: element `(i, j)` at `at + i * row + j * column`.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// Place of the first element.
    pub at: usize,
    /// From one row to the next.
    pub row: usize,
    /// From one column to the next.
    pub column: usize,
}

impl Grid {
    /// Row-major with `columns` columns.
    pub fn rows(columns: usize) -> Grid {
        Grid { at: 0, row: columns, column: 1 }
    }

    /// The transpose of a row-major matrix that has `columns` columns.
    pub fn turned(columns: usize) -> Grid {
        Grid { at: 0, row: 1, column: columns }
    }

    /// The same from another first element on.
    #[must_use]
    pub fn from(self, at: usize) -> Grid {
        Grid { at, ..self }
    }

    /// Place of an element.
    #[inline(always)]
    pub fn place(self, row: usize, column: usize) -> usize {
        self.at + row * self.row + column * self.column
    }
}

/// A right-hand matrix in panels of 16 columns, padded with zeros.
#[derive(Debug, Clone, Default)]
pub struct Panels {
    lines: Vec<Line>,
    rows: usize,
    columns: usize,
}

impl Panels {
    pub(crate) fn fill(&mut self, b: &[f32], grid: Grid, rows: usize, columns: usize) {
        (self.rows, self.columns) = (rows, columns);
        self.lines.clear();
        self.lines.resize(rows * lines(columns), Line::ZERO);
        for (panel, to) in self.lines.chunks_exact_mut(rows).enumerate() {
            let (first, wide) = (panel * LANES, (columns - panel * LANES).min(LANES));
            for (row, line) in to.iter_mut().enumerate() {
                let place = grid.place(row, first);
                if grid.column == 1 {
                    line.0[..wide].copy_from_slice(&b[place..place + wide]);
                } else {
                    for (value, b) in line.0[..wide].iter_mut().zip(b[place..].iter().step_by(grid.column)) {
                        *value = *b;
                    }
                }
            }
        }
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
    match level {
        // SAFETY: L1; levels come from `Level::detect` or lie below it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => unsafe { multiply_avx512(rows, a, grid, b, c, stride) },
        // SAFETY: L1; as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { multiply_avx2(rows, a, grid, b, c, stride) },
        _ => run::<Plain>(rows, a, grid, b, c, stride),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn multiply_avx512(rows: usize, a: &[f32], grid: Grid, b: &Panels, c: &mut [f32], stride: usize) {
    run::<crate::lanes::avx512::Zmm>(rows, a, grid, b, c, stride);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2(rows: usize, a: &[f32], grid: Grid, b: &Panels, c: &mut [f32], stride: usize) {
    run::<crate::lanes::avx2::Pair>(rows, a, grid, b, c, stride);
}

/// Most values of `k` that a packed block of `a` holds; longer sums run in pieces, in order.
const DEPTH: usize = 256;

#[inline(always)]
fn run<L: Lanes>(rows: usize, a: &[f32], grid: Grid, b: &Panels, c: &mut [f32], stride: usize) {
    let mut row = 0;
    while rows - row >= 8 {
        if L::CHAINS == 8 {
            block::<L, 8>(row, a, grid, b, c, stride);
        } else {
            block::<L, 4>(row, a, grid, b, c, stride);
            block::<L, 4>(row + 4, a, grid, b, c, stride);
        }
        row += 8;
    }
    while rows - row >= 4 {
        block::<L, 4>(row, a, grid, b, c, stride);
        row += 4;
    }
    for row in row..rows {
        single::<L>(row, a, grid, b, c, stride);
    }
}

/// `R` rows against every panel.
#[inline(always)]
fn block<L: Lanes, const R: usize>(
    row: usize,
    a: &[f32],
    grid: Grid,
    b: &Panels,
    c: &mut [f32],
    stride: usize,
) {
    let mut packed = [[0.0f32; R]; DEPTH];
    for from in (0..b.rows).step_by(DEPTH) {
        let depth = (b.rows - from).min(DEPTH);
        for r in 0..R {
            let place = grid.place(row + r, from);
            if grid.column == 1 {
                for (to, a) in packed.iter_mut().zip(&a[place..place + depth]) {
                    to[r] = *a;
                }
            } else {
                for (to, a) in packed[..depth].iter_mut().zip(a[place..].iter().step_by(grid.column)) {
                    to[r] = *a;
                }
            }
        }
        for (at, panel) in b.lines.chunks_exact(b.rows).enumerate() {
            let sums = tile::<L, R>(&packed[..depth], &panel[from..from + depth]);
            let wide = (b.columns - at * LANES).min(LANES);
            for (r, sum) in sums.into_iter().enumerate() {
                let place = (row + r) * stride + at * LANES;
                add_to::<L>(sum, &mut c[place..place + wide]);
            }
        }
    }
}

#[inline(always)]
fn tile<L: Lanes, const R: usize>(a: &[[f32; R]], panel: &[Line]) -> [L; R] {
    let mut sums = [L::splat(0.0); R];
    for (a, b) in a.iter().zip(panel) {
        let b = L::load(b);
        for r in 0..R {
            sums[r] = L::splat(a[r]).mul_add(b, sums[r]);
        }
    }
    sums
}

#[inline(always)]
fn add_to<L: Lanes>(sum: L, c: &mut [f32]) {
    if let Ok(whole) = <&mut [f32; LANES]>::try_from(&mut *c) {
        L::take(whole).add(sum).give(whole);
    } else {
        let mut line = Line::ZERO;
        sum.store(&mut line);
        for (c, sum) in c.iter_mut().zip(line.0) {
            *c += sum;
        }
    }
}

/// One row against four panels at a time: as many sums in flight as hide the latency.
#[inline(always)]
fn single<L: Lanes>(row: usize, a: &[f32], grid: Grid, b: &Panels, c: &mut [f32], stride: usize) {
    for (group, panels) in b.lines.chunks(4 * b.rows).enumerate() {
        let at = group * 4;
        if panels.len() == 4 * b.rows {
            let (low, high) = panels.split_at(2 * b.rows);
            let ((p0, p1), (p2, p3)) = (low.split_at(b.rows), high.split_at(b.rows));
            let mut sums = [L::splat(0.0); 4];
            for (k, (((p0, p1), p2), p3)) in p0.iter().zip(p1).zip(p2).zip(p3).enumerate() {
                let a = L::splat(a[grid.place(row, k)]);
                sums[0] = a.mul_add(L::load(p0), sums[0]);
                sums[1] = a.mul_add(L::load(p1), sums[1]);
                sums[2] = a.mul_add(L::load(p2), sums[2]);
                sums[3] = a.mul_add(L::load(p3), sums[3]);
            }
            for (p, sum) in sums.into_iter().enumerate() {
                let wide = (b.columns - (at + p) * LANES).min(LANES);
                let place = row * stride + (at + p) * LANES;
                add_to::<L>(sum, &mut c[place..place + wide]);
            }
        } else {
            for (p, panel) in panels.chunks_exact(b.rows).enumerate() {
                let mut sum = L::splat(0.0);
                for (k, b) in panel.iter().enumerate() {
                    sum = L::splat(a[grid.place(row, k)]).mul_add(L::load(b), sum);
                }
                let wide = (b.columns - (at + p) * LANES).min(LANES);
                let place = row * stride + (at + p) * LANES;
                add_to::<L>(sum, &mut c[place..place + wide]);
            }
        }
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
