// @hot
//! One tick: the operations of a program, one after another.
use crate::activation::Activation;
use crate::attention::{Linear, Local, linear_state, local_state};
use crate::block::{LANES, Line};
use crate::digit::{Digit, by_digit};
use crate::early::Early;
use crate::error::NoSignal;
use crate::kernel;
use crate::lanes::{Kernel, Lanes, Watch, Watched};
use crate::layer::{Gate, Padding, Reset};
use crate::lstm::Step;
use crate::model::Precision;
use crate::narrow::{Narrow, is_curve, slope};
use crate::pool::pool;
use crate::product::{Out, Product};
use crate::program::{Gates, Op, Program, Span};
use crate::rearrange::rearrange;
use crate::recurrent::Steps;
use crate::row::Row;
use crate::stream::{Now, Past, Stream};
use crate::window::{Attend, BilinearNorm, Focus, Mix};
use std::marker::PhantomData;

/// The memory of a tick.
pub(crate) struct Tick<'a> {
    pub(crate) scratch: &'a mut [Line],
    pub(crate) spare: &'a mut [Line],
    pub(crate) weights: &'a [Line],
    pub(crate) state: &'a mut [Line],
    /// Zero; a lane becomes NaN when a number on the way is not finite. It must stay zero for an answer: what a number that is not
    /// finite meets (ReLU, sigmoid, rounding to 8 bits) may make it finite again.
    pub(crate) guard: Line,
    /// Rows answered so far, and whether what was kept for this tick at the one before is of these weights.
    pub(crate) ticks: usize,
    pub(crate) fresh: bool,
}

/// A whole tick: one row in, one answer out.
pub(crate) struct Answer<'a, 't> {
    pub(crate) program: &'a Program,
    pub(crate) tick: &'a mut Tick<'t>,
    /// The recurrent halves of the first row are already in the state.
    pub(crate) prepared: bool,
    /// Recurrent layers go from the last units to the first.
    pub(crate) back: bool,
    pub(crate) row: &'a [f32],
    /// Rows seen before, each stored twice, `window` rows apart; and how many.
    pub(crate) history: &'a mut [Line],
    pub(crate) rows: &'a mut usize,
    pub(crate) out: &'a mut [f32],
    pub(crate) outcome: &'a mut Result<(), NoSignal>,
}

impl Kernel for Answer<'_, '_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Answer { program, tick, prepared, back, row, history, rows, out, outcome } = self;
        *outcome = take::<L>(program, tick, row, history, rows);
        if outcome.is_err() {
            return;
        }
        for op in &program.ops {
            each::<L>(program.precision, op, tick, (prepared, back));
        }
        *outcome = give::<L>(program.output, tick.scratch, L::load(&tick.guard), out);
    }
}

/// The tick of a network that is a chain of layers over one row in one precision, in one function: dense ones, and if it is to `REMEMBER`
/// LSTMs.
pub(crate) struct Chain<'a, 't, D, const REMEMBER: bool>(
    pub(crate) Answer<'a, 't>,
    pub(crate) PhantomData<D>,
);

impl<D: Digit, const REMEMBER: bool> Kernel for Chain<'_, '_, D, REMEMBER> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Answer { program, tick, prepared, back, row, history, rows, out, outcome } = self.0;
        *outcome = take::<L>(program, tick, row, history, rows);
        if outcome.is_err() {
            return;
        }
        let mut guard = L::splat(0.0);
        for op in &program.ops {
            match *op {
                Op::Row { from, to, weights, inputs, sparse, activation, .. } => {
                    let (x, y) = apart(tick.scratch, from, to);
                    let (y, weights) = (&mut y[..to.lines()], &tick.weights[weights..]);
                    let (slope, spare, digit) = (slope(activation), &mut *tick.spare, PhantomData::<D>);
                    let row = Row { x, inputs, sparse, weights, slope, spare, to: &mut *y, digit };
                    guard = row.watched(guard);
                    curve::<L>(y, to, activation);
                }
                Op::Narrow { from, to, weights, activation } => {
                    let (x, y) = apart(tick.scratch, from, to);
                    let (y, weights) = (&mut y[..to.lines()], &tick.weights[weights..]);
                    let (softmax, slope) = (activation == Activation::Softmax, slope(activation));
                    let narrow = Narrow { x, wide: from.wide(), weights, slope, softmax, to: &mut *y };
                    guard = narrow.watched(guard);
                    if !softmax {
                        curve::<L>(y, to, activation);
                    }
                }
                Op::Lstm(ref gates) if REMEMBER => {
                    let (x, y) = apart(tick.scratch, gates.from, gates.to);
                    let state = &mut tick.state[gates.state..gates.state + gates.state_lines()];
                    let (weights, spare, digit) = (tick.weights, &mut *tick.spare, PhantomData::<D>);
                    let to = &mut y[..gates.to.lines()];
                    let step = Step { gates, x, weights, state, prepared, back, spare, to, digit };
                    guard = step.watched(guard);
                }
                _ => {}
            }
        }
        *outcome = give::<L>(program.output, tick.scratch, guard, out);
    }
}

