//! A model file as plain data, for what turns models into other formats and back.

use crate::model::refused;
use napi::bindgen_prelude::{BigInt, Float32Array};
use napi::{Error, Result};
use napi_derive::napi;
use std::path::Path;
use tickline_model::{
    Architecture, Contract, Fault, Model, ModelError, Node, Precision, TrainingRecord, file,
};
use tickline_model::{train::Dice, zoo};

/// A tensor's name, sizes, and where it begins in the model's parameters.
#[napi(object)]
pub struct TensorPlace {
    /// As the layer's documentation calls it.
    pub name: String,
    /// Sizes, outermost first.
    pub shape: Vec<u32>,
    /// First of its numbers.
    pub at: u32,
}

/// One layer: the numbers of `schemas/model.fbs`, what it takes, what it gives.
#[napi(object)]
pub struct NodeData {
    /// `LayerKind`.
    pub kind: u32,
    /// `Activation`.
    pub activation: u32,
    /// Sizes, in the file's order.
    pub sizes: Vec<u32>,
    /// Numbers that are no sizes.
    pub rates: Vec<f64>,
    /// Values taken: 0 the network's input, n what node n - 1 gives.
    pub inputs: Vec<u32>,
    /// Time, width and channels given; not looked at when a model is written.
    pub gives: Option<Vec<u32>>,
    /// Its tensors; not looked at when a model is written.
    pub tensors: Option<Vec<TensorPlace>>,
}

/// A whole model.
#[napi(object)]
pub struct ModelData {
    /// Short name.
    pub name: String,
    /// Columns, in order.
    pub columns: Vec<String>,
    /// Subtracted from each column.
    pub mean: Float32Array,
    /// Divides each column.
    pub scale: Float32Array,
    /// Scaled inputs are limited to this size.
    pub clip: f64,
    /// Rows looked at.
    pub window: u32,
    /// True when it takes one row a tick and carries state.
    pub stateful: bool,
    /// Meaning of its outputs; empty when they have none.
    pub classes: Vec<String>,
    /// Events ahead that its labels looked.
    pub horizon: u32,
    /// f32, bf16 or int8.
    pub precision: String,
    /// Calibrated reach of each node's first input; empty when not calibrated.
    pub reach: Float32Array,
    /// How it was trained, for people.
    pub training: String,
    /// Seed of its training.
    pub seed: BigInt,
    /// Rows it was trained on.
    pub rows: BigInt,
    /// Hash of them.
    pub data_hash: BigInt,
    /// Layers in order.
    pub nodes: Vec<NodeData>,
    /// All trained numbers, tensor by tensor.
    pub parameters: Float32Array,
}

/// A model as data.
pub(crate) fn to_data(model: Model) -> Result<ModelData> {
    let plan = model.verify().map_err(refused)?;
    let node = |at: usize, node: &Node| {
        let (kind, activation, sizes, rates) = file::layer_parts(&node.layer);
        let gives = plan.shape(at + 1);
        let tensors = plan.slices().iter().filter(|slice| slice.node == at).map(|slice| TensorPlace {
            name: slice.spec.name.to_owned(),
            shape: slice.spec.shape.iter().map(|size| *size as u32).collect(),
            at: slice.range.start as u32,
        });
        NodeData {
            kind: u32::from(kind),
            activation: u32::from(activation),
            sizes: sizes.into_iter().map(|size| size as u32).collect(),
            rates: rates.into_iter().map(f64::from).collect(),
            inputs: node.inputs.iter().map(|value| *value as u32).collect(),
            gives: Some(vec![gives.time as u32, gives.width as u32, gives.channels as u32]),
            tensors: Some(tensors.collect()),
        }
    };
    Ok(ModelData {
        nodes: model.architecture.nodes.iter().enumerate().map(|(at, each)| node(at, each)).collect(),
        name: model.name,
        columns: model.contract.names,
        mean: model.contract.mean.into(),
        scale: model.contract.scale.into(),
        clip: f64::from(model.contract.clip),
        window: model.contract.window as u32,
        stateful: model.architecture.stateful,
        classes: model.classes,
        horizon: model.horizon,
        precision: model.precision.name().to_owned(),
        reach: model.reach.into(),
        training: model.training.text,
        seed: model.training.seed.into(),
        rows: model.training.rows.into(),
        data_hash: model.training.data_hash.into(),
        parameters: model.parameters.into(),
    })
}

fn fault(fault: Fault, text: String) -> Error {
    refused(ModelError::new(fault, text))
}

