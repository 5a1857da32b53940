// @hot
//! Products of patches with packed weights: convolutions, dense layers over several rows, the halves of recurrent layers.
//!
//! Products are bound by the bytes of weights that stream through the core and by multiply-adds, so a block of up to four output lines
//! is read once, in order, for up to five patches at a time, and sums stay in registers.
use crate::block::{LANES, Line, flat_mut};
use crate::digit::{Digit, Reach, Rows};
use crate::lanes::{Kernel, Lanes};
use std::marker::PhantomData;

/// Patches at a time where registers allow it; twice as many would want more addresses than there are registers for.
const PATCHES: usize = 5;

/// Which words make up each input of a product, and where its outputs go; all in words of the product's kind, from the first word on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patches {
    /// Times and places: patches in all are their product.
    pub(crate) times: usize,
    pub(crate) places: usize,
    /// From one time's patches to the next, in rows.
    pub(crate) time_rows: usize,
    /// From one place's patch to the next, in inputs.
    pub(crate) place_inputs: usize,
    /// Rows in a patch, one below the other.
    pub(crate) taps: usize,
    /// Inputs of each row in a patch.
    pub(crate) run: usize,
    /// Numbers given for each patch.
    pub(crate) outputs: usize,
    /// From one place's outputs to the next, in numbers, and from one time's.
    pub(crate) to_place: usize,
    pub(crate) to_stride: usize,
}

/// Lines of packed weights of `outputs` outputs over `taps` runs of `run` inputs.
pub(crate) fn packed_lines(head: usize, per: usize, taps: usize, run: usize, outputs: usize) -> usize {
    outputs.div_ceil(LANES) * (head + taps * run.div_ceil(per))
}

/// Sums of one block for `R` patches that begin at the words `at`.
#[inline(always)]
pub(crate) fn tile<L: Lanes, D: Digit, const W: usize, const R: usize>(
    x: &[u32],
    at: [usize; R],
    stride: usize,
    (taps, run): (usize, usize),
    head: &[Line],
    weights: &[Line],
) -> [[D::Sum<L>; W]; R] {
    let mut sums = [[D::zero::<L>(); W]; R];
    for each in &mut sums {
        for (w, sum) in each.iter_mut().enumerate() {
            *sum = D::begin::<L>(head, w);
        }
    }
    for (tap, weights) in weights.chunks_exact(run * W).take(taps).enumerate() {
        // A loop and no closure: only what is inlined has the instruction set.
        let mut xs = [&x[..0]; R];
        for r in 0..R {
            xs[r] = &x[at[r] + tap * stride..][..run];
        }
        for (j, weights) in weights.chunks_exact(W).enumerate() {
            for r in 0..R {
                for w in 0..W {
                    sums[r][w] = D::dot::<L>(sums[r][w], &weights[w], xs[r][j]);
                }
            }
        }
    }
    sums
}

/// Adds a run of words times their weights to sums in `S` parts that hide the latency.
#[inline(always)]
fn run_of<L: Lanes, D: Digit, const W: usize, const S: usize>(
    sums: &mut [[D::Sum<L>; W]; S],
    x: &[u32],
    weights: &[[Line; W]],
) {
    let (groups, rest) = x.as_chunks::<S>();
    let (body, tail) = weights.as_chunks::<S>();
    for (group, rows) in groups.iter().zip(body) {
        for s in 0..S {
            for w in 0..W {
                sums[s][w] = D::dot::<L>(sums[s][w], &rows[s][w], group[s]);
            }
        }
    }
    for (x, row) in rest.iter().zip(tail) {
        for w in 0..W {
            sums[0][w] = D::dot::<L>(sums[0][w], &row[w], *x);
        }
    }
}

/// Sums of one block for one patch of rows `stride` words apart.
#[inline(always)]
fn single<L: Lanes, D: Digit, const W: usize, const S: usize>(
    x: &[u32],
    stride: usize,
    (taps, run): (usize, usize),
    head: &[Line],
    weights: &[Line],
) -> [D::Sum<L>; W] {
    let mut sums = [[D::zero::<L>(); W]; S];
    for (w, sum) in sums[0].iter_mut().enumerate() {
        *sum = D::begin::<L>(head, w);
    }
    let mut weights = weights.as_chunks::<W>().0;
    for tap in 0..taps {
        let (own, behind) = weights.split_at(run);
        run_of::<L, D, W, S>(&mut sums, &x[tap * stride..][..run], own);
        weights = behind;
    }
    let mut half = S / 2;
    while half > 0 {
        let (low, high) = sums.split_at_mut(half);
        for (low, high) in low.iter_mut().zip(high) {
            for (low, high) in low.iter_mut().zip(high) {
                *low = D::add::<L>(*low, *high);
            }
        }
        half /= 2;
    }
    sums[0]
}

