//! One layer in the file: its kind, its sizes and its other numbers, in a fixed order.
use crate::activation::Activation;
use crate::architecture::Node;
use crate::error::{Fault, ModelError};
use crate::layer::{Gate, Layer, Padding, Pooling, Reset, Sweep};
use crate::schema as wire;

fn fault(text: String) -> ModelError {
    ModelError::new(Fault::Layer, text)
}

/// Reads a layer and the values it takes; shapes are checked later, by the plan.
pub(super) fn read(at: usize, table: wire::Layer<'_>) -> Result<Node, ModelError> {
    let kind = table.kind();
    let given: Vec<i32> = table.parameters().map(|values| values.iter().collect()).unwrap_or_default();
    let sizes: Vec<usize> = given.iter().filter_map(|value| usize::try_from(*value).ok()).collect();
    let rates: Vec<f32> = table.rates().map(|values| values.iter().collect()).unwrap_or_default();
    if sizes.len() != given.len() || rates.iter().any(|rate| !rate.is_finite()) {
        return Err(fault(format!("node {at}: {kind:?} with sizes {given:?} and rates {rates:?}")));
    }
    let code = table.activation().0;
    let activation = Activation::from_code(code)
        .ok_or_else(|| fault(format!("node {at}: activation {code} is unknown to this build")))?;
    let layer = layer(kind, activation, &sizes, &rates).ok_or_else(|| {
        let text = "is unknown to this build, or its sizes or rates are";
        fault(format!("node {at}: kind {} ({kind:?}) {text}: {given:?}, {rates:?}", kind.0))
    })?;
    if layer.activation() != activation {
        return Err(fault(format!("node {at}: {kind:?} has no activation of its own")));
    }
    let inputs = table.inputs().map(|values| values.iter().map(|value| value as usize).collect());
    Ok(Node { layer, inputs: inputs.unwrap_or_default() })
}

fn layer(kind: wire::LayerKind, activation: Activation, sizes: &[usize], rates: &[f32]) -> Option<Layer> {
    Some(match (kind, sizes, rates) {
        (wire::LayerKind::Dense, &[outputs], []) => Layer::Dense { outputs, activation },
        (wire::LayerKind::Activate, [], []) => Layer::Activate { activation },
        (wire::LayerKind::Add, [], []) => Layer::Add,
        (wire::LayerKind::Concat, [], []) => Layer::Concat,
        (wire::LayerKind::Reshape, &[width, channels], []) => Layer::Reshape { width, channels },
        (wire::LayerKind::Flatten, [], []) => Layer::Flatten,
        (wire::LayerKind::Last, [], []) => Layer::Last,
        (wire::LayerKind::Dropout, [], &[rate]) => Layer::Dropout { rate },
        (wire::LayerKind::Lstm, &[units, ref rest @ ..], []) => {
            let (gate, Reset::After) = read_gate(rest)? else { return None };
            Layer::Lstm { units, gate }
        }
        (wire::LayerKind::Gru, &[units, ref rest @ ..], []) => {
            let (gate, reset) = read_gate(rest)?;
            Layer::Gru { units, gate, reset }
        }
        (wire::LayerKind::Bl, &[outputs, times], []) => Layer::Bl { outputs, times, activation },
        (wire::LayerKind::Tabl, &[outputs, times], []) => Layer::Tabl { outputs, times, activation },
        (wire::LayerKind::Bin, [], []) => Layer::Bin,
        (wire::LayerKind::Conv, &[outputs, ref sweep @ ..], []) => {
            Layer::Conv { outputs, sweep: read_sweep(sweep)?, activation }
        }
        (wire::LayerKind::Pool, &[pooling, ref sweep @ ..], []) => {
            let pooling = [Pooling::Max, Pooling::Average].get(pooling).copied()?;
            Layer::Pool { pooling, sweep: read_sweep(sweep)? }
        }
        (wire::LayerKind::BatchNorm, [], &[epsilon, momentum]) => Layer::BatchNorm { epsilon, momentum },
        (wire::LayerKind::Attention, &[units], []) => Layer::Attention { units },
        (wire::LayerKind::LinearAttention, &[keys, outputs], &[decay]) => {
            Layer::LinearAttention { keys, outputs, decay }
        }
        (wire::LayerKind::LocalAttention, &[keys, outputs, span], []) => {
            Layer::LocalAttention { keys, outputs, span }
        }
        _ => return None,
    })
}

