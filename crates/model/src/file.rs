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
use crate::contract::Contract;
use crate::error::{Fault, ModelError};
use crate::layer::{Activation, Layer};
use crate::model::{Model, TrainingRecord, head};
use crate::schema as wire;
use flatbuffers::{FlatBufferBuilder, VerifierOptions, WIPOffset};
use sha2::{Digest, Sha256};
use std::path::Path;

/// First bytes of every model file.
pub const MAGIC: [u8; 8] = *b"TICKMODL";
/// The format version this build writes and reads.
pub const FORMAT_VERSION: u32 = 1;
/// Bytes before the payload.
pub const HEADER_BYTES: usize = 64;
/// Longest payload accepted.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 30;
/// Version of the payload's meaning.
const MODEL_VERSION: u32 = 1;

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
            format!("model version {version}; this build reads {MODEL_VERSION}"),
        ));
    }
    let contract = read_contract(root.contract());
    let (mut layers, mut parameters) = (Vec::new(), Vec::new());
    for (at, table) in root.layers().iter().enumerate() {
        let layer = read_layer(at, table)?;
        read_tensors(at, &layer, table, &mut parameters)?;
        layers.push(layer);
    }
    let model = Model {
        name: root.name().to_owned(),
        contract,
        layers,
        parameters,
        classes: root.classes().map(|names| names.iter().map(str::to_owned).collect()).unwrap_or_default(),
        horizon: root.horizon(),
        training: root.training().map(read_training).unwrap_or_default(),
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

fn read_layer(at: usize, table: wire::Layer<'_>) -> Result<Layer, ModelError> {
    let given: Vec<i32> = table.parameters().map(|values| values.iter().collect()).unwrap_or_default();
    let kind = table.kind();
    let sizes = |wanted: usize| -> Result<Vec<usize>, ModelError> {
        let sizes: Vec<usize> = given.iter().filter_map(|value| usize::try_from(*value).ok()).collect();
        let right = sizes.len() == wanted && given.len() == wanted;
        let text = || format!("layer {at}: {kind:?} takes {wanted} sizes, not {given:?}");
        right.then_some(sizes).ok_or_else(|| fault(Fault::Layer, text()))
    };
    let code = table.activation().0;
    let activation = Activation::from_code(code).ok_or_else(|| {
        fault(Fault::Layer, format!("layer {at}: activation {code} is unknown to this build"))
    })?;
    let layer = match kind {
        wire::LayerKind::Dense => {
            let sizes = sizes(2)?;
            return Ok(Layer::Dense { inputs: sizes[0], outputs: sizes[1], activation });
        }
        wire::LayerKind::Lstm => sizes(2).map(|sizes| Layer::Lstm { inputs: sizes[0], units: sizes[1] })?,
        wire::LayerKind::Gru => sizes(2).map(|sizes| Layer::Gru { inputs: sizes[0], units: sizes[1] })?,
        wire::LayerKind::Skip => match given[..] {
            [from] if from >= -1 => Layer::Skip { from: (from + 1) as usize },
            _ => {
                return Err(fault(
                    Fault::Layer,
                    format!("layer {at}: skip from {given:?}; one number, -1 or more"),
                ));
            }
        },
        wire::LayerKind::Softmax => sizes(0).map(|_| Layer::Softmax)?,
        other => {
            return Err(fault(
                Fault::Layer,
                format!("layer {at}: kind {} ({other:?}) is unknown to this build", other.0),
            ));
        }
    };
    if activation != Activation::None {
        return Err(fault(Fault::Layer, format!("layer {at}: {kind:?} has no activation of its own")));
    }
    Ok(layer)
}

fn read_tensors(
    at: usize,
    layer: &Layer,
    table: wire::Layer<'_>,
    parameters: &mut Vec<f32>,
) -> Result<(), ModelError> {
    let wanted = layer.tensors();
    let count = table.tensors().map_or(0, |tensors| tensors.len());
    if count != wanted.len() {
        let text = format!("layer {at}: {count} tensors where {:?} has {}", table.kind(), wanted.len());
        return Err(fault(Fault::Shape, text));
    }
    for (place, spec) in wanted.iter().enumerate() {
        let Some(tensor) = table.tensors().map(|tensors| tensors.get(place)) else { continue };
        let shape: Vec<usize> = tensor.shape().iter().map(|size| size as usize).collect();
        if tensor.name() != spec.name || shape != spec.shape {
            let text = format!(
                "layer {at}: tensor {place} is {:?} {shape:?}, not {:?} {:?}",
                tensor.name(),
                spec.name,
                spec.shape
            );
            return Err(fault(Fault::Shape, text));
        }
        let data = tensor.data();
        // Sizes are products of numbers from the file: compared without overflow before anything is allocated.
        let wanted = spec.shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
        if wanted != Some(data.len()) {
            let text =
                format!("layer {at}: tensor {:?} holds {} values, not {shape:?}", spec.name, data.len());
            return Err(fault(Fault::Shape, text));
        }
        parameters.extend(data.iter());
    }
    Ok(())
}

/// Serialises a model; the same model gives the same bytes.
///
/// # Errors
/// What [`Model::verify`] finds.
pub fn encode(model: &Model) -> Result<Vec<u8>, ModelError> {
    model.verify()?;
    let mut builder = FlatBufferBuilder::new();
    let layers = write_layers(&mut builder, model);
    let contract = write_contract(&mut builder, &model.contract);
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
    contract: &Contract,
) -> WIPOffset<wire::FeatureContract<'b>> {
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
        },
    )
}

fn write_layers<'b>(builder: &mut FlatBufferBuilder<'b>, model: &Model) -> Layers<'b> {
    let mut rest = &model.parameters[..];
    let mut offsets = Vec::new();
    for layer in &model.layers {
        let mut tensors = Vec::new();
        for spec in layer.tensors() {
            let (values, behind) = rest.split_at(spec.len());
            rest = behind;
            let name = builder.create_string(spec.name);
            let shape: Vec<u32> = spec.shape.iter().map(|size| *size as u32).collect();
            let shape = builder.create_vector(&shape);
            let data = builder.create_vector(values);
            let args = wire::TensorArgs { name: Some(name), shape: Some(shape), data: Some(data) };
            tensors.push(wire::Tensor::create(builder, &args));
        }
        let tensors = builder.create_vector(&tensors);
        let (kind, activation, sizes) = describe(layer);
        let parameters = builder.create_vector(&sizes);
        let args = wire::LayerArgs {
            kind,
            activation: wire::Activation(activation.code()),
            parameters: Some(parameters),
            tensors: Some(tensors),
        };
        offsets.push(wire::Layer::create(builder, &args));
    }
    builder.create_vector(&offsets)
}

fn describe(layer: &Layer) -> (wire::LayerKind, Activation, Vec<i32>) {
    let sizes = |sizes: &[usize]| sizes.iter().map(|size| *size as i32).collect();
    match *layer {
        Layer::Dense { inputs, outputs, activation } => {
            (wire::LayerKind::Dense, activation, sizes(&[inputs, outputs]))
        }
        Layer::Lstm { inputs, units } => (wire::LayerKind::Lstm, Activation::None, sizes(&[inputs, units])),
        Layer::Gru { inputs, units } => (wire::LayerKind::Gru, Activation::None, sizes(&[inputs, units])),
        Layer::Skip { from } => (wire::LayerKind::Skip, Activation::None, vec![from as i32 - 1]),
        Layer::Softmax => (wire::LayerKind::Softmax, Activation::None, Vec::new()),
    }
}
