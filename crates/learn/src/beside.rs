//! The learner: rows in, weights that change.
use crate::envelope::Envelope;
use crate::error::LearnError;
use crate::network::Network;
use crate::offer::Offered;
use crate::score::{Scores, Window};
use crate::settings::{Cadence, Settings};
use crate::stream::{Geometry, Labelled, Stream};
use tickline_model::Plan;
use tickline_model::file::Loaded;
use tickline_model::train::{CLASSES, Learner, NO_CLASS, Target};

/// Classes of a direction model: down, flat, up.
const DIRECTIONS: usize = CLASSES.len();

/// A row of features as a learner sees it.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Sequence of the last message that the row includes.
    pub seq: u64,
    /// Line time, ns.
    pub time_ns: u64,
    /// Place in the line's configuration.
    pub instrument: usize,
    /// Middle of best bid and ask, 1/10,000 dollar; `None` where a side is empty.
    pub mid: Option<f64>,
    /// The frame traded the instrument.
    pub traded: bool,
    /// The book has lost messages: what waits for its future there will never know it.
    pub stale: bool,
    /// The line answers such a row: the book is whole and the rolling window full.
    pub sound: bool,
    /// The model's columns, unscaled.
    pub values: &'a [f32],
}

/// What a row has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Did {
    /// An older row got its label.
    pub labelled: bool,
    /// A step was taken.
    pub stepped: bool,
    /// It is time to offer the weights: [`crate::Desk::offer`].
    pub offer: bool,
    /// The row was seen before the last checkpoint and is not looked at again.
    pub known: bool,
}

/// What has happened since the learner was first started, restarts included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows taken.
    pub rows: u64,
    /// Rows that could not be answered: not sound, of an unknown instrument, or not finite.
    pub unsound: u64,
    /// Labels formed.
    pub labels: u64,
    /// Steps taken.
    pub steps: u64,
    /// Labels that no step took, since newer ones had filled the batch.
    pub skipped: u64,
    /// Times that rows were lost and everything waiting was dropped.
    pub gaps: u64,
    /// Weights put in place.
    pub published: u64,
    /// Weights outside the envelope, thrown away.
    pub withheld: u64,
    /// Times that the first model was put back.
    pub rolled_back: u64,
}

/// Labels that wait for a step of a stateless network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ready {
    /// `[batch][window][columns]`.
    pub(crate) input: Vec<f32>,
    pub(crate) classes: Vec<u8>,
    /// Labels in it.
    pub(crate) filled: usize,
    /// Place of the next label.
    pub(crate) next: usize,
}

/// Up to which row everything is in the checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    /// The run of the line that the row was of.
    pub(crate) run: u64,
    pub(crate) time_ns: u64,
    pub(crate) seq: u64,
    pub(crate) instrument: u64,
}

/// A learner beside the line.
#[derive(Debug, Clone)]
pub struct Beside {
    pub(crate) settings: Settings,
    pub(crate) base: Loaded,
    pub(crate) plan: Plan,
    pub(crate) stateful: bool,
    pub(crate) learner: Learner,
    frozen: Network,
    learning: Network,
    pub(crate) streams: Vec<Stream>,
    pub(crate) ready: Ready,
    /// Labels of the chunk at hand.
    lesson: Vec<u8>,
    scaled: Vec<f32>,
    pub(crate) window: Window,
    pub(crate) counts: Counts,
    pub(crate) position: Position,
    /// The checkpoint's position, until the rows are past it.
    pub(crate) resuming: Option<Position>,
    /// Line time of the next step and of the next offer.
    pub(crate) next_step_ns: u64,
    pub(crate) next_offer_ns: u64,
    pub(crate) offered: Offered,
}

