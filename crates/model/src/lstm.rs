// @hot
//! One row through an LSTM with smooth gates, sixteen units at a time.
//!
//! What units make of their sums waits for itself most of the time, and the processor's queue of what waits is short. So it is cut in two
//! and stands between the sums of the sixteen units that follow; and what only the last, few units need stands in a function of its own.
use crate::block::{LANES, Line};
use crate::digit::{Digit, Reach};
use crate::lanes::{Kernel, Lanes, Watch};
use crate::math::{close_lstm, open_lstm};
use crate::pack::tail_lines;
use crate::program::Gates;
use crate::recurrent::{load, round_state, sums, tail};
use std::marker::PhantomData;

/// Gates.
const GATES: usize = 4;

/// One row through a layer.
pub(crate) struct Step<'a, D> {
    pub(crate) gates: &'a Gates,
    pub(crate) x: &'a [Line],
    pub(crate) weights: &'a [Line],
    /// The layer's own: `h`, `c`, the recurrent half of the next step.
    pub(crate) state: &'a mut [Line],
    /// The recurrent half is in the state.
    pub(crate) prepared: bool,
    /// From the last units to the first.
    pub(crate) back: bool,
    pub(crate) spare: &'a mut [Line],
    pub(crate) to: &'a mut [Line],
    pub(crate) digit: PhantomData<D>,
}

/// One half of a layer: weights in blocks of sixteen units, then the tail, and the words that meet them.
#[derive(Clone, Copy)]
struct Half<'a, D> {
    lines: &'a [Line],
    words: &'a [u32],
    digit: PhantomData<D>,
}

impl<'a, D: Digit> Half<'a, D> {
    #[inline(always)]
    fn new(lines: &'a [Line], words: &'a [u32]) -> Self {
        Half { lines, words, digit: PhantomData }
    }

    /// The sums of a block, to be multiplied by what one step of the words is worth.
    #[inline(always)]
    fn sums<L: Lanes>(&self, nth: usize) -> [L; GATES] {
        let size = GATES * (D::BARE + self.words.len());
        sums::<L, D, GATES, true>(&self.lines[nth * size..][..size], self.words, L::splat(0.0))
    }

    /// The sums of the last, few units behind `blocks` blocks, whose gates stand one behind the other.
    #[inline(always)]
    fn tail<L: Lanes>(&self, blocks: usize, rest: usize) -> [L; GATES] {
        let depth = D::BARE + self.words.len();
        let lines = &self.lines[blocks * GATES * depth..][..tail_lines(GATES, rest) * depth];
        tail::<L, D, GATES, true>(lines, self.words, L::splat(0.0), rest)
    }
}

/// A row on its way through a layer.
struct Way<'a, D> {
    given: Half<'a, D>,
    kept: Half<'a, D>,
    /// What one step of the given words is worth.
    unit: f32,
    c: &'a mut [Line],
    y: &'a mut [Line],
}

