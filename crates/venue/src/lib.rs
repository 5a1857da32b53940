//! The simulated venue as a pure state machine: matching, background flow (generated or from a capture), ITCH out and
//! the server side of the order port. Time and randomness are arguments; there is no socket here.
#![forbid(unsafe_code)]

pub mod background;
pub mod engine;
pub mod feed_out;
pub mod flow;
pub mod log;
pub mod port;
mod refs;
pub mod soup_server;
mod venue;

pub use venue::Venue;
