// @hot
//! The arithmetic of a tick that is not a product with weights, generic over [`Lanes`].
use crate::activation::Activation;
use crate::block::{LANES, Line, flat};
use crate::lanes::Lanes;
use crate::math::{self, exp};

/// So far below every number that its power is nothing beside theirs.
pub(crate) const FAR: f32 = -1e30;

/// Softmax over the first `values` lanes.
#[inline(always)]
pub(crate) fn softmax_of<L: Lanes>(x: L, values: usize) -> L {
    let far = L::splat(FAR);
    let x = x.keep(values).add(far.sub(far.keep(values)));
    let power = exp(x.sub(L::splat(x.top())));
    power.div(L::splat(power.sum()))
}

/// Softmax over the first `values` numbers.
#[inline(always)]
pub(crate) fn softmax<L: Lanes>(lines: &mut [Line], values: usize) {
    if let [line] = lines {
        return softmax_of(L::load(line), values).store(line);
    }
    if let (Some(last), used @ 1..) = (lines.last_mut(), values % LANES) {
        let far = L::splat(FAR);
        L::load(last).keep(used).add(far.sub(far.keep(used))).store(last);
    }
    let mut top = L::splat(f32::MIN);
    for line in lines.iter() {
        top = top.max(L::load(line));
    }
    let top = L::splat(top.top());
    let mut sum = L::splat(0.0);
    for line in lines.iter_mut() {
        let power = exp(L::load(line).sub(top));
        power.store(line);
        sum = sum.add(power);
    }
    let sum = L::splat(sum.sum());
    for line in lines.iter_mut() {
        L::load(line).div(sum).store(line);
    }
}

/// An activation over rows of `values` numbers in `wide` lines each, in place.
#[inline(always)]
pub(crate) fn activate<L: Lanes>(lines: &mut [Line], wide: usize, values: usize, activation: Activation) {
    // Loops and no closures: only what is inlined has the instruction set.
    match activation {
        Activation::None => {}
        Activation::Softmax => {
            for row in lines.chunks_exact_mut(wide) {
                softmax::<L>(row, values);
            }
        }
        _ => {
            for line in lines {
                math::activation(activation, L::load(line)).store(line);
            }
        }
    }
}

/// `to = clamp((row - mean) * scale, -clip, clip)`; false when a number of the row is not finite.
#[inline(always)]
pub(crate) fn normalise<L: Lanes>(row: &[f32], to: &mut [Line], scaling: &[Line]) -> bool {
    let (mean, rest) = scaling.split_at(to.len());
    let (scale, clip) = rest.split_at(to.len());
    let clip = L::load(&clip[0]);
    let (whole, part) = row.as_chunks::<LANES>();
    let mut guard = L::splat(0.0);
    for (((x, to), mean), scale) in whole.iter().zip(&mut *to).zip(mean).zip(scale) {
        guard = scaled(L::take(x), (mean, scale), clip, guard, to);
    }
    let at = whole.len();
    if !part.is_empty() {
        guard = scaled(L::part(part), (&mean[at], &scale[at]), clip, guard, &mut to[at]);
    }
    guard.is_zero()
}

#[inline(always)]
fn scaled<L: Lanes>(x: L, (mean, scale): (&Line, &Line), clip: L, guard: L, to: &mut Line) -> L {
    let (zero, scaled) = (L::splat(0.0), x.sub(L::load(mean)).mul(L::load(scale)));
    clip.min(zero.sub(clip).max(scaled)).store(to);
    x.mul_add(zero, guard)
}

/// Every row times one line of factors plus one of summands.
#[inline(always)]
pub(crate) fn scale<L: Lanes>(x: &[Line], weights: &[Line], wide: usize, to: &mut [Line], guard: &mut Line) {
    let (factors, summands) = weights.split_at(wide);
    for (x, to) in x.chunks_exact(wide).zip(to.chunks_exact_mut(wide)) {
        for (((x, to), factor), summand) in x.iter().zip(to).zip(factors).zip(summands) {
            L::load(x).mul_add(L::load(factor), L::load(summand)).store(to);
        }
    }
    watch::<L>(to, guard);
}

/// Makes a lane of `guard` NaN when a number is not finite.
#[inline(always)]
pub(crate) fn watch<L: Lanes>(lines: &[Line], guard: &mut Line) {
    let mut watched = L::load(guard);
    for line in lines {
        watched = L::load(line).mul_add(L::splat(0.0), watched);
    }
    watched.store(guard);
}

/// The first `values` numbers of lines.
#[inline(always)]
pub(crate) fn head(lines: &[Line], values: usize) -> &[f32] {
    &flat(lines)[..values]
}
