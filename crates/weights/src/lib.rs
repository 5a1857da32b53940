//! Model weights in shared memory: three copies in the segment `weights`, so that a new model takes over between two ticks and no tick
//! ever waits for it.
//!
//! The segment's data (`ring::hold`'s two words come first):
//!
//! | offset | field | |
//! |---|---|---|
//! | 128 | magic, u64 | `TLWEIGHT` |
//! | 136 | fingerprint, u64 | architecture and columns that the weights are for (`Model::fingerprint`) |
//! | 144 | lines, u64 | 64-byte lines of one copy |
//! | 192, 256, 320 | model hash, u64 | of the copy in place 0, 1, 2 |
//! | 512 | the copies | `lines` each |
//!
//! Invariants:
//! - W1: the layout above is written once, under the writers' lock, before the first publication, and never changes.
//! - W2: a copy is written only between `Publisher::free` and `Publisher::publish`, by the one writer that holds the lock.
//! - W3: a copy is read only while `Holder` holds its place.

mod error;
mod layout;
mod reader;
mod writer;

pub use error::WeightsError;
pub use layout::segment_bytes;
pub use reader::Reader;
pub use writer::Writer;
