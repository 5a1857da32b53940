//! The learner: rows in, weights that change.
use crate::actor::Actor;
use crate::contest::Contest;
use crate::envelope::Envelope;
use crate::error::LearnError;
use crate::kept;
use crate::liquidity::Liquidities;
use crate::offer::Offered;
use crate::panel::{Panel, Weights};
use crate::retrain::Retraining;
use crate::school::{School, Stride};
use crate::settings::{Cadence, Settings};
use crate::shadow::Declared;
use crate::stream::{Geometry, Labelled, Stream};
use crate::window::Window;
use tickline_model::file::Loaded;
use tickline_model::train::NO_CLASS;

const FLAT: u8 = 1;

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
    /// What can be traded at how small a cost: the visible depth over the spread, above 0; `None` where it cannot be told.
    pub liquidity: Option<f64>,
    /// The frame traded the instrument.
    pub traded: bool,
    /// The book has lost messages: what waits for its future there will never know it.
    pub stale: bool,
    /// The line answers such a row: the book is whole and the rolling window full.
    pub sound: bool,
    /// The model's columns, then each shadow's, unscaled ([`Beside::values`]).
    pub values: &'a [f32],
}

/// What a row has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Did {
    /// An older row got its label.
    pub labelled: bool,
    /// A step was taken.
    pub stepped: bool,
    /// A step of a retraining was taken.
    pub retrained: bool,
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
    /// Times that an earlier model was put back.
    pub rolled_back: u64,
    /// Times that a challenger took the live model's place.
    pub promoted: u64,
    /// Retrainings that came to their end.
    pub retrained: u64,
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
    /// Names what a checkpoint is good for: models and settings.
    pub(crate) fingerprint: u64,
    pub(crate) base: Loaded,
    stateful: bool,
    pub(crate) school: School,
    pub(crate) retraining: Option<Retraining>,
    pub(crate) actor: Option<Actor>,
    pub(crate) panel: Panel,
    pub(crate) streams: Vec<Stream>,
    pub(crate) liquidities: Liquidities,
    /// Labels of the chunk at hand.
    lesson: Vec<u8>,
    scaled: Vec<f32>,
    pub(crate) window: Window,
    pub(crate) contest: Contest,
    pub(crate) counts: Counts,
    pub(crate) position: Position,
    /// The checkpoint's position, until the rows are past it.
    pub(crate) resuming: Option<Position>,
    /// Line time of the next step and of the next offer.
    pub(crate) next_step_ns: u64,
    pub(crate) next_offer_ns: u64,
    pub(crate) offered: Offered,
}

impl Beside {
    /// Starts from a model, with shadows beside it. `run` names the run of the line.
    ///
    /// # Errors
    /// [`LearnError::Setting`] and [`LearnError::Model`].
    pub fn new(
        loaded: Loaded,
        shadows: Vec<Declared>,
        settings: Settings,
        run: u64,
    ) -> Result<Beside, LearnError> {
        let plan = settings.fits(&loaded)?;
        let stateful = loaded.model.architecture.stateful;
        let steps = if stateful { settings.steps } else { 1 };
        let fingerprint = kept::fingerprint(&loaded, &shadows, &settings);
        let school = School::new(&loaded, &plan, &settings)?;
        let retraining = settings.retrain.as_ref();
        let retraining = retraining.map(|asked| Retraining::new(asked, &loaded, &plan, &settings));
        let actor = settings.actor_critic.map(|asked| Actor::new(asked, &loaded, &plan, &settings));
        let kinds = (settings.gate.is_some(), settings.retrain.is_some());
        let panel = Panel::new(&loaded, &plan, shadows, settings.symbols.len(), kinds)?;
        let (columns, window) = (loaded.model.contract.names.len(), loaded.model.contract.window);
        let (state, models, horizon) = (panel.state(), panel.models(), settings.horizon);
        let geometry = Geometry { columns, window, horizon, steps, state, models };
        Ok(Beside {
            offered: Offered::new(&loaded, school.mark()),
            streams: settings.symbols.iter().map(|_| Stream::new(geometry)).collect(),
            liquidities: Liquidities::new(settings.liquidity, settings.symbols.len()),
            lesson: vec![NO_CLASS; steps],
            scaled: vec![0.0; columns],
            window: Window::new(settings.window, models),
            contest: Contest::new(models),
            counts: Counts::default(),
            position: Position { run, ..Position::default() },
            resuming: None,
            next_step_ns: 0,
            next_offer_ns: 0,
            base: loaded,
            fingerprint,
            school,
            retraining: retraining.transpose()?,
            actor: actor.transpose()?,
            panel,
            stateful,
            settings,
        })
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The weights as they are now.
    pub fn parameters(&self) -> &[f32] {
        self.school.parameters()
    }

    /// How the last step was taken.
    pub fn stride(&self) -> Stride {
        self.school.stride()
    }

    /// The envelope that it declares.
    pub fn envelope(&self) -> Envelope {
        self.settings.envelope
    }

    /// Values that a row has: the live model's columns, then each shadow's.
    pub fn values(&self) -> usize {
        self.panel.values(&self.base)
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
            self.panel.reset(row.instrument);
            self.forget_decision(row.instrument);
            return Did::default();
        }
        let place = self.answer(row);
        let (threshold, contest) = (self.settings.threshold, self.contest.nth);
        let stream = &mut self.streams[row.instrument];
        let labelled = stream.event(row.mid, place, &self.panel.answers, threshold, contest);
        let mut did = Did { labelled: labelled.is_some(), ..Did::default() };
        if let Some(labelled) = labelled {
            did.stepped = self.take(row, labelled);
        }
        did.stepped |= self.step_when_due(row);
        did.retrained = self.retrain(row.time_ns);
        did.offer = self.offer_due(row.time_ns);
        did
    }

