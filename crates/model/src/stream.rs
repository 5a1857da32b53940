// @hot
//! Convolutions of a stateful network in two halves: what the rows before give, which can be computed ahead of the row at hand, and what
//! that row adds.
//!
//! Of four taps in f32 the three over rows before are computed for two ticks at once, with four products in place of six (Winograd 1980,
//! `F(2, 3)`). With rows `d0..d3`, oldest first, and taps `g0..g2`: `m1 = (d0 - d2) g0`, `m2 = (d1 + d2) (g0 + g1 + g2) / 2`,
//! `m3 = (d2 - d1) (g0 - g1 + g2) / 2`, `m4 = (d1 - d3) g2`; the first tick has `m1 + m2 + m3`, the second `m2 - m3 - m4`. Before the first,
//! `d0..d2` are there, before the second `d1..d3`: so `m1` and `m4` both are of the oldest row less the newest.
use crate::activation::Activation;
use crate::block::{LANES, Line, lines};
use crate::digit::{Rows, Whole32, by_digit};
use crate::lanes::{Kernel, Lanes};
use crate::model::Precision;
use crate::product::{Out, Patches, Product, alone, tile};
use crate::program::Span;
use std::marker::PhantomData;

/// Taps that are computed for two ticks at once, the row at hand's included.
pub(crate) const TAPS: usize = 4;
/// Rows before that they look at.
pub(crate) const BEFORE: usize = TAPS - 1;

/// True when the rows before are computed for two ticks at once.
pub(crate) const fn is_paired(digit: Precision, taps: usize) -> bool {
    taps == TAPS && matches!(digit, Precision::F32)
}

/// Where a convolution's halves and memory lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) from: Span,
    pub(crate) to: Span,
    /// First line of the weights over rows before, then of those over the row at hand.
    pub(crate) past: usize,
    pub(crate) now: usize,
    pub(crate) digit: Precision,
    /// Patches of the row at hand.
    pub(crate) patches: Patches,
    /// Rows before that it looks at.
    pub(crate) before: usize,
    /// For two ticks at once; 0 or 1: at which ticks, so that layers share the work of two ticks.
    pub(crate) phase: Option<usize>,
    /// First line in a state.
    pub(crate) state: usize,
    pub(crate) activation: Activation,
}

impl Stream {
    /// Lines of the sums of a row's patches, each from a line's start.
    fn sums(&self) -> usize {
        self.patches.places * lines(self.patches.outputs)
    }

    /// Lines of the rows before: a ring, or two side by side so that rows are always contiguous.
    fn ring(&self) -> usize {
        self.before * self.from.lines() * if self.phase.is_some() { 1 } else { 2 }
    }

    /// Lines of state: the rows before; what they give; of two ticks at once, what they give to the second.
    pub(crate) fn state_lines(&self) -> usize {
        self.ring() + self.sums() * if self.phase.is_some() { 2 } else { 1 }
    }

    /// Lines that the rows before take while they are read.
    pub(crate) fn spare_lines(&self) -> usize {
        self.before * self.from.lines() + 1
    }

    /// Its part of a state, and in it what the rows before give.
    fn parts<'a>(&self, state: &'a mut [Line]) -> (&'a mut [Line], &'a mut [Line], &'a mut [Line]) {
        let own = &mut state[self.state..self.state + self.state_lines()];
        let (ring, sums) = own.split_at_mut(self.ring());
        let (ahead, kept) = sums.split_at_mut(self.sums());
        (ring, ahead, kept)
    }
}

/// What the rows before a tick give.
pub(crate) struct Past<'a> {
    pub(crate) stream: &'a Stream,
    pub(crate) weights: &'a [Line],
    pub(crate) state: &'a mut [Line],
    pub(crate) spare: &'a mut [Line],
    /// Ticks answered so far.
    pub(crate) ticks: usize,
    /// What was kept for this tick at the one before is of these weights.
    pub(crate) fresh: bool,
}

