//! Weights as the kernels read them.
use crate::block::{LANES, Line};
use crate::digit::{Byte, Digit, Reach};
use crate::kernel::FAR;
use crate::lanes::bf16;
use crate::model::Precision;
use crate::narrow::{OUTPUTS_MAX, narrow_lines};
use crate::product::{block_width, packed_lines};

/// A matrix to be packed: `taps` runs of `run` rows of `outputs` numbers, and what sums begin with.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) weights: &'a [f32],
    /// Empty: zero.
    pub(crate) bias: &'a [f32],
    pub(crate) taps: usize,
    pub(crate) run: usize,
    pub(crate) outputs: usize,
    /// What everything that leads to an output is multiplied by, for equal parts of the outputs; empty: by one.
    pub(crate) factors: &'a [f32],
}

/// How the head of a block says what is added to its sums.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// In a line of its own, where numbers are 8 bits.
    Whole,
    /// In what sums begin with, in steps of a weight's times this unit: far finer than the weights themselves.
    Bare(f32),
}

impl Form {
    /// Head lines for sixteen outputs.
    pub(crate) fn head(self, precision: Precision) -> usize {
        if precision == Precision::Int8 && self != Form::Whole { Byte::BARE } else { kind(precision).1 }
    }

    /// Of a recurrent layer's halves, first what is given, then what is kept. A GRU adds to its sums of `n` apart.
    pub(crate) fn of_halves(gates: usize) -> [Form; 2] {
        [if gates == 4 { Form::Bare(1.0) } else { Form::Whole }, Form::Bare(Reach::of(1.0).unit())]
    }
}

/// Largest bias in steps; sums of 65,536 inputs still fit beside it.
const BEGIN_MAX: f32 = (1 << 23) as f32;

/// Inputs in a word and head lines of a precision.
pub(crate) const fn kind(precision: Precision) -> (usize, usize) {
    match precision {
        Precision::F32 => (1, 1),
        Precision::Bf16 => (2, 1),
        Precision::Int8 => (4, 3),
    }
}

/// Lines that a packed matrix takes.
pub(crate) fn matrix_lines(precision: Precision, taps: usize, run: usize, outputs: usize) -> usize {
    let (per, head) = kind(precision);
    packed_lines(head, per, taps, run, outputs)
}

