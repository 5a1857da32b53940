//! A model for TypeScript: loaded once, bound to memory once, then one synchronous call a tick.

use crate::ensemble::{Ensemble, Given, NO_WEIGHTS, UNKNOWN_INSTRUMENT, unpublished};
use crate::quick::{self, Shared};
use napi::bindgen_prelude::{
    ArrayBuffer, Env, FromNapiValue, JsValue, ObjectFinalize, ObjectRef, This, Unknown,
};
use napi::{Error, Result};
use napi_derive::napi;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use tickline_dataset::{column, value};
use tickline_model::{ModelError, NoSignal, Plan, Program, ensemble, file};
use tickline_ring::Segment;
use tickline_weights::Writer;
use tickline_wire::flat::features::{self, FeaturesBody};

/// Bytes of a prediction in the output buffer; little-endian, as `services/kit/prediction.ts` reads it.
const PREDICTION_BYTES: usize = 64;
/// Most classes a bound model may have: what the output has room for.
const CLASSES_MAX: usize = 8;

/// Statuses of `predict` beyond the model's own (`NoSignal`: 1 input not finite, 2 length, 3 filling, 4 output not finite).
const UNREADABLE: u32 = 5;

pub(crate) fn refused(error: ModelError) -> Error {
    Error::from_reason(error.to_string())
}

/// What a model file says about itself.
#[napi(object)]
pub struct ModelInfo {
    /// Short name.
    pub name: String,
    /// First 8 bytes of the payload's SHA-256, as 16 hexadecimal digits.
    pub hash: String,
    /// Columns it takes, in order.
    pub columns: Vec<String>,
    /// Rows of history it takes.
    pub window: u32,
    /// Meaning of its outputs.
    pub classes: Vec<String>,
    /// Values it gives.
    pub outputs: u32,
    /// Events ahead that its labels looked.
    pub horizon: u32,
    /// Trained numbers.
    pub parameters: u32,
    /// Multiply-adds a tick.
    pub multiply_adds: u32,
    /// Layers, one line each.
    pub layers: Vec<String>,
    /// True when it carries state from row to row.
    pub recurrent: bool,
    /// What it runs in: f32, bf16 or int8.
    pub precision: String,
    /// How it was trained.
    pub training: String,
    /// Instruction set it runs on here.
    pub level: String,
    /// Bytes of shared memory, after the segment's header, for three copies of its weights.
    pub weights_bytes: f64,
}

/// One line about a layer: what it is, what it takes, what it gives (time x width x channels).
fn layer(plan: &Plan, at: usize) -> String {
    let inputs: Vec<String> = plan.nodes()[at].inputs.iter().map(|value| format!("#{value}")).collect();
    format!("#{} {:?} of {} gives {}", at + 1, plan.layer(at), inputs.join(" "), plan.shape(at + 1))
}

/// Reads and verifies a model file and says what is in it.
/// @throws MODEL_*
#[napi]
pub fn model_info(path: String) -> Result<ModelInfo> {
    let loaded = file::load(Path::new(&path)).map_err(refused)?;
    let program = Program::new(&loaded.model).map_err(refused)?;
    let model = loaded.model;
    Ok(ModelInfo {
        hash: format!("{:016x}", loaded.hash),
        outputs: program.outputs() as u32,
        multiply_adds: model.multiply_adds() as u32,
        parameters: model.parameters.len() as u32,
        layers: (0..program.plan().nodes().len()).map(|at| layer(program.plan(), at)).collect(),
        recurrent: model.architecture.stateful,
        precision: model.precision.name().to_owned(),
        window: model.contract.window as u32,
        columns: model.contract.names,
        name: model.name,
        classes: model.classes,
        horizon: model.horizon,
        training: model.training.text,
        level: tickline_model::Level::detect().name().to_owned(),
        weights_bytes: tickline_weights::segment_bytes(&program) as f64,
    })
}

/// Hash that stands for several model files that answer together, in this order, as 16 hexadecimal digits; a single one's own.
/// @throws MODEL_*
#[napi]
pub fn ensemble_hash(paths: Vec<String>) -> Result<String> {
    let read = |path: String| Given::read(path).map(|given| given.loaded.hash);
    Ok(format!("{:016x}", ensemble::hash(&paths.into_iter().map(read).collect::<Result<Vec<_>>>()?)))
}

/// Publishes a model file's weights to a running line; its next tick runs them.
/// @throws MODEL_* when the file is wrong or of another architecture, WEIGHTS_* when the segment is, or when another process publishes
#[napi]
pub fn model_publish(segment: String, path: String) -> Result<()> {
    let loaded = file::load(Path::new(&path)).map_err(refused)?;
    let program = Program::new(&loaded.model).map_err(refused)?;
    let segment = Segment::open(segment).map_err(crate::segment::refused)?;
    let mut writer = Writer::attach(Arc::new(segment), program).map_err(unpublished)?;
    writer.publish(&loaded).map_err(unpublished)
}

