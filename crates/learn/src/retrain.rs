//! Retraining: every few hours of line time the model is learned anew, from the model file's weights, on a rolling window of labels. What
//! comes of it answers rows as a shadow, and takes the live model's place only by the gate.
//!
//! A retraining takes one step a row, so that no row waits for it, and all of it is in the checkpoint.
use crate::beside::{Beside, reached};
use crate::bytes::{In, Out};
use crate::error::LearnError;
use crate::log::Log;
use crate::offer::Version;
use crate::pace::{Anneal, Pace};
use crate::panel::Owner;
use crate::school::School;
use crate::settings::{Replay as Remembers, Settings};
use tickline_model::Plan;
use tickline_model::file::Loaded;
use tickline_model::train::Replay;

/// Name of the model that retraining makes.
pub(crate) const RETRAINED: &str = "retrained";
/// Distinguishes its dice from the learner's.
const SEED: u64 = 0x7265_7472_6169_6e21;
/// Share of the rate that is left at the end of a retraining.
const FLOOR: f32 = 0.01;

/// When, from what and how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrain {
    /// Line time between two beginnings, ns; they fall on whole multiples.
    pub every_ns: u64,
    /// Labels that the window holds, the newest kept; stretches of a stateful network.
    pub labels: usize,
    /// Of so many labels one is kept, so that a small window spans hours; at least 1.
    pub each: u64,
    /// Labels a step; a stateful network takes one stretch.
    pub batch: usize,
    /// Steps of one retraining, one a row.
    pub steps: u64,
    /// Learning rate at its beginning; it falls along a smooth step to a hundredth.
    pub rate: f32,
}

impl Retrain {
    /// The first number that makes no sense, in words.
    pub(crate) fn wrong(&self) -> Option<String> {
        let Retrain { every_ns, labels, each, batch, steps, rate } = *self;
        let sound = every_ns >= 1 && each >= 1 && steps >= 1 && (1..=labels).contains(&batch);
        (!(sound && rate > 0.0 && rate.is_finite())).then(|| {
            format!(
                "retraining every {every_ns} ns, {steps} steps at rate {rate} of {batch} from one in {each} of {labels} labels; give at least \
                 1 of each, a batch that the labels hold, and a rate above 0"
            )
        })
    }
}

/// What a row has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Nothing,
    Stepped,
    Done,
}

/// A retraining, at work or waiting for its hour.
#[derive(Debug, Clone)]
pub(crate) struct Retraining {
    asked: Retrain,
    school: School,
    /// The school as it begins each time; what it remembers stays.
    first: Vec<u8>,
    /// Labels since one was kept.
    passed: u64,
    next_ns: u64,
    /// Steps that the one at work has before it.
    left: u64,
    /// The newest model that it made.
    pub(crate) made: Option<Version>,
}

impl Retraining {
    /// # Errors
    /// As [`School::new`]'s.
    pub(crate) fn new(
        asked: &Retrain,
        loaded: &Loaded,
        plan: &Plan,
        settings: &Settings,
    ) -> Result<Retraining, LearnError> {
        let stateful = loaded.model.architecture.stateful;
        let anneal = Anneal { steps: asked.steps, floor: FLOOR, again: true };
        let plainly = Remembers { capacity: asked.labels, oversample: 1.0, sharpness: 0.0, correction: 0.0 };
        let memory =
            settings.replay.clone().map_or(plainly, |own| Remembers { capacity: asked.labels, ..own });
        let settings = Settings {
            seed: settings.seed ^ SEED,
            rate: asked.rate,
            pace: Pace { anneal: Some(anneal), ..Pace::default() },
            batch: if stateful { 1 } else { asked.batch },
            replay: Some(memory),
            liquidity: None,
            actor_critic: None,
            ..settings.clone()
        };
        let school = School::new(loaded, plan, &settings)?;
        let first = school.mark();
        Ok(Retraining { asked: asked.clone(), first, school, passed: 0, next_ns: 0, left: 0, made: None })
    }

    /// Counts a label; true for one that the window is to keep.
    fn wants(&mut self) -> bool {
        self.passed += 1;
        let wants = self.passed >= self.asked.each;
        if wants {
            self.passed = 0;
        }
        wants
    }