/// Scales the row into the network's input; with a window, through the history.
#[inline(always)]
fn take<L: Lanes>(
    program: &Program,
    tick: &mut Tick<'_>,
    row: &[f32],
    history: &mut [Line],
    rows: &mut usize,
) -> Result<(), NoSignal> {
    let (wide, window, first) = (program.input.wide(), program.window, program.input.at);
    // The newest row is the last of the window.
    let newest = first + (window - 1) * wide;
    let scaled = &mut tick.scratch[newest..newest + wide];
    if !kernel::normalise::<L>(row, scaled, &tick.weights[..2 * wide + 1]) {
        return Err(NoSignal::InputNotFinite);
    }
    if window == 1 {
        return Ok(());
    }
    let place = *rows % window;
    for at in [place, place + window] {
        history[at * wide..(at + 1) * wide].copy_from_slice(scaled);
    }
    *rows += 1;
    if *rows < window {
        return Err(NoSignal::Filling);
    }
    let kept = &history[(place + 1) * wide..(place + 1 + window) * wide];
    tick.scratch[first..first + kept.len()].copy_from_slice(kept);
    Ok(())
}

/// Gives the answer, if every number on the way was finite.
#[inline(always)]
fn give<L: Lanes>(from: Span, scratch: &[Line], mut guard: L, out: &mut [f32]) -> Result<(), NoSignal> {
    let answer = &scratch[from.at..from.at + from.lines()];
    for line in answer {
        guard = L::load(line).mul_add(L::splat(0.0), guard);
    }
    if !guard.is_zero() {
        return Err(NoSignal::OutputNotFinite);
    }
    if let [line] = answer {
        L::load(line).give_part(out);
        return Ok(());
    }
    for (row, out) in answer.chunks_exact(from.wide()).zip(out.chunks_exact_mut(from.values)) {
        for (line, out) in row.iter().zip(out.chunks_mut(LANES)) {
            L::load(line).give_part(out);
        }
    }
    Ok(())
}

/// The value before and the value behind an operation; values lie in the order in which they are made.
#[inline(always)]
pub(crate) fn apart(scratch: &mut [Line], from: Span, to: Span) -> (&[Line], &mut [Line]) {
    let (before, behind) = scratch.split_at_mut(to.at);
    (&before[from.at..from.at + from.lines()], behind)
}

/// The value before an operation, its own scratch, and the value behind it.
#[inline(always)]
fn with_work(scratch: &mut [Line], from: Span, work: Span, to: Span) -> (&[Line], &mut [Line], &mut [Line]) {
    let (before, y) = scratch.split_at_mut(to.at);
    let (x, own) = before.split_at_mut(work.at);
    (&x[from.at..from.at + from.lines()], &mut own[..work.lines()], &mut y[..to.lines()])
}

