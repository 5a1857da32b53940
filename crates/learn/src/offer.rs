//! Offering weights: judged by the envelope, published or thrown away.
use crate::beside::Beside;
use crate::bytes::{In, Out};
use crate::change::{CHANGES_MAX, Change, Move};
use crate::envelope::{Judged, Verdict, distance};
use crate::error::LearnError;
use crate::panel::{FROZEN, LEARNING, Owner};
use tickline_model::file::{Loaded, encode};

/// Hash and weights of a model of ours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) hash: u64,
    pub(crate) parameters: Vec<f32>,
}

impl Version {
    pub(crate) fn of(loaded: &Loaded) -> Version {
        Version { hash: loaded.hash, parameters: loaded.model.parameters.clone() }
    }

    pub(crate) fn save(&self, out: &mut Out) {
        out.number(self.hash);
        out.floats(&self.parameters);
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.hash = from.number()?;
        from.fill_floats(&mut self.parameters)
    }
}

/// What is offered, what is in place, and where to go back to.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    /// In the line's segment, as far as we know.
    pub(crate) placed: Version,
    /// To be put there next; equal to `placed` when nothing waits.
    pub(crate) candidate: Version,
    /// What the last promotion took the place of.
    pub(crate) previous: Option<Version>,
    /// The newest of `placed` that was learned here, or the model file's: changes are measured from there.
    own: Version,
    /// The decision that the candidate waits for.
    pub(crate) pending: Option<Move>,
    /// The learner as it was when its weights were last found within the envelope.
    good: Vec<u8>,
    /// The learner at its start.
    first: Vec<u8>,
    /// Steps taken at the last offer.
    pub(crate) steps: u64,
    /// Weights that are not ours are in place: nothing is published any more.
    pub(crate) stands_down: bool,
    /// The newest decisions, oldest first.
    changes: Vec<Change>,
}

impl Offered {
    /// `first`: the learner's mark at its start.
    pub(crate) fn new(base: &Loaded, first: Vec<u8>) -> Offered {
        let version = Version::of(base);
        Offered {
            placed: version.clone(),
            candidate: version.clone(),
            previous: None,
            own: version,
            pending: None,
            good: first.clone(),
            first,
            steps: 0,
            stands_down: false,
            changes: Vec::new(),
        }
    }

    pub(crate) fn save(&self, out: &mut Out) {
        [&self.placed, &self.candidate, &self.own].iter().for_each(|version| version.save(out));
        out.number(u64::from(self.previous.is_some()));
        if let Some(previous) = &self.previous {
            previous.save(out);
        }
        out.number(match self.pending {
            None => 0,
            Some(Move::Promote) => 1,
            Some(Move::RollBack) => 2,
        });
        out.bytes(&self.good);
        out.number(self.steps);
        out.number(u64::from(self.stands_down));
        out.number(self.changes.len() as u64);
        self.changes.iter().for_each(|change| change.save(out));
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        for version in [&mut self.placed, &mut self.candidate, &mut self.own] {
            version.load(from)?;
        }
        self.previous = None;
        if from.number()? != 0 {
            let mut previous = self.own.clone();
            previous.load(from)?;
            self.previous = Some(previous);
        }
        self.pending = match from.number()? {
            0 => None,
            1 => Some(Move::Promote),
            _ => Some(Move::RollBack),
        };
        self.good = from.bytes()?.to_vec();
        self.steps = from.number()?;
        self.stands_down = from.number()? != 0;
        let count = from.number()?.min(CHANGES_MAX as u64);
        self.changes = (0..count).map(|_| Change::load(from)).collect::<Option<_>>()?;
        Some(())
    }
}

impl Beside {
    /// Judges the weights as they are. Too far off, the learner goes back to where it last was within its envelope; doing worse than the
    /// frozen model, it goes back to its start. Without a gate, weights within the envelope become the candidate, and the first model does
    /// when they do worse; with one, the contest decides.
    ///
    /// # Errors
    /// [`LearnError::Model`] when the weights make no model; the learner has gone back then too.
    pub fn judge(&mut self) -> Result<Verdict, LearnError> {
        self.offered.steps = self.counts.steps;
        let verdict = self.settings.envelope.judge(&self.judged());
        match verdict {
            Verdict::Early => {}
            Verdict::Within => {
                self.offered.good = self.school.mark();
                if self.settings.gate.is_none() {
                    self.offered.candidate = self.learned()?;
                    self.offered.pending = None;
                }
            }
            Verdict::NotFinite | Verdict::Change | Verdict::Drift => {
                self.counts.withheld += 1;
                self.school.go_back(&self.offered.good)?;
            }
            Verdict::Score => {
                self.counts.withheld += 1;
                self.school.go_back(&self.offered.first)?;
                self.offered.good.clone_from(&self.offered.first);
                if self.settings.gate.is_none() && self.offered.placed.hash != self.base.hash {
                    let scores = (self.window.score(LEARNING), self.window.score(FROZEN));
                    self.decide(Move::RollBack, Version::of(&self.base), scores);
                } else if self.settings.gate.is_none() {
                    self.offered.candidate = Version::of(&self.base);
                }
                self.contest.learning_barred = true;
                self.window.clear();
            }
        }
        if let Some(gate) = self.settings.gate {
            self.contend(gate, verdict == Verdict::Within)?;
        }
        Ok(verdict)
    }