/// Memory that JavaScript owns, kept alive by a reference.
pub(crate) struct Bound {
    pub(crate) base: *mut u8,
    pub(crate) bytes: usize,
    pub(crate) keep: ObjectRef<false>,
}

impl Bound {
    pub(crate) fn new(env: &Env, buffer: &mut ArrayBuffer<'_>) -> Result<Bound> {
        let bytes = buffer.len();
        // SAFETY: only the address is taken here; uses are bounded to single calls on JavaScript's thread.
        let base = unsafe { buffer.as_mut() }.as_mut_ptr();
        // SAFETY: both handles are of this call.
        let keep = unsafe { ObjectRef::from_napi_value(env.raw(), buffer.raw())? };
        Ok(Bound { base, bytes, keep })
    }
}

/// A model that answers rows of features.
#[napi(custom_finalize)]
pub struct NativeModel {
    /// The first member and the others, as their files have them.
    given: (Given, Vec<Given>),
    parts: Shared<Parts>,
}

struct Parts {
    ensemble: Ensemble,
    /// Place of each input in a row of levels and values.
    columns: Vec<u32>,
    row: Vec<f32>,
    answer: Vec<f32>,
    input: Option<Bound>,
    output: Option<Bound>,
}

impl ObjectFinalize for NativeModel {
    fn finalize(self, env: Env) -> Result<()> {
        let mut parts = self.parts.borrow_mut();
        for bound in [parts.input.take(), parts.output.take()].into_iter().flatten() {
            bound.keep.unref(&env)?;
        }
        Ok(())
    }
}

#[napi]
impl NativeModel {
    /// Loads a model file for `instruments` instruments, each with a state of its own. With `others` they all answer, and the mean of
    /// their answers counts.
    /// @throws MODEL_*; MODEL_CONTRACT when another takes other columns or tells other classes apart than the first
    #[napi(factory)]
    pub fn load(path: String, instruments: u32, others: Option<Vec<String>>) -> Result<NativeModel> {
        let first = Given::read(path)?;
        let others = others.unwrap_or_default().into_iter().map(Given::read).collect::<Result<Vec<_>>>()?;
        let columns = first.loaded.model.contract.resolve(column);
        let columns = columns.map_err(|error| refused(error.in_file(&first.path)))?;
        let ensemble = Ensemble::new(&first, &others, instruments)?;
        let outputs = ensemble.outputs();
        if outputs > CLASSES_MAX {
            return Err(Error::from_reason(format!(
                "MODEL_SHAPE: {}: {outputs} outputs; a line's model has at most {CLASSES_MAX}",
                first.path
            )));
        }
        let parts = Parts {
            ensemble,
            row: vec![0.0; columns.len()],
            columns,
            answer: vec![0.0; outputs],
            input: None,
            output: None,
        };
        Ok(NativeModel { given: (first, others), parts: Rc::new(RefCell::new(parts)) })
    }

    /// Runs on the weights in a line's segments from now on, `path` for the first model and `others` for the others in order: publishes a
    /// model where nothing is, else takes what is.
    /// @throws WEIGHTS_* when a segment is too small, of another architecture or being published to; MODEL_SHAPE when there are not as many
    /// segments as models
    #[napi]
    pub fn attach(&mut self, path: String, others: Option<Vec<String>>) -> Result<()> {
        let ((first, rest), others) = (&self.given, others.unwrap_or_default());
        if others.len() != rest.len() {
            let (segments, models) = (others.len() + 1, rest.len() + 1);
            return Err(Error::from_reason(format!("MODEL_SHAPE: {segments} segments for {models} models")));
        }
        let each = std::iter::once((first, &path)).chain(rest.iter().zip(&others));
        self.parts.borrow_mut().ensemble.attach(each)
    }

    /// Binds the memory that rows are read from and the 64 bytes that predictions are written to. Neither may be detached while bound.
    /// @throws MODEL_SHAPE when the output is too small or not 8-aligned
    #[napi]
    pub fn bind(&mut self, env: Env, mut input: ArrayBuffer, mut output: ArrayBuffer) -> Result<()> {
        if output.len() < PREDICTION_BYTES || !output.as_ptr().addr().is_multiple_of(8) {
            return Err(Error::from_reason(format!(
                "MODEL_SHAPE: the output needs {PREDICTION_BYTES} bytes, 8-aligned"
            )));
        }
        let bound = (Bound::new(&env, &mut input)?, Bound::new(&env, &mut output)?);
        let mut parts = self.parts.borrow_mut();
        for old in [parts.input.replace(bound.0), parts.output.replace(bound.1)].into_iter().flatten() {
            old.keep.unref(&env)?;
        }
        Ok(())
    }