impl<D: Digit> Way<'_, D> {
    #[inline(always)]
    fn join<L: Lanes>(&self, given: [L; GATES], kept: [L; GATES]) -> [L; GATES] {
        let unit = L::splat(self.unit);
        let sum = |gate: usize| D::joined::<L>(given[gate], unit, kept[gate]);
        [sum(0), sum(1), sum(2), sum(3)]
    }

    /// The first half of the way from a block's sums to its state. A lane of `guard` becomes NaN where a sum is not finite.
    #[inline(always)]
    fn open<L: Lanes>(&mut self, nth: usize, sums: [L; GATES], guard: L) -> ([L; 2], L) {
        let [i, f, g, o] = sums;
        let guard = i.add(f).add(g.add(o)).mul_add(L::splat(0.0), guard);
        let [cell, out] = open_lstm(sums, L::load(&self.c[nth]), D::COARSE);
        cell.store(&mut self.c[nth]);
        ([cell, out], guard)
    }

    /// The second half.
    #[inline(always)]
    fn close<L: Lanes>(&mut self, nth: usize, open: [L; 2]) {
        close_lstm(open, D::COARSE).store(&mut self.y[nth]);
    }

    /// The whole blocks; `READY`: the recurrent half stands in `ready`. `last`: a block before them whose sums stand there.
    #[inline(always)]
    fn blocks<L: Lanes, const READY: bool>(
        &mut self,
        ready: &[[Line; GATES]],
        (count, back, last): (usize, bool, Option<usize>),
        mut guard: L,
    ) -> L {
        let (mut sums, mut before) = ([L::splat(0.0); GATES], usize::MAX);
        if let Some(last) = last {
            (sums, before) = (load(&ready[last]), last);
        }
        for turn in 0..count {
            let nth = if back { count - 1 - turn } else { turn };
            // First what the row before gave: the row at hand, or the layer below, has just been made.
            let kept = if READY { load(&ready[nth]) } else { self.kept.sums::<L>(nth) };
            let mut open = [L::splat(0.0); 2];
            if before != usize::MAX {
                (open, guard) = self.open(before, sums, guard);
            }
            let given = self.given.sums::<L>(nth);
            if before != usize::MAX {
                self.close(before, open);
            }
            (sums, before) = (self.join(given, kept), nth);
        }
        if before != usize::MAX {
            let open;
            (open, guard) = self.open(before, sums, guard);
            self.close(before, open);
        }
        guard
    }
}

/// The sums of the last, few units of a row behind `blocks` blocks.
struct Tail<'w, 'a, D> {
    way: &'w Way<'a, D>,
    blocks: usize,
    rest: usize,
    prepared: bool,
    to: &'w mut [Line; GATES],
}

impl<D: Digit> Kernel for Tail<'_, '_, D> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Tail { way, blocks, rest, prepared, to } = self;
        let given = way.given.tail::<L>(blocks, rest);
        let kept = if prepared { load(to) } else { way.kept.tail::<L>(blocks, rest) };
        for (sum, to) in way.join(given, kept).into_iter().zip(to) {
            sum.store(to);
        }
    }
}

impl<D: Digit> Watch for Step<'_, D> {
    #[inline(always)]
    fn watched<L: Lanes>(self, mut guard: L) -> L {
        let Step { gates: &Gates { from, to, input, hidden, .. }, prepared, back, .. } = self;
        let (wide, units) = (to.wide(), to.values);
        let (h, rest) = self.state.split_at_mut(wide);
        let (c, ready) = rest.split_at_mut(wide);
        let ready = ready.as_chunks_mut::<GATES>().0;
        let (first, second) = self.spare.split_at_mut(wide + 1);
        let reach = Reach::packed(&self.weights[input]);
        let (words, unit) = D::row::<L>(self.x, from.values, reach, second);
        let given = Half::<D>::new(&self.weights[input + 1..], words);
        // What the products read of `h` may be `h` itself.
        let kept = Half::new(&self.weights[hidden..], round_state::<L, D>(h, units, first).0);
        let mut way = Way { given, kept, unit, c, y: &mut *self.to };
        let rest = if tail_lines(GATES, units) > 0 { units % LANES } else { 0 };
        let blocks = ready.len() - usize::from(rest > 0);
        if back && rest > 0 {
            L::enter(Tail { way: &way, blocks, rest, prepared, to: &mut ready[blocks] });
        }
        let order = (blocks, back, (back && rest > 0).then_some(blocks));
        if prepared {
            guard = way.blocks::<L, true>(ready, order, guard);
        } else {
            guard = way.blocks::<L, false>(ready, order, guard);
        }
        if !back && rest > 0 {
            L::enter(Tail { way: &way, blocks, rest, prepared, to: &mut ready[blocks] });
            let open;
            (open, guard) = way.open(blocks, load(&ready[blocks]), guard);
            way.close(blocks, open);
        }
        for (h, y) in h.iter_mut().zip(&*self.to) {
            L::load(y).store(h);
        }
        guard
    }
}
