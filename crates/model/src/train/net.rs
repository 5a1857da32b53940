//! A network for learning: forward with everything remembered, backward through time.
use crate::error::ModelError;
use crate::layer::{Activation, Layer, widths};
use crate::train::real::{Real, add_product, add_product_back, dot};
use crate::train::recurrent::{gru_back, gru_step, lstm_back, lstm_step};

/// The layers of a model, without their parameters: those are one flat vector in the order of `Layer::tensors`.
#[derive(Debug, Clone)]
pub struct Net {
    layers: Vec<Layer>,
    widths: Vec<usize>,
    /// First parameter of each layer.
    starts: Vec<usize>,
    parameters: usize,
}

/// Everything one tick leaves for the way back.
#[derive(Debug, Clone)]
pub struct Tape<T> {
    /// Input, then every layer's output.
    outputs: Vec<Vec<T>>,
    /// Per layer what its way back needs: sums before activations, gates.
    caches: Vec<Vec<T>>,
}

impl<T: Real> Tape<T> {
    /// The network's answer.
    pub fn answer(&self) -> &[T] {
        self.outputs.last().map_or(&[], Vec::as_slice)
    }
}

/// Recurrent state (forward) or its gradient (backward): `h` and `c` of every layer.
#[derive(Debug, Clone)]
pub struct Memory<T> {
    h: Vec<Vec<T>>,
    c: Vec<Vec<T>>,
}

impl Net {
    /// Checks that the layers fit.
    ///
    /// # Errors
    /// As `Model::verify`'s for layers.
    pub fn new(inputs: usize, layers: &[Layer]) -> Result<Net, ModelError> {
        let widths = widths(inputs, layers)?;
        let mut parameters = 0;
        let starts = layers
            .iter()
            .map(|layer| {
                let start = parameters;
                parameters += layer.parameter_count();
                start
            })
            .collect();
        Ok(Net { layers: layers.to_vec(), widths, starts, parameters })
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// A tape to be filled by [`Net::forward`].
    pub fn tape<T: Real>(&self) -> Tape<T> {
        let cache = |at: usize| match self.layers[at] {
            Layer::Dense { outputs, .. } => outputs,
            Layer::Lstm { units, .. } => 7 * units,
            Layer::Gru { units, .. } => 5 * units,
            Layer::Skip { .. } | Layer::Softmax => 0,
        };
        Tape {
            outputs: self.widths.iter().map(|width| vec![T::default(); *width]).collect(),
            caches: (0..self.layers.len()).map(|at| vec![T::default(); cache(at)]).collect(),
        }
    }

    /// Memory at rest.
    pub fn memory<T: Real>(&self) -> Memory<T> {
        let units = |layer: &Layer| match layer {
            Layer::Lstm { units, .. } | Layer::Gru { units, .. } => *units,
            _ => 0,
        };
        let rest: Vec<Vec<T>> = self.layers.iter().map(|layer| vec![T::default(); units(layer)]).collect();
        Memory { h: rest.clone(), c: rest }
    }

    /// Weights to start from: He for ReLU and its kin, Glorot otherwise, biases 0, forget gates 1.
    pub fn initial(&self, dice: &mut crate::train::Dice) -> Vec<f32> {
        let mut parameters = Vec::with_capacity(self.parameters);
        for layer in &self.layers {
            for spec in layer.tensors() {
                let [rows, columns] = match spec.shape[..] {
                    [rows, columns] if spec.name != "bias" => [rows, columns],
                    _ => {
                        let forget = match layer {
                            Layer::Lstm { units, .. } => *units..2 * units,
                            _ => 0..0,
                        };
                        parameters
                            .extend((0..spec.len()).map(|at| if forget.contains(&at) { 1.0 } else { 0.0 }));
                        continue;
                    }
                };
                let reach = match layer {
                    Layer::Dense {
                        activation: Activation::Relu | Activation::Swish | Activation::LeakyRelu,
                        ..
                    } => (6.0 / rows as f64).sqrt(),
                    _ => (6.0 / (rows + columns) as f64).sqrt(),
                };
                parameters.extend((0..rows * columns).map(|_| ((2.0 * dice.unit() - 1.0) * reach) as f32));
            }
        }
        parameters
    }

    /// One tick: fills the tape and moves the memory on.
    #[inline(always)]
    pub fn forward<T: Real>(&self, parameters: &[T], x: &[T], memory: &mut Memory<T>, tape: &mut Tape<T>) {
        tape.outputs[0].copy_from_slice(x);
        for (at, layer) in self.layers.iter().enumerate() {
            let own = &parameters[self.starts[at]..self.starts[at] + layer.parameter_count()];
            let (before, behind) = tape.outputs.split_at_mut(at + 1);
            let (x, y, cache) = (&before[at][..], &mut behind[0][..], &mut tape.caches[at][..]);
            match *layer {
                Layer::Dense { inputs, outputs, activation } => {
                    let (weight, bias) = own.split_at(inputs * outputs);
                    cache.copy_from_slice(bias);
                    add_product(cache, x, weight);
                    activate(activation, cache, y);
                }
                Layer::Lstm { units, .. } => {
                    lstm_step(own, units, x, &mut memory.h[at], &mut memory.c[at], cache, y);
                }
                Layer::Gru { units, .. } => gru_step(own, units, x, &mut memory.h[at], cache, y),
                Layer::Skip { from } => {
                    for (y, (a, b)) in y.iter_mut().zip(x.iter().zip(&before[from])) {
                        *y = *a + *b;
                    }
                }
                Layer::Softmax => softmax(x, y),
            }
        }
    }

    /// The way back through consecutive ticks, newest last. `slopes[t]` is the loss's derivative by the answer of tick `t`, or, with `logits`, by
    /// what goes into the last layer's softmax. Adds to `gradient`, one slope per parameter; `memory` carries slopes of the state.
    #[inline(always)]
    pub fn backward<T: Real>(
        &self,
        parameters: &[T],
        tapes: &[Tape<T>],
        slopes: &[Vec<T>],
        logits: bool,
        memory: &mut Memory<T>,
        gradient: &mut [T],
    ) {
        let mut d: Vec<Vec<T>> = self.widths.iter().map(|width| vec![T::default(); *width]).collect();
        for (tape, slope) in tapes.iter().zip(slopes).rev() {
            for each in &mut d {
                each.fill(T::default());
            }
            if let Some(last) = d.last_mut() {
                last.copy_from_slice(slope);
            }
            for at in (0..self.layers.len()).rev() {
                let fused = logits && at + 1 == self.layers.len();
                self.layer_back(at, fused, parameters, tape, &mut d, memory, gradient);
            }
        }
    }

    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "one step of `backward`, apart only to keep both short")]
    fn layer_back<T: Real>(
        &self,
        at: usize,
        fused: bool,
        parameters: &[T],
        tape: &Tape<T>,
        d: &mut [Vec<T>],
        memory: &mut Memory<T>,
        gradient: &mut [T],
    ) {
        let layer = &self.layers[at];
        let range = self.starts[at]..self.starts[at] + layer.parameter_count();
        let (own, slope) = (&parameters[range.clone()], &mut gradient[range]);
        let (before, behind) = d.split_at_mut(at + 1);
        let (dx, dy) = (&mut before[at], &mut behind[0]);
        let (x, y, cache) = (&tape.outputs[at], &tape.outputs[at + 1], &tape.caches[at]);
        match *layer {
            Layer::Dense { inputs, outputs, activation } => {
                if !(fused && activation == Activation::Softmax) {
                    activate_back(activation, cache, y, dy);
                }
                let (weight, _) = own.split_at(inputs * outputs);
                let (d_weight, d_bias) = slope.split_at_mut(inputs * outputs);
                for (d, dz) in d_bias.iter_mut().zip(dy.iter()) {
                    *d += *dz;
                }
                add_product_back(x, weight, dy, d_weight, dx);
            }
            Layer::Lstm { units, .. } => {
                lstm_back(own, units, x, cache, dy, &mut memory.h[at], &mut memory.c[at], slope, dx);
            }
            Layer::Gru { units, .. } => gru_back(own, units, x, cache, dy, &mut memory.h[at], slope, dx),
            Layer::Skip { from } => {
                for (dx, dy) in dx.iter_mut().zip(dy.iter()) {
                    *dx += *dy;
                }
                for (d_from, dy) in before[from].iter_mut().zip(dy.iter()) {
                    *d_from += *dy;
                }
            }
            Layer::Softmax => {
                if !fused {
                    softmax_back(y, dy);
                }
                for (dx, dy) in dx.iter_mut().zip(dy.iter()) {
                    *dx += *dy;
                }
            }
        }
    }
}