fn fits(loaded: &Loaded, settings: &Settings) -> Result<Plan, LearnError> {
    let wrong = |text: String| Err(LearnError::Setting(text));
    let plan = loaded.model.verify()?;
    let stateful = loaded.model.architecture.stateful;
    if !loaded.model.architecture.classifies() || plan.outputs() != DIRECTIONS {
        return wrong(format!(
            "model {:?} does not end in a softmax over down, flat, up; only direction models learn beside the line",
            loaded.model.name
        ));
    }
    let one = stateful || settings.cadence == Cadence::Tick;
    if settings.batch == 0 || (one && settings.batch != 1) {
        return wrong(format!(
            "batch {}; a stateful network and a step at every label take 1, others at least 1",
            settings.batch
        ));
    }
    if settings.horizon == 0 || settings.steps == 0 || settings.window == 0 || settings.symbols.is_empty() {
        return wrong("horizon, steps, window and the number of symbols must be at least 1".to_owned());
    }
    if settings.cadence == Cadence::Every(0) || settings.offer_ns == 0 {
        return wrong("an interval of 0 ns; give at least 1".to_owned());
    }
    let (rate, threshold) = (settings.rate, settings.threshold);
    if !(rate > 0.0 && rate.is_finite() && threshold >= 0.0 && threshold.is_finite()) {
        let (rate, threshold) = (settings.rate, settings.threshold);
        return wrong(format!(
            "rate {rate} must be above 0 and threshold {threshold} at least 0, both finite"
        ));
    }
    Ok(plan)
}

