// @hot
//! Recurrent layers: gates of sixteen units at a time, from sums to state while they are in registers.
//!
//! The processor looks far enough ahead to hide what follows sixteen units' sums behind the next sixteen's, if nothing else stands
//! between: so the loops are bare, and all that can be cut to size is so before them.
use crate::block::{LANES, Line, flat};
use crate::digit::{Digit, Reach, by_digit};
use crate::lanes::{Kernel, Lanes};
use crate::math::{gru, hard_gru, hard_lstm};
use crate::pack::{TAIL_MAX, tail_lines};
use crate::program::{Gates, Op, Program};
use crate::stream::Past;
use std::marker::PhantomData;

/// One row after another through a layer of `G` gates: 4 an LSTM's, 3 a GRU's; `HARD`: of straight pieces.
pub(crate) struct Steps<'a, D, const G: usize, const HARD: bool> {
    pub(crate) gates: Gates,
    pub(crate) x: &'a [Line],
    pub(crate) weights: &'a [Line],
    /// The layer's own: `h`, an LSTM's `c`, the recurrent half of the next step.
    pub(crate) state: &'a mut [Line],
    /// The recurrent half of the first row is in the state.
    pub(crate) prepared: bool,
    /// From the last units to the first.
    pub(crate) back: bool,
    pub(crate) spare: &'a mut [Line],
    /// Zero; a lane becomes NaN when a sum is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
    pub(crate) digit: PhantomData<D>,
}

/// One half of a layer: weights in blocks of sixteen units, then the tail, and the words that meet them.
#[derive(Clone, Copy)]
pub(crate) struct Half<'a, L, const BARE: bool> {
    lines: &'a [Line],
    /// Lines for sixteen outputs.
    depth: usize,
    shape: Shape,
    words: &'a [u32],
    /// What one step of the words is worth.
    unit: L,
}

/// Blocks before the tail, lines and units of the tail.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    blocks: usize,
    tail: usize,
    rest: usize,
}

impl Shape {
    #[inline(always)]
    pub(crate) fn new<const G: usize>(units: usize) -> Shape {
        let tail = tail_lines(G, units);
        let blocks = if tail > 0 { units / LANES } else { units.div_ceil(LANES) };
        Shape { blocks, tail, rest: units % LANES }
    }
}

/// Sums of a block of `W` lines, in two parts that hide the latency; with a bare head, still to be multiplied by the unit.
#[inline(always)]
pub(crate) fn sums<L: Lanes, D: Digit, const W: usize, const BARE: bool>(
    lines: &[Line],
    words: &[u32],
    unit: L,
) -> [L; W] {
    let (head, weights) = lines.split_at(W * const { if BARE { D::BARE } else { D::HEAD } });
    let (mut sums, mut others) = ([D::zero::<L>(); W], [D::zero::<L>(); W]);
    for (w, sum) in sums.iter_mut().enumerate() {
        *sum = D::begin::<L>(head, w);
    }
    let (weights, (pairs, last)) = (weights.as_chunks::<W>().0, words.as_chunks::<2>());
    let (both, odd) = weights.as_chunks::<2>();
    for (pair, lines) in pairs.iter().zip(both) {
        for w in 0..W {
            sums[w] = D::dot::<L>(sums[w], &lines[0][w], pair[0]);
        }
        for w in 0..W {
            others[w] = D::dot::<L>(others[w], &lines[1][w], pair[1]);
        }
    }
    if let ([word], [lines]) = (last, odd) {
        for w in 0..W {
            sums[w] = D::dot::<L>(sums[w], &lines[w], *word);
        }
    }
    let mut out = [unit; W];
    for w in 0..W {
        let sum = D::add::<L>(sums[w], others[w]);
        out[w] = if BARE { D::raw::<L>(sum, head, w, W) } else { D::end::<L>(sum, head, w, W, unit) };
    }
    out
}

impl<'a, L: Lanes, const BARE: bool> Half<'a, L, BARE> {
    #[inline(always)]
    pub(crate) fn new<D: Digit>(lines: &'a [Line], shape: Shape, (words, unit): (&'a [u32], f32)) -> Self {
        let head = const { if BARE { D::BARE } else { D::HEAD } };
        Half { lines, depth: head + words.len(), shape, words, unit: L::splat(unit) }
    }

    /// The sums of a block, or of the tail, which stands behind the last.
    #[inline(always)]
    pub(crate) fn sums<D: Digit, const G: usize>(&self, nth: usize) -> [L; G] {
        let lines = &self.lines[nth * G * self.depth..];
        if nth < self.shape.blocks {
            return sums::<L, D, G, BARE>(&lines[..G * self.depth], self.words, self.unit);
        }
        tail::<L, D, G, BARE>(&lines[..self.shape.tail * self.depth], self.words, self.unit, self.shape.rest)
    }
}

