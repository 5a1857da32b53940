//! Neural networks that answer inside a tick.