impl Beside {
    /// Starts from a model. `run` names the run of the line.
    ///
    /// # Errors
    /// [`LearnError::Setting`] and [`LearnError::Model`].
    pub fn new(loaded: Loaded, settings: Settings, run: u64) -> Result<Beside, LearnError> {
        let plan = fits(&loaded, &settings)?;
        let stateful = loaded.model.architecture.stateful;
        let steps = if stateful { settings.steps } else { 1 };
        let learner =
            Learner::of(&loaded.model, settings.recipe.clone(), settings.seed, settings.batch, steps)?;
        let network = Network::new(&plan)?;
        let (columns, window) = (loaded.model.contract.names.len(), loaded.model.contract.window);
        let geometry = Geometry { columns, window, horizon: settings.horizon, steps, state: network.state() };
        Ok(Beside {
            ready: Ready {
                input: vec![0.0; settings.batch * window * columns],
                classes: vec![NO_CLASS; settings.batch],
                filled: 0,
                next: 0,
            },
            offered: Offered::new(&loaded, &learner),
            streams: settings.symbols.iter().map(|_| Stream::new(geometry)).collect(),
            lesson: vec![NO_CLASS; steps],
            scaled: vec![0.0; columns],
            window: Window::new(settings.window),
            counts: Counts::default(),
            position: Position { run, ..Position::default() },
            resuming: None,
            next_step_ns: 0,
            next_offer_ns: 0,
            frozen: network.clone(),
            learning: network,
            base: loaded,
            learner,
            stateful,
            settings,
            plan,
        })
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The running evaluation: both models on the newest labels, each answered when its row came.
    pub fn scores(&self) -> Scores {
        self.window.scores()
    }

    /// The weights as they are now.
    pub fn parameters(&self) -> &[f32] {
        self.learner.parameters()
    }

    /// The envelope that it declares.
    pub fn envelope(&self) -> Envelope {
        self.settings.envelope
    }

    /// Takes a row: answers it, gives the row a horizon ago its label, and takes a step when one is due.
    pub fn row(&mut self, row: &Row<'_>) -> Did {
        if self.is_known(row) {
            return Did { known: true, ..Did::default() };
        }
        self.counts.rows += 1;
        let run = self.position.run;
        self.position =
            Position { run, time_ns: row.time_ns, seq: row.seq, instrument: row.instrument as u64 };
        if row.instrument >= self.streams.len() {
            self.counts.unsound += 1;
            return Did::default();
        }
        if row.stale {
            self.counts.unsound += 1;
            self.streams[row.instrument].reset();
            return Did::default();
        }
        let answered = self.answer(row);
        let labelled = self.streams[row.instrument].event(row.mid, answered, self.settings.threshold);
        let mut did = Did { labelled: labelled.is_some(), ..Did::default() };
        if let Some(labelled) = labelled {
            did.stepped = self.take(row.instrument, labelled);
        }
        did.stepped |= self.step_when_due(row);
        did.offer = self.offer_due(row.time_ns);
        did
    }

    /// Rows were lost: nothing that waits will know its future.
    pub fn gap(&mut self) {
        self.counts.gaps += 1;
        self.streams.iter_mut().for_each(Stream::reset);
    }

    /// True for a row that the checkpoint already has. The first row past it tells whether some were lost in between.
    fn is_known(&mut self, row: &Row<'_>) -> bool {
        let Some(last) = self.resuming else { return false };
        // Line time never falls from row to row; the rows of one frame share it.
        if row.time_ns <= last.time_ns {
            if (row.seq, row.instrument as u64) == (last.seq, last.instrument) {
                self.resuming = None;
            }
            return true;
        }
        self.resuming = None;
        self.gap();
        false
    }

    /// Answers a sound row with both models and puts it into its stream: its place and the answers.
    fn answer(&mut self, row: &Row<'_>) -> Option<(u64, u8, u8)> {
        let sound = row.sound && row.mid.is_some() && row.values.len() == self.scaled.len();
        if !(sound && row.values.iter().all(|value| value.is_finite())) {
            self.counts.unsound += 1;
            return None;
        }
        self.scaled.copy_from_slice(row.values);
        self.base.model.contract.scale_rows(&mut self.scaled);
        let stream = &mut self.streams[row.instrument];
        let place = stream.push(&self.scaled);
        let mut states = std::mem::take(&mut stream.states);
        let answers = stream.span(place, self.base.model.contract.window).map(|input| {
            let frozen = self.frozen.answer(&self.base.model.parameters, input, &mut states.frozen);
            let learning = self.learning.answer(self.learner.parameters(), input, &mut states.learning);
            (place, frozen, learning)
        });
        stream.states = states;
        answers
    }

    /// Takes a label to where it will be learned; a stateful network learns right away once its chunk is whole.
    fn take(&mut self, instrument: usize, labelled: Labelled) -> bool {
        self.counts.labels += 1;
        self.window.add(labelled.class, labelled.frozen, labelled.learning);
        if self.stateful {
            return self.learn_chunk(instrument, labelled.row);
        }
        let Some(input) = self.streams[instrument].span(labelled.row, self.base.model.contract.window) else {
            return false;
        };
        let ready = &mut self.ready;
        let at = ready.next * input.len();
        ready.input[at..at + input.len()].copy_from_slice(input);
        ready.classes[ready.next] = labelled.class;
        ready.next = (ready.next + 1) % ready.classes.len();
        if ready.filled < ready.classes.len() {
            ready.filled += 1;
        } else {
            self.counts.skipped += 1;
        }
        false
    }

    fn learn_chunk(&mut self, instrument: usize, place: u64) -> bool {
        let stream = &mut self.streams[instrument];
        let Some(input) = stream.chunk(place, &mut self.lesson) else { return false };
        self.learner.net().set_state(&stream.states.lesson);
        let lesson = &self.lesson;
        self.learner.step(input, |nth| target(lesson.get(nth)), self.settings.rate);
        stream.states.lesson.copy_from_slice(self.learner.net().state());
        stream.taken(place);
        self.counts.steps += 1;
        true
    }

    fn step_when_due(&mut self, row: &Row<'_>) -> bool {
        let due = match self.settings.cadence {
            Cadence::Tick => true,
            Cadence::Trade => row.traded,
            Cadence::Every(ns) => reached(&mut self.next_step_ns, row.time_ns, ns),
        };
        if !due || self.ready.filled == 0 {
            return false;
        }
        let ready = &mut self.ready;
        let classes = &ready.classes;
        let each = self.learner.net().answer().len() / self.plan.output().features() / classes.len();
        // One answer a window; where a network gives one a row, only the newest has a label.
        let wanted = |nth: usize| {
            if (nth + 1).is_multiple_of(each) { target(classes.get(nth / each)) } else { Target::Nothing }
        };
        self.learner.step(&ready.input, wanted, self.settings.rate);
        ready.classes.fill(NO_CLASS);
        (ready.filled, ready.next) = (0, 0);
        self.counts.steps += 1;
        true
    }

    fn offer_due(&mut self, time_ns: u64) -> bool {
        reached(&mut self.next_offer_ns, time_ns, self.settings.offer_ns)
            && self.counts.steps > self.offered.steps
    }
}

fn target(class: Option<&u8>) -> Target<'static> {
    match class {
        Some(class) if *class != NO_CLASS => Target::Class(*class),
        _ => Target::Nothing,
    }
}

/// True once in every interval of `ns`; intervals begin at whole multiples, so that they do not depend on when the learner began.
fn reached(next: &mut u64, now: u64, ns: u64) -> bool {
    if now < *next {
        return false;
    }
    *next = (now / ns).saturating_add(1).saturating_mul(ns);
    true
}