/// The model that data describes, verified.
pub(crate) fn of_data(data: ModelData) -> Result<Model> {
    let mut nodes = Vec::with_capacity(data.nodes.len());
    for (at, node) in data.nodes.iter().enumerate() {
        let sizes: Vec<usize> = node.sizes.iter().map(|size| *size as usize).collect();
        let rates: Vec<f32> = node.rates.iter().map(|rate| *rate as f32).collect();
        let layer =
            file::layer_of(node.kind as u16, node.activation as u16, &sizes, &rates).ok_or_else(|| {
                let text =
                    format!("node {at}: kind {}, sizes {sizes:?}, rates {rates:?} are no layer", node.kind);
                fault(Fault::Layer, text)
            })?;
        nodes.push(Node { layer, inputs: node.inputs.iter().map(|value| *value as usize).collect() });
    }
    let precision = Precision::ALL.into_iter().find(|each| each.name() == data.precision);
    let model = Model {
        precision: precision
            .ok_or_else(|| fault(Fault::Payload, format!("precision {:?}", data.precision)))?,
        architecture: Architecture {
            columns: data.columns.len(),
            window: data.window as usize,
            stateful: data.stateful,
            nodes,
        },
        name: data.name,
        contract: Contract {
            names: data.columns,
            mean: data.mean.to_vec(),
            scale: data.scale.to_vec(),
            clip: data.clip as f32,
            window: data.window as usize,
        },
        parameters: data.parameters.to_vec(),
        classes: data.classes,
        horizon: data.horizon,
        training: TrainingRecord {
            text: data.training,
            seed: data.seed.get_u64().1,
            rows: data.rows.get_u64().1,
            data_hash: data.data_hash.get_u64().1,
        },
        reach: data.reach.to_vec(),
    };
    model.verify().map_err(refused)?;
    Ok(model)
}

/// Reads and verifies a model file.
/// @throws MODEL_*
#[napi]
pub fn model_read(path: String) -> Result<ModelData> {
    to_data(file::load(Path::new(&path)).map_err(refused)?.model)
}

/// Verifies a model and writes its file, whole or not at all; gives its hash as 16 hexadecimal digits.
/// @throws MODEL_*
#[napi]
pub fn model_write(path: String, data: ModelData) -> Result<String> {
    let hash = file::save(Path::new(&path), &of_data(data)?).map_err(refused)?;
    Ok(format!("{hash:016x}"))
}

/// Verifies a model and gives it back with what every layer gives and where its tensors lie.
/// @throws MODEL_*
#[napi]
pub fn model_check(data: ModelData) -> Result<ModelData> {
    to_data(of_data(data)?)
}

/// The ready-made networks that [`model_random`] knows, over 40 columns unless their definition says otherwise.
fn ready_made(name: &str, window: usize) -> Option<Architecture> {
    use tickline_model::Activation::{Relu, Swish};
    Some(match name {
        "mlp" => zoo::mlp(40, window, &[64, 64, 64], Relu, 3, false),
        "mlp-skip" => zoo::mlp(40, window, &[32, 32, 32], Swish, 3, true),
        "logistic" => zoo::logistic(40, window, 3),
        "lstm-64" => zoo::lstm(40, &[64], 3),
        "lstm-128" => zoo::lstm(40, &[128], 3),
        "gru-64" => zoo::gru(40, &[64], 3),
        "c-tabl" => zoo::c_tabl(40, window, 3, 0.1),
        "bin-c-tabl" => zoo::bin_c_tabl(40, window, 3, 0.1),
        "cnn-lstm-attention" => zoo::cnn_lstm_attention(40, window, 3),
        "cnn-lstm-attention-streaming" => zoo::cnn_lstm_attention_streaming(40, window, 3),
        "deeplob" => zoo::deeplob(window, 3),
        "deeplob-streaming" => zoo::deeplob_streaming(3),
        "stac-a" => zoo::stac(zoo::Stac::A, true),
        "stac-a-window" => zoo::stac(zoo::Stac::A, false),
        "autoencoder" => zoo::autoencoder(40, &[20], 4),
        _ => return None,
    })
}

/// A ready-made network with random weights and a contract that scales nothing.
/// @throws MODEL_LAYER for a name or window that is not possible
#[napi]
pub fn model_random(name: String, window: u32, seed: u32) -> Result<ModelData> {
    let architecture = ready_made(&name, window as usize)
        .ok_or_else(|| fault(Fault::Layer, format!("{name:?} is no ready-made network")))?;
    let plan = tickline_model::Plan::compile(&architecture).map_err(refused)?;
    let parameters = plan.initial(&mut Dice::new(u64::from(seed)));
    to_data(Model::bare(&name, architecture, parameters))
}
