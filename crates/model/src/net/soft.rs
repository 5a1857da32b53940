//! Softmax, forward and back.
use crate::net::real::{Real, dot};

/// Softmax of `values`, in place.
pub(crate) fn softmax<T: Real>(values: &mut [T]) {
    let mut top = values[0];
    for value in values.iter() {
        if *value > top {
            top = *value;
        }
    }
    let mut sum = T::default();
    for value in values.iter_mut() {
        *value = (*value - top).exp();
        sum += *value;
    }
    for value in values.iter_mut() {
        *value = *value / sum;
    }
}

/// Turns slopes by the probabilities `y` into slopes by the logits, in place.
pub(crate) fn softmax_back<T: Real>(y: &[T], slopes: &mut [T]) {
    let mean = dot(y, slopes);
    for (slope, y) in slopes.iter_mut().zip(y) {
        *slope = *y * (*slope - mean);
    }
}
