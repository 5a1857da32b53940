//! What models are trained and tested on: a capture's rows through the feed's own pipeline, labels, splits in time, scores.
//!
//! A [`Market`] holds every row of a capture once. A [`Task`] is one question asked of it: columns, label, horizon, stretch of time;
//! everything learned from data (threshold, scaling, class weights) comes from its training part. [`Answers`] scores a model on the rest.
#![forbid(unsafe_code)]

mod answers;
mod columns;
mod error;
mod fi2010;
mod fitting;
mod label;
mod market;
mod mirror;
mod network;
mod online;
mod task;

pub use answers::{Answers, BINS, Scores};
pub use columns::{COLUMNS, Columns, column, value};
pub use error::DataError;
pub use fi2010::{FI_COLUMNS, FI_ROWS, Fi2010};
pub use fitting::{Fitting, Judgement};
pub use label::{Kind, Labelling};
pub use market::{Market, Stock};
pub use network::{NETWORKS, Size, network};
pub use online::{Habit, Online, Stretch};
pub use task::{Cut, Task, Wanted};
