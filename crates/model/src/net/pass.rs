//! One node's turn: everything its forward or backward pass may look at.
use crate::activation::Activation;
use crate::lanes::Level;
use crate::layer::{Layer, Padding, Reset};
use crate::net::Room;
use crate::net::real::{Real, add};
use crate::net::soft::{softmax, softmax_back};
use crate::shape::Shape;
use crate::train::Dice;

/// Memory that every node may use during its turn.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch<T: Real> {
    pub(super) packed: T::Packed,
    pub(super) first: Vec<T>,
    pub(super) second: Vec<T>,
    /// Slopes by the sums before an LSTM's gates.
    pub(super) sums: Room<T>,
}

/// A scratch vector of `size` zeros.
pub(super) fn zeros<T: Real>(vector: &mut Vec<T>, size: usize) -> &mut [T] {
    vector.clear();
    vector.resize(size, T::default());
    vector
}

/// One node's turn.
pub(super) struct Pass<'a, T: Real> {
    pub(super) level: Level,
    pub(super) batch: usize,
    /// With dropout and batch statistics.
    pub(super) learning: bool,
    pub(super) layer: Layer,
    /// Somebody wants slopes by this node's input.
    pub(super) needed: bool,
    /// Products over many rows are of factors rounded to bf16.
    pub(super) rounded: bool,
    pub(super) from: Shape,
    pub(super) to: Shape,
    pub(super) x: &'a [T],
    pub(super) w: &'a [T],
    pub(super) scratch: &'a mut Scratch<T>,
}

/// Numbers that a node keeps for its way back, for each sequence of a batch of `batch`.
pub(super) fn cache_len(layer: &Layer, from: Shape, to: Shape, batch: usize) -> usize {
    let sums = if layer.activation() == Activation::Swish { to.len() } else { 0 };
    match *layer {
        Layer::Dropout { .. } => to.len(),
        Layer::Lstm { units, .. } => 7 * units * from.time,
        Layer::Gru { units, .. } => 5 * units * from.time,
        Layer::Bl { outputs, .. } => from.time * outputs + sums,
        Layer::Tabl { outputs, .. } => 3 * from.time * outputs + sums,
        Layer::Bin => 2 * from.len() + from.features() + from.time,
        Layer::Conv { sweep, .. } => super::conv::extended(from, &sweep).len() + sums,
        Layer::Pool { sweep, .. } => super::conv::extended(from, &sweep).len(),
        Layer::BatchNorm { .. } => to.len() + (3 * to.channels).div_ceil(batch),
        Layer::Attention { units } => from.time * (units + 1),
        Layer::LinearAttention { keys, outputs, .. } => super::linear::cache_len(from.time, keys, outputs),
        Layer::LocalAttention { keys, outputs, span } => {
            super::local::cache_len(from.time, keys, outputs, span)
        }
        _ => sums,
    }
}

/// Numbers that a node carries from pass to pass, for each sequence.
pub(super) fn state_len(layer: &Layer, from: Shape) -> usize {
    match *layer {
        Layer::Lstm { units, .. } => 2 * units,
        Layer::Gru { units, .. } => units,
        Layer::Conv { sweep, .. } | Layer::Pool { sweep, .. } if sweep.padding == Padding::Causal => {
            (sweep.kernel_time - 1) * from.features()
        }
        Layer::LinearAttention { keys, outputs, .. } => keys * (outputs + 1),
        Layer::LocalAttention { keys, outputs, span } => (span - 1) * (keys + outputs) + 1,
        _ => 0,
    }
}