/// The layer of a file's numbers: kind, activation, sizes, rates; `None` when this build does not know it.
pub fn layer_of(kind: u16, activation: u16, sizes: &[usize], rates: &[f32]) -> Option<Layer> {
    let activation = Activation::from_code(activation)?;
    let layer = layer(wire::LayerKind(kind), activation, sizes, rates)?;
    (layer.activation() == activation).then_some(layer)
}

/// A layer as a file's numbers: kind, activation, sizes, rates.
pub fn layer_parts(layer: &Layer) -> (u16, u16, Vec<i32>, Vec<f32>) {
    let (kind, sizes, rates) = describe(layer);
    (kind.0, layer.activation().code(), sizes, rates)
}

/// The gate behind a recurrent layer's units, and where a GRU resets; what is left out is a sigmoid, and after, as in files of before there
/// was anything else. Each layer has one way of being written.
fn read_gate(sizes: &[usize]) -> Option<(Gate, Reset)> {
    match *sizes {
        [] => Some((Gate::Sigmoid, Reset::After)),
        [gate] if gate > 0 => Some((*Gate::ALL.get(gate)?, Reset::After)),
        [gate, reset] if reset > 0 => Some((*Gate::ALL.get(gate)?, *Reset::ALL.get(reset)?)),
        _ => None,
    }
}

fn write_gate(units: usize, gate: Gate, reset: Reset) -> Vec<usize> {
    match (gate, reset) {
        (Gate::Sigmoid, Reset::After) => vec![units],
        (Gate::Hard, Reset::After) => vec![units, 1],
        (gate, Reset::Before) => vec![units, usize::from(gate == Gate::Hard), 1],
    }
}

fn read_sweep(sizes: &[usize]) -> Option<Sweep> {
    let &[kernel_time, kernel_width, stride_time, stride_width, padding] = sizes else { return None };
    let padding = Padding::ALL.get(padding).copied()?;
    Some(Sweep { kernel_time, kernel_width, stride_time, stride_width, padding })
}

fn write_sweep(first: usize, sweep: &Sweep) -> Vec<usize> {
    let padding = Padding::ALL.iter().position(|each| *each == sweep.padding).unwrap_or(0);
    vec![first, sweep.kernel_time, sweep.kernel_width, sweep.stride_time, sweep.stride_width, padding]
}

/// A layer's kind, sizes and other numbers.
pub(super) fn describe(layer: &Layer) -> (wire::LayerKind, Vec<i32>, Vec<f32>) {
    use wire::LayerKind as Kind;
    let (kind, sizes, rates) = match *layer {
        Layer::Dense { outputs, .. } => (Kind::Dense, vec![outputs], vec![]),
        Layer::Activate { .. } => (Kind::Activate, vec![], vec![]),
        Layer::Add => (Kind::Add, vec![], vec![]),
        Layer::Concat => (Kind::Concat, vec![], vec![]),
        Layer::Reshape { width, channels } => (Kind::Reshape, vec![width, channels], vec![]),
        Layer::Flatten => (Kind::Flatten, vec![], vec![]),
        Layer::Last => (Kind::Last, vec![], vec![]),
        Layer::Dropout { rate } => (Kind::Dropout, vec![], vec![rate]),
        Layer::Lstm { units, gate } => (Kind::Lstm, write_gate(units, gate, Reset::After), vec![]),
        Layer::Gru { units, gate, reset } => (Kind::Gru, write_gate(units, gate, reset), vec![]),
        Layer::Bl { outputs, times, .. } => (Kind::Bl, vec![outputs, times], vec![]),
        Layer::Tabl { outputs, times, .. } => (Kind::Tabl, vec![outputs, times], vec![]),
        Layer::Bin => (Kind::Bin, vec![], vec![]),
        Layer::Conv { outputs, ref sweep, .. } => (Kind::Conv, write_sweep(outputs, sweep), vec![]),
        Layer::Pool { pooling, ref sweep } => {
            (Kind::Pool, write_sweep(usize::from(pooling == Pooling::Average), sweep), vec![])
        }
        Layer::BatchNorm { epsilon, momentum } => (Kind::BatchNorm, vec![], vec![epsilon, momentum]),
        Layer::Attention { units } => (Kind::Attention, vec![units], vec![]),
        Layer::LinearAttention { keys, outputs, decay } => {
            (Kind::LinearAttention, vec![keys, outputs], vec![decay])
        }
        Layer::LocalAttention { keys, outputs, span } => {
            (Kind::LocalAttention, vec![keys, outputs, span], vec![])
        }
    };
    (kind, sizes.into_iter().map(|size| size as i32).collect(), rates)
}
