// @hot
//! Dense layers of few outputs, always in f32: lanes are inputs, not outputs, so that a line of weights holds no empty lanes.
use crate::activation::Activation;
use crate::block::{LANES, Line, lines};
use crate::lanes::{Lanes, Watch};
use crate::math::decay;

/// Most outputs of a narrow layer; fewer are filled up, since four sums are made at once.
pub(crate) const OUTPUTS_MAX: usize = 4;

/// Lines that the packed weights of a narrow layer take.
pub(crate) fn narrow_lines(inputs: usize) -> usize {
    1 + OUTPUTS_MAX * lines(inputs)
}

/// Rows of `wide` lines through a matrix; `weights`: a line of start values, then for each line of inputs one for each output. Start values
/// of outputs that are not there are zero, or before a softmax far below all others.
pub(crate) struct Narrow<'a> {
    pub(crate) x: &'a [Line],
    pub(crate) wide: usize,
    pub(crate) weights: &'a [Line],
    /// What numbers below zero are multiplied by: 1 leaves them.
    pub(crate) slope: f32,
    /// Followed by a softmax.
    pub(crate) softmax: bool,
    /// A line a row.
    pub(crate) to: &'a mut [Line],
}

impl Watch for Narrow<'_> {
    #[inline(always)]
    fn watched<L: Lanes>(self, mut guard: L) -> L {
        if let [to] = self.to {
            return one(self.x, self.weights, self.slope, self.softmax, guard, to);
        }
        for (x, to) in self.x.chunks_exact(self.wide).zip(self.to) {
            guard = one(x, self.weights, self.slope, self.softmax, guard, to);
        }
        guard
    }
}

/// One row.
#[inline(always)]
fn one<L: Lanes>(x: &[Line], weights: &[Line], slope: f32, softmax: bool, guard: L, to: &mut Line) -> L {
    let (start, weights) = weights.split_at(1);
    let mut sums = [L::splat(0.0); OUTPUTS_MAX];
    for (x, w) in x.iter().zip(weights.as_chunks::<OUTPUTS_MAX>().0) {
        let x = L::load(x);
        for output in 0..OUTPUTS_MAX {
            sums[output] = x.mul_add(L::load(&w[output]), sums[output]);
        }
    }
    let y = L::four_sums(sums).add(L::load(&start[0]));
    if softmax {
        let power = decay(y.sub(y.top_of_four()));
        power.div(power.sum_of_four()).store(to);
    } else {
        y.max(y.mul(L::splat(slope))).store(to);
    }
    y.mul_add(L::splat(0.0), guard)
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
