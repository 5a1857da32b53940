//! Any plan, forward and backward, on a batch of sequences: what training runs on, and the reference of the fast engine.
//!
//! Written once for `f32` and `f64` (the finite differences that check it). Sums run in a fixed order, so the same inputs give the same
//! bits on the same instruction set. Nothing is allocated after the first forward and backward pass.
mod attention;
mod bilinear;
mod conv;
mod curve;
mod dense;
mod early;
mod gemm;
mod halves;
mod linear;
mod local;
mod lstm;
mod norm;
mod pass;
mod pool;
pub(crate) mod real;
mod recurrent;
mod room;
mod sequence;
mod single;
mod soft;

use crate::architecture::Node;
use crate::error::ModelError;
use crate::lanes::Level;
use crate::layer::Layer;
use crate::plan::Plan;
use crate::shape::Shape;
use crate::tensor::Rule;
use crate::train::Dice;
use pass::{Pass, Scratch};
pub use real::Real;
use real::add;
pub(crate) use room::Room;

/// Numbers that each node has in a vector of many.
#[derive(Debug, Clone, Default)]
struct Places(Vec<usize>);

impl Places {
    fn new(sizes: impl Iterator<Item = usize>) -> Places {
        let mut places = vec![0];
        let mut end = 0;
        places.extend(sizes.map(|size| {
            end += size;
            end
        }));
        Places(places)
    }

    fn total(&self) -> usize {
        self.0[self.0.len() - 1]
    }

    fn range(&self, at: usize) -> std::ops::Range<usize> {
        self.0[at]..self.0[at + 1]
    }
}

/// Most that a raised dropout may drop.
const DROPOUT_MAX: f32 = 0.9;

/// A network at work: values, slopes, state and what the way back needs, for a fixed batch and number of steps.
#[derive(Debug, Clone)]
pub struct Net<T: Real> {
    plan: Plan,
    level: Level,
    batch: usize,
    shapes: Vec<Shape>,
    value_places: Places,
    cache_places: Places,
    state_places: Places,
    values: Room<T>,
    slopes: Room<T>,
    caches: Room<T>,
    states: Vec<T>,
    /// Slopes by the input are wanted.
    by_input: bool,
    /// Products over many rows are of factors rounded to bf16.
    rounded: bool,
    /// What the rates of dropout layers are multiplied by.
    dropout: f32,
    scratch: Scratch<T>,
}

impl<T: Real> Net<T> {
    /// A network for `batch` sequences at once. A stateful network takes `steps` rows of each in one pass; others take their window and
    /// `steps` is not looked at.
    ///
    /// # Errors
    /// As [`Plan::compile`]'s, when so many steps of values do not fit.
    pub fn new(plan: &Plan, batch: usize, steps: usize) -> Result<Net<T>, ModelError> {
        let steps = if plan.architecture().stateful { steps.max(1) } else { 1 };
        let shapes: Vec<Shape> = (0..=plan.nodes().len())
            .map(|at| plan.shape(at))
            .map(|shape| shape.with_time(shape.time * steps))
            .collect();
        let of = |each: &dyn Fn(&Layer, Shape, Shape) -> usize| {
            let sizes = plan.nodes().iter().enumerate();
            Places::new(
                sizes.map(|(at, node)| batch * each(&node.layer, shapes[node.inputs[0]], shapes[at + 1])),
            )
        };
        let value_places = Places::new(shapes.iter().map(|shape| batch * shape.len()));
        let cache_places = of(&|layer, from, to| pass::cache_len(layer, from, to, batch));
        let state_places = of(&|layer, from, _| pass::state_len(layer, from));
        Ok(Net {
            level: Level::detect(),
            batch,
            values: Room::zeros(value_places.total()),
            slopes: Room::default(),
            caches: Room::zeros(cache_places.total()),
            states: vec![T::default(); state_places.total()],
            by_input: true,
            rounded: false,
            dropout: 1.0,
            scratch: Scratch::default(),
            plan: plan.clone(),
            shapes,
            value_places,
            cache_places,
            state_places,
        })
    }

    /// The same on a given instruction set, or on the best available one below it.
    #[must_use]
    pub fn on(mut self, level: Level) -> Net<T> {
        self.level = level.min(Level::detect());
        self
    }

    /// The same without slopes by the input, which then mean nothing: training wants them for adversaries only.
    #[must_use]
    pub fn without_input_slopes(mut self) -> Net<T> {
        self.by_input = false;
        self
    }

    /// The same with the products of layers over many rows at once, and those of an LSTM's ticks over one sequence, of factors rounded to
    /// bf16 and sums in f32: half the time where the processor multiplies bf16. Everything else, and what one row alone meets, stays as
    /// it is. In `f64`, which checks, nothing changes.
    #[must_use]
    pub fn rounded(mut self, rounded: bool) -> Net<T> {
        self.rounded = rounded;
        self
    }

