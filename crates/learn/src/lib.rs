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

#![forbid(unsafe_code)]

mod beside;
mod bytes;
mod desk;
mod envelope;
mod error;
mod kept;
mod network;
mod offer;
mod score;
mod settings;
mod store;
mod stream;

pub use beside::{Beside, Counts, Did, Row};
pub use desk::{Desk, Outcome};
pub use envelope::{Envelope, Judged, Verdict};
pub use error::LearnError;
pub use score::{Scores, Window};
pub use settings::{Cadence, Settings};