impl Matrix<'_> {
    fn weight(&self, tap: usize, input: usize, output: usize) -> f32 {
        if input < self.run { self.weights[(tap * self.run + input) * self.outputs + output] } else { 0.0 }
    }

    fn bias(&self, output: usize) -> f32 {
        self.bias.get(output).map_or(0.0, |bias| bias * self.factor(output))
    }

    fn factor(&self, output: usize) -> f32 {
        self.factors.get(output * self.factors.len() / self.outputs).copied().unwrap_or(1.0)
    }

    /// What an 8-bit step of an output's weights is worth: its largest weight is 127 steps, or less where a bias beside it is so large that
    /// it would not fit what a sum begins with.
    fn scale(&self, output: usize, form: Form) -> f32 {
        let column = self.weights.iter().skip(output).step_by(self.outputs);
        let top = column.fold(0.0f32, |top, weight| top.max(weight.abs()));
        let top = top * self.factor(output).abs();
        let step = if top > 1e-30 { top / 127.0 } else { 1.0 };
        match form {
            Form::Bare(unit) => step.max(self.bias(output).abs() / unit / BEGIN_MAX),
            Form::Whole => step,
        }
    }

    /// Packs the lines `each(block line)` of a block: which output each of the sixteen lanes stands for, if any.
    fn block(
        &self,
        precision: Precision,
        (wide, form): (usize, Form),
        output: impl Fn(usize, usize) -> Option<usize>,
        to: &mut [Line],
    ) {
        let (per, head) = (kind(precision).0, form.head(precision));
        let (heads, weights) = to.split_at_mut(wide * head);
        for w in 0..wide {
            for lane in 0..LANES {
                let Some(column) = output(w, lane) else { continue };
                let (factor, scale) = (self.factor(column), self.scale(column, form));
                let mut sum = 0i32;
                let words = self.run.div_ceil(per);
                for (place, line) in weights.chunks_exact_mut(wide).enumerate() {
                    let (tap, first) = (place / words, place % words * per);
                    let word = match precision {
                        Precision::F32 => (factor * self.weight(tap, first, column)).to_bits(),
                        Precision::Bf16 => {
                            let half = |nth| u32::from(bf16(factor * self.weight(tap, first + nth, column)));
                            half(0) | half(1) << 16
                        }
                        Precision::Int8 => u32::from_le_bytes(std::array::from_fn(|nth| {
                            let step = round(factor * self.weight(tap, first + nth, column) / scale);
                            sum += i32::from(step);
                            step as u8
                        })),
                    };
                    line[w].0[lane] = f32::from_bits(word);
                }
                // Inputs are 128 too large: what that adds is taken off from the start.
                match (precision, form) {
                    (Precision::Int8, Form::Whole) => {
                        heads[w].0[lane] = f32::from_bits((-128 * sum) as u32);
                        heads[wide + w].0[lane] = scale;
                        heads[2 * wide + w].0[lane] = self.bias(column);
                    }
                    (Precision::Int8, Form::Bare(unit)) => {
                        let bias = (self.bias(column) / (scale * unit)).round_ties_even() as i32;
                        heads[w].0[lane] = f32::from_bits((bias - 128 * sum) as u32);
                        heads[wide + w].0[lane] = scale * unit;
                    }
                    _ => heads[w].0[lane] = self.bias(column),
                }
            }
        }
    }

    /// Packs for [`crate::narrow::Narrow`], followed by a softmax or not, and returns the lines behind.
    pub(crate) fn pack_narrow<'t>(&self, softmax: bool, to: &'t mut [Line]) -> &'t mut [Line] {
        let (own, behind) = to.split_at_mut(narrow_lines(self.run));
        let (start, weights) = own.split_at_mut(1);
        start[0].0[..OUTPUTS_MAX].fill(if softmax { FAR } else { 0.0 });
        for output in 0..self.outputs {
            start[0].0[output] = self.bias(output);
            for input in 0..self.run {
                let line = &mut weights[input / LANES * OUTPUTS_MAX + output];
                line.0[input % LANES] = self.weight(0, input, output);
            }
        }
        behind
    }

    /// Packs for [`crate::product::Product`] and returns the lines behind.
    pub(crate) fn pack<'t>(&self, precision: Precision, to: &'t mut [Line]) -> &'t mut [Line] {
        let (mut own, behind) = to.split_at_mut(matrix_lines(precision, self.taps, self.run, self.outputs));
        let lines = self.outputs.div_ceil(LANES);
        let depth = own.len() / lines;
        let mut first = 0;
        while first < lines {
            let wide = block_width(lines - first);
            let (block, rest) = own.split_at_mut(wide * depth);
            own = rest;
            let output = |w: usize, lane| Some((first + w) * LANES + lane).filter(|at| *at < self.outputs);
            self.block(precision, (wide, Form::Whole), output, block);
            first += wide;
        }
        behind
    }

    /// Packs one half of a recurrent layer: blocks of 16 units whose lines are the `gates`, then the tail; returns the lines behind.
    pub(crate) fn pack_gates<'t>(
        &self,
        precision: Precision,
        (gates, form): (usize, Form),
        to: &'t mut [Line],
    ) -> &'t mut [Line] {
        let units = self.outputs / gates;
        let (own, behind) = to.split_at_mut(gate_lines(precision, (gates, form), self.run, units));
        let (tail, depth) = (tail_lines(gates, units), unit_lines(precision, form, self.run));
        let (blocks, last) = own.split_at_mut(own.len() - tail * depth);
        for (nth, block) in blocks.chunks_exact_mut(gates * depth).enumerate() {
            let output = |gate: usize, lane| {
                let unit = nth * LANES + lane;
                (unit < units).then_some(gate * units + unit)
            };
            self.block(precision, (gates, form), output, block);
        }
        if tail > 0 {
            let rest = units % LANES;
            let output = |line: usize, lane| {
                let (gate, unit) = ((line * LANES + lane) / rest, (line * LANES + lane) % rest);
                (gate < gates).then_some(gate * units + units - rest + unit)
            };
            self.block(precision, (tail, form), output, last);
        }
        behind
    }
}

/// Lines of weights for sixteen outputs over so many inputs, head included.
fn unit_lines(precision: Precision, form: Form, inputs: usize) -> usize {
    form.head(precision) + inputs.div_ceil(kind(precision).0)
}

/// Most lines of a tail.
pub(crate) const TAIL_MAX: usize = 2;

/// Lines that the gates of the last, few units fill when they stand one behind the other; 0 where that saves too little and they are a
/// block of their own.
pub(crate) fn tail_lines(gates: usize, units: usize) -> usize {
    let lines = (gates * (units % LANES)).div_ceil(LANES);
    if lines <= TAIL_MAX { lines } else { 0 }
}

/// Lines of one half of a recurrent layer.
pub(crate) fn gate_lines(
    precision: Precision,
    (gates, form): (usize, Form),
    inputs: usize,
    units: usize,
) -> usize {
    let tail = tail_lines(gates, units);
    let blocks = if tail > 0 { units / LANES } else { units.div_ceil(LANES) };
    (blocks * gates + tail) * unit_lines(precision, form, inputs)
}

fn round(value: f32) -> i8 {
    value.round_ties_even().clamp(-127.0, 127.0) as i8
}
