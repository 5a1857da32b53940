//! The learner for TypeScript: rows of features go in one call each, its doors (checkpoint file, weights segment) stay behind it.

mod settings;
mod standing;

use crate::model::{Bound, gather};
use crate::quick::{self, Shared};
use napi::bindgen_prelude::{ArrayBuffer, Env, ObjectFinalize, This, Unknown};
use napi::{Error, Result};
use napi_derive::napi;
use settings::{LearnerSettings, LearnerShadow};
use standing::{LearnerChange, LearnerStanding};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use tickline_dataset::column;
use tickline_learn::{Declared, Desk, LearnError, Outcome, Row};
use tickline_model::file::Loaded;
use tickline_model::{Program, file};
use tickline_ring::Segment;
use tickline_weights::Writer;
use tickline_wire::flat::features::{self, FeaturesBody, features_flag};

/// Rows that inference does not answer either.
const UNSOUND: u16 =
    features_flag::BOOK_STALE | features_flag::CROSSED | features_flag::ONE_SIDED | features_flag::WARMING_UP;

/// Bits of what `row` returns.
const LABELLED: u32 = 1;
const STEPPED: u32 = 2;
const OFFER: u32 = 4;
const KNOWN: u32 = 8;
const UNREADABLE: u32 = 16;
const RETRAINED: u32 = 32;

/// Where a learner stands.
#[napi(object)]
pub struct LearnerFigures {
    /// Rows taken.
    pub rows: f64,
    /// Rows that could not be answered.
    pub unsound: f64,
    /// Labels formed.
    pub labels: f64,
    /// Steps taken.
    pub steps: f64,
    /// Labels that no step took.
    pub skipped: f64,
    /// Times that rows were lost.
    pub gaps: f64,
    /// Weights put in place.
    pub published: f64,
    /// Weights outside the envelope.
    pub withheld: f64,
    /// Times that an earlier model was put back.
    pub rolled_back: f64,
    /// Checkpoints written by this process.
    pub checkpoints: f64,
    /// Times that a challenger took the live model's place.
    pub promoted: f64,
    /// Retrainings that came to their end.
    pub retrained: f64,
    /// Everyone who answers each row, over the newest labels.
    pub standings: Vec<LearnerStanding>,
    /// Labels of the contest at hand.
    pub contested: f64,
    /// The newest promotions and rollbacks, oldest first.
    pub changes: Vec<LearnerChange>,
    /// Hash of the weights in place, 16 hexadecimal digits.
    pub in_place: String,
    /// Digest of the weights as they are now, bit for bit, 16 hexadecimal digits.
    pub weights: String,
    /// A person's model is in place, so nothing is published any more.
    pub stands_down: bool,
    /// Learning by reward: Sharpe ratio of the newest trades that the policy would have made; 0 else.
    pub sharpe: f64,
    /// Learning by reward: trades that it would have made; -1 when labels are learned.
    pub trades: f64,
    /// Learning rate of the last step; 0 before the first.
    pub rate: f64,
    /// What the last step's rates of dropout were multiplied by.
    pub dropout_factor: f64,
    /// Why the last offer could not be kept or published; empty when it could.
    pub trouble: String,
}

fn refused(error: LearnError) -> Error {
    Error::from_reason(error.to_string())
}

/// Reads a model file and finds its columns among the features.
fn load(path: &str) -> Result<(Loaded, Vec<u32>)> {
    let loaded = file::load(Path::new(path)).map_err(|error| refused(error.into()))?;
    let found = loaded.model.contract.resolve(column);
    let columns = found.map_err(|error| refused(error.in_file(path).into()))?;
    Ok((loaded, columns))
}

/// A learner at work.
#[napi(custom_finalize)]
pub struct NativeLearner {
    parts: Shared<Parts>,
}

struct Parts {
    desk: Desk,
    columns: Vec<u32>,
    values: Vec<f32>,
    input: Option<Bound>,
    trouble: String,
}

impl ObjectFinalize for NativeLearner {
    fn finalize(self, env: Env) -> Result<()> {
        self.parts.borrow_mut().input.take().map_or(Ok(()), |bound| bound.keep.unref(&env).map(drop))
    }
}

#[napi]
impl NativeLearner {
    /// Opens a learner; goes on from its checkpoint when there is one.
    /// @throws MODEL_*, LEARN_*, WEIGHTS_*, RING_*
    #[napi(factory)]
    pub fn open(settings: LearnerSettings) -> Result<NativeLearner> {
        let (loaded, mut columns) = load(&settings.model)?;
        let mut shadows = Vec::new();
        for LearnerShadow { name, model } in &settings.shadows {
            let (loaded, own) = load(model)?;
            columns.extend(own);
            shadows.push(Declared { name: name.clone(), loaded });
        }
        let segment = settings.weights.as_ref().map(Segment::open).transpose();
        let segment = segment.map_err(crate::segment::refused)?.map(Arc::new);
        let own = settings.settings(loaded.model.horizon)?;
        let file = settings.checkpoint.as_ref().map(PathBuf::from);
        let desk = Desk::open(loaded, shadows, own, settings.run as u64, file, segment).map_err(refused)?;
        let values = vec![0.0; columns.len()];
        let parts = Parts { desk, columns, values, input: None, trouble: String::new() };
        Ok(NativeLearner { parts: Rc::new(RefCell::new(parts)) })
    }

    /// Binds the memory that rows are read from; it may not be detached while bound.
    #[napi]
    pub fn bind(&self, env: Env, mut input: ArrayBuffer) -> Result<()> {
        let bound = Bound::new(&env, &mut input)?;
        self.parts.borrow_mut().input.replace(bound).map_or(Ok(()), |old| old.keep.unref(&env).map(drop))
    }