impl Past<'_> {
    #[inline(always)]
    pub(crate) fn run<L: Lanes>(self) {
        let Past { stream, weights, state, spare, ticks, fresh } = self;
        let (from, before, patches) = (stream.from, stream.before, stream.patches);
        let (ring, ahead, kept) = stream.parts(state);
        let (wide, weights) = (from.lines(), &weights[stream.past..]);
        // The oldest row stands where the next one will go.
        let oldest = ticks % before;
        if let Some(phase) = stream.phase {
            let row = |nth: usize| (oldest + nth) % BEFORE * wide;
            let rows = [row(0), row(1), row(2)];
            let first = (ticks + phase).is_multiple_of(2);
            return L::enter(Paired { ring, rows, wide, patches, weights, first, fresh, spare, ahead, kept });
        }
        let rows = Rows { count: before, values: from.values, stride: wide };
        let place = lines(patches.outputs) * LANES;
        let patches = Patches { taps: before, to_place: place, to_stride: patches.places * place, ..patches };
        let x = &ring[oldest * wide..(oldest + before) * wide];
        let out = Out { starts: &[], slope: 1.0 };
        // What is not finite here makes a sum of the row at hand not finite, which is watched.
        let mut guard = Line::ZERO;
        by_digit!(stream.digit, D, {
            let (guard, digit) = (&mut guard, PhantomData::<D>);
            L::enter(Product { x, rows, patches, weights, out, spare, guard, to: ahead, digit });
        });
    }
}

/// What the row at hand adds, and keeps the row.
pub(crate) struct Now<'a> {
    pub(crate) stream: &'a Stream,
    pub(crate) x: &'a [Line],
    pub(crate) weights: &'a [Line],
    pub(crate) state: &'a mut [Line],
    pub(crate) spare: &'a mut [Line],
    pub(crate) ticks: usize,
    pub(crate) slope: f32,
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
}

impl Now<'_> {
    #[inline(always)]
    pub(crate) fn run<L: Lanes>(self) {
        let Now { stream, x, weights, state, spare, ticks, slope, guard, to } = self;
        let (wide, before, patches) = (x.len(), stream.before, stream.patches);
        let (ring, ahead, _) = stream.parts(state);
        let place = ticks % before;
        ring[place * wide..(place + 1) * wide].copy_from_slice(x);
        if stream.phase.is_none() {
            ring[(place + before) * wide..(place + before + 1) * wide].copy_from_slice(x);
        }
        let (rows, weights) = (stream.from.as_rows(), &weights[stream.now..]);
        let out = Out { starts: ahead, slope };
        by_digit!(stream.digit, D, {
            let digit = PhantomData::<D>;
            L::enter(Product { x, rows, patches, weights, out, spare, guard, to, digit });
        });
    }
}

/// Two ticks at once; see the module's text.
struct Paired<'a> {
    ring: &'a [Line],
    /// Where the rows before begin in the ring, oldest first.
    rows: [usize; BEFORE],
    /// Lines of a row.
    wide: usize,
    patches: Patches,
    /// The reach, then blocks of four taps.
    weights: &'a [Line],
    /// At the first of the two.
    first: bool,
    fresh: bool,
    spare: &'a mut [Line],
    ahead: &'a mut [Line],
    kept: &'a mut [Line],
}

impl Kernel for Paired<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Paired { ring, rows, wide, patches, weights, first, fresh, spare, ahead, kept } = self;
        let [oldest, middle, newest] = [0, 1, 2].map(|nth| &ring[rows[nth]..rows[nth] + wide]);
        let (apart, rest) = spare.split_at_mut(wide);
        let (sum, rest) = rest.split_at_mut(wide);
        let less = &mut rest[..wide];
        for at in 0..wide {
            L::load(&oldest[at]).sub(L::load(&newest[at])).store(&mut apart[at]);
        }
        let both = first || !fresh;
        if both {
            let (early, late) = if first { (middle, newest) } else { (oldest, middle) };
            for at in 0..wide {
                let (early, late) = (L::load(&early[at]), L::load(&late[at]));
                early.add(late).store(&mut sum[at]);
                late.sub(early).store(&mut less[at]);
            }
        }
        let x = [&*apart, &*sum, &*less].map(crate::block::words);
        let mut pair = Pair { x, patches, first, both, ahead, kept, lines: lines(patches.outputs) };
        let depth = 1 + TAPS * patches.run;
        let (mut packed, mut line) = (&weights[1..], 0);
        while pair.lines - line >= 4 {
            pair.block::<L, 4, 2>(&packed[..4 * depth], line);
            (packed, line) = (&packed[4 * depth..], line + 4);
        }
        if pair.lines - line >= 2 {
            pair.block::<L, 2, 5>(&packed[..2 * depth], line);
            (packed, line) = (&packed[2 * depth..], line + 2);
        }
        if pair.lines > line {
            pair.block::<L, 1, 5>(&packed[..depth], line);
        }
    }
}

