//! How to learn, and how far.
use crate::actor::ActorCritic;
use crate::envelope::Envelope;
use crate::error::LearnError;
use crate::gate::Gate;
use crate::liquidity::Liquidity;
use crate::pace::Pace;
use crate::retrain::Retrain;
use tickline_model::Plan;
use tickline_model::file::Loaded;
use tickline_model::train::{CLASSES, Loss, Recipe};

/// When a step is taken. Time is line time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cadence {
    /// At every label.
    Tick,
    /// At every row that traded, from the labels since the last.
    Trade,
    /// At the first row of every interval of so many ns, from the labels since the last.
    Every(u64),
}

/// Whose turn it is where several learners, one a member of an ensemble, share the rows: each step that is due is one learner's.
///
/// It follows from the row alone, so that learners need not know of each other: from its interval for [`Cadence::Every`], in strict turn, else
/// from its sequence by even dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Learners; at least 1.
    pub of: u64,
    /// Which of them this one is, from 0.
    pub own: u64,
}

impl Turn {
    /// Every step is its own.
    pub const ALWAYS: Turn = Turn { of: 1, own: 0 };

    /// Whether a step that is due at a row of this sequence, instrument and time is its own.
    pub(crate) fn has(self, cadence: Cadence, seq: u64, instrument: usize, time_ns: u64) -> bool {
        let turn = match cadence {
            Cadence::Every(ns) => time_ns / ns,
            Cadence::Tick | Cadence::Trade => scattered(seq.wrapping_add(scattered(instrument as u64))),
        };
        turn % self.of == self.own
    }
}

/// Neighbours come to lie far apart (SplitMix64's last steps, Steele et al. 2014).
fn scattered(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Everything that decides what is learned. Two learners with equal settings and rows have equal weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Symbols, one an instrument; rows name them by place.
    pub symbols: Vec<String>,
    /// Seed of dropout.
    pub seed: u64,
    /// Loss, optimiser, clipping and the like.
    pub recipe: Recipe,
    /// Learning rate, before the pace.
    pub rate: f32,
    /// How the rate moves from step to step.
    pub pace: Pace,
    /// Share of values left out in a step, 0 to 0.9; `None`: as the model has it.
    pub dropout: Option<f32>,
    /// Dropout that is raised when liquidity is low; `None`: it stays as it is.
    pub liquidity: Option<Liquidity>,
    /// When a step is taken; stateful networks take one whenever `steps` rows of an instrument have their labels.
    pub cadence: Cadence,
    /// Whose turn a step is.
    pub turn: Turn,
    /// Labels that one step learns from at most, the newest; 1 for [`Cadence::Tick`] and for stateful networks.
    pub batch: usize,
    /// Rows that one step of a stateful network goes back through (truncated backpropagation).
    pub steps: usize,
    /// Events ahead that labels look; at least 1.
    pub horizon: usize,
    /// Moves above this are up or down, 1/10,000 dollar.
    pub threshold: f64,
    /// Learning from a memory instead of the newest labels alone.
    pub replay: Option<Replay>,
    /// Labels that the running evaluation looks back over.
    pub window: usize,
    /// Line time between two offers to publish, ns.
    pub offer_ns: u64,
    /// How far published weights may go.
    pub envelope: Envelope,
    /// Learning by reward instead of labels; `None`: labels are learned.
    pub actor_critic: Option<ActorCritic>,
    /// Learning anew from a rolling window of labels; `None`: never.
    pub retrain: Option<Retrain>,
    /// How a model takes the live one's place; `None`: weights within the envelope are published as they are learned.
    pub gate: Option<Gate>,
}

/// Classes of a direction model: down, flat, up.
const DIRECTIONS: usize = CLASSES.len();

impl Settings {
    /// The model's plan, when they fit it and each other.
    ///
    /// # Errors
    /// [`LearnError::Setting`] and [`LearnError::Model`].
    pub(crate) fn fits(&self, loaded: &Loaded) -> Result<Plan, LearnError> {
        let wrong = |text: String| Err(LearnError::Setting(text));
        let plan = loaded.model.verify()?;
        let stateful = loaded.model.architecture.stateful;
        if !loaded.model.architecture.classifies() || plan.outputs() != DIRECTIONS {
            return wrong(format!(
                "model {:?} does not end in a softmax over down, flat, up; only direction models learn beside the line",
                loaded.model.name
            ));
        }
        let one = stateful || (self.cadence == Cadence::Tick && self.replay.is_none());
        if self.batch == 0 || (one && self.batch != 1) {
            return wrong(format!(
                "batch {}; a stateful network takes 1, and so does a step at every label without replay, others at least 1",
                self.batch
            ));
        }
        if self.horizon == 0 || self.steps == 0 || self.window == 0 || self.symbols.is_empty() {
            return wrong("horizon, steps, window and the number of symbols must be at least 1".to_owned());
        }
        if self.cadence == Cadence::Every(0) || self.offer_ns == 0 {
            return wrong("an interval of 0 ns; give at least 1".to_owned());
        }
        if self.turn.own >= self.turn.of {
            return wrong(format!("turn {} of {}; give one below", self.turn.own, self.turn.of));
        }
        let (rate, threshold) = (self.rate, self.threshold);
        if !(rate > 0.0 && rate.is_finite() && threshold >= 0.0 && threshold.is_finite()) {
            return wrong(format!(
                "rate {rate} must be above 0 and threshold {threshold} at least 0, both finite"
            ));
        }
        if let Loss::Cautious { over, under } = self.recipe.loss
            && !(over > under && under >= 0.0 && over.is_finite())
        {
            return wrong(format!(
                "a hinge of {over} for claiming too much and {under} for too little; false alarms must cost more than missed moves: give over \
                 above under, and under at least 0"
            ));
        }
        if let Some(dropout) = self.dropout.filter(|share| !(0.0..=0.9).contains(share)) {
            return wrong(format!("dropout {dropout}; give 0 to 0.9"));
        }
        let liquidity = self.liquidity.and_then(|liquidity| liquidity.wrong());
        let retrain = self.retrain.as_ref().and_then(|retrain| retrain.wrong());
        let gate = self.gate.and_then(|gate| gate.wrong());
        let actor = self.actor_critic.and_then(|actor| actor.wrong());
        if let Some(text) = self.pace.wrong().or(liquidity).or(retrain).or(gate).or(actor) {
            return wrong(text);
        }
        Ok(plan)
    }
}

/// A memory to learn from, in which rare classes come more often ([`tickline_model::train::Replay`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Labels kept, or stretches of a stateful network.
    pub capacity: usize,
    /// A class rarer than the most frequent one comes as often as that, but at most this many times as often as it did.
    pub oversample: f64,
    /// How much more often comes what the network was wrong about: 0 not at all, 1 in proportion to its loss.
    pub sharpness: f64,
    /// How far importance weights put that right, 0 to 1.
    pub correction: f64,
}
