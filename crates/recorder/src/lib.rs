//! What a line says in its rings, into its journal: frames, signals, orders and fills, each record once, and every record that was
//! overwritten before it could be taken declared.
#![forbid(unsafe_code)]

mod command;
mod error;
mod inlet;
mod opening;
mod recorder;

pub use error::RecorderError;
pub use opening::{Opening, Taps};
pub use recorder::Recorder;
