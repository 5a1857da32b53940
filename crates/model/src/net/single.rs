//! Products of a single row for learning, straight from row-major weights: batch 1 is bound by reading them, packing would double that.
use crate::block::LANES;
use crate::lanes::{Kernel, Lanes, Level};

/// `y += x W`, `W` row-major `[x.len(), y.len()]`.
pub(crate) fn row(level: Level, x: &[f32], w: &[f32], y: &mut [f32]) {
    // SAFETY: L1; levels come from `Level::detect` or lie below it.
    unsafe { level.run(Row { x, w, y }) }
}

/// `dx += W dy`, `dw += x dy`.
pub(crate) fn row_back(level: Level, x: &[f32], w: &[f32], dy: &[f32], dx: &mut [f32], dw: &mut [f32]) {
    // SAFETY: L1; as above.
    unsafe { level.run(Back { x, w, dy, dx, dw }) }
}

/// `dx += W dy`.
pub(crate) fn slopes(level: Level, w: &[f32], dy: &[f32], dx: &mut [f32]) {
    // SAFETY: L1; as above.
    unsafe { level.run(Slopes { w, dy, dx }) }
}

struct Row<'a> {
    x: &'a [f32],
    w: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Row<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (x, w, wide) = (self.x, self.w, self.y.len());
        let (blocks, rest) = self.y.as_chunks_mut::<{ 4 * LANES }>();
        for (nth, y) in blocks.iter_mut().enumerate() {
            strip::<L, 4>(x, w, wide, nth * 4 * LANES, y);
        }
        let at = wide - rest.len();
        let (lines, tail) = rest.as_chunks_mut::<LANES>();
        for (nth, y) in lines.iter_mut().enumerate() {
            strip::<L, 1>(x, w, wide, at + nth * LANES, y);
        }
        if !tail.is_empty() {
            let at = wide - tail.len();
            for (x, w) in x.iter().zip(w.chunks_exact(wide)) {
                for (y, w) in tail.iter_mut().zip(&w[at..]) {
                    *y += x * w;
                }
            }
        }
    }
}

/// `W` lines of the outputs, in two sums each.
#[inline(always)]
pub(super) fn strip<L: Lanes, const W: usize>(x: &[f32], w: &[f32], wide: usize, at: usize, y: &mut [f32]) {
    let mut sums = [[L::splat(0.0); W]; 2];
    let (pairs, last) = x.as_chunks::<2>();
    for (pair, rows) in pairs.iter().zip(w.chunks_exact(2 * wide)) {
        for s in 0..2 {
            let own = &rows[s * wide + at..s * wide + at + W * LANES];
            for (sum, w) in sums[s].iter_mut().zip(own.as_chunks::<LANES>().0) {
                *sum = L::splat(pair[s]).mul_add(L::take(w), *sum);
            }
        }
    }
    if let [x] = last {
        let own = &w[pairs.len() * 2 * wide + at..][..W * LANES];
        for (sum, w) in sums[0].iter_mut().zip(own.as_chunks::<LANES>().0) {
            *sum = L::splat(*x).mul_add(L::take(w), *sum);
        }
    }
    for (nth, y) in y.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        L::take(y).add(sums[0][nth].add(sums[1][nth])).give(y);
    }
}

struct Back<'a> {
    x: &'a [f32],
    w: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
    dw: &'a mut [f32],
}

impl Kernel for Back<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let wide = self.dy.len();
        let (dy_lines, dy_tail) = self.dy.as_chunks::<LANES>();
        let rows = self.w.chunks_exact(wide).zip(self.dw.chunks_exact_mut(wide));
        for ((x, dx), (w, dw)) in self.x.iter().zip(self.dx).zip(rows) {
            let factor = L::splat(*x);
            let mut sum = L::splat(0.0);
            let ((w, w_tail), (dw, dw_tail)) = (w.as_chunks::<LANES>(), dw.as_chunks_mut::<LANES>());
            for ((w, dw), dy) in w.iter().zip(dw).zip(dy_lines) {
                let dy = L::take(dy);
                sum = dy.mul_add(L::take(w), sum);
                factor.mul_add(dy, L::take(dw)).give(dw);
            }
            let mut slope = if dy_lines.is_empty() { 0.0 } else { sum.sum() };
            for ((w, dw), dy) in w_tail.iter().zip(dw_tail).zip(dy_tail) {
                slope += w * dy;
                *dw += x * dy;
            }
            *dx += slope;
        }
    }
}

