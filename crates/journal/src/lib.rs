//! The journal: what entered and left a line, in files that say when they are damaged.
//!
//! Byte tables are in the crate's README. `scan` and `entry` are pure: bytes in, entries out. `writer` and `reader` are the edges that
//! open files.
#![forbid(unsafe_code)]

mod channels;
mod crc;
mod entry;
mod fault;
mod folder;
mod gap;
mod header;
mod info;
mod place;
mod reader;
mod scan;
mod writer;

pub use channels::{CHANNELS, Channels, NAMES, kind_name};
pub use crc::crc32c;
pub use entry::{Entry, HEAD_BYTES, PAYLOAD_BYTES_MAX, put, stored_bytes, take};
pub use fault::{Cause, Fault};
pub use folder::{Segment, segment_name, segments};
pub use gap::Gap;
pub use header::{Clock, FORMAT, Resumed, RunHeader, Waits};
pub use info::{Info, KindInfo, MissedInfo, RunInfo, SegmentInfo, TornInfo, info};
pub use place::{Place, is_journal};
pub use reader::Reader;
pub use scan::{Damage, Step, Torn, begin, step};
pub use tickline_wire::flat::journal::entry_kind as kind;
pub use writer::{Found, SEGMENT_BYTES_MIN, Settings, Sync, Writer};
