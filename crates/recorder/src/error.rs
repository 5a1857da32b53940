//! Why a recorder cannot go on.

use std::fmt;
use tickline_journal::Fault;
use tickline_ring::{Corrupt, SegmentError};

/// What went wrong; each has a stable code at the start of its text.
#[derive(Debug)]
pub enum RecorderError {
    /// The journal cannot be written or is damaged.
    Journal(Fault),
    /// A ring cannot be opened.
    Ring(SegmentError),
    /// A ring holds what no writer of ours writes.
    Corrupt(Corrupt),
    /// The control block has no recorder.
    NoBlock,
}

impl fmt::Display for RecorderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecorderError::Journal(fault) => write!(f, "{}: {fault}", fault.code()),
            RecorderError::Ring(error) => error.fmt(f),
            RecorderError::Corrupt(error) => error.fmt(f),
            RecorderError::NoBlock => {
                write!(f, "RING_HEADER: the control block has no recorder; build everything anew")
            }
        }
    }
}

impl std::error::Error for RecorderError {}

impl From<Fault> for RecorderError {
    fn from(fault: Fault) -> RecorderError {
        RecorderError::Journal(fault)
    }
}

impl From<SegmentError> for RecorderError {
    fn from(error: SegmentError) -> RecorderError {
        RecorderError::Ring(error)
    }
}

impl From<Corrupt> for RecorderError {
    fn from(error: Corrupt) -> RecorderError {
        RecorderError::Corrupt(error)
    }
}
