//! Learning beside the line: rows come by, labels form when their future has come, a model learns from them, and what it has become is
//! published inside a declared envelope.
//!
//! A [`Beside`] is a pure function of its settings, the model and the rows given: it reads no clock (line time comes with the rows) and
//! its sums have a fixed order, so the same rows give the same weights, bit for bit. A [`Desk`] adds the two doors: the checkpoint file
//! and the line's weights segment.
//!
//! - L1. A label of a row is formed from the mid price exactly `horizon` events of its instrument later, never before that event was given.
//! - L2. A row is answered, for the running evaluation, before anything is learned at its event.
//! - L3. Nothing is published that the checkpoint file does not hold.
//! - L4. Weights that a person published are never replaced: the learner then stands down.
//! - L5. With a gate, the live model gives its place only to one that was judged over the same labels, all answered since the contest began;
//!   every such decision is in the checkpoint before it takes effect.

#![forbid(unsafe_code)]

mod actor;
mod answer;
mod beside;
mod bytes;
mod change;
mod contest;
mod critic;
mod desk;
mod dropout;
mod envelope;
mod error;
mod gate;
mod history;
mod kept;
mod liquidity;
mod log;
mod network;
mod norm;
mod offer;
mod pace;
mod panel;
mod promotion;
mod recall;
mod retrain;
mod school;
mod settings;
mod shadow;
mod store;
mod stream;
mod tally;
mod trades;
mod window;

pub use actor::ActorCritic;
pub use answer::Answer;
pub use beside::{Beside, Counts, Did, Row};
pub use change::{Change, Move};
pub use desk::{Desk, Outcome};
pub use envelope::{Envelope, Judged, Verdict};
pub use error::LearnError;
pub use gate::{Fitness, Gate, Ruling};
pub use liquidity::Liquidity;
pub use pace::{Anneal, Pace, Plateau, Volatility};
pub use promotion::Standing;
pub use retrain::Retrain;
pub use school::Stride;
pub use settings::{Cadence, Replay, Settings, Turn};
pub use shadow::Declared;
pub use tally::{Score, Tally};
pub use window::Window;