    /// Multiplies the rate of every dropout layer, up to 0.9, from the next learning pass on: see [`crate::train::by_liquidity`]. What is
    /// not a number from 0 on changes nothing.
    pub fn set_dropout_factor(&mut self, factor: f32) {
        if factor >= 0.0 {
            self.dropout = factor;
        }
    }

    /// A layer as it is now.
    fn layer(&self, layer: Layer) -> Layer {
        match layer {
            Layer::Dropout { rate } if self.dropout != 1.0 => {
                Layer::Dropout { rate: (rate * self.dropout).min(rate.max(DROPOUT_MAX)) }
            }
            other => other,
        }
    }

    /// The plan it runs.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Sequences at once.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Numbers of one pass's input: `[batch][time][columns]`.
    pub fn inputs(&self) -> usize {
        self.batch * self.shapes[0].len()
    }

    /// The answer of the last pass: `[batch][time][outputs]`; one time in a window network that folds its window.
    pub fn answer(&self) -> &[T] {
        &self.values[self.value_places.range(self.plan.nodes().len())]
    }

    /// A value of the last pass: 0 the input, `n` the output of node `n - 1`; `[batch][time][width][channels]`.
    pub fn value(&self, number: usize) -> &[T] {
        &self.values[self.value_places.range(number)]
    }

    /// Forgets the state carried from pass to pass.
    pub fn reset(&mut self) {
        self.states.fill(T::default());
    }

    /// Forgets the state of one sequence of the batch.
    pub fn reset_lane(&mut self, lane: usize) {
        for at in 0..self.plan.nodes().len() {
            let state = &mut self.states[self.state_places.range(at)];
            let size = state.len() / self.batch;
            state[lane * size..(lane + 1) * size].fill(T::default());
        }
    }

    /// The state carried from pass to pass, to be kept and put back.
    pub fn state(&self) -> &[T] {
        &self.states
    }

    /// Puts a kept state back; one of another size is ignored and `false` is returned.
    pub fn set_state(&mut self, state: &[T]) -> bool {
        let fits = state.len() == self.states.len();
        if fits {
            self.states.copy_from_slice(state);
        }
        fits
    }

    /// Computes the answer to `input`, `[batch][time][columns]`, with dropout and batch statistics when there are `dice` (learning).
    ///
    /// # Panics
    /// When parameters or input have another length than the plan says.
    pub fn forward(&mut self, parameters: &[T], input: &[T], dice: Option<&mut Dice>) -> &[T] {
        assert_eq!((parameters.len(), input.len()), (self.plan.parameters(), self.inputs()));
        if !self.plan.architecture().stateful {
            self.reset();
        }
        self.values[..input.len()].copy_from_slice(input);
        let learning = dice.is_some();
        let mut dice = dice;
        for at in 0..self.plan.nodes().len() {
            let Node { layer, inputs } = &self.plan.nodes()[at];
            let layer_now = self.layer(*layer);
            let (before, rest) = self.values.split_at_mut(self.value_places.0[at + 1]);
            let y = &mut rest[..self.batch * self.shapes[at + 1].len()];
            let value = |input: usize| &before[self.value_places.range(input)];
            match layer {
                Layer::Add => {
                    y.copy_from_slice(value(inputs[0]));
                    inputs[1..].iter().for_each(|input| add(y, value(*input)));
                }
                Layer::Concat => {
                    join(y, inputs.iter().map(|input| (value(*input), self.shapes[*input].channels)))
                }
                _ => {
                    let mut pass = Pass {
                        level: self.level,
                        batch: self.batch,
                        learning,
                        layer: layer_now,
                        needed: true,
                        rounded: self.rounded,
                        from: self.shapes[inputs[0]],
                        to: self.shapes[at + 1],
                        x: value(inputs[0]),
                        w: &parameters[self.plan.owned(at)],
                        scratch: &mut self.scratch,
                    };
                    let cache = &mut self.caches[self.cache_places.range(at)];
                    let state = &mut self.states[self.state_places.range(at)];
                    pass.forward(y, cache, state, dice.as_deref_mut());
                }
            }
        }
        self.answer()
    }

    /// Adds to `gradient` the slopes by the parameters, given the slopes by the answer of the last forward pass. With `logits` the slopes are
    /// by what enters a softmax at the network's end. Slopes end at the start of the pass: what was carried in counts as given.
    ///
    /// # Panics
    /// When a slice has another length than the plan says.
    pub fn backward(&mut self, parameters: &[T], slopes: &[T], logits: bool, gradient: &mut [T]) {
        assert_eq!(gradient.len(), self.plan.parameters());
        self.back(parameters, slopes, logits, Some(gradient));
    }