    /// The function `predict(at)`: answers the Features payload at byte `at` of the bound input. It writes the prediction and returns
    /// nothing, or returns a reason for having none (1-4 as the model's `NoSignal`, 5 no Features there, 6 unknown instrument, 7 no
    /// weights) and writes nothing.
    #[napi(ts_return_type = "(at: number) => number | undefined")]
    pub fn predictor<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(env, &this, "predict", &self.parts, |parts, [at]| Ok(parts.predict(at).err()))
    }

    /// The function `prepare(instrument)`: does the part of the instrument's next tick that does not need its row; for after the
    /// answer, off the path.
    #[napi(ts_return_type = "(instrument: number) => void")]
    pub fn preparer<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(env, &this, "prepare", &self.parts, |parts, [instrument]| {
            parts.prepare(instrument);
            Ok(())
        })
    }

    /// The function `keep()`: keeps the weights in the nearest cache; for cycles that find nothing to do.
    #[napi(ts_return_type = "() => void")]
    pub fn keeper<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(env, &this, "keep", &self.parts, |parts, []| {
            parts.ensemble.keep();
            Ok(())
        })
    }

    /// Forgets the instrument's stream, as after a gap.
    #[napi]
    pub fn reset(&self, instrument: u32) {
        self.parts.borrow_mut().ensemble.reset(instrument as usize);
    }

    /// Name of a status of `predict`, for counters and messages.
    #[napi]
    pub fn reason(status: u32) -> &'static str {
        const MODEL: [NoSignal; 4] =
            [NoSignal::InputNotFinite, NoSignal::Length, NoSignal::Filling, NoSignal::OutputNotFinite];
        match status {
            0 => "ok",
            UNREADABLE => "unreadable",
            UNKNOWN_INSTRUMENT => "unknown_instrument",
            NO_WEIGHTS => "no_weights",
            other => {
                MODEL.iter().find(|reason| **reason as u32 == other).map_or("unknown", |reason| reason.name())
            }
        }
    }
}

impl Parts {
    fn predict(&mut self, at: u32) -> std::result::Result<(), u32> {
        let (Some(input), Some(output)) = (&self.input, &self.output) else { return Err(UNREADABLE) };
        let at = at as usize;
        if input.bytes < features::FEATURES_BYTES || at > input.bytes - features::FEATURES_BYTES {
            return Err(UNREADABLE);
        }
        // SAFETY: in bounds as just checked; the buffer is kept alive and the writer of a record leaves it alone while JavaScript
        // handles it, which is during this call.
        let payload = unsafe { std::slice::from_raw_parts(input.base.add(at), features::FEATURES_BYTES) };
        let Some(body) = features::read(payload) else { return Err(UNREADABLE) };
        gather(body, &self.columns, &mut self.row);
        let instrument = usize::from(body.instrument);
        let hash = self.ensemble.answer(instrument, &self.row, &mut self.answer)?;
        // SAFETY: `bind` checked size and alignment; the buffer is kept alive and nothing else touches it during this call.
        let out = unsafe { std::slice::from_raw_parts_mut(output.base, PREDICTION_BYTES) };
        write(out, hash, body.feed_ns, &self.answer);
        Ok(())
    }

    fn prepare(&mut self, instrument: u32) {
        self.ensemble.prepare(instrument as usize);
    }
}

/// Copies the model's columns out of a row.
#[inline]
pub(crate) fn gather(body: &FeaturesBody, columns: &[u32], row: &mut [f32]) {
    for (number, place) in row.iter_mut().zip(columns) {
        *number = value(&body.levels, &body.values, *place as usize);
    }
}

/// Writes a prediction: time (u64), model hash (u64), number of classes (u32), likeliest class (u32), its probability (f32), ns since
/// the row was published (u32, at most 2^32 - 1), and eight probabilities (f32).
#[inline]
fn write(out: &mut [u8], hash: u64, feed_ns: u64, answer: &[f32]) {
    let (mut best, mut confidence) = (0usize, f32::MIN);
    for (class, value) in answer.iter().enumerate() {
        out[32 + 4 * class..36 + 4 * class].copy_from_slice(&value.to_le_bytes());
        if *value > confidence {
            (best, confidence) = (class, *value);
        }
    }
    out[8..16].copy_from_slice(&hash.to_le_bytes());
    out[16..20].copy_from_slice(&(answer.len() as u32).to_le_bytes());
    out[20..24].copy_from_slice(&(best as u32).to_le_bytes());
    out[24..28].copy_from_slice(&confidence.to_le_bytes());
    let now = tickline_clock::monotonic().0;
    let elapsed = u32::try_from(now.saturating_sub(feed_ns)).unwrap_or(u32::MAX);
    out[28..32].copy_from_slice(&elapsed.to_le_bytes());
    out[..8].copy_from_slice(&now.to_le_bytes());
}
