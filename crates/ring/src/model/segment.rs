//! The segment of a loom model: a channel's words and measures, without a file or header.

use crate::error::SegmentError;
use crate::layout::*;
use crate::mapping::Mapping;
use crate::sync::Ordering::Relaxed;
use std::path::{Path, PathBuf};

/// As in the real segment; models need no more kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One writer, one reader, nothing lost.
    Lossless,
    /// One writer that never waits.
    Broadcast,
    /// The newest value.
    Latest,
}

/// A channel's memory.
pub struct Segment {
    pub(crate) mapping: Mapping,
    kind: Kind,
    slots: u32,
    stride: usize,
    path: PathBuf,
}

impl Segment {
    /// A channel of `slots` slots for payloads of `payload` bytes, as small as the protocol allows: loom pays per word.
    pub fn model(kind: Kind, slots: u32, payload: usize) -> Segment {
        Segment::model_at(kind, slots, payload, 1)
    }

    /// The same, with `first` as the sequence of the first record.
    pub fn model_at(kind: Kind, slots: u32, payload: usize, first: u64) -> Segment {
        let stride = RECORD_PAYLOAD + payload;
        let mapping = Mapping::heap(AT_DATA + slots as usize * stride);
        for at in [AT_TAIL, AT_HEAD] {
            mapping.word(at).store(first as u32, Relaxed);
            mapping.word(at + 4).store((first >> 31) as u32, Relaxed);
        }
        mapping.word(AT_DATA + RECORD_SEQUENCE).store(!0, Relaxed);
        Segment { mapping, kind, slots, stride, path: PathBuf::from("(model)") }
    }

    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn payload_max(&self) -> usize {
        self.stride - RECORD_PAYLOAD
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn require(&self, kind: Kind, _write: bool) -> Result<(), SegmentError> {
        assert_eq!(self.kind, kind, "a model attaches the ends of its own kind");
        Ok(())
    }
}
