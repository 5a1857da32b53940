// @hot
//! One tick: the operations of a program, one after another.
use crate::activation::Activation;
use crate::block::{Line, flat, flat_mut, lines};
use crate::digit::{Byte, Digit, Half, Rows, Whole32};
use crate::kernel;
use crate::lanes::Lanes;
use crate::layer::{Padding, Pooling, Sweep};
use crate::math::{sigmoid, tanh};
use crate::model::Precision;
use crate::pack::gate_lines;
use crate::product::{Patches, block, product};
use crate::program::{Gates, Op, Program, Span};

/// The memory of a tick.
pub(crate) struct Tick<'a> {
    pub(crate) scratch: &'a mut [Line],
    pub(crate) spare: &'a mut [Line],
    pub(crate) weights: &'a [Line],
    pub(crate) state: &'a mut [Line],
}

/// A call of `$body` with `$digit` bound to the kind of a precision.
macro_rules! by_digit {
    ($precision:expr, $digit:ident, $body:expr) => {
        match $precision {
            Precision::F32 => {
                type $digit = Whole32;
                $body
            }
            Precision::Bf16 => {
                type $digit = Half;
                $body
            }
            Precision::Int8 => {
                type $digit = Byte;
                $body
            }
        }
    };
}

/// Runs every operation; `prepared`: the recurrent halves of the first row are already in the state.
#[inline(always)]
pub(crate) fn run<L: Lanes>(program: &Program, tick: &mut Tick<'_>, prepared: bool) {
    for op in program.ops.iter().flatten() {
        each::<L>(program.precision, op, tick, prepared);
    }
}

/// The value before and the value behind an operation; values lie in the order in which they are made.
#[inline(always)]
fn apart(scratch: &mut [Line], from: Span, to: Span) -> (&[Line], &mut [Line]) {
    let (before, behind) = scratch.split_at_mut(to.at);
    (&before[from.at..from.at + from.lines()], behind)
}

#[inline(always)]
fn each<L: Lanes>(precision: Precision, op: &Op, tick: &mut Tick<'_>, prepared: bool) {
    let scratch = &mut *tick.scratch;
    match *op {
        Op::Product { from, to, weights, digit, patches, activation } => {
            let (x, y) = apart(scratch, from, to);
            multiply::<L>(
                digit,
                x,
                from.as_rows(),
                patches,
                &tick.weights[weights..],
                activation,
                tick.spare,
                y,
            );
            if activation == Activation::Softmax {
                kernel::activate::<L>(&mut y[..to.lines()], to.wide(), to.values, activation);
            }
        }
        Op::Lstm(gates) => by_digit!(precision, D, lstm::<L, D>(precision, &gates, tick, prepared)),
        Op::Gru(gates) => by_digit!(precision, D, gru::<L, D>(precision, &gates, tick, prepared)),
        Op::Add { from, other, to } => add::<L>(scratch, from, other, to),
        Op::Activate { from, to, activation } => {
            let (x, y) = apart(scratch, from, to);
            let y = &mut y[..to.lines()];
            y.copy_from_slice(x);
            kernel::activate::<L>(y, to.wide(), to.values, activation);
        }
        Op::Scale { from, to, weights } => {
            let (x, y) = apart(scratch, from, to);
            kernel::scale::<L>(x, &tick.weights[weights..], to.wide(), &mut y[..to.lines()]);
        }
        Op::Spread { .. } | Op::Extend { .. } | Op::Pool { .. } => rearrange(op, tick),
        _ => over_window::<L>(op, tick),
    }
}

/// Operations of layers that look at a whole window.
#[inline(always)]
fn over_window<L: Lanes>(op: &Op, tick: &mut Tick<'_>) {
    let scratch = &mut *tick.scratch;
    match *op {
        Op::Mix { from, to, weights, activation } => {
            let (x, y) = apart(scratch, from, to);
            let y = &mut y[..to.lines()];
            kernel::mix::<L>(x, &tick.weights[weights..], (from.rows, to.rows), to.wide(), y, activation);
            if activation == Activation::Softmax {
                kernel::activate::<L>(y, to.wide(), to.values, activation);
            }
        }
        Op::Bias { from, to, weights, activation } => {
            let (x, y) = apart(scratch, from, to);
            let y = &mut y[..to.lines()];
            kernel::add::<L>(x, &tick.weights[weights..], y);
            kernel::activate::<L>(y, to.wide(), to.values, activation);
        }
        Op::Focus { from, to, energy, weights } => {
            let (x, y) = apart(scratch, from, to);
            let (y, rest) = y.split_at_mut(energy.at - to.at);
            let energy = &mut rest[..energy.lines()];
            kernel::focus::<L>(x, &tick.weights[weights..], to.wide(), energy, &mut y[..to.lines()]);
        }
        Op::Bin { from, to, weights } => {
            let (x, y) = apart(scratch, from, to);
            kernel::bilinear_norm::<L>(
                x,
                &tick.weights[weights..],
                to.wide(),
                to.values,
                &mut y[..to.lines()],
            );
        }
        Op::Attend { from, hidden, to, weights } => {
            let (before, y) = scratch.split_at_mut(to.at);
            let (before, energy) = before.split_at_mut(hidden.at);
            let x = &before[from.at..from.at + from.lines()];
            let (energy, shape) = (&mut energy[..hidden.lines()], (hidden.wide(), hidden.values));
            kernel::attend::<L>(x, energy, shape, &tick.weights[weights..], &mut y[..to.wide()]);
        }
        _ => {}
    }
}