/// Sums of one block for one patch in as many parts as the instruction set has room for, decided at compile time.
#[inline(always)]
pub(crate) fn alone<L: Lanes, D: Digit, const W: usize>(
    x: &[u32],
    stride: usize,
    shape: (usize, usize),
    head: &[Line],
    weights: &[Line],
) -> [D::Sum<L>; W] {
    match const { L::CHAINS / W } {
        0 | 1 => single::<L, D, W, 1>(x, stride, shape, head, weights),
        2 | 3 => single::<L, D, W, 2>(x, stride, shape, head, weights),
        4..=7 => single::<L, D, W, 4>(x, stride, shape, head, weights),
        _ => single::<L, D, W, 8>(x, stride, shape, head, weights),
    }
}

/// Sums of one block as numbers.
#[inline(always)]
fn end<L: Lanes, D: Digit, const W: usize>(sums: [D::Sum<L>; W], head: &[Line], unit: L) -> [L; W] {
    let mut out = [unit; W];
    for w in 0..W {
        out[w] = D::end::<L>(sums[w], head, w, W, unit);
    }
    out
}

/// One patch against one block, head included.
#[inline(always)]
pub(crate) fn block<L: Lanes, D: Digit, const W: usize>(
    x: &[u32],
    stride: usize,
    shape: (usize, usize),
    packed: &[Line],
    unit: L,
) -> [L; W] {
    let (head, weights) = packed.split_at(W * D::HEAD);
    end::<L, D, W>(alone::<L, D, W>(x, stride, shape, head, weights), head, unit)
}

/// What becomes of sums on their way out.
#[derive(Clone, Copy)]
pub(crate) struct Out<'a> {
    /// Added to each row, lines of its own; empty: nothing.
    pub(crate) starts: &'a [Line],
    /// What numbers below zero are multiplied by: 1 leaves them.
    pub(crate) slope: f32,
}

/// Every patch against every block; outputs go to `to`, which has a spare line at its end.
pub(crate) struct Product<'a, D> {
    pub(crate) x: &'a [Line],
    pub(crate) rows: Rows,
    pub(crate) patches: Patches,
    /// The reach, then blocks.
    pub(crate) weights: &'a [Line],
    pub(crate) out: Out<'a>,
    pub(crate) spare: &'a mut [Line],
    /// Zero; a lane becomes NaN when a sum is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
    pub(crate) digit: PhantomData<D>,
}

impl<D: Digit> Kernel for Product<'_, D> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let patches = self.patches;
        let reach = Reach::packed(&self.weights[0]);
        let (x, stride, unit) = D::round::<L>(self.x, self.rows, reach, self.spare);
        let unit = L::splat(unit);
        let to = flat_mut(self.to);
        let depth = D::HEAD + patches.taps * patches.run.div_ceil(D::PER);
        let lines = patches.outputs.div_ceil(LANES);
        // With one block what spills over is overwritten by the patch that follows; with several it would overwrite what an earlier block gave.
        let part = if lines == 4 || lines <= 2 { 0 } else { patches.outputs % LANES };
        let (mut packed, mut first, mut guard) = (&self.weights[1..], 0, L::load(self.guard));
        // Apart from the loop, so that what narrower blocks need is not made ready before it.
        while lines - first >= 4 {
            let place = Place { first, lines, part, out: self.out };
            guard = blocks::<L, D, 4>(x, stride, &patches, &packed[..4 * depth], unit, place, guard, to);
            (packed, first) = (&packed[4 * depth..], first + 4);
        }
        if lines - first >= 2 {
            let place = Place { first, lines, part, out: self.out };
            guard = blocks::<L, D, 2>(x, stride, &patches, &packed[..2 * depth], unit, place, guard, to);
            (packed, first) = (&packed[2 * depth..], first + 2);
        }
        if lines > first {
            let place = Place { first, lines, part, out: self.out };
            guard = blocks::<L, D, 1>(x, stride, &patches, &packed[..depth], unit, place, guard, to);
        }
        guard.store(self.guard);
    }
}