    /// A label of one input.
    pub(crate) fn take(&mut self, input: &[f32], class: u8) {
        if self.wants() {
            self.school.take(input, class);
        }
    }

    /// A stretch of a stateful network, which begins with `state`.
    pub(crate) fn remember(&mut self, input: &[f32], classes: (&[u8], u8), state: &[f32]) {
        if self.wants() {
            self.school.remember(input, classes, state);
        }
    }

    /// Takes a step when one is due; begins when it is time.
    fn advance(&mut self, time_ns: u64) -> Result<Progress, LearnError> {
        if self.left == 0 {
            let waits = self.next_ns == 0;
            if !reached(&mut self.next_ns, time_ns, self.asked.every_ns) || waits {
                return Ok(Progress::Nothing);
            }
            self.school.go_back(&self.first)?;
            self.left = self.asked.steps;
        }
        if !self.school.recollect() {
            // The window holds less than a batch: the next hour tries again.
            self.left = 0;
            return Ok(Progress::Nothing);
        }
        self.left -= 1;
        Ok(if self.left == 0 { Progress::Done } else { Progress::Stepped })
    }

    /// Line time begins anew with a run.
    pub(crate) fn new_run(&mut self) {
        self.next_ns = 0;
    }

    /// The window's lessons.
    pub(crate) fn window(&self) -> Option<&Replay> {
        self.school.remembered()
    }

    /// `apart`: the window's lessons are written elsewhere.
    pub(crate) fn save(&self, out: &mut Out, apart: bool) {
        self.school.save(out, apart);
        [self.passed, self.next_ns, self.left, u64::from(self.made.is_some())]
            .iter()
            .for_each(|value| out.number(*value));
        if let Some(made) = &self.made {
            made.save(out);
        }
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>, base: &Loaded, log: Option<&Log<'_>>) -> Option<()> {
        self.school.load(from, log)?;
        (self.passed, self.next_ns, self.left) = (from.number()?, from.number()?, from.number()?);
        self.made = None;
        if from.number()? != 0 {
            let mut made = Version::of(base);
            made.load(from)?;
            self.made = Some(made);
        }
        Some(())
    }
}

impl Beside {
    /// Takes a step of the retraining when one is due: whether it did. Its end puts what it made in the place of the one before.
    pub(crate) fn retrain(&mut self, time_ns: u64) -> bool {
        let Some(retraining) = &mut self.retraining else { return false };
        // A mark of its own always fits.
        match retraining.advance(time_ns).unwrap_or(Progress::Nothing) {
            Progress::Nothing => false,
            Progress::Stepped => true,
            Progress::Done => {
                let parameters = retraining.school.parameters().to_vec();
                // Weights that make no model, since a number is not finite, are thrown away.
                if let Ok(version) = self.version_of(parameters) {
                    self.take_over(version);
                }
                true
            }
        }
    }

    /// The retrained model answers from now on, and can win from the next contest on.
    fn take_over(&mut self, version: Version) {
        let Some((nth, old)) = self.panel.retrained() else { return };
        let (placed, previous) = (self.offered.placed.hash, self.offered.previous.as_ref());
        let previous = previous.map(|version| version.hash);
        if self.panel.owner(&self.base, old) == Owner::Shadow(nth) {
            // What is in place answers on from where it is, though nobody else answers with its weights any more.
            for (instrument, stream) in self.streams.iter_mut().enumerate() {
                let state = self.panel.shadows[nth].state(instrument);
                if placed == old {
                    stream.states.live.copy_from_slice(state);
                }
                if previous == Some(old) {
                    stream.states.previous.copy_from_slice(state);
                }
            }
        }
        self.counts.retrained += 1;
        self.contest.retrained_barred = true;
        self.show_retrained(&version);
        if let Some(retraining) = &mut self.retraining {
            retraining.made = Some(version);
        }
    }

    /// Gives the panel the retrained model's weights.
    pub(crate) fn show_retrained(&mut self, version: &Version) {
        let loaded = Loaded { model: self.model_of(&version.parameters), hash: version.hash };
        if let Some((nth, _)) = self.panel.retrained() {
            self.panel.shadows[nth].replace(loaded);
        }
    }
}