/// Operations that move numbers and compute little.
#[inline(always)]
fn rearrange(op: &Op, tick: &mut Tick<'_>) {
    let scratch = &mut *tick.scratch;
    match *op {
        Op::Spread { from, to, run, to_row, wide, at } => {
            let (x, y) = apart(scratch, from, to);
            let y = flat_mut(y);
            for (row, x) in x.chunks_exact(from.wide()).enumerate() {
                for (nth, x) in kernel::head(x, from.values).chunks_exact(run).enumerate() {
                    let place = row * to_row + nth * wide + at;
                    y[place..place + run].copy_from_slice(x);
                }
            }
        }
        Op::Extend { from, to, before, state } => {
            let (x, y) = apart(scratch, from, to);
            let (y, front) = (&mut y[..to.lines()], before * to.wide());
            y[front + x.len()..].fill(Line::ZERO);
            y[front..front + x.len()].copy_from_slice(x);
            match state {
                Some(at) => {
                    let kept = &mut tick.state[at..at + front];
                    y[..front].copy_from_slice(kept);
                    kept.copy_from_slice(&y[x.len()..x.len() + front]);
                }
                None => y[..front].fill(Line::ZERO),
            }
        }
        Op::Pool { from, to, before, time, channels, width, pooling, ref sweep } => {
            let (x, y) = apart(scratch, from, to);
            let present = if sweep.padding == Padding::Same { before..before + time } else { 0..from.rows };
            pool(x, from, y, to, present, (channels, width), pooling, sweep);
        }
        _ => {}
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the operands of a product")]
fn multiply<L: Lanes>(
    digit: Precision,
    x: &[Line],
    rows: Rows,
    patches: Patches,
    weights: &[Line],
    activation: Activation,
    spare: &mut [Line],
    y: &mut [Line],
) {
    let (reach, packed) = (weights[0].0[0], &weights[1..]);
    by_digit!(digit, D, product::<L, D>(x, rows, patches, reach, packed, activation, spare, y));
}

#[inline(always)]
fn add<L: Lanes>(scratch: &mut [Line], from: Span, other: Span, to: Span) {
    if from.at == to.at {
        let (x, y) = apart(scratch, other, to);
        for (x, y) in x.iter().zip(y) {
            L::load(x).add(L::load(y)).store(y);
        }
    } else {
        let (before, y) = scratch.split_at_mut(to.at);
        let other = &before[other.at..other.at + other.lines()];
        kernel::add::<L>(&before[from.at..from.at + from.lines()], other, &mut y[..to.lines()]);
    }
}

#[allow(clippy::too_many_arguments, reason = "two values and how a window slides over them")]
#[inline(always)]
fn pool(
    x: &[Line],
    from: Span,
    y: &mut [Line],
    to: Span,
    present: std::ops::Range<usize>,
    (channels, width): (usize, usize),
    pooling: Pooling,
    sweep: &Sweep,
) {
    let (x, y) = (flat(x), flat_mut(y));
    for t in 0..to.rows {
        for w in 0..width {
            let place = t * to.wide() * 16 + w * channels;
            let y = &mut y[place..place + channels];
            let mut count = 0u32;
            for time in
                (t * sweep.stride_time..).take(sweep.kernel_time).filter(|time| present.contains(time))
            {
                for j in 0..sweep.kernel_width {
                    let at = time * from.wide() * 16 + (w * sweep.stride_width + j) * channels;
                    let x = &x[at..at + channels];
                    if count == 0 {
                        y.copy_from_slice(x);
                    } else if pooling == Pooling::Max {
                        y.iter_mut().zip(x).for_each(|(y, x)| *y = if *x > *y { *x } else { *y });
                    } else {
                        y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
                    }
                    count += 1;
                }
            }
            if pooling == Pooling::Average {
                let share = 1.0 / count as f32;
                y.iter_mut().for_each(|y| *y *= share);
            }
        }
    }
}

/// The recurrent half `start + h R` of the next step of a layer with `G` gates.
#[inline(always)]
fn recurrent<L: Lanes, D: Digit<L>, const G: usize>(
    precision: Precision,
    gates: &Gates,
    weights: &[Line],
    spare: &mut [Line],
    h: &[Line],
    half: &mut [Line],
) {
    let units = gates.to.values;
    let rows = Rows { count: 1, values: units, stride: h.len() };
    // `h` is a product with a sigmoid, and a mean of such: never beyond 1.
    let (words, _, unit) = D::round(h, rows, 1.0, spare);
    let depth = gate_lines(precision, G, units, 1);
    let (shape, unit) = ((1, units.div_ceil(D::PER)), L::splat(unit));
    for (packed, half) in weights[gates.hidden..].chunks_exact(depth).zip(half.chunks_exact_mut(G)) {
        for (sum, half) in block::<L, D, G>(words, 0, shape, packed, unit).into_iter().zip(half) {
            sum.store(half);
        }
    }
}

#[inline(always)]
fn lstm<L: Lanes, D: Digit<L>>(precision: Precision, gates: &Gates, tick: &mut Tick<'_>, prepared: bool) {
    let (wide, inputs) = (gates.to.wide(), gates.from.values);
    let (x, y) = apart(tick.scratch, gates.from, gates.to);
    let (h, rest) = tick.state[gates.state..gates.state + 6 * wide].split_at_mut(wide);
    let (c, half) = rest.split_at_mut(wide);
    let (reach, packed) = (tick.weights[gates.input].0[0], &tick.weights[gates.input + 1..]);
    let depth = gate_lines(precision, 4, inputs, 1);
    let shape = (1, inputs.div_ceil(D::PER));
    for (t, (x, y)) in x.chunks_exact(gates.from.wide()).zip(y.chunks_exact_mut(wide)).enumerate() {
        if t > 0 || !prepared {
            recurrent::<L, D, 4>(precision, gates, tick.weights, tick.spare, h, half);
        }
        let rows = Rows { count: 1, values: inputs, stride: x.len() };
        let (words, _, unit) = D::round(x, rows, reach, tick.spare);
        let unit = L::splat(unit);
        let blocks = packed.chunks_exact(depth).zip(half.chunks_exact(4));
        for ((packed, half), (h, c)) in blocks.zip(h.iter_mut().zip(c.iter_mut())) {
            let [i, f, g, o] = block::<L, D, 4>(words, 0, shape, packed, unit);
            let (i, f) = (i.add(L::load(&half[0])), f.add(L::load(&half[1])));
            let (g, o) = (g.add(L::load(&half[2])), o.add(L::load(&half[3])));
            let cell = sigmoid(f).mul_add(L::load(c), sigmoid(i).mul(tanh(g)));
            cell.store(c);
            sigmoid(o).mul(tanh(cell)).store(h);
        }
        y.copy_from_slice(h);
    }
}

#[inline(always)]
fn gru<L: Lanes, D: Digit<L>>(precision: Precision, gates: &Gates, tick: &mut Tick<'_>, prepared: bool) {
    let (wide, inputs) = (gates.to.wide(), gates.from.values);
    let (x, y) = apart(tick.scratch, gates.from, gates.to);
    let (h, half) = tick.state[gates.state..gates.state + 4 * wide].split_at_mut(wide);
    let (reach, packed) = (tick.weights[gates.input].0[0], &tick.weights[gates.input + 1..]);
    let depth = gate_lines(precision, 3, inputs, 1);
    let shape = (1, inputs.div_ceil(D::PER));
    for (t, (x, y)) in x.chunks_exact(gates.from.wide()).zip(y.chunks_exact_mut(wide)).enumerate() {
        if t > 0 || !prepared {
            recurrent::<L, D, 3>(precision, gates, tick.weights, tick.spare, h, half);
        }
        let rows = Rows { count: 1, values: inputs, stride: x.len() };
        let (words, _, unit) = D::round(x, rows, reach, tick.spare);
        let unit = L::splat(unit);
        let blocks = packed.chunks_exact(depth).zip(half.chunks_exact(3));
        for ((packed, half), h) in blocks.zip(h.iter_mut()) {
            let [z, r, n] = block::<L, D, 3>(words, 0, shape, packed, unit);
            let z = sigmoid(z.add(L::load(&half[0])));
            let r = sigmoid(r.add(L::load(&half[1])));
            let n = tanh(r.mul_add(L::load(&half[2]), n));
            z.mul_add(L::load(h).sub(n), n).store(h);
        }
        y.copy_from_slice(h);
    }
}

/// Computes the recurrent halves of the next tick.
#[inline(always)]
pub(crate) fn prepare<L: Lanes>(program: &Program, weights: &[Line], spare: &mut [Line], state: &mut [Line]) {
    for op in program.ops.iter().flatten() {
        match op {
            Op::Lstm(gates) => {
                let wide = lines(gates.to.values);
                let (h, rest) = state[gates.state..gates.state + 6 * wide].split_at_mut(wide);
                let half = &mut rest[wide..];
                let precision = program.precision;
                by_digit!(precision, D, recurrent::<L, D, 4>(precision, gates, weights, spare, h, half));
            }
            Op::Gru(gates) => {
                let wide = lines(gates.to.values);
                let (h, half) = state[gates.state..gates.state + 4 * wide].split_at_mut(wide);
                let precision = program.precision;
                by_digit!(precision, D, recurrent::<L, D, 3>(precision, gates, weights, spare, h, half));
            }
            _ => {}
        }
    }
}
