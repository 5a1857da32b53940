//! The model file: a 64-byte header, then a FlatBuffers `Model` (`schemas/model.fbs`).
//!
//! | offset | field | |
//! |---|---|---|
//! | 0 | magic | `TICKMODL` |
//! | 8 | format version, u32 | 1 |
//! | 12 | header length, u32 | 64 |
//! | 16 | payload length, u64 | the file ends where the payload does |
//! | 24 | zero | 8 bytes |
//! | 32 | SHA-256 of the payload | its first 8 bytes, read as a big-endian number, are the *model hash* |
//! | 64 | payload | |
//!
//! All numbers are little-endian. Reading checks header, checksum, FlatBuffers structure, layers, shapes and numbers; nothing
//! of a file is used before all of it is found right.
mod node;

use crate::architecture::{Architecture, Node};
use crate::contract::Contract;
use crate::error::{Fault, ModelError};
use crate::model::{Model, Precision, TrainingRecord, head};
use crate::plan::Plan;
use crate::schema as wire;
use flatbuffers::{FlatBufferBuilder, VerifierOptions, WIPOffset};
use sha2::{Digest, Sha256};
use std::path::Path;

pub use node::{layer_of, layer_parts};

/// First bytes of every model file.
pub const MAGIC: [u8; 8] = *b"TICKMODL";
/// The format version this build writes and reads.
pub const FORMAT_VERSION: u32 = 1;
/// Bytes before the payload.
pub const HEADER_BYTES: usize = 64;
/// Longest payload accepted.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 30;
/// Version of the payload's meaning.
const MODEL_VERSION: u32 = 2;

/// A model with the hash of the file it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The model, verified.
    pub model: Model,
    /// First 8 bytes of the payload's SHA-256.
    pub hash: u64,
}

fn fault(fault: Fault, text: impl Into<String>) -> ModelError {
    ModelError::new(fault, text)
}

/// Reads and verifies a model file.
///
/// # Errors
/// [`Fault::Io`] when it cannot be read, else what [`decode`] finds; the text names the file.
pub fn load(path: &Path) -> Result<Loaded, ModelError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| fault(Fault::Io, format!("{name}: {error}")))?;
    decode(&bytes).map_err(|error| error.in_file(&name))
}

/// Writes a model file, whole or not at all (a neighbour file is renamed into place).
///
/// # Errors
/// What [`encode`] finds, or [`Fault::Io`].
pub fn save(path: &Path, model: &Model) -> Result<u64, ModelError> {
    let bytes = encode(model)?;
    let partial = path.with_extension("partial");
    let io = |error: std::io::Error| fault(Fault::Io, format!("{}: {error}", path.display()));
    std::fs::write(&partial, &bytes).map_err(io)?;
    std::fs::rename(&partial, path).map_err(io)?;
    Ok(head(&bytes[32..64]))
}

/// Verifies the container and returns its payload with the model hash.
fn open(bytes: &[u8]) -> Result<(&[u8], u64), ModelError> {
    if bytes.len() < 8 || bytes[..8] != MAGIC {
        return Err(fault(Fault::Magic, "not a Tickline model file: its first 8 bytes are not TICKMODL"));
    }
    if bytes.len() < HEADER_BYTES {
        let given = bytes.len();
        return Err(fault(
            Fault::Length,
            format!("the file ends inside its header, at byte {given} of {HEADER_BYTES}"),
        ));
    }
    let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let version = number(8);
    if version != FORMAT_VERSION {
        return Err(fault(
            Fault::Version,
            format!("format version {version}; this build reads {FORMAT_VERSION}"),
        ));
    }
    if number(12) as usize != HEADER_BYTES || bytes[24..32] != [0; 8] {
        return Err(fault(
            Fault::Version,
            "header length or reserved bytes are not those of format version 1",
        ));
    }
    let length = u64::from(number(20)) << 32 | u64::from(number(16));
    let payload = &bytes[HEADER_BYTES..];
    if length != payload.len() as u64 || payload.len() > PAYLOAD_BYTES_MAX {
        let given = payload.len();
        return Err(fault(
            Fault::Length,
            format!("payload of {given} bytes where the header says {length}; copy the file again"),
        ));
    }
    let digest = Sha256::digest(payload);
    if digest[..] != bytes[32..64] {
        return Err(fault(
            Fault::Checksum,
            "the payload's SHA-256 is not the header's; the file is damaged, copy it again",
        ));
    }
    Ok((payload, head(&digest)))
}

