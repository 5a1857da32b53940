//! The hard limits every order passes.
