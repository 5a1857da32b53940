//! Shared memory between the processes of a line: segments, three channels, the control block, doorbells.
//!
//! The only room that names atomics. It moves bytes and does not know what a message means, nor the time: stamps are arguments.
//! `README.md` has the byte tables; `services/kit/ring` reads and writes the same bytes from TypeScript.
//!
//! Unsafe code rests on the invariants I1-I4 listed in `mapping.rs`.

#[cfg(not(loom))]
pub mod bell;
pub mod broadcast;
#[cfg(not(loom))]
pub mod control;
mod error;
#[cfg(any(not(loom), test))]
pub mod hold;
pub mod latest;
pub mod layout;
pub mod lossless;
#[cfg(not(loom))]
mod mapping;
#[cfg(loom)]
#[path = "model/mapping.rs"]
mod mapping;
pub mod names;
#[cfg(loom)]
#[path = "model/payload.rs"]
mod payload;
#[cfg(not(loom))]
mod plain;
#[cfg(not(loom))]
mod segment;
#[cfg(loom)]
#[path = "model/segment.rs"]
mod segment;
mod slots;
mod sync;

pub use error::{Corrupt, Refusal, SegmentError};
#[cfg(not(loom))]
pub use plain::{Guarded, Plain};
#[cfg(loom)]
pub use segment::{Kind, Segment};
#[cfg(not(loom))]
pub use segment::{Kind, Segment, Shape, remove};
pub use slots::Record;
