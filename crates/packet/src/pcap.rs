//! Captures: reading pcap and pcapng, plain or gzip, and playing them at a pace.

mod capture;
mod circle;
mod classic;
mod fault;
mod gunzip;
mod next_generation;
mod player;
mod recording;
mod writer;

pub use capture::{Capture, Skipped};
pub use circle::Circle;
pub use fault::{Cause, Fault};
pub use player::{Player, Speed};
pub use recording::{BYTES_MAX, RawFrame, Recording, Tail};
pub(crate) use recording::{FRAME_BYTES_MAX, Index, Place};
pub use writer::PcapWriter;