    /// The function `row(at)`: takes the Features payload at byte `at` of the bound memory. It returns bits: 1 an older row got its label,
    /// 2 a step was taken, 4 it is time to call `offer`, 8 the row is in the checkpoint already, 16 no Features there, 32 a
    /// step of a retraining was taken.
    #[napi(ts_return_type = "(at: number) => number")]
    pub fn taker<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(env, &this, "row", &self.parts, |parts, [at]| Ok(parts.row(at)))
    }

    /// Rows were lost.
    #[napi]
    pub fn gap(&self) {
        self.parts.borrow_mut().desk.beside().gap();
    }

    /// Judges the weights, keeps everything, publishes what may be. Returns 0 nothing to publish, 1 published, 2 withheld: outside the
    /// envelope, 3 rolled back to an earlier model, 4 a door refused (`figures().trouble` says why), 5 a challenger was promoted.
    #[napi]
    pub fn offer(&self) -> u32 {
        let mut parts = self.parts.borrow_mut();
        let outcome = parts.desk.offer();
        parts.trouble = outcome.as_ref().err().map_or_else(String::new, LearnError::to_string);
        match outcome {
            Ok(Outcome::Nothing) => 0,
            Ok(Outcome::Published) => 1,
            Ok(Outcome::Withheld(_)) => 2,
            Ok(Outcome::RolledBack) => 3,
            Err(_) => 4,
            Ok(Outcome::Promoted) => 5,
        }
    }

    /// Writes the checkpoint.
    /// @throws LEARN_FILE
    #[napi]
    pub fn keep(&self) -> Result<()> {
        self.parts.borrow_mut().desk.keep().map_err(refused)
    }

    /// Where it stands.
    #[napi]
    pub fn figures(&self) -> LearnerFigures {
        let mut parts = self.parts.borrow_mut();
        let (checkpoints, trouble) = (parts.desk.checkpoints() as f64, parts.trouble.clone());
        let beside = parts.desk.beside();
        let counts = beside.counts();
        let weights = file::digest(beside.parameters().iter().flat_map(|value| value.to_le_bytes()));
        LearnerFigures {
            rows: counts.rows as f64,
            unsound: counts.unsound as f64,
            labels: counts.labels as f64,
            steps: counts.steps as f64,
            skipped: counts.skipped as f64,
            gaps: counts.gaps as f64,
            published: counts.published as f64,
            withheld: counts.withheld as f64,
            rolled_back: counts.rolled_back as f64,
            checkpoints,
            promoted: counts.promoted as f64,
            retrained: counts.retrained as f64,
            standings: beside.standings().into_iter().map(LearnerStanding::from).collect(),
            contested: beside.contested() as f64,
            changes: beside.changes().iter().map(LearnerChange::from).collect(),
            in_place: format!("{:016x}", beside.in_place()),
            weights: format!("{weights:016x}"),
            stands_down: beside.stands_down(),
            sharpe: beside.sharpe().map_or(0.0, |(sharpe, _)| sharpe),
            trades: beside.sharpe().map_or(-1.0, |(_, trades)| trades as f64),
            rate: f64::from(beside.stride().rate),
            dropout_factor: f64::from(beside.stride().dropout),
            trouble,
        }
    }
}

impl Parts {
    fn row(&mut self, at: u32) -> u32 {
        let Some(input) = &self.input else { return UNREADABLE };
        let at = at as usize;
        if input.bytes < features::FEATURES_BYTES || at > input.bytes - features::FEATURES_BYTES {
            return UNREADABLE;
        }
        // SAFETY: in bounds as just checked; the buffer is kept alive, and it is a subscriber's own copy that only JavaScript's thread,
        // which is in this call, writes to.
        let payload = unsafe { std::slice::from_raw_parts(input.base.add(at), features::FEATURES_BYTES) };
        let Some(body) = features::read(payload) else { return UNREADABLE };
        gather(body, &self.columns, &mut self.values);
        let did = self.desk.beside().row(&row(body, &self.values));
        let bits = [
            (did.labelled, LABELLED),
            (did.stepped, STEPPED),
            (did.offer, OFFER),
            (did.known, KNOWN),
            (did.retrained, RETRAINED),
        ];
        bits.iter().filter(|(done, _)| *done).map(|(_, bit)| bit).sum()
    }
}

/// Hash of the weights in a line's segment, 16 hexadecimal digits; null before the first publication. `model` is the file that the line
/// started with.
/// @throws MODEL_*, WEIGHTS_*, RING_*
#[napi]
pub fn weights_in_place(segment: String, model: String) -> Result<Option<String>> {
    let loaded = file::load(Path::new(&model)).map_err(|error| refused(error.into()))?;
    let program = Program::new(&loaded.model).map_err(|error| refused(error.into()))?;
    let segment = Arc::new(Segment::open(segment).map_err(crate::segment::refused)?);
    let writer = Writer::attach(segment, program).map_err(|error| refused(error.into()))?;
    Ok(writer.newest().map(|hash| format!("{hash:016x}")))
}

fn row<'a>(body: &FeaturesBody, values: &'a [f32]) -> Row<'a> {
    let whole = body.bid > 0 && body.ask > 0;
    Row {
        seq: body.seq,
        time_ns: body.time_ns,
        instrument: usize::from(body.instrument),
        mid: whole.then(|| (f64::from(body.bid) + f64::from(body.ask)) / 2.0),
        liquidity: tickline_features::liquidity(&body.levels),
        traded: body.flags & features_flag::TRADED != 0,
        stale: body.flags & features_flag::BOOK_STALE != 0,
        sound: body.flags & UNSOUND == 0,
        values,
    }
}
