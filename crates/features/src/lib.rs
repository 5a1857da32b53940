//! Features of a book and its events: the level values and the derived values of a `FeaturesBody`.
//!
//! Incremental, O(levels) a row, no allocation, no clock: a pure function of the books and the line times given.
#![forbid(unsafe_code)]

mod features;
mod liquidity;
pub mod names;
mod relative;
mod snapshot;
mod tensor;
mod window;

pub use features::{Features, Marks, Row};
pub use liquidity::liquidity;
pub use names::NAMES;
pub use relative::{RELATIVE, relative, relative_names, relative_place};
pub use snapshot::{DEPTH, LEVELS, Snapshot};
pub use tensor::Tensor;
pub use window::WINDOW;
