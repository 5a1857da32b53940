//! Losses.
use crate::train::real::Real;

/// Weighted cross-entropy `-weight ln(p[class])` of a softmax's probabilities, and its slope by the logits, `weight (p - 1[class])`.
#[inline(always)]
pub fn cross_entropy<T: Real>(probabilities: &[T], class: usize, weight: T, slope: &mut [T]) -> f64 {
    for (at, (slope, p)) in slope.iter_mut().zip(probabilities).enumerate() {
        *slope = weight * if at == class { *p - T::ONE } else { *p };
    }
    // A probability that has underflowed counts as the smallest that has not: the loss stays finite, the slope is right anyway.
    -weight.wide() * probabilities[class].wide().max(1e-30).ln()
}
