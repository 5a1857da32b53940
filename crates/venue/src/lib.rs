//! The simulated venue as a pure state machine.
