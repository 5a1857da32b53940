//! A network with another share of its values left out while it learns. Dropout has no parameters: the same weights fit both.
use tickline_model::{Architecture, Layer, Node};

/// Puts `rate` at every dropout of the network; where it has none and `rate` is above 0, one is put before the last layer.
pub(crate) fn with_dropout(net: &Architecture, rate: f32) -> Architecture {
    let mut net = net.clone();
    let mut found = false;
    for node in &mut net.nodes {
        if let Layer::Dropout { rate: own } = &mut node.layer {
            (*own, found) = (rate, true);
        }
    }
    let at = net.nodes.len();
    if !found
        && rate > 0.0
        && let Some(last) = net.nodes.last_mut()
        && let [value] = last.inputs[..]
    {
        last.inputs = vec![at];
        net.nodes.insert(at - 1, Node { layer: Layer::Dropout { rate }, inputs: vec![value] });
    }
    net
}

#[cfg(test)]
mod tests {
    use super::with_dropout;
    use tickline_model::{Activation, Layer, Plan, zoo};

    fn rates(net: &tickline_model::Architecture) -> Vec<f32> {
        let of = |layer: &Layer| if let Layer::Dropout { rate } = layer { Some(*rate) } else { None };
        net.nodes.iter().filter_map(|node| of(&node.layer)).collect()
    }

    #[test]
    fn every_network_can_learn_with_dropout_and_keeps_its_parameters() {
        let nets = [
            zoo::mlp(4, 1, &[8, 8], Activation::Relu, 3, false),
            zoo::lstm(4, &[6], 3),
            zoo::c_tabl(40, 10, 3, 0.1),
        ];
        for net in nets {
            let own = rates(&net);
            let other = with_dropout(&net, 0.3);
            assert_eq!(rates(&other), vec![0.3; own.len().max(1)]);
            let [before, after] = [&net, &other].map(|net| Plan::compile(net).expect("compiles"));
            assert_eq!(before.parameters(), after.parameters());
            assert_eq!(rates(&with_dropout(&net, 0.0)), vec![0.0; own.len()]);
        }
    }
}
