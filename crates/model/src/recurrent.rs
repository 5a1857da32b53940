// @hot
//! Recurrent layers: gates of sixteen units at a time, from sums to state while they are in registers.
use crate::block::Line;
use crate::digit::{Digit, Reach, Rows, by_digit};
use crate::lanes::{Kernel, Lanes};
use crate::math::{cell, sigmoid, tanh};
use crate::model::Precision;
use crate::pack::gate_lines;
use crate::product::block;
use crate::program::{Gates, Op, Program};
use crate::stream::Past;
use std::marker::PhantomData;

/// One row after another through a layer of `G` gates: 4 an LSTM's, 3 a GRU's.
pub(crate) struct Steps<'a, D, const G: usize> {
    pub(crate) precision: Precision,
    pub(crate) gates: Gates,
    pub(crate) x: &'a [Line],
    pub(crate) weights: &'a [Line],
    /// The layer's own: `h`, an LSTM's `c`, the recurrent half of the next step.
    pub(crate) state: &'a mut [Line],
    /// The recurrent half of the first row is in the state.
    pub(crate) prepared: bool,
    pub(crate) spare: &'a mut [Line],
    /// Zero; a lane becomes NaN when a sum is not finite.
    pub(crate) guard: &'a mut Line,
    pub(crate) to: &'a mut [Line],
    pub(crate) digit: PhantomData<D>,
}

/// A layer's weights of one half, as blocks.
#[derive(Clone, Copy)]
struct Half<'a> {
    weights: &'a [Line],
    depth: usize,
    words: usize,
}

impl<'a> Half<'a> {
    #[inline(always)]
    fn new<D: Digit>(weights: &'a [Line], precision: Precision, gates: usize, inputs: usize) -> Half<'a> {
        let depth = gate_lines(precision, gates, inputs, 1);
        Half { weights, depth, words: inputs.div_ceil(D::PER) }
    }

    /// The sums of one block.
    #[inline(always)]
    fn sums<L: Lanes, D: Digit, const G: usize>(&self, nth: usize, words: &[u32], unit: L) -> [L; G] {
        let packed = &self.weights[nth * self.depth..][..self.depth];
        block::<L, D, G>(words, 0, (1, self.words), packed, unit)
    }
}

/// `h` as the products read it: a product with a sigmoid, and a mean of such, is never beyond 1.
#[inline(always)]
fn round_state<'a, L: Lanes, D: Digit>(
    h: &'a [Line],
    units: usize,
    spare: &'a mut [Line],
) -> (&'a [u32], f32) {
    let rows = Rows { count: 1, values: units, stride: h.len() };
    let (words, _, unit) = D::round::<L>(h, rows, Reach::of(1.0), spare);
    (words, unit)
}

impl<D: Digit, const G: usize> Kernel for Steps<'_, D, G> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Gates { from, to, input, hidden, .. } = self.gates;
        let (wide, units, inputs) = (to.wide(), to.values, from.values);
        let (h, rest) = self.state.split_at_mut(wide);
        let (c, half) = rest.split_at_mut(if G == 4 { wide } else { 0 });
        let (reach, packed) = (Reach::packed(&self.weights[input]), &self.weights[input + 1..]);
        let given = Half::new::<D>(packed, self.precision, G, inputs);
        let kept = Half::new::<D>(&self.weights[hidden..], self.precision, G, units);
        let (first, second) = self.spare.split_at_mut(wide + 1);
        let mut guard = L::load(self.guard);
        let rows = self.x.chunks_exact(from.wide()).zip(self.to.chunks_exact_mut(wide));
        for (t, (x, y)) in rows.enumerate() {
            let ready = t == 0 && self.prepared;
            let (old, old_unit) = round_state::<L, D>(h, units, first);
            let (new, _, unit) =
                D::round::<L>(x, Rows { count: 1, values: inputs, stride: x.len() }, reach, second);
            let (old_unit, unit) = (L::splat(old_unit), L::splat(unit));
            for nth in 0..wide {
                let start = if ready {
                    load::<L, G>(&half[nth * G..])
                } else {
                    kept.sums::<L, D, G>(nth, old, old_unit)
                };
                let sums = given.sums::<L, D, G>(nth, new, unit);
                if G == 4 {
                    let mut gates = [unit; 4];
                    for gate in 0..G {
                        gates[gate] = sums[gate].add(start[gate]);
                    }
                    let all = gates[0].add(gates[1]).add(gates[2].add(gates[3]));
                    guard = all.mul_add(L::splat(0.0), guard);
                    let (new_c, new_h) = cell(gates, L::load(&c[nth]), D::COARSE);
                    new_c.store(&mut c[nth]);
                    new_h.store(&mut y[nth]);
                } else {
                    let (z, r) = (sums[0].add(start[0]), sums[1].add(start[1]));
                    let n = sigmoid(r).mul_add(start[2], sums[2]);
                    guard = z.add(r).add(start[2]).add(n).mul_add(L::splat(0.0), guard);
                    let n = tanh(n);
                    sigmoid(z).mul_add(L::load(&h[nth]).sub(n), n).store(&mut y[nth]);
                }
            }
            h.copy_from_slice(y);
        }
        guard.store(self.guard);
    }
}

#[inline(always)]
fn load<L: Lanes, const G: usize>(half: &[Line]) -> [L; G] {
    let mut out = [L::splat(0.0); G];
    for (out, half) in out.iter_mut().zip(half) {
        *out = L::load(half);
    }
    out
}

/// Computes the recurrent half `start + h R` of the next step.
struct Ahead<'a, D, const G: usize> {
    precision: Precision,
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
        let kept = Half::new::<D>(&self.weights[hidden..], self.precision, G, units);
        let (old, unit) = round_state::<L, D>(h, units, self.spare);
        for (nth, half) in half.chunks_exact_mut(G).take(wide).enumerate() {
            for (sum, half) in kept.sums::<L, D, G>(nth, old, L::splat(unit)).into_iter().zip(half) {
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
                    by_digit!(program.precision, D, ahead::<L, D, 4>(program, gates, weights, spare, state));
                }
                Op::Gru(gates) => {
                    by_digit!(program.precision, D, ahead::<L, D, 3>(program, gates, weights, spare, state));
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
    program: &Program,
    gates: Gates,
    weights: &[Line],
    spare: &mut [Line],
    state: &mut [Line],
) {
    let (precision, digit) = (program.precision, PhantomData::<D>);
    let state = &mut state[gates.state..gates.state + gates.state_lines()];
    L::enter(Ahead::<D, G> { precision, gates, weights, state, spare, digit });
}
