//! The learner as bytes: everything that a later process needs to go on as if nothing had happened, to the bit.
//!
//! Magic `TLBESID5`, fingerprint of model and settings, position, counts, due times, evaluation, contest, offer, learner with its memory, retraining, actor and
//! critic, shadows, liquidity, streams; at the end the first 8 bytes of the SHA-256 of it all. With magic `TLBESIA5` the retraining's window is left out, whose lessons then are
//! in a file of their own (`log.rs`): they are most of the bytes, and never change.
use crate::beside::{Beside, Position};
use crate::bytes::{In, Out};
use crate::error::LearnError;
use crate::log::{self, Log};
use crate::retrain::Retraining;
use crate::settings::Settings;
use crate::shadow::Declared;
use tickline_model::file::{Loaded, digest};

const MAGIC: &[u8; 8] = b"TLBESID5";
const APART: &[u8; 8] = b"TLBESIA5";
/// What all versions of both begin with.
const ANY: &[u8; 6] = b"TLBESI";

/// Names what a checkpoint is good for: the model files and every setting.
pub(crate) fn fingerprint(base: &Loaded, shadows: &[Declared], settings: &Settings) -> u64 {
    let shadows: Vec<_> = shadows.iter().map(|shadow| (&shadow.name, shadow.loaded.hash)).collect();
    digest(format!("{:016x} {shadows:x?} {settings:?}", base.hash).bytes())
}

impl Beside {
    /// Everything, as bytes.
    pub fn checkpoint(&self) -> Vec<u8> {
        self.kept(false)
    }

    /// Everything but the lessons of the retraining's window: [`Beside::lessons`].
    pub fn checkpoint_apart(&self) -> Vec<u8> {
        self.kept(true)
    }

    /// Lessons that ever came into the retraining's window, and how many it holds at most; zeros without a retraining.
    pub(crate) fn lessons_added(&self) -> (u64, u64) {
        let window = self.retraining.as_ref().and_then(Retraining::window);
        window.map_or((0, 0), |window| (window.added(), window.memory().capacity as u64))
    }

    /// Bytes of one of its lessons as [`Beside::lessons`] writes it.
    pub(crate) fn lesson_record(&self) -> u64 {
        let window = self.retraining.as_ref().and_then(Retraining::window);
        window.map_or(0, |window| log::record_bytes(window.lesson_bytes()) as u64)
    }

    /// Lessons of the retraining's window from the `from`th on that it holds, as bytes to be appended to those before.
    pub fn lessons(&self, from: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let Some(window) = self.retraining.as_ref().and_then(Retraining::window) else { return out };
        for nth in from.max(window.added() - window.len() as u64)..window.added() {
            log::append(&mut out, self.fingerprint, nth, |out| window.write_lesson(nth, out));
        }
        out
    }

    fn kept(&self, apart: bool) -> Vec<u8> {
        let mut out = Out(if apart { APART } else { MAGIC }.to_vec());
        out.number(self.fingerprint);
        let Position { run, time_ns, seq, instrument } = self.position;
        [run, time_ns, seq, instrument].iter().for_each(|value| out.number(*value));
        self.counted().iter().for_each(|value| out.number(*value));
        [self.next_step_ns, self.next_offer_ns].iter().for_each(|value| out.number(*value));
        self.window.save(&mut out);
        self.contest.save(&mut out);
        self.offered.save(&mut out);
        self.school.save(&mut out, false);
        if let Some(retraining) = &self.retraining {
            retraining.save(&mut out, apart);
        }
        if let Some(actor) = &self.actor {
            actor.save(&mut out);
        }
        self.panel.save(&mut out);
        self.liquidities.save(&mut out);
        self.streams.iter().for_each(|stream| stream.save(&mut out));
        let sum = digest(out.0.iter().copied());
        out.number(sum);
        out.0
    }

    fn counted(&self) -> [u64; 11] {
        let c = &self.counts;
        let placed = [c.published, c.withheld, c.rolled_back, c.promoted];
        let [published, withheld, rolled_back, promoted] = placed;
        [
            c.rows,
            c.unsound,
            c.labels,
            c.steps,
            c.skipped,
            c.gaps,
            published,
            withheld,
            rolled_back,
            promoted,
            c.retrained,
        ]
    }

