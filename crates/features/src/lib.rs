//! Features of a book and its events: the level values and the derived values of a `FeaturesBody`.
//!
//! Incremental, O(levels) an event, no allocation, no clock: a pure function of the books and the line times given.
#![forbid(unsafe_code)]

pub mod names;

pub use names::NAMES;
