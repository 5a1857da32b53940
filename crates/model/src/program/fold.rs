//! Batch normalisation folded into the weights before it: behind a dense layer or a convolution without an activation, a factor and a
//! summand a channel are the weights' and the bias's own.
use crate::activation::Activation;
use crate::layer::Layer;
use crate::plan::Plan;

/// The batch normalisation that is folded into a node's weights: the only one to take what the node gives.
pub(super) fn folds(plan: &Plan, at: usize) -> Option<usize> {
    let (Layer::Dense { activation, .. } | Layer::Conv { activation, .. }) = *plan.layer(at) else {
        return None;
    };
    let mut users = (0..plan.nodes().len()).filter(|user| plan.nodes()[*user].inputs.contains(&(at + 1)));
    let user = users.next()?;
    let alone = users.next().is_none() && matches!(plan.layer(user), Layer::BatchNorm { .. });
    (alone && activation == Activation::None).then_some(user)
}

/// True when a node is folded into the one before.
pub(super) fn is_folded(plan: &Plan, at: usize) -> bool {
    let before = plan.nodes()[at].inputs[0];
    before > 0 && folds(plan, before - 1) == Some(at)
}

/// Factor and summand of each channel of a batch normalisation with these tensors.
pub(super) fn affine(epsilon: f32, channels: usize, values: &[f32]) -> Vec<(f32, f32)> {
    let part = |nth: usize, channel: usize| values[nth * channels + channel];
    let each = |channel| {
        let factor = part(0, channel) / (part(3, channel) + epsilon).sqrt();
        (factor, part(1, channel) - part(2, channel) * factor)
    };
    (0..channels).map(each).collect()
}

/// A node's tensors with what is folded into them.
pub(super) fn folded(plan: &Plan, at: usize, parameters: &[f32]) -> Option<Vec<f32>> {
    let user = folds(plan, at)?;
    let Layer::BatchNorm { epsilon, .. } = *plan.layer(user) else { return None };
    let mut values = parameters[plan.owned(at)].to_vec();
    let affine = affine(epsilon, plan.shape(at + 1).channels, &parameters[plan.owned(user)]);
    let start = values.len() - affine.len();
    for row in values.chunks_exact_mut(affine.len()) {
        row.iter_mut().zip(&affine).for_each(|(value, (factor, _))| *value *= factor);
    }
    values[start..].iter_mut().zip(&affine).for_each(|(bias, (_, summand))| *bias += summand);
    Some(values)
}

#[cfg(test)]
mod tests {
    use crate::activation::Activation;
    use crate::architecture::Architecture;
    use crate::layer::{Layer, Padding, Sweep};
    use crate::model::Model;
    use crate::plan::Plan;
    use crate::program::Program;
    use crate::train::Dice;

    /// Goal: normalisation costs no operation where it can be folded, and is kept where something else takes the sums too.
    #[test]
    fn a_normalisation_alone_behind_sums_is_no_operation() {
        let norm = Layer::BatchNorm { epsilon: 1e-3, momentum: 0.9 };
        let operations = |net: Architecture| {
            let parameters = Plan::compile(&net).expect("compiles").initial(&mut Dice::new(3));
            Program::new(&Model::bare("folds", net, parameters)).expect("valid").ops.len()
        };
        let conv = |activation| {
            let mut net = Architecture::over_window(6, 4);
            net.then(Layer::Conv { outputs: 16, sweep: Sweep::times(2, Padding::Valid), activation });
            net.then(norm);
            net
        };
        assert_eq!(operations(conv(Activation::None)), 1);
        assert_eq!(operations(conv(Activation::Tanh)), 2);
        let mut shared = conv(Activation::None);
        shared.on(&[1, 2], Layer::Add);
        assert_eq!(operations(shared), 3);
    }
}