/// The inputs and outputs of the four products.
struct Pair<'a> {
    /// The oldest row less the newest; the sum and the difference of the two rows that both ticks see.
    x: [&'a [u32]; 3],
    patches: Patches,
    first: bool,
    both: bool,
    ahead: &'a mut [Line],
    kept: &'a mut [Line],
    lines: usize,
}

impl Pair<'_> {
    /// One block of `W` lines: head, then four taps.
    #[inline(always)]
    fn block<L: Lanes, const W: usize, const R: usize>(&mut self, packed: &[Line], line: usize) {
        let Patches { places, run, .. } = self.patches;
        let mut nth = 0;
        while const { L::CHAINS == 8 } && places - nth >= R {
            self.some::<L, W, R>(packed, run, nth, line);
            nth += R;
        }
        while nth < places {
            self.some::<L, W, 1>(packed, run, nth, line);
            nth += 1;
        }
    }

    /// `R` patches from `nth` on.
    #[inline(always)]
    fn some<L: Lanes, const W: usize, const R: usize>(
        &mut self,
        packed: &[Line],
        run: usize,
        nth: usize,
        line: usize,
    ) {
        let (head, taps) = packed.split_at(W);
        let step = self.patches.place_inputs;
        let mut at = [0; R];
        for (r, at) in at.iter_mut().enumerate() {
            *at = (nth + r) * step;
        }
        if self.both {
            let (own, behind) = (&taps[run * W..2 * run * W], &taps[2 * run * W..3 * run * W]);
            let second = part::<L, W, R>(self.x[1], at, run, head, own);
            let third = part::<L, W, R>(self.x[2], at, run, &[Line::ZERO; W], behind);
            for r in 0..R {
                let place = (nth + r) * self.lines + line;
                for w in 0..W {
                    second[r][w].sub(third[r][w]).store(&mut self.kept[place + w]);
                    second[r][w].add(third[r][w]).store(&mut self.ahead[place + w]);
                }
            }
        }
        let tap = if self.first { 0 } else { TAPS - 1 };
        let own = &taps[tap * run * W..(tap + 1) * run * W];
        let sums = part::<L, W, R>(self.x[0], at, run, &[Line::ZERO; W], own);
        for (r, sums) in sums.into_iter().enumerate() {
            let place = (nth + r) * self.lines + line;
            for (w, sum) in sums.into_iter().enumerate() {
                let given = if self.first {
                    L::load(&self.ahead[place + w]).add(sum)
                } else {
                    L::load(&self.kept[place + w]).sub(sum)
                };
                given.store(&mut self.ahead[place + w]);
            }
        }
    }
}

/// One product of `R` patches with one tap.
#[inline(always)]
fn part<L: Lanes, const W: usize, const R: usize>(
    x: &[u32],
    at: [usize; R],
    run: usize,
    head: &[Line],
    weights: &[Line],
) -> [[L; W]; R] {
    if R > 1 {
        return tile::<L, Whole32, W, R>(x, at, 0, (1, run), head, weights);
    }
    let mut sums = [[L::splat(0.0); W]; R];
    for (sums, at) in sums.iter_mut().zip(at) {
        *sums = alone::<L, Whole32, W>(&x[at..], 0, (1, run), head, weights);
    }
    sums
}