/// `exp(x - max) / sum`.
pub(crate) fn softmax<T: Real>(x: &[T], y: &mut [T]) {
    let mut top = x[0];
    for x in x {
        if *x > top {
            top = *x;
        }
    }
    let mut sum = T::default();
    for (y, x) in y.iter_mut().zip(x) {
        *y = (*x - top).exp();
        sum += *y;
    }
    for y in y.iter_mut() {
        *y = *y / sum;
    }
}

/// Turns slopes by the probabilities `y` into slopes by the logits, in place.
fn softmax_back<T: Real>(y: &[T], d: &mut [T]) {
    let mean = dot(y, d);
    for (d, y) in d.iter_mut().zip(y) {
        *d = *y * (*d - mean);
    }
}

#[inline(always)]
fn activate<T: Real>(activation: Activation, z: &[T], y: &mut [T]) {
    if activation == Activation::Softmax {
        return softmax(z, y);
    }
    for (y, z) in y.iter_mut().zip(z) {
        *y = match activation {
            Activation::None | Activation::Softmax => *z,
            Activation::Relu => {
                if *z > T::default() {
                    *z
                } else {
                    T::default()
                }
            }
            Activation::Swish => *z * z.sigmoid(),
            Activation::Tanh => z.tanh(),
            Activation::Sigmoid => z.sigmoid(),
            Activation::LeakyRelu => {
                if *z > T::default() {
                    *z
                } else {
                    *z * T::of(0.01)
                }
            }
        };
    }
}

/// Turns slopes by the activation `y` into slopes by the sums `z`, in place.
#[inline(always)]
fn activate_back<T: Real>(activation: Activation, z: &[T], y: &[T], d: &mut [T]) {
    if activation == Activation::Softmax {
        return softmax_back(y, d);
    }
    for (d, (z, y)) in d.iter_mut().zip(z.iter().zip(y)) {
        let slope = match activation {
            Activation::None | Activation::Softmax => T::ONE,
            Activation::Relu => {
                if *z > T::default() {
                    T::ONE
                } else {
                    T::default()
                }
            }
            Activation::Swish => {
                let s = z.sigmoid();
                s * (T::ONE + *z * (T::ONE - s))
            }
            Activation::Tanh => T::ONE - *y * *y,
            Activation::Sigmoid => *y * (T::ONE - *y),
            Activation::LeakyRelu => {
                if *z > T::default() {
                    T::ONE
                } else {
                    T::of(0.01)
                }
            }
        };
        *d = *d * slope;
    }
}