    /// Rows were lost: nothing that waits will know its future. While the rows up to the checkpoint come by again, losing some of them is
    /// no matter; the first row past it tells whether others are missing.
    pub fn gap(&mut self) {
        if self.resuming.is_some() {
            return;
        }
        self.counts.gaps += 1;
        self.streams.iter_mut().for_each(Stream::reset);
        for instrument in 0..self.streams.len() {
            self.panel.reset(instrument);
            self.forget_decision(instrument);
        }
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

    /// Answers a sound row with every model and puts it into its stream: its place.
    fn answer(&mut self, row: &Row<'_>) -> Option<u64> {
        let own = row.values.get(..self.scaled.len());
        let own =
            own.filter(|own| row.sound && row.mid.is_some() && own.iter().all(|value| value.is_finite()));
        let Some(own) = own else {
            self.counts.unsound += 1;
            return None;
        };
        self.liquidities.saw(row.instrument, row.liquidity);
        self.scaled.copy_from_slice(own);
        self.base.model.contract.scale_rows(&mut self.scaled);
        let stream = &mut self.streams[row.instrument];
        let place = stream.push(&self.scaled);
        let weights = Weights {
            base: &self.base,
            learning: self.school.parameters(),
            live: &self.offered.placed,
            previous: self.offered.previous.as_ref(),
        };
        self.panel.answer(row, stream, place, weights).then_some(place)
    }

    /// Takes a label to where it will be learned; a stateful network learns right away once its chunk is whole.
    fn take(&mut self, row: &Row<'_>, labelled: Labelled) -> bool {
        let instrument = row.instrument;
        self.counts.labels += 1;
        self.school.moved(labelled.change, labelled.mid);
        let stream = &self.streams[instrument];
        self.window.add(labelled.class, stream.due());
        if labelled.contest == self.contest.nth {
            self.contest.add(labelled.class, stream.due());
        }
        if self.stateful {
            return self.learn_chunk(instrument, labelled, self.has_turn(row));
        }
        let Some(input) = stream.span(labelled.row, self.base.model.contract.window) else { return false };
        if let Some(retraining) = &mut self.retraining {
            retraining.take(input, labelled.class);
        }
        let moved = (labelled.change, labelled.mid);
        self.counts.skipped += u64::from(match &mut self.actor {
            None => self.school.take(input, labelled.class),
            Some(actor) => actor.teach(&mut self.school, instrument, input, moved),
        });
        false
    }

    fn learn_chunk(&mut self, instrument: usize, labelled: Labelled, own: bool) -> bool {
        let stream = &mut self.streams[instrument];
        let dropout = self.liquidities.factor(instrument);
        let mut state = std::mem::take(&mut stream.states.lesson);
        let chunk = stream.chunk(labelled.row, &mut self.lesson);
        let whole = chunk.is_some();
        let stepped = chunk.is_some_and(|input| {
            let classes = (&self.lesson[..], rarest(&self.lesson, labelled.class));
            if let Some(retraining) = &mut self.retraining {
                retraining.remember(input, classes, &state);
            }
            if own {
                return self.school.stretch(input, classes, &mut state, dropout);
            }
            self.counts.skipped += classes.0.iter().filter(|class| **class != NO_CLASS).count() as u64;
            self.school.pass(input, classes, &mut state);
            false
        });
        stream.states.lesson = state;
        if whole {
            stream.taken(labelled.row);
        }
        self.counts.steps += u64::from(stepped);
        stepped
    }

    fn step_when_due(&mut self, row: &Row<'_>) -> bool {
        let due = match self.settings.cadence {
            Cadence::Tick => true,
            Cadence::Trade => row.traded,
            Cadence::Every(ns) => reached(&mut self.next_step_ns, row.time_ns, ns),
        };
        if !self.has_turn(row) {
            if self.settings.cadence == Cadence::Tick {
                // It is the next row's label that the next turn learns.
                self.counts.skipped += self.school.leave();
            }
            return false;
        }
        let stepped = due && self.school.step(self.liquidities.factor(row.instrument));
        self.counts.steps += u64::from(stepped);
        stepped
    }

    fn has_turn(&self, row: &Row<'_>) -> bool {
        self.settings.turn.has(self.settings.cadence, row.seq, row.instrument, row.time_ns)
    }

    fn offer_due(&mut self, time_ns: u64) -> bool {
        reached(&mut self.next_offer_ns, time_ns, self.settings.offer_ns)
            && (self.counts.steps > self.offered.steps || self.settings.gate.is_some())
    }
}

/// The class to file a stretch under: that of its newest move, or the newest label's where nothing moved.
fn rarest(classes: &[u8], newest: u8) -> u8 {
    let moved = |class: &&u8| **class != FLAT && **class != NO_CLASS;
    classes.iter().rev().find(moved).copied().unwrap_or(newest)
}

/// True once in every interval of `ns`; intervals begin at whole multiples, so that they do not depend on when the learner began.
pub(crate) fn reached(next: &mut u64, now: u64, ns: u64) -> bool {
    if now < *next {
        return false;
    }
    *next = (now / ns).saturating_add(1).saturating_mul(ns);
    true
}
