//! Learning: any plan forward and backward, losses, optimisers, schedules, one step at a time ([`Learner`]) or over a data set
//! ([`Trainer`]).
//!
//! Written once for `f32` (training) and `f64` (the finite differences that check it). Sums run in a fixed order, so the same data, seed and
//! instruction set give the same weights, bit for bit.

mod adversary;
mod answers;
mod dice;
mod label;
mod learner;
mod loss;
mod optimise;
mod power;
mod prior;
mod recipe;
mod replay;
mod rows;
mod schedule;
mod score;
mod sum_tree;
mod sweep;
mod trainer;

pub use crate::net::{Net, Real};
pub use adversary::adversary;
pub use answers::answers;
pub use dice::Dice;
pub use label::{CLASSES, Labels, class, label, threshold};
pub use learner::Learner;
pub use loss::{Loss, cross_entropy};
pub use optimise::{Method, Optimiser};
pub use prior::{prior_shift, shift_answer, shift_bias};
pub use recipe::Recipe;
pub use replay::{Drawn, Memory, Replay};
pub use rows::{NO_CLASS, Rows, Target, Targets};
pub use schedule::{Plateau, Schedule, by_liquidity, by_volatility};
pub use score::{Confusion, majority};
pub use trainer::{Settings, Trainer};
