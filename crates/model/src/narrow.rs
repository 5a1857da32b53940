// @hot
//! Dense layers of few outputs, always in f32: lanes are inputs, not outputs, so that a line of weights holds no empty lanes.
use crate::activation::Activation;
use crate::block::{LANES, Line};
use crate::kernel::softmax_of;
use crate::lanes::{Kernel, Lanes};

/// Most outputs of a narrow layer.
pub(crate) const OUTPUTS_MAX: usize = 4;

/// A one for each output in its lane.
const ONES: [Line; OUTPUTS_MAX] = {
    let mut ones = [Line::ZERO; OUTPUTS_MAX];
    let mut at = 0;
    while at < OUTPUTS_MAX {
        ones[at].0[at] = 1.0;
        at += 1;
    }
    ones
};

/// Rows of `wide` lines through a matrix; `weights`: a line of start values, then `wide` lines for each output.
pub(crate) struct Narrow<'a> {
    pub(crate) x: &'a [Line],
    pub(crate) wide: usize,
    pub(crate) weights: &'a [Line],
    pub(crate) outputs: usize,
    /// What numbers below zero are multiplied by: 1 leaves them.
    pub(crate) slope: f32,
    /// Followed by a softmax.
    pub(crate) softmax: bool,
    /// Zero; a lane becomes NaN when a sum is not finite.
    pub(crate) guard: &'a mut Line,
    /// A line a row.
    pub(crate) to: &'a mut [Line],
}

impl Kernel for Narrow<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (start, weights) = self.weights.split_at(1);
        let weights = &weights[..self.outputs * self.wide];
        let (zero, slope) = (L::splat(0.0), L::splat(self.slope));
        let mut guard = L::load(self.guard);
        for (x, to) in self.x.chunks_exact(self.wide).zip(self.to) {
            let mut y = L::load(&start[0]);
            for (w, one) in weights.chunks_exact(self.wide).zip(&ONES) {
                y = L::splat(dot::<L>(x, w)).mul_add(L::load(one), y);
            }
            guard = y.mul_add(zero, guard);
            if self.softmax { softmax_of(y, self.outputs) } else { y.max(y.mul(slope)) }.store(to);
        }
        guard.store(self.guard);
    }
}

/// Sum of products, in parts that hide the latency.
#[inline(always)]
fn dot<L: Lanes>(x: &[Line], w: &[Line]) -> f32 {
    let mut sums = [L::splat(0.0); 2];
    let (x, w) = (x.as_chunks::<2>(), w.as_chunks::<2>());
    for (x, w) in x.0.iter().zip(w.0) {
        sums[0] = L::load(&x[0]).mul_add(L::load(&w[0]), sums[0]);
        sums[1] = L::load(&x[1]).mul_add(L::load(&w[1]), sums[1]);
    }
    for (x, w) in x.1.iter().zip(w.1) {
        sums[0] = L::load(x).mul_add(L::load(w), sums[0]);
    }
    sums[0].add(sums[1]).sum()
}

/// What a layer of so many outputs, over so many inputs, is made of.
pub(crate) fn is_narrow(inputs: usize, outputs: usize) -> bool {
    outputs <= OUTPUTS_MAX && inputs >= LANES
}

/// What numbers below zero are multiplied by in an activation of straight pieces; 1 where a pass of its own follows.
pub(crate) const fn slope(activation: Activation) -> f32 {
    match activation {
        Activation::Relu => 0.0,
        Activation::LeakyRelu => 0.01,
        _ => 1.0,
    }
}

/// True when an activation needs a pass of its own.
pub(crate) const fn is_curve(activation: Activation) -> bool {
    !matches!(activation, Activation::None | Activation::Relu | Activation::LeakyRelu)
}