/// The sums of the last, few units, `rest` of them, from their one or two lines: a gate's stand behind those of the gate before.
#[inline(always)]
pub(crate) fn tail<L: Lanes, D: Digit, const G: usize, const BARE: bool>(
    lines: &[Line],
    words: &[u32],
    unit: L,
    rest: usize,
) -> [L; G] {
    let mut packed = [Line::ZERO; TAIL_MAX];
    if G * rest <= LANES {
        let [one] = sums::<L, D, 1, BARE>(lines, words, unit);
        one.store(&mut packed[0]);
    } else {
        let [one, two] = sums::<L, D, 2, BARE>(lines, words, unit);
        one.store(&mut packed[0]);
        two.store(&mut packed[1]);
    }
    let mut out = [unit; G];
    for (gate, out) in out.iter_mut().enumerate() {
        *out = L::part(&flat(&packed)[gate * rest..][..rest]);
    }
    out
}

/// `h` as the products read it: a product with a sigmoid, and a mean of such, is never beyond 1. What one step is worth is in the weights.
#[inline(always)]
pub(crate) fn round_state<'a, L: Lanes, D: Digit>(
    h: &'a [Line],
    units: usize,
    spare: &'a mut [Line],
) -> (&'a [u32], f32) {
    D::row::<L>(h, units, Reach::of(1.0), spare)
}

/// Where the state of a layer lies while a row goes through it.
struct Memory<'a> {
    h: &'a [Line],
    c: &'a mut [Line],
    y: &'a mut [Line],
}

impl Memory<'_> {
    /// From the halves of a block's sums to its state. A lane of `guard` becomes NaN where a sum is not finite.
    #[inline(always)]
    fn close<L: Lanes, D: Digit, const G: usize, const HARD: bool>(
        &mut self,
        nth: usize,
        (given, unit): ([L; G], L),
        kept: [L; G],
        guard: L,
    ) -> L {
        let sum = |gate: usize| {
            if G == 4 { D::joined::<L>(given[gate], unit, kept[gate]) } else { given[gate].add(kept[gate]) }
        };
        let gates =
            if G == 4 { [sum(0), sum(1), sum(2), sum(3)] } else { [sum(0), sum(1), given[2], kept[2]] };
        let [a, b, c, d] = gates;
        if G == 4 {
            let c = L::load(&self.c[nth]);
            // One with smooth gates takes a way of its own, `lstm.rs`.
            let (cell, h) = hard_lstm(gates, c, D::COARSE);
            cell.store(&mut self.c[nth]);
            h.store(&mut self.y[nth]);
        } else {
            let h = L::load(&self.h[nth]);
            let h = if HARD { hard_gru(gates, h, D::COARSE) } else { gru(gates, h, D::COARSE) };
            h.store(&mut self.y[nth]);
        }
        a.add(b).add(c.add(d)).mul_add(L::splat(0.0), guard)
    }
}

/// One row through a layer; `ready`: the recurrent half, where it was computed before.
///
/// `back`: from the last units to the first. Row after row turning round, what was read last is still near when it is read again.
#[inline(always)]
fn step<L: Lanes, D: Digit, const G: usize, const BARE: bool, const HARD: bool>(
    kept: Half<'_, L, true>,
    given: Half<'_, L, BARE>,
    ready: Option<&[Line]>,
    mut memory: Memory<'_>,
    (back, mut guard): (bool, L),
) -> L {
    let count = memory.y.len();
    for turn in 0..count {
        let nth = if back { count - 1 - turn } else { turn };
        let start = match ready {
            Some(ready) => load::<L, G>(&ready[nth * G..]),
            None => kept.sums::<D, G>(nth),
        };
        guard = memory.close::<L, D, G, HARD>(nth, (given.sums::<D, G>(nth), given.unit), start, guard);
    }
    guard
}

impl<'a, D, const G: usize> Steps<'a, D, G, false> {
    /// The same with gates of straight pieces.
    #[inline(always)]
    pub(crate) fn hard(self) -> Steps<'a, D, G, true> {
        let Steps { gates, x, weights, state, prepared, back, spare, guard, to, digit } = self;
        Steps { gates, x, weights, state, prepared, back, spare, guard, to, digit }
    }
}

