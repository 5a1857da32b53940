//! The simulated venue as a process.
fn main() {}
