//! Lays out one node after another, and packs the weights of one node after another, in the same order.
use super::fold::is_folded;
use super::{Gates, Op, Span};
use crate::activation::Activation;
use crate::block::lines;
use crate::layer::{Gate, Layer, Padding, Reset, Sweep};
use crate::model::Precision;
use crate::narrow::{is_narrow, narrow_lines};
use crate::pack::{Form, gate_lines, kind, matrix_lines};
use crate::plan::Plan;
use crate::product::Patches;
use crate::shape::Shape;

/// Lines before the first layer's weights: mean, reciprocal scale, and one line that repeats the clip.
pub(crate) fn scaling_lines(columns: usize) -> usize {
    2 * lines(columns) + 1
}

/// Most inputs of an 8-bit sum: 255 times 127 as often stays below 2^31.
const BYTES_MAX: usize = 65_536;

/// The kind that a product's weights have: f32 where patches do not begin at whole words of the wanted kind, or 8-bit sums could overflow.
pub(super) fn digit(wanted: Precision, taps: usize, run: usize, place_inputs: usize) -> Precision {
    let per = kind(wanted).0;
    let whole = run.is_multiple_of(per) && place_inputs.is_multiple_of(per);
    if wanted == Precision::Int8 && taps * run > BYTES_MAX {
        return Precision::F32;
    }
    if whole || (taps == 1 && place_inputs == 0) { wanted } else { Precision::F32 }
}

/// How a convolution's patches lie in its extended input.
pub(super) fn sweep_patches(x: Shape, y: Shape, sweep: &Sweep) -> (usize, usize, usize) {
    let run = sweep.kernel_width * x.channels;
    let place = if y.width == 1 { 0 } else { sweep.stride_width * x.channels };
    (sweep.kernel_time, run, place)
}

/// True when a bilinear layer is cheaper with the product over time first.
pub(super) fn time_first(x: Shape, outputs: usize, times: usize) -> bool {
    let (taken, given) = (lines(x.features()), lines(outputs));
    let first = x.time * times * taken + times * x.features() * given;
    first < x.time * x.features() * given + x.time * times * given
}

/// Operations as they are laid out.
pub(super) struct Layout {
    pub(super) ops: Vec<Op>,
    spans: Vec<Span>,
    /// Which values follow a ReLU.
    sparse: Vec<bool>,
    pub(super) wanted: Precision,
    /// Convolutions that compute two ticks at once.
    pub(super) paired: usize,
    pub(super) scratch: usize,
    pub(super) spare: usize,
    pub(super) weights: usize,
    pub(super) state: usize,
}

impl Layout {
    pub(super) fn new(plan: &Plan, wanted: Precision) -> Layout {
        let input = plan.shape(0);
        let weights = scaling_lines(plan.architecture().columns);
        let (ops, spans) = (Vec::new(), Vec::new());
        let mut layout = Layout {
            ops,
            spans,
            sparse: vec![false],
            wanted,
            paired: 0,
            scratch: 0,
            spare: 1,
            weights,
            state: 0,
        };
        let span = layout.span(input.time, input.features());
        layout.spans.push(span);
        layout
    }

    pub(super) fn input(&self) -> Span {
        self.spans[0]
    }

    pub(super) fn output(&self) -> Span {
        self.spans[self.spans.len() - 1]
    }

    pub(super) fn span(&mut self, rows: usize, values: usize) -> Span {
        let span = Span::new(self.scratch, rows, values);
        self.scratch += span.lines() + 1;
        span
    }

    pub(super) fn take_weights(&mut self, lines: usize) -> usize {
        self.weights += lines;
        self.weights - lines
    }

