//! One model or several that answer together, each with weights, states and an engine of its own.

use crate::model::refused;
use napi::{Error, Result};
use std::path::Path;
use std::sync::Arc;
use tickline_model::file::{self, Loaded};
use tickline_model::{Engine, Line, NoSignal, Program, State, Weights, ensemble};
use tickline_ring::Segment;
use tickline_weights::{Reader, WeightsError, Writer};

/// Why a member has no answer, beyond `NoSignal`: an instrument without a state, no weights published.
pub(crate) const UNKNOWN_INSTRUMENT: u32 = 6;
pub(crate) const NO_WEIGHTS: u32 = 7;

pub(crate) fn unpublished(error: WeightsError) -> Error {
    Error::from_reason(error.to_string())
}

/// Where a tick's weights come from.
enum Source {
    /// This process alone.
    Own(Vec<Line>, u64),
    /// The line's segment, where they may be swapped.
    Shared(Box<Reader>),
}

impl Source {
    #[inline]
    fn newest(&mut self) -> Option<Weights<'_>> {
        match self {
            Source::Own(lines, version) => Some(Weights { lines, version: *version }),
            Source::Shared(reader) => reader.newest(),
        }
    }
}

/// Lines of weights looked at in one idle cycle: 10 ns where they are in the cache, and 12 KiB in 25 cycles.
const LINES_KEPT: usize = 8;

/// One model at work.
struct Member {
    engine: Engine,
    source: Source,
    /// Where the next look at the weights begins.
    kept: usize,
    /// By instrument.
    states: Vec<State>,
}

impl Member {
    fn new(loaded: &Loaded, path: &str, instruments: u32) -> Result<Member> {
        let program = Program::new(&loaded.model).map_err(|error| refused(error.in_file(path)))?;
        let mut lines = vec![Line([0.0; 16]); program.weights_lines()];
        program.pack(&loaded.model, &mut lines).map_err(refused)?;
        Ok(Member {
            source: Source::Own(lines, loaded.hash),
            kept: 0,
            states: (0..instruments).map(|_| State::new(&program)).collect(),
            engine: Engine::new(program),
        })
    }

    /// Publishes the file's weights to the segment if nothing is there, and reads it from now on.
    fn attach(&mut self, loaded: &Loaded, path: &str) -> Result<()> {
        let segment = Arc::new(Segment::open(path).map_err(crate::segment::refused)?);
        let mut writer =
            Writer::attach(segment.clone(), self.engine.program().clone()).map_err(unpublished)?;
        if writer.newest().is_none() {
            writer.publish(loaded).map_err(unpublished)?;
        }
        let reader = Reader::attach(segment, self.engine.program()).map_err(unpublished)?;
        self.source = Source::Shared(Box::new(reader));
        Ok(())
    }

    /// Looks at the next few lines of the newest weights.
    #[inline]
    fn keep(&mut self) {
        let Some(weights) = self.source.newest() else { return };
        if self.kept >= weights.lines.len() {
            self.kept = 0;
        }
        for line in weights.lines.iter().skip(self.kept).take(LINES_KEPT) {
            std::hint::black_box(line.0[0]);
        }
        self.kept += LINES_KEPT;
    }

    /// Answers a row: the hash of the weights that did, or why not.
    #[inline]
    fn answer(&mut self, instrument: usize, row: &[f32], out: &mut [f32]) -> std::result::Result<u64, u32> {
        let Some(state) = self.states.get_mut(instrument) else { return Err(UNKNOWN_INSTRUMENT) };
        let Some(weights) = self.source.newest() else { return Err(NO_WEIGHTS) };
        let version = weights.version;
        match self.engine.predict(weights, state, row, out) {
            Ok(()) => Ok(version),
            Err(reason) => Err(reason as u32),
        }
    }
}

/// A model file with its path, for messages.
pub(crate) struct Given {
    pub(crate) path: String,
    pub(crate) loaded: Loaded,
}

impl Given {
    /// Reads a model file.
    pub(crate) fn read(path: String) -> Result<Given> {
        let loaded = file::load(Path::new(&path)).map_err(refused)?;
        Ok(Given { path, loaded })
    }
}

/// Everyone who answers a row.
pub(crate) struct Ensemble {
    first: Member,
    others: Vec<Member>,
    /// What another member than the first answered.
    spare: Vec<f32>,
    /// Hashes of the weights that answered last, in order, and the one that stands for them.
    versions: Vec<u64>,
    hash: u64,
}