    fn judged(&self) -> Judged {
        let own = self.school.parameters();
        let (frozen, learning) = (self.window.score(FROZEN), self.window.score(LEARNING));
        let from = match self.panel.owner(&self.base, self.offered.placed.hash) {
            Owner::Shadow(_) => &self.offered.own,
            Owner::Frozen | Owner::Learned => &self.offered.placed,
        };
        Judged {
            finite: own.iter().all(|value| value.is_finite()),
            change: distance(own, &from.parameters),
            drift: distance(own, &self.base.model.parameters),
            frozen: frozen.macro_f1,
            learning: learning.macro_f1,
            labels: learning.labels,
        }
    }

    /// Makes `to` the candidate and writes the decision down. `scores`: of the live model, and of the one that is to be.
    pub(crate) fn decide(&mut self, what: Move, to: Version, scores: (crate::Score, crate::Score)) {
        match what {
            Move::Promote => self.counts.promoted += 1,
            Move::RollBack => self.counts.rolled_back += 1,
        }
        let change = Change {
            time_ns: self.position.time_ns,
            what,
            name: self.name_of(to.hash).to_owned(),
            from: self.offered.placed.hash,
            to: to.hash,
            labels: scores.0.labels,
            from_f1: scores.0.macro_f1,
            to_f1: scores.1.macro_f1,
        };
        let changes = &mut self.offered.changes;
        if changes.len() == CHANGES_MAX {
            changes.remove(0);
        }
        changes.push(change);
        (self.offered.candidate, self.offered.pending) = (to, Some(what));
    }

    /// The weights that learn, as a version with the hash that a model file of them would have: the one that goes with every order.
    pub(crate) fn learned(&self) -> Result<Version, LearnError> {
        self.version_of(self.school.parameters().to_vec())
    }

    /// Weights of the line's model as a version, likewise.
    pub(crate) fn version_of(&self, parameters: Vec<f32>) -> Result<Version, LearnError> {
        let bytes = encode(&self.model_of(&parameters))?;
        let head = bytes.get(32..40).and_then(|head| head.first_chunk::<8>()).copied().unwrap_or_default();
        Ok(Version { hash: u64::from_be_bytes(head), parameters })
    }

    pub(crate) fn model_of(&self, parameters: &[f32]) -> tickline_model::Model {
        let mut model = self.base.model.clone();
        model.parameters.copy_from_slice(parameters);
        let base = self.base.hash;
        model.training.text.push_str(&format!("\nlearned on beside the line, from {base:016x}"));
        model
    }

    /// The candidate as a model with its hash; `None` while it is what is in place.
    pub fn candidate(&self) -> Option<Loaded> {
        let Offered { placed, candidate, .. } = &self.offered;
        if candidate.hash == placed.hash {
            return None;
        }
        Some(match self.panel.owner(&self.base, candidate.hash) {
            Owner::Frozen => self.base.clone(),
            Owner::Shadow(nth) => self.panel.shadows[nth].loaded.clone(),
            Owner::Learned => Loaded { model: self.model_of(&candidate.parameters), hash: candidate.hash },
        })
    }

    /// The candidate is in place in the line.
    pub fn confirm(&mut self) {
        let back = self.offered.pending == Some(Move::RollBack);
        self.settle();
        if !back && self.offered.candidate.hash != self.base.hash {
            self.counts.published += 1;
        }
    }

    /// Takes the candidate for what is in place: it is, or there is no place to put it.
    pub fn settle(&mut self) {
        let placed = self.offered.candidate.clone();
        let owner = self.panel.owner(&self.base, placed.hash);
        let old = std::mem::replace(&mut self.offered.placed, placed);
        match self.offered.pending.take() {
            Some(Move::Promote) => {
                self.offered.previous = Some(old);
                self.streams.iter_mut().for_each(|stream| stream.states.promote());
            }
            Some(Move::RollBack) => {
                self.offered.previous = None;
                self.streams.iter_mut().for_each(|stream| stream.states.roll_back());
            }
            None => {}
        }
        if !matches!(owner, Owner::Shadow(_)) {
            self.offered.own = self.offered.placed.clone();
        }
    }

    /// Says what hash is in place in the line. One that is not ours is a person's: the learner stands down for good.
    pub fn observe(&mut self, newest: u64) {
        let Offered { placed, candidate, .. } = &self.offered;
        if newest == candidate.hash {
            // Put there by a process that died before it could say so.
            if newest != placed.hash {
                self.confirm();
            }
        } else if newest == self.base.hash {
            self.offered.placed = Version::of(&self.base);
        } else if newest != placed.hash {
            self.offered.stands_down = true;
        }
    }

    /// Weights that are not ours are in place, so nothing is published any more.
    pub fn stands_down(&self) -> bool {
        self.offered.stands_down
    }

    /// Hash of the weights in place, as far as it knows.
    pub fn in_place(&self) -> u64 {
        self.offered.placed.hash
    }

    /// The decision that the candidate waits for.
    pub fn pending(&self) -> Option<Move> {
        self.offered.pending
    }

    /// The newest decisions about the live model, oldest first.
    pub fn changes(&self) -> &[Change] {
        &self.offered.changes
    }
}
