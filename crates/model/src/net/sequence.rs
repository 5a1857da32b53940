//! An LSTM's ticks over one sequence, forward and back, in one call each: what comes before and after them, products over all ticks at
//! once, is `lstm.rs`.
//!
//! A tick's product with the recurrent weights reads all of them, and those of 64 units are twice what the first cache holds. So every other
//! tick goes through them the other way round, and half of them are still there. In bf16 they fit.
use crate::block::{LANES, Line, words, words_of};
use crate::lanes::{Kernel, Lanes, bf16};
use crate::math::{gate, squash};
use crate::net::single::{dots, strip};

/// Ticks from which on rounding the recurrent weights to bf16 is less work than it saves.
const WORTH: usize = 8;

/// True when the recurrent products of so many ticks are rounded to bf16.
pub(crate) fn rounds(time: usize) -> bool {
    time >= WORTH
}

/// Forward: see [`crate::train::Real::lstm_ticks`].
pub(crate) struct Forward<'a> {
    pub(crate) units: usize,
    pub(crate) recurrent: &'a [f32],
    /// Room for the weights as bf16, where products are rounded.
    pub(crate) halves: Option<&'a mut Vec<Line>>,
    pub(crate) gates: &'a mut [f32],
    pub(crate) squashed: &'a mut [f32],
    pub(crate) h_before: &'a mut [f32],
    pub(crate) c_before: &'a mut [f32],
    pub(crate) y: &'a mut [f32],
    pub(crate) state: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Forward { units, recurrent, mut halves, gates, squashed, h_before, c_before, y, state } = self;
        if let Some(halves) = &mut halves {
            round_rows::<L>(recurrent, 4 * units, halves);
        }
        let (h, c) = state.split_at_mut(units);
        let mut spare = [Line::ZERO; UNITS_MOST / (2 * LANES)];
        let befores = h_before.chunks_exact_mut(units).zip(c_before.chunks_exact_mut(units));
        let ticks = gates.chunks_exact_mut(4 * units).zip(squashed.chunks_exact_mut(units)).zip(befores);
        for (t, (((gates, squashed), before), y)) in ticks.zip(y.chunks_exact_mut(units)).enumerate() {
            let backwards = t % 2 == 1;
            match &halves {
                Some(halves) => {
                    round_along::<L>(h, &mut spare);
                    add_rounded::<L>(&words(&spare)[..units / 2], halves, gates, backwards);
                }
                None => add_product::<L>(h, recurrent, gates, backwards),
            }
            let (h_before, c_before) = before;
            for (to, from) in [(h_before, &*h), (c_before, &*c)] {
                for (to, from) in to.as_chunks_mut::<LANES>().0.iter_mut().zip(from.as_chunks::<LANES>().0) {
                    L::take(from).give(to);
                }
            }
            let places = gates.as_chunks_mut::<LANES>().0;
            let (i_f, g_o) = places.split_at_mut(2 * units / LANES);
            let ((i, f), (g, o)) = (i_f.split_at_mut(units / LANES), g_o.split_at_mut(units / LANES));
            let (h, c) = (h.as_chunks_mut::<LANES>().0, c.as_chunks_mut::<LANES>().0);
            let (y, squashed) = (y.as_chunks_mut::<LANES>().0, squashed.as_chunks_mut::<LANES>().0);
            let lines = Cells { i, f, g, o, h, c, y, squashed };
            // Sums of rounded factors err more than a coarse exponential does.
            if halves.is_some() { lines.step::<L, true>() } else { lines.step::<L, false>() }
        }
    }
}

/// One tick's lines: sums in, gates out; state; answer.
struct Cells<'a> {
    i: &'a mut [[f32; LANES]],
    f: &'a mut [[f32; LANES]],
    g: &'a mut [[f32; LANES]],
    o: &'a mut [[f32; LANES]],
    h: &'a mut [[f32; LANES]],
    c: &'a mut [[f32; LANES]],
    y: &'a mut [[f32; LANES]],
    squashed: &'a mut [[f32; LANES]],
}

impl Cells<'_> {
    #[inline(always)]
    fn step<L: Lanes, const COARSE: bool>(self) {
        let Cells { i, f, g, o, h, c, y, squashed } = self;
        for n in 0..h.len() {
            let (zi, zf) = (gate(L::take(&i[n]), COARSE), gate(L::take(&f[n]), COARSE));
            let (zg, zo) = (squash(L::take(&g[n]), COARSE), gate(L::take(&o[n]), COARSE));
            let cell = zf.mul(L::take(&c[n])).add(zi.mul(zg));
            let flat = squash(cell, COARSE);
            let out = zo.mul(flat);
            zi.give(&mut i[n]);
            zf.give(&mut f[n]);
            zg.give(&mut g[n]);
            zo.give(&mut o[n]);
            cell.give(&mut c[n]);
            flat.give(&mut squashed[n]);
            out.give(&mut h[n]);
            out.give(&mut y[n]);
        }
    }
}