impl Ensemble {
    /// Members in order; each must fit the first.
    pub(crate) fn new(first: &Given, others: &[Given], instruments: u32) -> Result<Ensemble> {
        for other in others {
            let fits = other.loaded.model.joins(&first.loaded.model);
            fits.map_err(|error| refused(error.in_file(&other.path)))?;
        }
        let member = |given: &Given| Member::new(&given.loaded, &given.path, instruments);
        let versions: Vec<u64> =
            std::iter::once(first).chain(others).map(|given| given.loaded.hash).collect();
        let first = member(first)?;
        Ok(Ensemble {
            spare: vec![0.0; first.engine.program().outputs()],
            hash: ensemble::hash(&versions),
            others: others.iter().map(member).collect::<Result<Vec<_>>>()?,
            first,
            versions,
        })
    }

    /// Values of an answer.
    pub(crate) fn outputs(&self) -> usize {
        self.first.engine.program().outputs()
    }

    /// Runs on the weights in segments from now on, one a member, in order.
    pub(crate) fn attach<'a>(&mut self, each: impl Iterator<Item = (&'a Given, &'a String)>) -> Result<()> {
        let members = std::iter::once(&mut self.first).chain(&mut self.others);
        members.zip(each).try_for_each(|(member, (given, path))| member.attach(&given.loaded, path))
    }

    /// Answers a row with the mean of all members' answers: the hash that stands for the weights that did. Where a member has no answer
    /// there is none, for the first such member's reason; the others' states go on all the same, so that they stay in step.
    #[inline]
    pub(crate) fn answer(
        &mut self,
        instrument: usize,
        row: &[f32],
        out: &mut [f32],
    ) -> std::result::Result<u64, u32> {
        let first = self.first.answer(instrument, row, out);
        if self.others.is_empty() { first } else { self.answer_together(first, instrument, row, out) }
    }

    /// The others after the first.
    fn answer_together(
        &mut self,
        first: std::result::Result<u64, u32>,
        instrument: usize,
        row: &[f32],
        out: &mut [f32],
    ) -> std::result::Result<u64, u32> {
        let Ensemble { others, spare, versions, hash, .. } = self;
        let (mut outcome, mut swapped) = (first.map(drop), false);
        let mut seen =
            |known: &mut u64, version: u64| swapped |= std::mem::replace(known, version) != version;
        let Some((own, rest)) = versions.split_first_mut() else { return Err(NO_WEIGHTS) };
        if let Ok(version) = first {
            seen(own, version);
        }
        for (member, known) in others.iter_mut().zip(rest) {
            match member.answer(instrument, row, spare) {
                Ok(version) => {
                    seen(known, version);
                    ensemble::join(out, spare);
                }
                Err(reason) => outcome = outcome.and(Err(reason)),
            }
        }
        ensemble::mean(out, others.len() + 1);
        if swapped {
            *hash = ensemble::hash(versions);
        }
        outcome?;
        // Finite members may have a sum that is not.
        if out.iter().all(|value| value.is_finite()) {
            Ok(*hash)
        } else {
            Err(NoSignal::OutputNotFinite as u32)
        }
    }

    /// Does the part of the instrument's next tick that does not need its row.
    pub(crate) fn prepare(&mut self, instrument: usize) {
        for Member { engine, source, states, .. } in std::iter::once(&mut self.first).chain(&mut self.others)
        {
            if let (Some(state), Some(weights)) = (states.get_mut(instrument), source.newest()) {
                engine.prepare(weights, state);
            }
        }
    }

    /// For idle cycles: keeps the weights in the nearest cache, and brings new ones there before a row needs them. Just published ones
    /// lie in another core's cache, and the first answer from them took 5 us more.
    #[inline]
    pub(crate) fn keep(&mut self) {
        for member in std::iter::once(&mut self.first).chain(&mut self.others) {
            member.keep();
        }
    }

    /// Forgets the instrument's stream.
    pub(crate) fn reset(&mut self, instrument: usize) {
        for Member { states, .. } in std::iter::once(&mut self.first).chain(&mut self.others) {
            if let Some(state) = states.get_mut(instrument) {
                state.reset();
            }
        }
    }
}
