//! The contest for the live model's place: who is judged against whom, and what follows.
use crate::beside::Beside;
use crate::change::Move;
use crate::envelope::distance;
use crate::error::LearnError;
use crate::gate::{Fitness, Gate, Ruling};
use crate::offer::Version;
use crate::panel::{FROZEN, LEARNING, LIVE, Owner, PERSISTENCE, PREVIOUS, SHADOWS};
use crate::shadow::Shadow;
use crate::tally::Score;

/// One model that answers every row, and how it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// `model file`, `learning`, `persistence`, `in place`, `before it`, or a shadow's name.
    pub name: String,
    /// What it is: `frozen`, `learning`, `baseline`, `live`, `previous`, `shadow` or `retrained`.
    pub role: &'static str,
    /// Hash of its weights; `None` for those that change with every step and for baselines.
    pub hash: Option<u64>,
    /// Over the running evaluation's labels.
    pub score: Score,
    /// Over those of the contest at hand.
    pub contest: Score,
    /// A shadow that could take the live model's place: same architecture and columns, within its envelope.
    pub fits: bool,
}

impl Beside {
    /// Judges the contest: back to an earlier model when the live one has fallen behind, on to a better one when it has run its length.
    pub(crate) fn contend(&mut self, gate: Gate, learned_within: bool) -> Result<(), LearnError> {
        if self.offered.candidate.hash != self.offered.placed.hash {
            // A decision waits for its door.
            return Ok(());
        }
        let live = self.contest.score(LIVE);
        if let Some((score, to)) = self.ahead(gate, &live) {
            self.decide(Move::RollBack, to, (live, score));
            self.contest.restart();
        } else if live.labels >= gate.labels {
            if let Some((score, place)) = self.best(gate, &live, learned_within) {
                let to = match place {
                    LEARNING => self.learned()?,
                    shadow => Version::of(&self.panel.shadows[shadow - SHADOWS].loaded),
                };
                self.decide(Move::Promote, to, (live, score));
            }
            self.contest.restart();
        }
        Ok(())
    }

    /// The better of the earlier models that the live one has fallen behind.
    fn ahead(&self, gate: Gate, live: &Score) -> Option<(Score, Version)> {
        let first = (FROZEN, Some(Version::of(&self.base)));
        let earlier = [first, (PREVIOUS, self.offered.previous.clone())];
        let mut found: Option<(Score, Version)> = None;
        for (place, version) in earlier {
            let Some(version) = version.filter(|version| version.hash != self.offered.placed.hash) else {
                continue;
            };
            let score = self.contest.score(place);
            let better = found.as_ref().is_none_or(|(best, _)| score.macro_f1 > best.macro_f1);
            if better && gate.fallen(live, &score) {
                found = Some((score, version));
            }
        }
        found
    }

    /// The best challenger that the gate lets pass, by place.
    fn best(&self, gate: Gate, live: &Score, learned_within: bool) -> Option<(Score, usize)> {
        let mut found: Option<(Score, usize)> = None;
        let shadows = (SHADOWS..self.panel.models()).map(|place| (place, self.fitness(place - SHADOWS)));
        let fits = learned_within && !self.contest.learning_barred;
        for (place, fitness) in std::iter::once((LEARNING, Fitness { fits, drift: 0.0 })).chain(shadows) {
            let score = self.contest.score(place);
            let better = found.as_ref().is_none_or(|(best, _)| score.macro_f1 > best.macro_f1);
            if better && gate.judge(live, &score, fitness) == Ruling::Promote {
                found = Some((score, place));
            }
        }
        found
    }

    fn fitness(&self, shadow: usize) -> Fitness {
        let (loaded, base) = (&self.panel.shadows[shadow].loaded, &self.base);
        let same = loaded.model.fingerprint() == base.model.fingerprint()
            && loaded.model.contract.window == base.model.contract.window;
        // Before the first retraining, and in the contest in which it ended, there is no retrained model to judge.
        let made = self
            .panel
            .retrained()
            .is_none_or(|(nth, hash)| nth != shadow || (hash != base.hash && !self.contest.retrained_barred));
        let finite = loaded.model.parameters.iter().all(|value| value.is_finite());
        let drift =
            if same { distance(&loaded.model.parameters, &base.model.parameters) } else { f64::INFINITY };
        Fitness { fits: same && made && finite && loaded.hash != self.offered.placed.hash, drift }
    }

    /// Who has the weights of a hash, in words.
    pub(crate) fn name_of(&self, hash: u64) -> &str {
        match self.panel.owner(&self.base, hash) {
            Owner::Frozen => "model file",
            Owner::Shadow(nth) => &self.panel.shadows[nth].name,
            Owner::Learned => "learned",
        }
    }

    /// Labels of the contest at hand.
    pub fn contested(&self) -> u64 {
        self.contest.labels()
    }

    /// Everyone who answers, and how they do.
    pub fn standings(&self) -> Vec<Standing> {
        let of = |place: usize, name: &str, role: &'static str, hash: Option<u64>, fits: bool| Standing {
            name: name.to_owned(),
            role,
            hash,
            score: self.window.score(place),
            contest: self.contest.score(place),
            fits,
        };
        let mut all = vec![
            of(FROZEN, "model file", "frozen", Some(self.base.hash), false),
            of(LEARNING, "learning", "learning", None, false),
            of(PERSISTENCE, "persistence", "baseline", None, false),
        ];
        if let Some(gate) = self.settings.gate {
            all.push(of(LIVE, "in place", "live", Some(self.offered.placed.hash), false));
            if let Some(previous) = &self.offered.previous {
                all.push(of(PREVIOUS, "before it", "previous", Some(previous.hash), false));
            }
            for (nth, shadow) in self.shown() {
                let Fitness { fits, drift } = self.fitness(nth);
                let fits =
                    (fits || shadow.loaded.hash == self.offered.placed.hash) && drift <= gate.drift_max;
                all.push(of(SHADOWS + nth, &shadow.name, self.role(nth), Some(shadow.loaded.hash), fits));
            }
            return all;
        }
        for (nth, shadow) in self.shown() {
            all.push(of(SHADOWS + nth, &shadow.name, self.role(nth), Some(shadow.loaded.hash), false));
        }
        all
    }

    /// The shadows that are somebody: the retrained model is from its first retraining on.
    fn shown(&self) -> impl Iterator<Item = (usize, &Shadow)> {
        let nobody = self.panel.retrained().filter(|(_, hash)| *hash == self.base.hash);
        self.panel
            .shadows
            .iter()
            .enumerate()
            .filter(move |(nth, _)| nobody.is_none_or(|(place, _)| place != *nth))
    }

    fn role(&self, shadow: usize) -> &'static str {
        if self.panel.retrained().is_some_and(|(nth, _)| nth == shadow) { "retrained" } else { "shadow" }
    }
}