impl<T: Real> Pass<'_, T> {
    /// Sequences times rows in each.
    pub(super) fn rows(&self) -> usize {
        self.batch * self.from.time
    }

    pub(super) fn forward(&mut self, y: &mut [T], cache: &mut [T], state: &mut [T], dice: Option<&mut Dice>) {
        match self.layer {
            Layer::Dense { outputs, activation } => self.dense(outputs, activation, y, cache),
            Layer::Activate { activation } => {
                y.copy_from_slice(self.x);
                self.activate(activation, y, cache);
            }
            Layer::Add | Layer::Concat => {}
            Layer::Reshape { .. } | Layer::Flatten => y.copy_from_slice(self.x),
            Layer::Last => {
                let (kept, all) = (self.to.len(), self.from.len());
                for (y, x) in y.chunks_exact_mut(kept).zip(self.x.chunks_exact(all)) {
                    y.copy_from_slice(&x[all - kept..]);
                }
            }
            Layer::Dropout { rate } => self.dropout(rate, y, cache, dice),
            Layer::Lstm { units, gate } => self.lstm((units, gate), y, cache, state),
            Layer::Gru { units, gate, reset } => match reset {
                Reset::After => self.gru((units, gate), y, cache, state),
                Reset::Before => self.early_gru((units, gate), y, cache, state),
            },
            Layer::Bl { outputs, times, activation } => self.bl(outputs, times, activation, y, cache),
            Layer::Tabl { outputs, times, activation } => self.tabl(outputs, times, activation, y, cache),
            Layer::Bin => self.bin(y, cache),
            Layer::Conv { outputs, sweep, activation } => {
                self.conv(outputs, &sweep, activation, y, cache, state)
            }
            Layer::Pool { pooling, sweep } => self.pool(pooling, &sweep, y, cache, state),
            Layer::BatchNorm { epsilon, .. } => self.batch_norm(epsilon, y, cache),
            Layer::Attention { units } => self.attention(units, y, cache),
            Layer::LinearAttention { keys, outputs, decay } => {
                self.linear_attention(keys, outputs, decay, y, cache, state);
            }
            Layer::LocalAttention { keys, outputs, span } => {
                self.local_attention(keys, outputs, span, y, cache, state);
            }
        }
    }

    /// `dy`: slopes by `y` on entry, by the sums before the activation on return; `fused`: they are slopes by what entered the final softmax.
    /// With no `dw` a dense layer leaves its parameters' slopes to who reads `dy`.
    pub(super) fn backward(
        &mut self,
        y: &[T],
        dy: &mut [T],
        fused: bool,
        cache: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        let skip = fused && self.layer.activation() == Activation::Softmax;
        let activation = self.layer.activation();
        if !skip {
            let sums = if activation == Activation::Swish { &cache[cache.len() - y.len()..] } else { y };
            self.activate_back(activation, sums, y, dy);
        }
        match self.layer {
            Layer::Dense { outputs, .. } => self.dense_back(outputs, dy, dx, dw),
            Layer::Add | Layer::Concat => {}
            Layer::Activate { .. } | Layer::Reshape { .. } | Layer::Flatten => add(dx, dy),
            Layer::Last => {
                let (kept, all) = (self.to.len(), self.from.len());
                for (dy, dx) in dy.chunks_exact(kept).zip(dx.chunks_exact_mut(all)) {
                    add(&mut dx[all - kept..], dy);
                }
            }
            Layer::Dropout { .. } => {
                for (dx, (dy, scale)) in dx.iter_mut().zip(dy.iter().zip(cache)) {
                    *dx += *dy * *scale;
                }
            }
            Layer::Lstm { units, gate } => self.lstm_back((units, gate), dy, cache, dx, dw),
            Layer::Gru { units, gate, reset } => match reset {
                Reset::After => self.gru_back((units, gate), dy, cache, dx, dw),
                Reset::Before => self.early_gru_back((units, gate), dy, cache, dx, dw),
            },
            Layer::Bl { outputs, times, .. } => self.bl_back(outputs, times, dy, cache, dx, dw),
            Layer::Tabl { outputs, times, .. } => self.tabl_back(outputs, times, dy, cache, dx, dw),
            Layer::Bin => self.bin_back(dy, cache, dx, dw),
            Layer::Conv { outputs, sweep, .. } => self.conv_back(outputs, &sweep, dy, cache, dx, dw),
            Layer::Pool { pooling, sweep } => self.pool_back(pooling, &sweep, dy, cache, dx),
            Layer::BatchNorm { .. } => self.batch_norm_back(dy, cache, dx, dw),
            Layer::Attention { units } => self.attention_back(units, dy, cache, dx, dw),
            Layer::LinearAttention { keys, outputs, decay } => {
                self.linear_attention_back(keys, outputs, decay, dy, cache, dx, dw);
            }
            Layer::LocalAttention { keys, outputs, span } => {
                self.local_attention_back(keys, outputs, span, dy, cache, dx, dw);
            }
        }
    }

    /// Turns sums into activations in place, time by time for softmax, and keeps the sums at the end of `cache` where the way back needs them.
    pub(super) fn activate(&self, activation: Activation, y: &mut [T], cache: &mut [T]) {
        match activation {
            Activation::Softmax => y.chunks_exact_mut(self.to.features()).for_each(softmax),
            Activation::Swish => {
                let at = cache.len() - y.len();
                cache[at..].copy_from_slice(y);
                T::activate(self.level, activation, y);
            }
            _ => T::activate(self.level, activation, y),
        }
    }

    fn activate_back(&self, activation: Activation, z: &[T], y: &[T], dy: &mut [T]) {
        if activation == Activation::Softmax {
            let wide = self.to.features();
            for (y, dy) in y.chunks_exact(wide).zip(dy.chunks_exact_mut(wide)) {
                softmax_back(y, dy);
            }
        } else {
            T::activate_back(self.level, activation, z, y, dy);
        }
    }

    fn dropout(&self, rate: f32, y: &mut [T], cache: &mut [T], dice: Option<&mut Dice>) {
        y.copy_from_slice(self.x);
        let Some(dice) = dice else { return cache.fill(T::ONE) };
        let kept = T::of(1.0 / (1.0 - f64::from(rate)));
        self.level.plainly(|| {
            for (y, scale) in y.iter_mut().zip(cache) {
                *scale = if dice.below_share(f64::from(rate)) { T::default() } else { kept };
                *y = *y * *scale;
            }
        });
    }
}