/// Reads and verifies a model file's bytes.
///
/// # Errors
/// The first fault found; see [`Fault`].
pub fn decode(bytes: &[u8]) -> Result<Loaded, ModelError> {
    let (payload, hash) = open(bytes)?;
    // The verifier bounds depth and tables, so a hostile payload costs no more than its length.
    let options = VerifierOptions { max_tables: 4096, ..VerifierOptions::default() };
    if !flatbuffers::buffer_has_identifier(payload_or_zero(payload), "TLMO", false) {
        return Err(fault(Fault::Payload, "the payload's file identifier is not TLMO"));
    }
    let root = flatbuffers::root_with_opts::<wire::Model<'_>>(&options, payload).map_err(|error| {
        fault(Fault::Payload, format!("not a FlatBuffers model: {}", first_line(&error.to_string())))
    })?;
    if root.version() != MODEL_VERSION {
        let version = root.version();
        return Err(fault(
            Fault::Version,
            format!(
                "model version {version}; this build reads {MODEL_VERSION}, train or import the model again"
            ),
        ));
    }
    let contract = read_contract(root.contract());
    let nodes = root.layers().iter().enumerate().map(|(at, table)| node::read(at, table));
    let architecture = Architecture {
        columns: contract.names.len(),
        window: contract.window,
        stateful: root.contract().stateful(),
        nodes: nodes.collect::<Result<Vec<Node>, ModelError>>()?,
    };
    // Shapes are checked before a single tensor is copied.
    let plan = Plan::compile(&architecture)?;
    let code = root.precision().0;
    let precision = Precision::from_code(code)
        .ok_or_else(|| fault(Fault::Payload, format!("precision {code} is unknown to this build")))?;
    let model = Model {
        name: root.name().to_owned(),
        contract,
        parameters: read_tensors(&plan, &root)?,
        architecture,
        classes: root.classes().map(|names| names.iter().map(str::to_owned).collect()).unwrap_or_default(),
        horizon: root.horizon(),
        training: root.training().map(read_training).unwrap_or_default(),
        precision,
        reach: reach(&root),
    };
    model.verify()?;
    Ok(Loaded { model, hash })
}

/// `buffer_has_identifier` reads eight bytes unchecked; shorter payloads are looked at as zeros.
fn payload_or_zero(payload: &[u8]) -> &[u8] {
    if payload.len() >= 8 { payload } else { &[0; 8] }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn read_contract(table: wire::FeatureContract<'_>) -> Contract {
    Contract {
        names: table.names().iter().map(str::to_owned).collect(),
        mean: table.mean().iter().collect(),
        scale: table.scale().iter().collect(),
        clip: table.clip(),
        window: table.window() as usize,
    }
}

fn read_training(table: wire::TrainingRecord<'_>) -> TrainingRecord {
    TrainingRecord {
        text: table.text().unwrap_or_default().to_owned(),
        seed: table.seed(),
        rows: table.rows(),
        data_hash: table.data_hash(),
    }
}

/// Empty when nothing is calibrated, as before it was written.
fn reach(root: &wire::Model<'_>) -> Vec<f32> {
    let reach: Vec<f32> = root.layers().iter().map(|table| table.reach()).collect();
    if reach.iter().all(|reach| *reach == 0.0) { Vec::new() } else { reach }
}

fn read_tensors(plan: &Plan, root: &wire::Model<'_>) -> Result<Vec<f32>, ModelError> {
    let mut parameters = Vec::with_capacity(plan.parameters());
    for (at, table) in root.layers().iter().enumerate() {
        let kind = plan.layer(at).name();
        let wanted: Vec<_> =
            plan.slices().iter().filter(|slice| slice.node == at).map(|slice| &slice.spec).collect();
        let given = table.tensors();
        let count = given.map_or(0, |tensors| tensors.len());
        if count != wanted.len() {
            let text = format!("node {at} ({kind}): {count} tensors where it has {}", wanted.len());
            return Err(fault(Fault::Shape, text));
        }
        for (tensor, spec) in given.iter().flatten().zip(wanted) {
            let shape: Vec<usize> = tensor.shape().iter().map(|size| size as usize).collect();
            let data = tensor.data();
            if tensor.name() != spec.name || shape != spec.shape || data.len() != spec.len() {
                let text = format!(
                    "node {at} ({kind}): tensor {:?} {shape:?} of {} values, not {:?} {:?}",
                    tensor.name(),
                    data.len(),
                    spec.name,
                    spec.shape
                );
                return Err(fault(Fault::Shape, text));
            }
            parameters.extend(data.iter());
        }
    }
    Ok(parameters)
}

/// Serialises a model; the same model gives the same bytes.
///
/// # Errors
/// What [`Model::verify`] finds.
pub fn encode(model: &Model) -> Result<Vec<u8>, ModelError> {
    let plan = model.verify()?;
    let mut builder = FlatBufferBuilder::new();
    let layers = write_layers(&mut builder, model, &plan);
    let contract = write_contract(&mut builder, model);
    let text = builder.create_string(&model.training.text);
    let training = wire::TrainingRecord::create(
        &mut builder,
        &wire::TrainingRecordArgs {
            text: Some(text),
            seed: model.training.seed,
            rows: model.training.rows,
            data_hash: model.training.data_hash,
        },
    );
    let classes = strings(&mut builder, &model.classes);
    let name = builder.create_string(&model.name);
    let root = wire::Model::create(
        &mut builder,
        &wire::ModelArgs {
            version: MODEL_VERSION,
            name: Some(name),
            contract: Some(contract),
            layers: Some(layers),
            classes: Some(classes),
            horizon: model.horizon,
            training: Some(training),
            precision: wire::Precision(model.precision.code()),
        },
    );
    builder.finish(root, Some("TLMO"));
    Ok(wrap(builder.finished_data()))
}

/// First 8 bytes of the SHA-256 of some data, to name it.
pub fn digest(bytes: impl Iterator<Item = u8>) -> u64 {
    let mut hasher = Sha256::new();
    let mut buffer = Vec::with_capacity(4096);
    for byte in bytes {
        buffer.push(byte);
        if buffer.len() == buffer.capacity() {
            hasher.update(&buffer);
            buffer.clear();
        }
    }
    hasher.update(&buffer);
    head(&hasher.finalize())
}

/// Puts a payload into its container.
pub(crate) fn wrap(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&(HEADER_BYTES as u32).to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&Sha256::digest(payload));
    bytes.extend_from_slice(payload);
    bytes
}