    /// Lays out one node; `false` when it has no fast form.
    pub(super) fn node(&mut self, plan: &Plan, at: usize) -> bool {
        let node = &plan.nodes()[at];
        let (x, y) = (plan.shape(node.inputs[0]), plan.shape(at + 1));
        let from = self.spans[node.inputs[0]];
        self.sparse.push(match node.layer {
            Layer::Reshape { .. } | Layer::Dropout { .. } | Layer::Flatten | Layer::Last => {
                self.sparse[node.inputs[0]]
            }
            layer => layer.activation() == Activation::Relu,
        });
        let sparse = self.sparse[node.inputs[0]];
        let stateful = plan.architecture().stateful;
        // A value's span lies behind all that it is made of.
        let to = match node.layer {
            Layer::Reshape { .. } | Layer::Dropout { .. } => from,
            Layer::Flatten if x.time == 1 => from,
            Layer::BatchNorm { .. } if is_folded(plan, at) => from,
            Layer::Last => Span::new(from.at + (from.rows - 1) * from.wide(), 1, from.values),
            Layer::Bl { outputs, times, activation } => self.bilinear(x, from, outputs, times, activation),
            Layer::Tabl { outputs, times, activation } => self.attention(x, from, outputs, times, activation),
            Layer::Conv { sweep, activation, .. } if stateful && sweep.kernel_time > 1 => {
                self.stream(x, y, from, &sweep, activation)
            }
            Layer::Conv { sweep, activation, .. } => {
                let from = self.extend(x, from, &sweep, stateful);
                let to = self.span(y.time, y.features());
                self.convolution(x, y, from, to, sparse, &sweep, activation);
                to
            }
            Layer::Pool { pooling, sweep } => {
                let before = sweep.times_of(x.time).0;
                let from = self.extend(x, from, &sweep, stateful);
                let to = self.span(y.time, y.features());
                let (time, channels, width) = (x.time, x.channels, y.width);
                self.ops.push(Op::Pool { from, to, before, time, channels, width, pooling, sweep });
                to
            }
            Layer::Bin => {
                let (work, to) = (self.span(3, y.time), self.span(y.time, y.features()));
                let weights = self.take_weights(2 + 2 * lines(y.features()) + 2 * lines(y.time));
                self.ops.push(Op::Bin { from, work, to, weights });
                to
            }
            Layer::Attention { .. } | Layer::LinearAttention { .. } | Layer::LocalAttention { .. } => {
                self.attends(node.layer, x, from, sparse)
            }
            Layer::Lstm { .. } | Layer::Gru { .. }
                if self.wanted == Precision::Int8 && from.values > BYTES_MAX =>
            {
                self.spans.push(from);
                return false;
            }
            layer => {
                let to = self.span(y.time, y.features());
                self.simple(plan, layer, &node.inputs, from, to, y);
                to
            }
        };
        self.spans.push(to);
        true
    }

    /// Layers of one operation.
    fn simple(&mut self, plan: &Plan, layer: Layer, inputs: &[usize], from: Span, to: Span, y: Shape) {
        match layer {
            Layer::Flatten => {
                let run = from.values;
                self.ops.push(Op::Spread { from, to, run, to_row: run, wide: run, at: 0 });
            }
            Layer::Dense { activation, .. } => {
                self.dense(from, to, None, self.sparse[inputs[0]], activation);
            }
            Layer::Activate { activation } => self.ops.push(Op::Activate { from, to, activation }),
            Layer::Add => self.sum(inputs, to),
            Layer::Concat => self.concat(plan, inputs, to, y),
            Layer::Lstm { units, gate } => self.recurrent(4, units, (gate, Reset::After), from, to),
            Layer::Gru { units, gate, reset } => self.recurrent(3, units, (gate, reset), from, to),
            Layer::BatchNorm { .. } => {
                let weights = self.take_weights(2 * lines(y.features()));
                self.ops.push(Op::Scale { from, to, weights });
            }
            _ => {}
        }
    }

    /// `starts`: where summands of each row lie, which the caller takes.
    pub(super) fn dense(
        &mut self,
        from: Span,
        to: Span,
        starts: Option<usize>,
        sparse: bool,
        activation: Activation,
    ) {
        let (run, outputs) = (from.values, to.values);
        if is_narrow(run, outputs) && starts.is_none() {
            let weights = self.take_weights(narrow_lines(run));
            self.ops.push(Op::Narrow { from, to, weights, activation });
            return;
        }
        let digit = digit(self.wanted, 1, run, 0);
        let weights = self.take_weights(1 + matrix_lines(digit, 1, run, outputs));
        if from.rows == 1 && starts.is_none() {
            self.spare = self.spare.max(from.lines() + 1);
            self.ops.push(Op::Row { from, to, weights, digit, inputs: run, sparse, activation });
            return;
        }
        let patches = Patches {
            times: from.rows,
            places: 1,
            time_rows: 1,
            place_inputs: 0,
            taps: 1,
            run,
            outputs,
            to_place: outputs,
            to_stride: to.wide() * 16,
        };
        self.product(from, to, weights, starts, digit, patches, activation);
    }

    #[allow(clippy::too_many_arguments, reason = "shapes and places of one product")]
    fn product(
        &mut self,
        from: Span,
        to: Span,
        weights: usize,
        starts: Option<usize>,
        digit: Precision,
        patches: Patches,
        activation: Activation,
    ) {
        self.spare = self.spare.max(from.lines() + 1);
        self.ops.push(Op::Product { from, to, weights, starts, digit, patches, activation });
    }

    fn sum(&mut self, inputs: &[usize], to: Span) {
        let first = self.spans[inputs[0]];
        if inputs.len() == 1 {
            self.ops.push(Op::Activate { from: first, to, activation: Activation::None });
        }
        for (nth, input) in inputs.iter().enumerate().skip(1) {
            let from = if nth == 1 { first } else { to };
            self.ops.push(Op::Add { from, other: self.spans[*input], to });
        }
    }