/// Back: see [`crate::train::Real::lstm_ticks_back`].
pub(crate) struct Backward<'a> {
    pub(crate) units: usize,
    pub(crate) recurrent: &'a [f32],
    /// As in [`Forward`].
    pub(crate) halves: Option<&'a mut Vec<Line>>,
    pub(crate) gates: &'a [f32],
    pub(crate) squashed: &'a [f32],
    pub(crate) c_before: &'a [f32],
    pub(crate) dy: &'a [f32],
    pub(crate) dz: &'a mut [f32],
    /// Slopes by the state carried back: zeros at first.
    pub(crate) carried: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Backward { units, recurrent, mut halves, gates, squashed, c_before, dy, dz, carried } = self;
        if let Some(halves) = &mut halves {
            round_turned::<L>(recurrent, 4 * units, halves);
        }
        let (dh, dc) = carried.split_at_mut(units);
        let mut spare = [Line::ZERO; 2 * UNITS_MOST / LANES];
        let (count, one) = (units / LANES, L::splat(1.0));
        for t in (0..dy.len() / units).rev() {
            let rows = t * units..(t + 1) * units;
            let gates = gates[4 * rows.start..4 * rows.end].as_chunks::<LANES>().0;
            let squashed = squashed[rows.clone()].as_chunks::<LANES>().0;
            let c_before = c_before[rows.clone()].as_chunks::<LANES>().0;
            let dy = dy[rows.clone()].as_chunks::<LANES>().0;
            let slopes = &mut dz[4 * rows.start..4 * rows.end];
            let places = slopes.as_chunks_mut::<LANES>().0;
            let dc = dc.as_chunks_mut::<LANES>().0;
            for n in 0..count {
                let (i, f) = (L::take(&gates[n]), L::take(&gates[count + n]));
                let (g, o) = (L::take(&gates[2 * count + n]), L::take(&gates[3 * count + n]));
                let flat = L::take(&squashed[n]);
                let d_out = L::take(&dy[n]).add(L::take(&dh.as_chunks::<LANES>().0[n]));
                let d_cell = L::take(&dc[n]).add(d_out.mul(o).mul(one.sub(flat.mul(flat))));
                d_cell.mul(g).mul(i).mul(one.sub(i)).give(&mut places[n]);
                d_cell.mul(L::take(&c_before[n])).mul(f).mul(one.sub(f)).give(&mut places[count + n]);
                d_cell.mul(i).mul(one.sub(g.mul(g))).give(&mut places[2 * count + n]);
                d_out.mul(flat).mul(o).mul(one.sub(o)).give(&mut places[3 * count + n]);
                d_cell.mul(f).give(&mut dc[n]);
            }
            // What the first tick would carry on is nobody's.
            if t > 0 {
                let upwards = t % 2 == 1;
                match &halves {
                    Some(halves) => {
                        let pairs = &mut spare[..2 * units / LANES];
                        round_along::<L>(slopes, pairs);
                        dh.fill(0.0);
                        add_rounded::<L>(words(pairs), halves, dh, upwards);
                    }
                    None => slopes_of::<L>(recurrent, slopes, dh, upwards),
                }
            }
        }
    }
}

/// Most units that these kernels take: their state as bf16 lies on the stack.
pub(crate) const UNITS_MOST: usize = 512;

/// True for layers that these kernels take.
pub(crate) fn takes(units: usize) -> bool {
    units.is_multiple_of(2 * LANES) && units <= UNITS_MOST
}

/// `y += x w`, `w` row-major; rows from the last to the first when `backwards`.
#[inline(always)]
fn add_product<L: Lanes>(x: &[f32], w: &[f32], y: &mut [f32], backwards: bool) {
    let wide = y.len();
    let mut at = 0;
    while L::CHAINS == 8 && wide - at >= 16 * LANES {
        let mut sums = [L::splat(0.0); 16];
        for turn in 0..x.len() {
            let k = if backwards { x.len() - 1 - turn } else { turn };
            let (row, x) = (&w[k * wide + at..][..16 * LANES], L::splat(x[k]));
            for (sum, w) in sums.iter_mut().zip(row.as_chunks::<LANES>().0) {
                *sum = x.mul_add(L::take(w), *sum);
            }
        }
        add_sums(&sums, &mut y[at..at + 16 * LANES]);
        at += 16 * LANES;
    }
    while wide - at >= 4 * LANES {
        strip::<L, 4>(x, w, wide, at, &mut y[at..at + 4 * LANES]);
        at += 4 * LANES;
    }
}

#[inline(always)]
fn add_sums<L: Lanes, const W: usize>(sums: &[L; W], y: &mut [f32]) {
    for (sum, y) in sums.iter().zip(y.as_chunks_mut::<LANES>().0) {
        L::take(y).add(*sum).give(y);
    }
}

