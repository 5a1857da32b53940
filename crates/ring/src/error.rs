//! Why a segment or a bell cannot be used. Codes are stable; texts say what to do.

use core::fmt;
use std::path::PathBuf;

/// Why a segment was refused.
#[derive(Debug)]
pub enum SegmentError {
    /// The operating system refused `action` on the file.
    Io {
        /// File concerned.
        path: PathBuf,
        /// What was tried, as a verb: "open", "create", "map".
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Creation is exclusive, and the file is already there.
    Exists {
        /// File concerned.
        path: PathBuf,
    },
    /// The header's field has a value that this build does not accept.
    Header {
        /// File concerned.
        path: PathBuf,
        /// Field of the header: "magic", "version", "hash", "kind", "bytes", "slots", "stride".
        field: &'static str,
        /// Byte offset of the field.
        offset: usize,
        /// What the file holds.
        found: u64,
        /// What this build accepts.
        expected: u64,
    },
    /// A writer was attached to a segment that was opened read-only.
    ReadOnly {
        /// File concerned.
        path: PathBuf,
    },
    /// Size, slots or payload asked for are outside what a segment can have.
    Shape {
        /// File concerned.
        path: PathBuf,
        /// Argument concerned.
        field: &'static str,
        /// What was asked for.
        found: u64,
        /// What is accepted, in words.
        accepted: &'static str,
    },
}

impl SegmentError {
    /// Stable code of the reason.
    pub fn code(&self) -> &'static str {
        match self {
            SegmentError::Io { .. } => "RING_IO",
            SegmentError::Exists { .. } => "RING_EXISTS",
            SegmentError::Header { .. } => "RING_HEADER",
            SegmentError::ReadOnly { .. } => "RING_READ_ONLY",
            SegmentError::Shape { .. } => "RING_SHAPE",
        }
    }
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SegmentError::Io { path, action, source } => {
                write!(f, "RING_IO: cannot {action} segment {}: {source}", path.display())
            }
            SegmentError::Exists { path } => write!(
                f,
                "RING_EXISTS: segment {} already exists; stop the line that uses it or remove the file",
                path.display()
            ),
            SegmentError::Header { path, field, offset, found, expected } => write!(
                f,
                "RING_HEADER: segment {}: {field} at byte {offset} is {found:#x}, expected {expected:#x}; it was made by another \
                 build or is not a segment: stop the line, remove the file and start again",
                path.display()
            ),
            SegmentError::ReadOnly { path } => {
                write!(
                    f,
                    "RING_READ_ONLY: segment {} was opened read-only; open it for writing",
                    path.display()
                )
            }
            SegmentError::Shape { path, field, found, accepted } => {
                write!(
                    f,
                    "RING_SHAPE: segment {}: {field} is {found}, accepted is {accepted}",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for SegmentError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SegmentError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why nothing was claimed. Nothing has changed; the caller may try again (`Full`) or must stop (`TooLong`, `Fenced`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The reader has not freed a slot yet.
    Full,
    /// The payload does not fit a slot of this channel.
    TooLong,
    /// Another writer has attached since: this one is dead to the channel.
    Fenced,
}

/// A record that the protocol cannot produce: the memory was written by something else. The channel must not be used further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// Sequence the reader was at.
    pub sequence: u64,
    /// Byte offset of the slot in the segment.
    pub offset: usize,
    /// Field with the impossible value: "length", "sequence" or "epoch".
    pub field: &'static str,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RING_CORRUPT: record {} at byte {} has an impossible {}; stop the line, something else wrote to the segment",
            self.sequence, self.offset, self.field
        )
    }
}

impl std::error::Error for Corrupt {}