    /// True when every gradient of a pass is a column times a row: parameters belong to dense layers alone, and those see one row.
    pub(crate) fn is_outer(&self) -> bool {
        let owns = |at: &usize| !self.plan.owned(*at).is_empty();
        let one = |at| matches!(self.plan.layer(at), Layer::Dense { .. }) && self.shapes[at + 1].time == 1;
        self.batch == 1 && (0..self.plan.nodes().len()).filter(owns).all(one)
    }

    /// As [`Net::backward`] in a network that [`Net::is_outer`], with gradients left as their two factors: [`Net::factors`].
    pub(crate) fn backward_outer(&mut self, parameters: &[T], slopes: &[T], logits: bool) {
        self.back(parameters, slopes, logits, None);
    }

    /// The input of a dense node and the slopes by its sums: the gradient by its matrix is their outer product, by its bias the latter.
    pub(crate) fn factors(&self, node: usize) -> (&[T], &[T]) {
        let input = self.plan.nodes()[node].inputs[0];
        (&self.values[self.value_places.range(input)], &self.slopes[self.value_places.range(node + 1)])
    }

    fn back(&mut self, parameters: &[T], slopes: &[T], logits: bool, gradient: Option<&mut [T]>) {
        let (nodes, mut gradient) = (self.plan.nodes().len(), gradient);
        assert_eq!(parameters.len(), self.plan.parameters());
        self.slopes.resize(self.values.len()).fill(T::default());
        self.slopes[self.value_places.range(nodes)].copy_from_slice(slopes);
        for at in (0..nodes).rev() {
            let Node { layer, inputs } = &self.plan.nodes()[at];
            let (before, rest) = self.slopes.split_at_mut(self.value_places.0[at + 1]);
            let dy = &mut rest[..self.batch * self.shapes[at + 1].len()];
            match layer {
                Layer::Add => {
                    inputs.iter().for_each(|input| add(&mut before[self.value_places.range(*input)], dy))
                }
                Layer::Concat => {
                    let (wide, mut from) = (self.shapes[at + 1].channels, 0);
                    for input in inputs {
                        let channels = self.shapes[*input].channels;
                        let dx = &mut before[self.value_places.range(*input)];
                        for (dx, dy) in dx.chunks_exact_mut(channels).zip(dy.chunks_exact(wide)) {
                            add(dx, &dy[from..from + channels]);
                        }
                        from += channels;
                    }
                }
                _ => {
                    let owned = self.plan.owned(at);
                    let mut pass = Pass {
                        level: self.level,
                        batch: self.batch,
                        learning: true,
                        layer: *layer,
                        needed: self.by_input || inputs[0] > 0,
                        rounded: self.rounded,
                        from: self.shapes[inputs[0]],
                        to: self.shapes[at + 1],
                        x: &self.values[self.value_places.range(inputs[0])],
                        w: &parameters[owned.clone()],
                        scratch: &mut self.scratch,
                    };
                    let y = &self.values[self.value_places.range(at + 1)];
                    let cache = &self.caches[self.cache_places.range(at)];
                    let dx = &mut before[self.value_places.range(inputs[0])];
                    let fused = logits && at + 1 == nodes;
                    let dw = gradient.as_deref_mut().map_or(&mut [][..], |gradient| &mut gradient[owned]);
                    pass.backward(y, dy, fused, cache, dx, dw);
                }
            }
        }
    }

    /// The slopes by the input that the last backward pass left: `[batch][time][columns]`.
    pub fn input_slopes(&self) -> &[T] {
        &self.slopes[self.value_places.range(0)]
    }

    /// Moves measured tensors (batch normalisation's statistics) towards what the last learning pass saw.
    pub fn measure(&self, parameters: &mut [T]) {
        for (at, node) in self.plan.nodes().iter().enumerate() {
            let Layer::BatchNorm { momentum, .. } = node.layer else { continue };
            let cache = &self.caches[self.cache_places.range(at)];
            let shape = self.shapes[at + 1];
            let outputs = self.batch * shape.len();
            norm::measure(&mut parameters[self.plan.owned(at)], cache, outputs, shape.channels, momentum);
        }
    }

    /// True when some tensor is measured and not learned.
    pub fn measures(&self) -> bool {
        self.plan.slices().iter().any(|slice| slice.spec.rule == Rule::Measured)
    }
}

/// Puts values' channels behind one another.
fn join<'a, T: Real>(y: &mut [T], parts: impl Iterator<Item = (&'a [T], usize)> + Clone) {
    let wide: usize = parts.clone().map(|part| part.1).sum();
    let mut from = 0;
    for (x, channels) in parts {
        for (y, x) in y.chunks_exact_mut(wide).zip(x.chunks_exact(channels)) {
            y[from..from + channels].copy_from_slice(x);
        }
        from += channels;
    }
}
