//! The feed without its edges: frames in, rows of features out.
//!
//! Wires arbitration, books and features of the configured instruments together. Used by the feed service, by dataset extraction and by
//! benchmarks, so that all three compute the same rows. No socket, no file, no clock: sources and times are given.
#![forbid(unsafe_code)]

mod counts;
mod desk;
mod pipeline;

pub use counts::Counts;
pub use pipeline::{Outlet, Pipeline, Settings};
