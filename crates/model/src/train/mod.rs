//! Learning: forward with a tape, backward by hand for every layer, optimisers, a trainer for classifiers.
//!
//! Written once for `f32` (training) and `f64` (the finite differences that check it). Sums run in a fixed order, so the same data, seed and
//! build give the same weights, bit for bit.

mod dice;
mod fit;
mod label;
mod loss;
mod net;
mod optimise;
mod real;
mod recurrent;
mod score;

pub use dice::Dice;
pub use fit::{Fit, Settings};
pub use label::{CLASSES, Labels, label, move_sizes, persistence, threshold};
pub use loss::cross_entropy;
pub use net::{Memory, Net, Tape};
pub use optimise::{Adam, Optimiser, Sgd};
pub use real::Real;
pub use score::{Confusion, majority};
