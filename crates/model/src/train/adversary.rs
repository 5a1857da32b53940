//! Inputs that are a little worse: for adversarial training.

/// Fast gradient sign (Goodfellow et al. 2015): `input` moved by `reach`, in scaled units, along the sign of the loss's slopes by it; where
/// a slope is zero or NaN it stays. Written to `out`, which keeps its room.
pub fn adversary(input: &[f32], slopes: &[f32], reach: f32, out: &mut Vec<f32>) {
    out.clear();
    out.extend(input.iter().zip(slopes).map(|(x, slope)| {
        let sign = f32::from(i8::from(*slope > 0.0) - i8::from(*slope < 0.0));
        x + reach * sign
    }));
}

#[cfg(test)]
mod tests {
    use super::adversary;
    use crate::activation::Activation;
    use crate::plan::Plan;
    use crate::train::{Dice, Net, cross_entropy};
    use crate::zoo;

    /// Goal: the moved input is the worst within reach. Method: the loss there against that at the input and at 50 random corners of the same
    /// box, for a network that is nearly linear so near.
    #[test]
    fn the_moved_input_is_worse_than_any_other_corner_of_its_box() {
        let plan = Plan::compile(&zoo::mlp(9, 1, &[12], Activation::Tanh, 3, false)).expect("compiles");
        let mut dice = Dice::new(3);
        for _ in 0..40 {
            let parameters = plan.initial(&mut dice);
            let mut net = Net::<f32>::new(&plan, 1, 1).expect("fits");
            let input: Vec<f32> = (0..9).map(|_| dice.unit() as f32 * 2.0 - 1.0).collect();
            let (class, mut slopes) = (dice.below(3), vec![0.0; 3]);
            let at_input = cross_entropy(net.forward(&parameters, &input, None), class, 1.0, &mut slopes);
            net.backward(&parameters, &slopes, true, &mut vec![0.0; plan.parameters()]);
            let mut moved = Vec::new();
            adversary(&input, net.input_slopes(), 1e-3, &mut moved);
            let mut loss =
                |x: &[f32]| cross_entropy(net.forward(&parameters, x, None), class, 1.0, &mut slopes);
            let worst = loss(&moved);
            assert!(worst > at_input);
            for _ in 0..50 {
                let corner: Vec<f32> =
                    input.iter().map(|x| x + if dice.below(2) == 0 { 1e-3 } else { -1e-3 }).collect();
                let other = loss(&corner);
                assert!(worst >= other - 2e-6, "{worst} and {other}");
            }
        }
    }

    #[test]
    fn what_has_no_slope_stays() {
        let mut moved = Vec::new();
        adversary(&[1.0, 2.0, 3.0, 4.0], &[0.0, -0.1, 0.1, f32::NAN], 0.5, &mut moved);
        assert_eq!(moved, [1.0, 1.5, 3.5, 4.0]);
    }
}