#[inline(always)]
fn each<L: Lanes>(precision: Precision, op: &Op, tick: &mut Tick<'_>, how: (bool, bool)) {
    match *op {
        Op::Row { from, to, weights, digit, inputs, sparse, activation } => {
            let (x, y) = apart(tick.scratch, from, to);
            let y = &mut y[..to.lines()];
            let (weights, slope, spare, guard) =
                (&tick.weights[weights..], slope(activation), &mut *tick.spare, &mut tick.guard);
            by_digit!(digit, D, {
                let (to, digit) = (&mut *y, PhantomData::<D>);
                L::enter(Watched(Row { x, inputs, sparse, weights, slope, spare, to, digit }, guard));
            });
            curve::<L>(y, to, activation);
        }
        Op::Narrow { from, to, weights, activation } => {
            let (x, y) = apart(tick.scratch, from, to);
            let y = &mut y[..to.lines()];
            let softmax = activation == Activation::Softmax;
            let (wide, weights, slope) = (from.wide(), &tick.weights[weights..], slope(activation));
            let guard = &mut tick.guard;
            L::enter(Watched(Narrow { x, wide, weights, slope, softmax, to: &mut *y }, guard));
            if !softmax {
                curve::<L>(y, to, activation);
            }
        }
        Op::Product { from, to, weights, starts, digit, patches, activation } => {
            let (x, y) = apart(tick.scratch, from, to);
            let rows = from.as_rows();
            let starts = starts.map_or(&[][..], |at| &tick.weights[at..at + to.lines()]);
            let out = Out { starts, slope: slope(activation) };
            let (weights, spare, guard) = (&tick.weights[weights..], &mut *tick.spare, &mut tick.guard);
            by_digit!(digit, D, {
                let (to, digit) = (&mut *y, PhantomData::<D>);
                L::enter(Product { x, rows, patches, weights, out, spare, guard, to, digit });
            });
            curve::<L>(&mut y[..to.lines()], to, activation);
        }
        Op::Stream(ref stream) => streamed::<L>(stream, tick, how.0),
        Op::Lstm(ref gates) if gates.gate == Gate::Sigmoid => {
            by_digit!(precision, D, smooth::<L, D>(gates, tick, how));
        }
        Op::Lstm(gates) => by_digit!(precision, D, L::enter(rows::<D, 4>(gates, tick, how).hard())),
        Op::Gru(gates) if gates.reset == Reset::Before => {
            let hard = gates.gate == Gate::Hard;
            by_digit!(precision, D, L::enter(Early(rows::<D, 3>(gates, tick, how), hard)));
        }
        Op::Gru(gates) => by_digit!(precision, D, gru::<L, D>(gates, tick, how)),
        Op::Add { from, other, to } => add::<L>(tick, from, other, to),
        Op::Activate { from, to, activation } => {
            let (x, y) = apart(tick.scratch, from, to);
            let y = &mut y[..to.lines()];
            y.copy_from_slice(x);
            kernel::activate::<L>(y, to.wide(), to.values, activation);
        }
        Op::Scale { from, to, weights } => {
            let (x, y) = apart(tick.scratch, from, to);
            let y = &mut y[..to.lines()];
            kernel::scale::<L>(x, &tick.weights[weights..], to.wide(), y, &mut tick.guard);
        }
        Op::Spread { .. } | Op::Extend { .. } => rearrange(op, tick),
        Op::Pool { from, to, before, time, channels, width, pooling, ref sweep } => {
            let (x, y) = apart(tick.scratch, from, to);
            let present = if sweep.padding == Padding::Same { before..before + time } else { 0..from.rows };
            pool(x, from, y, to, present, (channels, width), pooling, sweep);
            kernel::watch::<L>(&y[..to.lines()], &mut tick.guard);
        }
        Op::Linear { .. } | Op::Local { .. } => over_past::<L>(op, tick),
        _ => over_window::<L>(op, tick),
    }
}

/// What is left of an activation after a product.
#[inline(always)]
fn curve<L: Lanes>(y: &mut [Line], to: Span, activation: Activation) {
    if is_curve(activation) {
        L::enter(Curve { y, to, activation });
    }
}

/// An activation that is not made of straight pieces.
struct Curve<'a> {
    y: &'a mut [Line],
    to: Span,
    activation: Activation,
}

impl Kernel for Curve<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        kernel::activate::<L>(self.y, self.to.wide(), self.to.values, self.activation);
    }
}

/// The rows that a recurrent layer is given, and what it works with.
#[inline(always)]
fn rows<'a, D, const G: usize>(
    gates: Gates,
    tick: &'a mut Tick<'_>,
    (prepared, back): (bool, bool),
) -> Steps<'a, D, G, false> {
    let (x, y) = apart(tick.scratch, gates.from, gates.to);
    let to = &mut y[..gates.to.lines()];
    let state = &mut tick.state[gates.state..gates.state + gates.state_lines()];
    let (weights, spare, guard) = (tick.weights, &mut *tick.spare, &mut tick.guard);
    Steps { gates, x, weights, state, prepared, back, spare, guard, to, digit: PhantomData }
}

#[inline(always)]
fn gru<L: Lanes, D: Digit>(gates: Gates, tick: &mut Tick<'_>, how: (bool, bool)) {
    let steps = rows::<D, 3>(gates, tick, how);
    if gates.gate == Gate::Hard { L::enter(steps.hard()) } else { L::enter(steps) }
}

