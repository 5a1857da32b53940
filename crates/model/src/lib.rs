//! Neural networks that answer inside a tick.

pub mod schema;
