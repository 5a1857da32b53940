//! A learner with its doors: the checkpoint file and the line's weights.
use crate::beside::Beside;
use crate::change::Move;
use crate::envelope::Verdict;
use crate::error::LearnError;
use crate::settings::Settings;
use crate::shadow::Declared;
use crate::store::Store;
use std::path::PathBuf;
use std::sync::Arc;
use tickline_model::Program;
use tickline_model::file::Loaded;
use tickline_ring::Segment;
use tickline_weights::Writer;

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to publish: too early, unchanged, or the learner stands down.
    Nothing,
    /// The learner's weights are in place.
    Published,
    /// The weights were outside the envelope and are thrown away.
    Withheld(Verdict),
    /// A challenger has taken the live model's place.
    Promoted,
    /// The live model did worse than an earlier one, which is in place again.
    RolledBack,
}

/// A learner at work in a line.
pub struct Desk {
    beside: Beside,
    store: Option<Store>,
    segment: Option<Arc<Segment>>,
    program: Program,
    checkpoints: u64,
}

impl Desk {
    /// Opens a learner: goes on from the checkpoint file when there is one, and puts what it had published back in place.
    ///
    /// Without a `file` nothing is kept, without a `segment` nothing is published.
    ///
    /// # Errors
    /// Any [`LearnError`].
    pub fn open(
        loaded: Loaded,
        shadows: Vec<Declared>,
        settings: Settings,
        run: u64,
        file: Option<PathBuf>,
        segment: Option<Arc<Segment>>,
    ) -> Result<Desk, LearnError> {
        let program = Program::new(&loaded.model)?;
        let mut beside = Beside::new(loaded, shadows, settings, run)?;
        let mut store = file.map(Store::new).transpose()?;
        if let Some(store) = &mut store
            && let Some(bytes) = store.read()?
        {
            let window = store.read_window()?;
            let length = beside.resume_apart(&bytes, &window).map_err(|error| store.named(error))?;
            store.resumed(length, beside.lessons_added().0);
        }
        let mut desk = Desk { beside, store, segment, program, checkpoints: 0 };
        desk.place()?;
        Ok(desk)
    }

    /// The learner, to be given rows.
    pub fn beside(&mut self) -> &mut Beside {
        &mut self.beside
    }

    /// Checkpoints written by this process.
    pub fn checkpoints(&self) -> u64 {
        self.checkpoints
    }

    /// Judges the weights, keeps everything in the checkpoint file, then publishes what may be.
    ///
    /// # Errors
    /// [`LearnError::File`] when the checkpoint cannot be written: nothing is published then. [`LearnError::Weights`] when the segment
    /// cannot be published to. Learning goes on in both cases, and the next offer tries again.
    pub fn offer(&mut self) -> Result<Outcome, LearnError> {
        let verdict = self.beside.judge()?;
        let decided = self.beside.pending();
        self.keep()?;
        let placed = self.place()?;
        Ok(match (verdict, decided) {
            (_, Some(Move::RollBack)) if placed => Outcome::RolledBack,
            (_, Some(Move::Promote)) if placed => Outcome::Promoted,
            (Verdict::Within, _) if placed => Outcome::Published,
            (Verdict::Within | Verdict::Early, _) => Outcome::Nothing,
            (other, _) => Outcome::Withheld(other),
        })
    }

    /// Writes the checkpoint file, and before it what came into the retraining's window since the last.
    ///
    /// # Errors
    /// [`LearnError::File`]; the file before is untouched, and what it counts on is there.
    pub fn keep(&mut self) -> Result<(), LearnError> {
        let Some(store) = &mut self.store else { return Ok(()) };
        let (added, holds) = self.beside.lessons_added();
        store.append(&self.beside.lessons(store.lessons()), added)?;
        store.write(&self.beside.checkpoint_apart())?;
        self.checkpoints += 1;
        if store.is_long(holds * self.beside.lesson_record()) {
            // One that cannot be written leaves the long file, which is as good; the next checkpoint tries again.
            let _ = store.rewrite(&self.beside.lessons(0));
        }
        Ok(())
    }

    /// Puts the candidate in place, if it is not. The segment's lock is held only for that moment: a restarted inference needs it too.
    fn place(&mut self) -> Result<bool, LearnError> {
        let Some(segment) = &self.segment else {
            self.beside.settle();
            return Ok(false);
        };
        let mut writer = Writer::attach(segment.clone(), self.program.clone())?;
        if let Some(newest) = writer.newest() {
            self.beside.observe(newest);
        }
        if self.beside.stands_down() {
            return Ok(false);
        }
        let Some(candidate) = self.beside.candidate() else { return Ok(false) };
        writer.publish(&candidate)?;
        self.beside.confirm();
        Ok(true)
    }
}
