//! Putting right what oversampling has made of the classes' frequencies.
use crate::error::{Fault, ModelError};
use crate::layer::Layer;
use crate::plan::Plan;
use crate::train::power::{exp, ln};

/// What to add to each class's logit of a network that has learned from classes in the shares `learned`, so that it answers for the shares
/// `true_shares`: `ln(true / learned)`, the logarithm of the ratio (Saerens et al. 2002; Elkan 2001). A class without a share in either is
/// left as it is. Both are any masses in proportion; they need not add up to 1.
pub fn prior_shift(true_shares: &[f64], learned: &[f64]) -> Vec<f32> {
    let known = |pair: &(&f64, &f64)| *pair.0 > 0.0 && *pair.1 > 0.0;
    let pairs = || true_shares.iter().zip(learned);
    let totals = pairs().filter(known).fold((0.0, 0.0), |sums, (a, b)| (sums.0 + a, sums.1 + b));
    let shift = |pair: (&f64, &f64)| {
        if known(&pair) { (ln(pair.0 / totals.0) - ln(pair.1 / totals.1)) as f32 } else { 0.0 }
    };
    pairs().map(shift).collect()
}

/// Moves one answer's probabilities as if its logits had been shifted.
pub fn shift_answer(probabilities: &mut [f32], shift: &[f32]) {
    // The largest shift is taken off first, so that nothing overflows.
    let top = shift.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (p, shift) in probabilities.iter_mut().zip(shift) {
        *p *= exp(f64::from(shift - top)) as f32;
    }
    let sum: f32 = probabilities.iter().sum();
    if sum > 0.0 {
        probabilities.iter_mut().for_each(|p| *p /= sum);
    }
}

/// Moves the logits of a network for good, in the bias of its last layer: its ticks cost nothing more.
///
/// # Errors
/// [`Fault::Layer`] when it does not end in a softmax of a dense or an attention (TABL) layer with one logit for each shift.
pub fn shift_bias(plan: &Plan, parameters: &mut [f32], shift: &[f32]) -> Result<(), ModelError> {
    let last = plan.nodes().len() - 1;
    let folds = matches!(plan.layer(last), Layer::Dense { .. } | Layer::Tabl { .. } | Layer::Bl { .. })
        && plan.architecture().classifies()
        && plan.output().features() == shift.len();
    let own = plan.slices().iter().find(|slice| slice.node == last && slice.spec.name == "bias");
    let Some(slice) = own.filter(|_| folds) else {
        let text =
            format!("no bias of {} logits before a last softmax to put the prior right in", shift.len());
        return Err(ModelError::new(Fault::Layer, text));
    };
    for times in parameters[slice.range.clone()].chunks_exact_mut(shift.len()) {
        times.iter_mut().zip(shift).for_each(|(bias, shift)| *bias += shift);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{prior_shift, shift_answer, shift_bias};
    use crate::plan::Plan;
    use crate::train::{Dice, Net};
    use crate::{Activation, Architecture, Layer, zoo};

    /// Goal: the shift undoes oversampling. Method: Bayes' rule in f64 for random likelihoods, with and without oversampled classes.
    #[test]
    fn shifted_answers_are_those_of_the_true_frequencies() {
        let mut dice = Dice::new(8);
        for _ in 0..1_000 {
            let mut three = || [0; 3].map(|_| dice.unit() + 1e-3);
            let (truth, boosts, likelihood) = (three(), three(), three());
            let learned: Vec<f64> = truth.iter().zip(boosts).map(|(p, boost)| p * boost * 100.0).collect();
            let posterior = |prior: &[f64]| {
                let joint: Vec<f64> = prior.iter().zip(likelihood).map(|(p, l)| p * l).collect();
                let sum: f64 = joint.iter().sum();
                joint.iter().map(|p| (p / sum) as f32).collect::<Vec<f32>>()
            };
            let mut answer = posterior(&learned);
            shift_answer(&mut answer, &prior_shift(&truth, &learned));
            for (a, b) in answer.iter().zip(posterior(&truth)) {
                assert!((a - b).abs() < 1e-5, "{a} not {b}");
            }
        }
    }

    #[test]
    fn a_class_that_was_never_seen_is_left_alone_and_equal_shares_shift_nothing() {
        assert_eq!(prior_shift(&[0.2, 0.0, 0.8], &[2.0, 5.0, 8.0]), [0.0, 0.0, 0.0]);
        assert_eq!(prior_shift(&[1.0, 3.0], &[2.0, 6.0]), [0.0, 0.0]);
    }

    #[test]
    fn a_shifted_bias_answers_as_shifted_answers_do() {
        let shift = [0.7f32, -1.5, 0.2];
        for net in [zoo::mlp(6, 1, &[5], Activation::Relu, 3, false), zoo::bin_c_tabl(6, 4, 3, 0.0)] {
            let plan = Plan::compile(&net).expect("compiles");
            let mut parameters = plan.initial(&mut Dice::new(2));
            let mut run = Net::<f32>::new(&plan, 1, 1).expect("fits");
            let input: Vec<f32> = (0..run.inputs()).map(|at| (at * 37 % 11) as f32 * 0.1 - 0.5).collect();
            let mut wanted = run.forward(&parameters, &input, None).to_vec();
            shift_answer(&mut wanted, &shift);
            shift_bias(&plan, &mut parameters, &shift).expect("folds");
            for (a, b) in run.forward(&parameters, &input, None).iter().zip(wanted) {
                assert!((a - b).abs() < 1e-6, "{a} not {b}");
            }
        }
        let plain = Architecture::chain(4, &[Layer::Dense { outputs: 3, activation: Activation::Tanh }]);
        let plan = Plan::compile(&plain).expect("compiles");
        assert!(shift_bias(&plan, &mut [0.0; 15], &shift).is_err());
        let narrow = Plan::compile(&zoo::logistic(4, 1, 3)).expect("compiles");
        assert!(shift_bias(&narrow, &mut [0.0; 15], &shift[..2]).is_err());
    }
}