type Strings<'b> = WIPOffset<flatbuffers::Vector<'b, flatbuffers::ForwardsUOffset<&'b str>>>;
type Layers<'b> = WIPOffset<flatbuffers::Vector<'b, flatbuffers::ForwardsUOffset<wire::Layer<'b>>>>;

fn strings<'b>(builder: &mut FlatBufferBuilder<'b>, texts: &[String]) -> Strings<'b> {
    let offsets: Vec<_> = texts.iter().map(|text| builder.create_string(text)).collect();
    builder.create_vector(&offsets)
}

fn write_contract<'b>(
    builder: &mut FlatBufferBuilder<'b>,
    model: &Model,
) -> WIPOffset<wire::FeatureContract<'b>> {
    let contract = &model.contract;
    let names = strings(builder, &contract.names);
    let mean = builder.create_vector(&contract.mean);
    let scale = builder.create_vector(&contract.scale);
    wire::FeatureContract::create(
        builder,
        &wire::FeatureContractArgs {
            names: Some(names),
            mean: Some(mean),
            scale: Some(scale),
            clip: contract.clip,
            window: contract.window as u32,
            stateful: model.architecture.stateful,
        },
    )
}

fn write_layers<'b>(builder: &mut FlatBufferBuilder<'b>, model: &Model, plan: &Plan) -> Layers<'b> {
    let mut offsets = Vec::new();
    for (at, node) in model.architecture.nodes.iter().enumerate() {
        let mut tensors = Vec::new();
        for slice in plan.slices().iter().filter(|slice| slice.node == at) {
            let name = builder.create_string(slice.spec.name);
            let shape: Vec<u32> = slice.spec.shape.iter().map(|size| *size as u32).collect();
            let shape = builder.create_vector(&shape);
            let data = builder.create_vector(&model.parameters[slice.range.clone()]);
            let args = wire::TensorArgs { name: Some(name), shape: Some(shape), data: Some(data) };
            tensors.push(wire::Tensor::create(builder, &args));
        }
        let tensors = builder.create_vector(&tensors);
        let (kind, sizes, rates) = node::describe(&node.layer);
        let inputs: Vec<u32> = node.inputs.iter().map(|value| *value as u32).collect();
        let args = wire::LayerArgs {
            kind,
            activation: wire::Activation(node.layer.activation().code()),
            parameters: Some(builder.create_vector(&sizes)),
            tensors: Some(tensors),
            inputs: Some(builder.create_vector(&inputs)),
            rates: Some(builder.create_vector(&rates)),
            reach: model.reach.get(at).copied().unwrap_or(0.0),
        };
        offsets.push(wire::Layer::create(builder, &args));
    }
    builder.create_vector(&offsets)
}