/// Lines of the next block when `left` are left: four, two or one.
pub(crate) const fn block_width(left: usize) -> usize {
    match left {
        4.. => 4,
        2 | 3 => 2,
        _ => 1,
    }
}

/// Which lines of the outputs a block gives.
#[derive(Clone, Copy)]
struct Place<'a> {
    first: usize,
    lines: usize,
    /// Numbers in the last line, where it must not spill over; else 0.
    part: usize,
    out: Out<'a>,
}

/// Walks over patches: where each begins and where its outputs go.
struct Walk {
    place: usize,
    from: usize,
    to: usize,
}

impl Walk {
    #[inline(always)]
    fn next(&mut self, patches: &Patches, (time, place): (usize, usize)) -> (usize, usize) {
        let now = (self.from, self.to);
        self.place += 1;
        self.from += place;
        self.to += patches.to_place;
        if self.place == patches.places {
            self.from += time - self.place * place;
            self.to += patches.to_stride - self.place * patches.to_place;
            self.place = 0;
        }
        now
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product")]
fn blocks<L: Lanes, D: Digit, const W: usize>(
    x: &[u32],
    stride: usize,
    patches: &Patches,
    packed: &[Line],
    unit: L,
    place: Place<'_>,
    mut guard: L,
    to: &mut [f32],
) -> L {
    let shape = (patches.taps, patches.run.div_ceil(D::PER));
    let steps = (patches.time_rows * stride, patches.place_inputs / D::PER);
    let mut walk = Walk { place: 0, from: 0, to: place.first * LANES };
    let (count, mut nth) = (patches.times * patches.places, 0);
    while const { L::CHAINS == 8 } && count - nth >= PATCHES {
        let (head, weights) = packed.split_at(W * D::HEAD);
        let mut at = [0; PATCHES];
        let mut goes = [0; PATCHES];
        for each in 0..PATCHES {
            (at[each], goes[each]) = walk.next(patches, steps);
        }
        // One after another and no loop, so that sums stay in registers.
        let [a, b, c, d, e] = tile::<L, D, W, PATCHES>(x, at, stride, shape, head, weights);
        guard = put(end::<L, D, W>(a, head, unit), place, nth, guard, &mut to[goes[0]..]);
        guard = put(end::<L, D, W>(b, head, unit), place, nth + 1, guard, &mut to[goes[1]..]);
        guard = put(end::<L, D, W>(c, head, unit), place, nth + 2, guard, &mut to[goes[2]..]);
        guard = put(end::<L, D, W>(d, head, unit), place, nth + 3, guard, &mut to[goes[3]..]);
        guard = put(end::<L, D, W>(e, head, unit), place, nth + 4, guard, &mut to[goes[4]..]);
        nth += PATCHES;
    }
    while nth < count {
        let (at, goes) = walk.next(patches, steps);
        let y = block::<L, D, W>(&x[at..], stride, shape, packed, unit);
        guard = put(y, place, nth, guard, &mut to[goes..]);
        nth += 1;
    }
    guard
}

/// Writes the lines of patch `nth`; what spills over the outputs of one block is overwritten by those that follow or lies in the spare line.
#[inline(always)]
fn put<L: Lanes, const W: usize>(y: [L; W], place: Place<'_>, nth: usize, guard: L, to: &mut [f32]) -> L {
    let (zero, slope, starts) = (L::splat(0.0), L::splat(place.out.slope), place.out.starts);
    // The sum of all is finite only where each is; added up they wait for one another less than in the guard itself.
    let mut all = zero;
    for (w, mut y) in y.into_iter().enumerate() {
        if !starts.is_empty() {
            y = y.add(L::load(&starts[nth * place.lines + place.first + w]));
        }
        all = all.add(y);
        let to = &mut to[w * LANES..];
        if place.part > 0 && place.first + w + 1 == place.lines {
            y.max(y.mul(slope)).give_part(&mut to[..place.part]);
        } else if let Some(to) = to.first_chunk_mut::<LANES>() {
            y.max(y.mul(slope)).give(to);
        }
    }
    all.mul_add(zero, guard)
}