    fn concat(&mut self, plan: &Plan, inputs: &[usize], to: Span, y: Shape) {
        let mut at = 0;
        for input in inputs {
            let (from, channels) = (self.spans[*input], plan.shape(*input).channels);
            let to_row = to.wide() * 16;
            self.ops.push(Op::Spread { from, to, run: channels, to_row, wide: y.channels, at });
            at += channels;
        }
    }

    fn recurrent(&mut self, gates: usize, units: usize, (gate, reset): (Gate, Reset), from: Span, to: Span) {
        let [given, kept] = Form::of_halves(gates);
        let input = self.take_weights(1 + gate_lines(self.wanted, (gates, given), from.values, units));
        let hidden = self.take_weights(gate_lines(self.wanted, (gates, kept), units, units));
        let state = self.state;
        let early = if reset == Reset::Before { 2 * lines(units) } else { 0 };
        self.spare = self.spare.max(from.wide() + lines(units) + 2 + early);
        let held = if gates == 4 { 6 } else { 4 };
        let op = Gates { from, to, input, hidden, state, held, gate, reset };
        self.state += op.state_lines();
        self.ops.push(if gates == 4 { Op::Lstm(op) } else { Op::Gru(op) });
    }

    fn bilinear(
        &mut self,
        x: Shape,
        from: Span,
        outputs: usize,
        times: usize,
        activation: Activation,
    ) -> Span {
        let bias_lines = times * lines(outputs);
        if time_first(x, outputs, times) {
            let inner = self.span(times, x.features());
            let weights = self.take_weights(lines(x.time * times) + times * lines(x.features()));
            self.ops.push(Op::Mix { from, to: inner, weights, activation: Activation::None });
            let to = self.span(times, outputs);
            // One row's summands are the matrix's own start.
            let starts = (times > 1).then(|| self.take_weights(bias_lines));
            self.dense(inner, to, starts, false, activation);
            return to;
        }
        let inner = self.span(x.time, outputs);
        self.dense(from, inner, None, false, Activation::None);
        let to = self.span(times, outputs);
        let weights = self.take_weights(lines(x.time * times) + bias_lines);
        self.ops.push(Op::Mix { from: inner, to, weights, activation });
        to
    }

    fn attention(
        &mut self,
        x: Shape,
        from: Span,
        outputs: usize,
        times: usize,
        activation: Activation,
    ) -> Span {
        let inner = self.span(x.time, outputs);
        self.dense(from, inner, None, false, Activation::None);
        let (blend, energy) = (self.span(x.time, outputs), self.span(x.time, outputs));
        let weights = self.take_weights(1 + lines(x.time * x.time));
        self.ops.push(Op::Focus { from: inner, to: blend, energy, weights });
        let to = self.span(times, outputs);
        let weights = self.take_weights(lines(x.time * times) + times * lines(outputs));
        self.ops.push(Op::Mix { from: blend, to, weights, activation });
        to
    }

    /// The input with what stands before and behind it, where a sweep looks there.
    fn extend(&mut self, x: Shape, from: Span, sweep: &Sweep, stateful: bool) -> Span {
        let (before, given) = sweep.times_of(x.time);
        let rows = (before + x.time).max((given - 1) * sweep.stride_time + sweep.kernel_time);
        if rows == x.time {
            return from;
        }
        let to = self.span(rows, from.values);
        let carries = stateful && sweep.padding == Padding::Causal && before > 0;
        let state = carries.then_some(self.state);
        self.state += if carries { before * from.wide() } else { 0 };
        self.ops.push(Op::Extend { from, to, before, state });
        to
    }

    #[allow(clippy::too_many_arguments, reason = "shapes and places of one layer")]
    fn convolution(
        &mut self,
        x: Shape,
        y: Shape,
        from: Span,
        to: Span,
        sparse: bool,
        sweep: &Sweep,
        activation: Activation,
    ) {
        let (taps, run, place_inputs) = sweep_patches(x, y, sweep);
        let (outputs, digit) = (y.channels, digit(self.wanted, taps, run, place_inputs));
        let weights = self.take_weights(1 + matrix_lines(digit, taps, run, outputs));
        let joined = taps == 1 || (run == from.values && run.is_multiple_of(16));
        if y.time * y.width == 1 && joined {
            self.spare = self.spare.max(from.lines() + 1);
            self.ops.push(Op::Row { from, to, weights, digit, inputs: taps * run, sparse, activation });
            return;
        }
        let patches = Patches {
            times: y.time,
            places: y.width,
            time_rows: sweep.stride_time,
            place_inputs,
            taps,
            run,
            outputs,
            to_place: outputs,
            to_stride: to.wide() * 16,
        };
        self.product(from, to, weights, None, digit, patches, activation);
    }
}
