//! Losses and their slopes.
use crate::net::Real;
use crate::train::rows::Target;

/// What is to become small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Weighted cross-entropy of a network that ends in a softmax: `-weight[class] ln p[class]`.
    CrossEntropy,
    /// Mean of `(y - t)^2`.
    Squares,
    /// Mean of `(y - t)^2 + over max(0, y - t) + under max(0, t - y)`: with `over > under`, saying too much costs more than too little.
    Cautious {
        /// Cost of one unit too much.
        over: f32,
        /// Cost of one unit too little.
        under: f32,
    },
}

impl Loss {
    /// The loss of one answer and its slopes: by the logits for cross-entropy, else by the answer. Nothing wanted: zero.
    ///
    /// A class that the answer does not have, and numbers that are not as many, count as nothing wanted.
    #[inline]
    pub fn slopes(
        self,
        answer: &[f32],
        target: Target<'_>,
        class_weights: &[f32],
        slopes: &mut [f32],
    ) -> f64 {
        match (self, target) {
            (Loss::CrossEntropy, Target::Class(class)) if usize::from(class) < answer.len() => {
                let weight = class_weights.get(usize::from(class)).copied().unwrap_or(1.0);
                cross_entropy(answer, usize::from(class), weight, slopes)
            }
            (Loss::Squares, Target::Values(wanted)) if wanted.len() == answer.len() => {
                hinged(answer, wanted, 0.0, 0.0, slopes)
            }
            (Loss::Cautious { over, under }, Target::Values(wanted)) if wanted.len() == answer.len() => {
                hinged(answer, wanted, over, under, slopes)
            }
            _ => {
                slopes.fill(0.0);
                0.0
            }
        }
    }

    /// True when the slopes are by what enters the final softmax.
    pub const fn by_logits(self) -> bool {
        matches!(self, Loss::CrossEntropy)
    }
}

fn hinged(answer: &[f32], wanted: &[f32], over: f32, under: f32, slopes: &mut [f32]) -> f64 {
    let share = 1.0 / answer.len() as f32;
    let mut loss = 0.0;
    for (slope, (y, t)) in slopes.iter_mut().zip(answer.iter().zip(wanted)) {
        let error = y - t;
        let (hinge, tilt) = if error > 0.0 { (over * error, over) } else { (-under * error, -under) };
        loss += f64::from((error * error + hinge) * share);
        *slope = (2.0 * error + if error == 0.0 { 0.0 } else { tilt }) * share;
    }
    loss
}

/// Weighted cross-entropy `-weight ln(p[class])` of a softmax's probabilities, and its slope by the logits, `weight (p - 1[class])`.
#[inline(always)]
pub fn cross_entropy<T: Real>(probabilities: &[T], class: usize, weight: T, slope: &mut [T]) -> f64 {
    for (at, (slope, p)) in slope.iter_mut().zip(probabilities).enumerate() {
        *slope = weight * if at == class { *p - T::ONE } else { *p };
    }
    // A probability that has underflowed counts as the smallest that has not: the loss stays finite, the slope is right anyway.
    -weight.wide() * probabilities[class].wide().max(1e-30).ln()
}

#[cfg(test)]
mod tests {
    use super::Loss;
    use crate::train::rows::Target;

    #[test]
    fn slopes_are_the_differences_of_the_loss() {
        let wanted = [0.3f32, -0.2, 0.9];
        for loss in [Loss::Squares, Loss::Cautious { over: 3.0, under: 0.5 }] {
            let at = |answer: &[f32; 3]| {
                let mut slopes = [0.0; 3];
                (loss.slopes(answer, Target::Values(&wanted), &[], &mut slopes), slopes)
            };
            let answer = [0.5, -0.4, 0.2];
            for nth in 0..3 {
                let (mut low, mut high) = (answer, answer);
                (low[nth], high[nth]) = (answer[nth] - 1e-2, answer[nth] + 1e-2);
                let difference = (at(&high).0 - at(&low).0) / f64::from(high[nth] - low[nth]);
                assert!((difference - f64::from(at(&answer).1[nth])).abs() < 1e-4, "{loss:?} {nth}");
            }
        }
        let mut slopes = [1.0; 3];
        assert_eq!(Loss::Squares.slopes(&[0.0; 3], Target::Nothing, &[], &mut slopes), 0.0);
        assert_eq!(slopes, [0.0; 3]);
        assert_eq!(Loss::CrossEntropy.slopes(&[0.2; 3], Target::Class(7), &[], &mut slopes), 0.0);
    }

    #[test]
    fn too_much_costs_more_than_too_little() {
        let loss = Loss::Cautious { over: 2.0, under: 0.1 };
        let of = |y: f32| loss.slopes(&[y], Target::Values(&[0.0]), &[], &mut [0.0]);
        assert!(of(0.5) > of(-0.5));
    }
}
