//! What a run was: the first entry of every segment, as JSON.

use crate::channels::Channels;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the format.
pub const FORMAT: u32 = 1;

/// The same moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Since 1970, ns.
    pub wall_ns: u64,
    /// Monotonic, ns.
    pub monotonic_ns: u64,
}

/// How long, and over how many messages, a line waited for what both its lines had lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// ns.
    pub patience_ns: u64,
    /// Messages, a power of two up to 2^24.
    pub window: u32,
}

/// How a recorder went on after another one of the same run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Sequence of the last entry found.
    pub after: u64,
    /// Bytes of a torn tail that were cut off behind it.
    pub cut: u64,
    /// Records of each stream that were gone; gap entries that follow say which.
    pub missed: Channels,
}

/// What a run was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHeader {
    /// Version of the format, [`FORMAT`].
    pub format: u32,
    /// Number of the run: when it began, ms since 1970.
    pub run: u64,
    /// Name of the line.
    pub line: String,
    /// SHA-256 of its configuration.
    pub config: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Program to version.
    pub versions: BTreeMap<String, String>,
    /// True when line time is a capture's time, false when it is monotonic.
    pub replay: bool,
    /// Number of this segment in its run, from 1.
    pub segment: u32,
    /// Destinations of line A, line B and the answers to re-requests, as `address:port`, where they are known.
    pub lines: [Option<String>; 3],
    /// Set when the line waited longer than a capture's reader does, since it asked for what was missing.
    pub waits: Option<Waits>,
    /// When the segment began.
    pub clock: Clock,
    /// Number in its stream of the next record of each, from 1.
    pub channels: Channels,
    /// Set when a recorder begins after another one of this run has died.
    pub resumed: Option<Resumed>,
}

impl RunHeader {
    /// As written.
    pub fn bytes(&self) -> Vec<u8> {
        // A map of strings and plain numbers always serializes.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// As read.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn of(payload: &[u8]) -> Result<RunHeader, String> {
        let header: RunHeader = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        if header.format != FORMAT {
            return Err(format!("its format is {}, this program reads {FORMAT}", header.format));
        }
        Ok(header)
    }
}