struct Slopes<'a> {
    w: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Slopes<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        if L::CHAINS == 8 { self.blocks::<L, 8>() } else { self.blocks::<L, 4>() }
    }
}

impl Slopes<'_> {
    /// `R` rows at a time: as many sums in flight as hide the latency.
    #[inline(always)]
    fn blocks<L: Lanes, const R: usize>(self) {
        let (w, dy, wide) = (self.w, self.dy, self.dy.len());
        let (blocks, rest) = self.dx.as_chunks_mut::<R>();
        let count = blocks.len();
        for (nth, dx) in blocks.iter_mut().enumerate() {
            let sums = dots::<L, R>(&w[nth * R * wide..(nth + 1) * R * wide], dy);
            for r in 0..R {
                dx[r] += sums[r];
            }
        }
        for (dx, w) in rest.iter_mut().zip(w[count * R * wide..].chunks_exact(wide)) {
            *dx += dots::<L, 1>(w, dy)[0];
        }
    }
}

/// The products of `R` rows with `dy`.
#[inline(always)]
pub(super) fn dots<L: Lanes, const R: usize>(w: &[f32], dy: &[f32]) -> [f32; R] {
    // Plain loops: what takes a closure may be compiled apart, without this function's instruction set.
    let (wide, mut out) = (dy.len(), [0.0; R]);
    let (lines, tail) = dy.as_chunks::<LANES>();
    if lines.is_empty() {
        for (out, row) in out.iter_mut().zip(w.chunks_exact(wide)) {
            for (w, dy) in row.iter().zip(tail) {
                *out += w * dy;
            }
        }
        return out;
    }
    let mut rows = [(&[] as &[[f32; LANES]], &[] as &[f32]); R];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = w[r * wide..(r + 1) * wide].as_chunks::<LANES>();
    }
    let mut sums = [L::splat(0.0); R];
    for (k, dy) in lines.iter().enumerate() {
        let dy = L::take(dy);
        for r in 0..R {
            sums[r] = dy.mul_add(L::take(&rows[r].0[k]), sums[r]);
        }
    }
    if !tail.is_empty() {
        let dy = L::part(tail);
        for r in 0..R {
            sums[r] = dy.mul_add(L::part(rows[r].1), sums[r]);
        }
    }
    let (fours, rest) = sums.as_chunks::<4>();
    for (out, sums) in out.chunks_exact_mut(4).zip(fours) {
        L::four_sums(*sums).give_part(out);
    }
    for (out, sum) in out[R - rest.len()..].iter_mut().zip(rest) {
        *out = sum.sum();
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::lanes::Level;
    use crate::train::Dice;

    /// Goal: a row's way back on every level. Method: random sizes against loops in f64.
    #[test]
    fn slopes_of_any_size_are_right_on_every_level() {
        let mut dice = Dice::new(6);
        for _ in 0..200 {
            let (taken, given) = (1 + dice.below(40), 1 + dice.below(70));
            let mut numbers =
                |count: usize| (0..count).map(|_| dice.unit() as f32 - 0.5).collect::<Vec<f32>>();
            let (w, dy, start) = (numbers(taken * given), numbers(given), numbers(taken));
            for level in Level::available() {
                let mut dx = start.clone();
                super::slopes(level, &w, &dy, &mut dx);
                for (at, dx) in dx.iter().enumerate() {
                    let row = &w[at * given..(at + 1) * given];
                    let sum: f64 = row.iter().zip(&dy).map(|(w, dy)| f64::from(*w) * f64::from(*dy)).sum();
                    assert!(
                        (f64::from(*dx) - f64::from(start[at]) - sum).abs() < 1e-5,
                        "{level:?} {taken}x{given}"
                    );
                }
            }
        }
    }
}
