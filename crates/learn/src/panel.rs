//! The models that answer each row, and which of them is live.
use crate::answer::Answer;
use crate::beside::Row;
use crate::bytes::{In, Out};
use crate::error::LearnError;
use crate::network::Network;
use crate::offer::Version;
use crate::retrain::RETRAINED;
use crate::shadow::{Declared, Shadow};
use crate::stream::Stream;
use tickline_model::Plan;
use tickline_model::file::Loaded;

/// Places among a row's answers: the model file's weights, those that learn, the newest known move again, those in place in the line, those
/// that were there before, and the shadows in their order.
pub(crate) const FROZEN: usize = 0;
pub(crate) const LEARNING: usize = 1;
pub(crate) const PERSISTENCE: usize = 2;
pub(crate) const LIVE: usize = 3;
pub(crate) const PREVIOUS: usize = 4;
pub(crate) const SHADOWS: usize = 5;

/// Who has a version's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The model file.
    Frozen,
    /// A shadow, by place.
    Shadow(usize),
    /// Nobody any more: learned beside the line, and kept.
    Learned,
}

/// Everyone who answers.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    frozen: Network,
    learning: Network,
    kept: Network,
    pub(crate) shadows: Vec<Shadow>,
    /// Place of the retrained model among the shadows.
    retrained: Option<usize>,
    /// Whether what is in place is evaluated of its own.
    watches_live: bool,
    /// What the models said of the row at hand.
    pub(crate) answers: Vec<Answer>,
}

/// The weights that the panel answers with, beside its own.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub(crate) base: &'a Loaded,
    pub(crate) learning: &'a [f32],
    pub(crate) live: &'a Version,
    pub(crate) previous: Option<&'a Version>,
}

impl Panel {
    /// # Errors
    /// As [`Shadow::new`]'s, and a name that is used twice.
    pub(crate) fn new(
        base: &Loaded,
        plan: &Plan,
        declared: Vec<Declared>,
        instruments: usize,
        (watches_live, retrains): (bool, bool),
    ) -> Result<Panel, LearnError> {
        let network = Network::new(plan)?;
        let (mut shadows, mut from) = (Vec::<Shadow>::new(), base.model.contract.names.len());
        for one in declared {
            if retrains && one.name == RETRAINED {
                let text = format!(
                    "a shadow is called {RETRAINED:?}, the name of what retraining makes; give it another"
                );
                return Err(LearnError::Setting(text));
            }
            if shadows.iter().any(|known| known.name == one.name) {
                return Err(LearnError::Setting(format!("two shadows are called {:?}", one.name)));
            }
            let shadow = Shadow::new(one, instruments, from)?;
            from += shadow.columns();
            shadows.push(shadow);
        }
        let retrained = retrains.then_some(shadows.len());
        if retrains {
            let first = Declared { name: RETRAINED.to_owned(), loaded: base.clone() };
            shadows.push(Shadow::sharing(first, instruments)?);
        }
        let answers = vec![Answer::NONE; SHADOWS + shadows.len()];
        let (frozen, learning, kept) = (network.clone(), network.clone(), network);
        Ok(Panel { frozen, learning, kept, shadows, retrained, watches_live, answers })
    }

    /// Models that answer each row.
    pub(crate) fn models(&self) -> usize {
        self.answers.len()
    }

    /// Values of a row: the live model's columns, then each shadow's.
    pub(crate) fn values(&self, base: &Loaded) -> usize {
        base.model.contract.names.len() + self.shadows.iter().map(Shadow::columns).sum::<usize>()
    }

    /// Place of the retrained model among the shadows, and its hash; the model file's before the first retraining.
    pub(crate) fn retrained(&self) -> Option<(usize, u64)> {
        self.retrained.map(|nth| (nth, self.shadows[nth].loaded.hash))
    }

    pub(crate) fn state(&self) -> usize {
        self.frozen.state()
    }

    pub(crate) fn owner(&self, base: &Loaded, hash: u64) -> Owner {
        if hash == base.hash {
            return Owner::Frozen;
        }
        let place = self.shadows.iter().position(|shadow| shadow.loaded.hash == hash);
        place.map_or(Owner::Learned, Owner::Shadow)
    }

    /// Answers a row whose scaled rows end at `place` of the stream; false when the live model's window is not full.
    pub(crate) fn answer(
        &mut self,
        row: &Row<'_>,
        stream: &mut Stream,
        place: u64,
        weights: Weights<'_>,
    ) -> bool {
        for (nth, shadow) in self.shadows.iter_mut().enumerate() {
            self.answers[SHADOWS + nth] = shadow.answer(row.instrument, row.values);
        }
        let Weights { base, learning, live, previous } = weights;
        let mut states = std::mem::take(&mut stream.states);
        let input = stream.span(place, base.model.contract.window);
        if let Some(input) = input {
            let own = &base.model.parameters;
            self.answers[FROZEN] = self.frozen.answer(own, input, &mut states.frozen);
            self.answers[LEARNING] = self.learning.answer(learning, input, &mut states.learning);
            if self.watches_live {
                self.answers[LIVE] = self.kept(base, live, input, &mut states.live);
                self.answers[PREVIOUS] = previous
                    .map_or(Answer::NONE, |previous| self.kept(base, previous, input, &mut states.previous));
            }
        }
        let whole = input.is_some();
        stream.states = states;
        whole
    }

    /// What a version says: its owner has said it already, unless nobody owns it.
    fn kept(&mut self, base: &Loaded, version: &Version, input: &[f32], state: &mut [f32]) -> Answer {
        match self.owner(base, version.hash) {
            Owner::Frozen => self.answers[FROZEN],
            Owner::Shadow(nth) => self.answers[SHADOWS + nth],
            Owner::Learned => self.kept.answer(&version.parameters, input, state),
        }
    }

    /// Forgets an instrument's rows.
    pub(crate) fn reset(&mut self, instrument: usize) {
        self.shadows.iter_mut().for_each(|shadow| shadow.reset(instrument));
    }

    pub(crate) fn save(&self, out: &mut Out) {
        self.shadows.iter().for_each(|shadow| shadow.save(out));
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.shadows.iter_mut().try_for_each(|shadow| shadow.load(from))
    }
}