/// `dx = w dy`; rows from the last to the first when `upwards`, with the same bits.
#[inline(always)]
fn slopes_of<L: Lanes>(w: &[f32], dy: &[f32], dx: &mut [f32], upwards: bool) {
    let (blocks, size) = (dx.as_chunks_mut::<8>().0, 8 * dy.len());
    let count = blocks.len();
    for turn in 0..count {
        let nth = if upwards { count - 1 - turn } else { turn };
        let w = &w[nth * size..(nth + 1) * size];
        if L::CHAINS == 8 {
            blocks[nth] = dots::<L, 8>(w, dy);
        } else {
            let (low, high) = w.split_at(size / 2);
            blocks[nth][..4].copy_from_slice(&dots::<L, 4>(low, dy));
            blocks[nth][4..].copy_from_slice(&dots::<L, 4>(high, dy));
        }
    }
}

/// Rows of weights as bf16, two rows in a word: what [`add_rounded`] reads.
#[inline(always)]
fn round_rows<L: Lanes>(w: &[f32], wide: usize, to: &mut Vec<Line>) {
    to.resize(w.len() / (2 * LANES), Line::ZERO);
    for (rows, to) in w.chunks_exact(2 * wide).zip(to.chunks_exact_mut(wide / LANES)) {
        let (low, high) = rows.split_at(wide);
        let rows = low.as_chunks::<LANES>().0.iter().zip(high.as_chunks::<LANES>().0);
        for (to, (low, high)) in to.iter_mut().zip(rows) {
            L::take(low).pair_with(L::take(high), words_of(to));
        }
    }
}

/// Numbers as bf16 in their order, two in a word: what [`rounded_slopes`] reads.
#[inline(always)]
fn round_along<L: Lanes>(x: &[f32], to: &mut [Line]) {
    for (to, x) in to.iter_mut().zip(x.as_chunks::<LANES>().0.as_chunks::<2>().0) {
        L::half_line(L::take(&x[0]), L::take(&x[1]), words_of(to));
    }
}

/// Two numbers as bf16 in one word, the first in its lower half.
#[inline(always)]
pub(crate) fn pair(low: f32, high: f32) -> u32 {
    u32::from(bf16(low)) | u32::from(bf16(high)) << 16
}

/// Columns of weights as bf16, two columns in a word: rows of the transpose, as [`round_rows`] gives them.
#[inline(always)]
fn round_turned<L: Lanes>(w: &[f32], wide: usize, to: &mut Vec<Line>) {
    to.resize(w.len() / (2 * LANES), Line::ZERO);
    let lines = w.len() / wide / LANES;
    for (nth, rows) in w.chunks_exact(LANES * wide).enumerate() {
        for at in 0..wide / (2 * LANES) {
            let mut block = [Line::ZERO; LANES];
            for (row, to) in rows.chunks_exact(wide).zip(&mut block) {
                let from = row.as_chunks::<LANES>().0;
                L::half_line(L::take(&from[2 * at]), L::take(&from[2 * at + 1]), words_of(to));
            }
            L::turn(&mut block);
            for (row, line) in block.iter().enumerate() {
                to[(at * LANES + row) * lines + nth] = *line;
            }
        }
    }
}

/// As [`add_product`], from rounded rows; in f32 sums.
#[inline(always)]
fn add_rounded<L: Lanes>(x: &[u32], w: &[Line], y: &mut [f32], backwards: bool) {
    let wide = y.len() / LANES;
    let mut at = 0;
    while L::CHAINS == 8 && wide - at >= 16 {
        rounded_strip::<L, 16, 1>(x, w, wide, at, y, backwards);
        at += 16;
    }
    while wide - at >= 4 {
        rounded_strip::<L, 4, 4>(x, w, wide, at, y, backwards);
        at += 4;
    }
    while wide - at >= 2 {
        rounded_strip::<L, 2, 4>(x, w, wide, at, y, backwards);
        at += 2;
    }
}

/// `W` lines of sums from the `at`-th on, each in `C` parts, as many as hide an instruction's latency.
#[inline(always)]
fn rounded_strip<L: Lanes, const W: usize, const C: usize>(
    x: &[u32],
    w: &[Line],
    wide: usize,
    at: usize,
    y: &mut [f32],
    backwards: bool,
) {
    let mut sums = [[L::splat(0.0); W]; C];
    let groups = x.as_chunks::<C>().0;
    for turn in 0..groups.len() {
        let nth = if backwards { groups.len() - 1 - turn } else { turn };
        for (c, sums) in sums.iter_mut().enumerate() {
            let (row, x) = (&w[(nth * C + c) * wide + at..][..W], groups[nth][c]);
            for (sum, w) in sums.iter_mut().zip(row) {
                *sum = sum.dot_halves(w, x);
            }
        }
    }
    let (all, parts) = sums.split_at_mut(1);
    for part in parts {
        for (sum, part) in all[0].iter_mut().zip(part) {
            *sum = sum.add(*part);
        }
    }
    add_sums(&all[0], &mut y[at * LANES..(at + W) * LANES]);
}