impl<D: Digit, const G: usize, const HARD: bool> Kernel for Steps<'_, D, G, HARD> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Gates { from, to, input, hidden, .. } = self.gates;
        let (wide, units, inputs) = (to.wide(), to.values, from.values);
        let (h, rest) = self.state.split_at_mut(wide);
        let (c, half) = rest.split_at_mut(if G == 4 { wide } else { 0 });
        let reach = Reach::packed(&self.weights[input]);
        let shape = Shape::new::<G>(units);
        let (first, second) = self.spare.split_at_mut(wide + 1);
        let mut guard = L::load(self.guard);
        for t in 0..from.rows {
            let x = &self.x[t * from.wide()..][..from.wide()];
            let y = &mut self.to[t * wide..][..wide];
            let ready = (t == 0 && self.prepared).then_some(&*half);
            // What the products read of `h` may be `h` itself.
            let kept = Half::new::<D>(&self.weights[hidden..], shape, round_state::<L, D>(h, units, first));
            let (words, lines) = (D::row::<L>(x, inputs, reach, second), &self.weights[input + 1..]);
            let (memory, turn) = (Memory { h, c, y }, (self.back, guard));
            guard = if G == 4 {
                step::<L, D, G, true, HARD>(kept, Half::new::<D>(lines, shape, words), ready, memory, turn)
            } else {
                step::<L, D, G, false, HARD>(kept, Half::new::<D>(lines, shape, words), ready, memory, turn)
            };
            for (h, y) in h.iter_mut().zip(y) {
                L::load(y).store(h);
            }
        }
        guard.store(self.guard);
    }
}

#[inline(always)]
pub(crate) fn load<L: Lanes, const G: usize>(half: &[Line]) -> [L; G] {
    let mut out = [L::splat(0.0); G];
    for (out, half) in out.iter_mut().zip(half) {
        *out = L::load(half);
    }
    out
}

/// Computes the recurrent half `start + h R` of the next step.
struct Ahead<'a, D, const G: usize> {
    gates: Gates,
    weights: &'a [Line],
    state: &'a mut [Line],
    spare: &'a mut [Line],
    digit: PhantomData<D>,
}

impl<D: Digit, const G: usize> Kernel for Ahead<'_, D, G> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Gates { to, hidden, .. } = self.gates;
        let (wide, units) = (to.wide(), to.values);
        let (h, rest) = self.state.split_at_mut(wide);
        let half = &mut rest[if G == 4 { wide } else { 0 }..];
        let (words, shape) = (round_state::<L, D>(h, units, self.spare), Shape::new::<G>(units));
        let kept = Half::<L, true>::new::<D>(&self.weights[hidden..], shape, words);
        for (nth, half) in half.chunks_exact_mut(G).take(wide).enumerate() {
            let sums = kept.sums::<D, G>(nth);
            for (sum, half) in sums.into_iter().zip(half) {
                sum.store(half);
            }
        }
    }
}

/// The recurrent halves of the next tick.
pub(crate) struct Prepare<'a> {
    pub(crate) program: &'a Program,
    pub(crate) weights: &'a [Line],
    pub(crate) spare: &'a mut [Line],
    pub(crate) state: &'a mut [Line],
    /// As [`Past`]'s.
    pub(crate) ticks: usize,
    pub(crate) fresh: bool,
}

impl Kernel for Prepare<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Prepare { program, weights, spare, state, ticks, fresh } = self;
        for op in &program.ops {
            match *op {
                Op::Lstm(gates) => {
                    by_digit!(program.precision, D, ahead::<L, D, 4>(gates, weights, spare, state));
                }
                Op::Gru(gates) => {
                    by_digit!(program.precision, D, ahead::<L, D, 3>(gates, weights, spare, state));
                }
                Op::Stream(ref stream) => {
                    Past { stream, weights, state, spare, ticks, fresh }.run::<L>();
                }
                _ => {}
            }
        }
    }
}

#[inline(always)]
fn ahead<L: Lanes, D: Digit, const G: usize>(
    gates: Gates,
    weights: &[Line],
    spare: &mut [Line],
    state: &mut [Line],
) {
    let digit = PhantomData::<D>;
    let state = &mut state[gates.state..gates.state + gates.state_lines()];
    L::enter(Ahead::<D, G> { gates, weights, state, spare, digit });
}