    /// Goes on from a checkpoint of the same model and settings. In the run that it was made in, the rows that it has are recognised and
    /// passed over; in another run nothing that waited will know its future.
    ///
    /// # Errors
    /// [`LearnError::Checkpoint`] for damaged bytes or those of another model or other settings; nothing has changed then.
    pub fn resume(&mut self, bytes: &[u8]) -> Result<(), LearnError> {
        self.go_on(bytes, MAGIC, None)
    }

    /// As [`Beside::resume`], from a checkpoint without the window's lessons, and their bytes as they were appended ([`Beside::lessons`]). Returns
    /// how many of these the checkpoint knows: what stands beyond them is to be cut off before anything is appended.
    ///
    /// # Errors
    /// As for [`Beside::resume`], and when a lesson is not there.
    pub fn resume_apart(&mut self, bytes: &[u8], lessons: &[u8]) -> Result<usize, LearnError> {
        let window = self.retraining.as_ref().and_then(Retraining::window);
        let each = window.map_or(0, |window| window.lesson_bytes());
        let log = Log::read(lessons, each, self.fingerprint);
        self.go_on(bytes, APART, Some(&log)).map_err(|error| match log.missing() {
            Some(lesson) => LearnError::Checkpoint(format!(
                "lesson {lesson} of the retraining's window is missing or damaged in the file beside it; remove both, and learning begins anew"
            )),
            None => error,
        })?;
        Ok(log.length(self.lessons_added().0))
    }

    fn go_on(&mut self, bytes: &[u8], magic: &[u8; 8], log: Option<&Log<'_>>) -> Result<(), LearnError> {
        let refused = |text: &str| LearnError::Checkpoint(text.to_owned());
        let damaged = || refused("the checkpoint is damaged; remove it, and learning begins anew");
        let (body, sum) = bytes.split_last_chunk::<8>().ok_or_else(damaged)?;
        if digest(body.iter().copied()) != u64::from_le_bytes(*sum) || !body.starts_with(ANY) {
            return Err(damaged());
        }
        if !body.starts_with(magic) {
            return Err(refused(
                "the checkpoint is of another version of the learner; remove it, and learning begins anew",
            ));
        }
        let mut from = In(&body[magic.len()..]);
        if from.number() != Some(self.fingerprint) {
            return Err(refused(
                "the checkpoint is of another model file or other settings of the learner; remove it, and learning begins anew",
            ));
        }
        let run = self.position.run;
        let mut resumed = self.clone();
        resumed.load(&mut from, log).ok_or_else(damaged)?;
        if !from.0.is_empty() {
            return Err(damaged());
        }
        let Position { run: then, time_ns, seq, .. } = resumed.position;
        if then == run {
            resumed.resuming = ((time_ns, seq) != (0, 0)).then_some(resumed.position);
        } else {
            // Line time and sequences begin anew with a run.
            resumed.position = Position { run, ..Position::default() };
            (resumed.next_step_ns, resumed.next_offer_ns) = (0, 0);
            resumed.retraining.iter_mut().for_each(Retraining::new_run);
            resumed.gap();
        }
        *self = resumed;
        Ok(())
    }

    fn load(&mut self, from: &mut In<'_>, log: Option<&Log<'_>>) -> Option<()> {
        self.position = Position {
            run: from.number()?,
            time_ns: from.number()?,
            seq: from.number()?,
            instrument: from.number()?,
        };
        let c = &mut self.counts;
        for count in [
            &mut c.rows,
            &mut c.unsound,
            &mut c.labels,
            &mut c.steps,
            &mut c.skipped,
            &mut c.gaps,
            &mut c.published,
            &mut c.withheld,
            &mut c.rolled_back,
            &mut c.promoted,
            &mut c.retrained,
        ] {
            *count = from.number()?;
        }
        (self.next_step_ns, self.next_offer_ns) = (from.number()?, from.number()?);
        self.window.load(from)?;
        self.contest.load(from)?;
        self.offered.load(from)?;
        self.school.load(from, None)?;
        // Before the panel, whose states are of the weights that it answers with.
        self.load_retraining(from, log)?;
        self.actor.as_mut().map_or(Some(()), |actor| actor.load(from))?;
        self.panel.load(from)?;
        self.liquidities.load(from)?;
        self.streams.iter_mut().try_for_each(|stream| stream.load(from))
    }

    fn load_retraining(&mut self, from: &mut In<'_>, log: Option<&Log<'_>>) -> Option<()> {
        let Some(retraining) = &mut self.retraining else { return Some(()) };
        retraining.load(from, &self.base, log)?;
        if let Some(made) = retraining.made.clone() {
            self.show_retrained(&made);
        }
        Some(())
    }
}
