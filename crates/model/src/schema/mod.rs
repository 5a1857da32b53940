//! The model file's tables: official FlatBuffers code, generated from `schemas/model.fbs` by `npm run schemas`.
//!
//! Read a file with [`root_as_model`], which verifies every offset before anything is read.

#[rustfmt::skip]
#[allow(
    missing_docs,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    unused_imports,
    dead_code,
    mismatched_lifetime_syntaxes,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "written by flatc"
)]
mod model_generated;

pub use model_generated::tickline::*;
