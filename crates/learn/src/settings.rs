//! How to learn, and how far.
use crate::envelope::Envelope;
use tickline_model::train::Recipe;

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

/// Everything that decides what is learned. Two learners with equal settings and rows have equal weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Symbols, one an instrument; rows name them by place.
    pub symbols: Vec<String>,
    /// Seed of dropout.
    pub seed: u64,
    /// Loss, optimiser, clipping and the like.
    pub recipe: Recipe,
    /// Learning rate.
    pub rate: f32,
    /// When a step is taken; stateful networks take one whenever `steps` rows of an instrument have their labels.
    pub cadence: Cadence,
    /// Labels that one step learns from at most, the newest; 1 for [`Cadence::Tick`] and for stateful networks.
    pub batch: usize,
    /// Rows that one step of a stateful network goes back through (truncated backpropagation).
    pub steps: usize,
    /// Events ahead that labels look; at least 1.
    pub horizon: usize,
    /// Moves above this are up or down, 1/10,000 dollar.
    pub threshold: f64,
    /// Labels that the running evaluation looks back over.
    pub window: usize,
    /// Line time between two offers to publish, ns.
    pub offer_ns: u64,
    /// How far published weights may go.
    pub envelope: Envelope,
}
