//! Offering weights: judged by the envelope, published or thrown away.
use crate::beside::Beside;
use crate::bytes::{In, Out};
use crate::envelope::{Judged, Verdict, distance};
use crate::error::LearnError;
use tickline_model::file::{Loaded, encode};
use tickline_model::train::Learner;

/// Hash and weights of a model of ours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) hash: u64,
    pub(crate) parameters: Vec<f32>,
}

/// What is offered, what is in place, and where to go back to.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    /// In the line's segment, as far as we know.
    pub(crate) placed: Version,
    /// To be put there next; equal to `placed` when nothing waits.
    pub(crate) candidate: Version,
    /// The learner as it was when its weights were last found within the envelope.
    pub(crate) good: Vec<u8>,
    /// The learner at its start.
    pub(crate) first: Vec<u8>,
    /// Steps taken at the last offer.
    pub(crate) steps: u64,
    /// Weights that are not ours are in place: nothing is published any more.
    pub(crate) stands_down: bool,
}

impl Offered {
    pub(crate) fn new(base: &Loaded, learner: &Learner) -> Offered {
        let version = Version { hash: base.hash, parameters: base.model.parameters.clone() };
        let first = learner.checkpoint();
        Offered {
            placed: version.clone(),
            candidate: version,
            good: first.clone(),
            first,
            steps: 0,
            stands_down: false,
        }
    }

    pub(crate) fn save(&self, out: &mut Out) {
        for version in [&self.placed, &self.candidate] {
            out.number(version.hash);
            out.floats(&version.parameters);
        }
        out.bytes(&self.good);
        out.number(self.steps);
        out.number(u64::from(self.stands_down));
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        for version in [&mut self.placed, &mut self.candidate] {
            version.hash = from.number()?;
            from.fill_floats(&mut version.parameters)?;
        }
        self.good = from.bytes()?.to_vec();
        self.steps = from.number()?;
        self.stands_down = from.number()? != 0;
        Some(())
    }
}

impl Beside {
    /// Judges the weights as they are. Within the envelope they become the candidate; too far off, the learner goes back to where it last
    /// was within; doing worse than the frozen model, it goes back to its start and the first model becomes the candidate.
    ///
    /// # Errors
    /// [`LearnError::Model`] when the weights make no model; the learner has gone back then too.
    pub fn judge(&mut self) -> Result<Verdict, LearnError> {
        self.offered.steps = self.counts.steps;
        let verdict = self.settings.envelope.judge(&self.judged());
        match verdict {
            Verdict::Early => {}
            Verdict::Within => {
                let hash = self.hash_of(self.learner.parameters())?;
                self.offered.candidate = Version { hash, parameters: self.learner.parameters().to_vec() };
                self.offered.good = self.learner.checkpoint();
            }
            Verdict::NotFinite | Verdict::Change | Verdict::Drift => {
                self.counts.withheld += 1;
                self.learner.restore(&self.offered.good)?;
            }
            Verdict::Score => {
                self.counts.withheld += 1;
                self.learner.restore(&self.offered.first)?;
                self.offered.good.clone_from(&self.offered.first);
                let base = &self.base;
                self.offered.candidate =
                    Version { hash: base.hash, parameters: base.model.parameters.clone() };
                self.window.clear();
            }
        }
        Ok(verdict)
    }

    fn judged(&self) -> Judged {
        let (own, scores) = (self.learner.parameters(), self.window.scores());
        Judged {
            finite: own.iter().all(|value| value.is_finite()),
            change: distance(own, &self.offered.placed.parameters),
            drift: distance(own, &self.base.model.parameters),
            frozen: scores.frozen_f1,
            learning: scores.learning_f1,
            labels: scores.labels,
        }
    }

    /// The hash that a model file with these weights would have: the one that goes with every order.
    fn hash_of(&self, parameters: &[f32]) -> Result<u64, LearnError> {
        let bytes = encode(&self.model_of(parameters))?;
        let head = bytes.get(32..40).and_then(|head| head.first_chunk::<8>()).copied().unwrap_or_default();
        Ok(u64::from_be_bytes(head))
    }

    fn model_of(&self, parameters: &[f32]) -> tickline_model::Model {
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
        if candidate.hash == self.base.hash {
            return Some(self.base.clone());
        }
        Some(Loaded { model: self.model_of(&candidate.parameters), hash: candidate.hash })
    }

    /// The candidate is in place in the line.
    pub fn confirm(&mut self) {
        self.settle();
        if self.offered.candidate.hash == self.base.hash {
            self.counts.rolled_back += 1;
        } else {
            self.counts.published += 1;
        }
    }

    /// Measures the next change from the candidate: it is in place, or there is no place to put it.
    pub fn settle(&mut self) {
        self.offered.placed = self.offered.candidate.clone();
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
            self.offered.placed = Version { hash: newest, parameters: self.base.model.parameters.clone() };
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
}