/// Row after row through an LSTM with smooth gates.
#[inline(always)]
fn smooth<L: Lanes, D: Digit>(gates: &Gates, tick: &mut Tick<'_>, (prepared, back): (bool, bool)) {
    let (x, y) = apart(tick.scratch, gates.from, gates.to);
    let (place, digit) = (gates.state..gates.state + gates.state_lines(), PhantomData::<D>);
    let rows = x.chunks_exact(gates.from.wide()).zip(y.chunks_exact_mut(gates.to.wide()));
    for (t, (x, to)) in rows.take(gates.from.rows).enumerate() {
        let (weights, spare, guard) = (tick.weights, &mut *tick.spare, &mut tick.guard);
        let (state, prepared) = (&mut tick.state[place.clone()], prepared && t == 0);
        let step = Step { gates, x, weights, state, prepared, back, spare, to, digit };
        L::enter(Watched(step, guard));
    }
}

#[inline(always)]
fn streamed<L: Lanes>(stream: &Stream, tick: &mut Tick<'_>, prepared: bool) {
    let (weights, ticks, fresh) = (tick.weights, tick.ticks, tick.fresh);
    let (state, spare) = (&mut *tick.state, &mut *tick.spare);
    if !prepared {
        Past { stream, weights, state: &mut *state, spare: &mut *spare, ticks, fresh }.run::<L>();
    }
    let (to, activation) = (stream.to, stream.activation);
    let (x, y) = apart(tick.scratch, stream.from, to);
    let (slope, guard) = (slope(activation), &mut tick.guard);
    Now { stream, x, weights, state, spare, ticks, slope, guard, to: &mut *y }.run::<L>();
    curve::<L>(&mut y[..to.lines()], to, activation);
}

/// Operations of layers that look at a whole window.
#[inline(always)]
fn over_window<L: Lanes>(op: &Op, tick: &mut Tick<'_>) {
    let guard = &mut tick.guard;
    match *op {
        Op::Mix { from, to, weights, activation } => {
            let (x, y) = apart(tick.scratch, from, to);
            let y = &mut y[..to.lines()];
            let (weights, shape, slope) =
                (&tick.weights[weights..], (from.rows, to.rows, to.wide()), slope(activation));
            L::enter(Mix { x, weights, shape, slope, guard, to: &mut *y });
            curve::<L>(y, to, activation);
        }
        Op::Focus { from, to, energy, weights } => {
            let (x, y) = apart(tick.scratch, from, to);
            let (y, rest) = y.split_at_mut(energy.at - to.at);
            let (energy, to) = (&mut rest[..energy.lines()], &mut y[..to.lines()]);
            L::enter(Focus { x, weights: &tick.weights[weights..], wide: from.wide(), energy, guard, to });
        }
        Op::Bin { from, work, to, weights } => {
            let (wide, values, weights) = (to.wide(), to.values, &tick.weights[weights..]);
            let (x, work, to) = with_work(tick.scratch, from, work, to);
            L::enter(BilinearNorm { x, weights, wide, values, work, guard, to });
        }
        Op::Attend { from, hidden, to, weights } => {
            let (query, hidden_wide) = (&tick.weights[weights..], hidden.wide());
            let (x, hidden, to) = with_work(tick.scratch, from, hidden, to);
            L::enter(Attend { x, hidden, hidden_wide, query, guard, to });
        }
        _ => {}
    }
}

/// Operations of attention over what a state holds.
#[inline(always)]
fn over_past<L: Lanes>(op: &Op, tick: &mut Tick<'_>) {
    let guard = &mut tick.guard;
    match *op {
        Op::Linear { from, work, to, keys, decay, state } => {
            let wide = to.wide();
            let (x, work, to) = with_work(tick.scratch, from, work, to);
            let state = &mut tick.state[state..state + linear_state(keys, wide)];
            L::enter(Linear { x, keys, wide, decay, state, work, guard, to });
        }
        Op::Local { from, work, to, keys, span, state } => {
            let wide = to.wide();
            let (x, work, to) = with_work(tick.scratch, from, work, to);
            let state = &mut tick.state[state..state + local_state(keys, wide, span)];
            L::enter(Local { x, keys, wide, span, state, work, guard, to });
        }
        _ => {}
    }
}

#[inline(always)]
fn add<L: Lanes>(tick: &mut Tick<'_>, from: Span, other: Span, to: Span) {
    let mut guard = L::load(&tick.guard);
    let (before, y) = tick.scratch.split_at_mut(to.at);
    let other = &before[other.at..other.at + other.lines()];
    for (nth, (y, b)) in y.iter_mut().zip(other).enumerate() {
        let a = if from.at == to.at { L::load(y) } else { L::load(&before[from.at + nth]) };
        let sum = a.add(L::load(b));
        guard = sum.mul_add(L::splat(0.0), guard);
        sum.store(y);
    }
    guard.store(&mut tick.guard);
}
