//! The control block: one segment per line that any tool may map read-only. A line block, then one block per service, each written
//! by its service only (the supervisor writes `restarts`; anyone may disarm).

mod cell;
mod histogram;
mod line;
mod service;
mod text;

pub use histogram::{BINS, Histogram, bin_of, bin_value};
pub use line::{ARMED, Cause, LineBlock};
pub use service::{ServiceBlock, State};

use crate::error::SegmentError;
use crate::layout::AT_DATA;
use crate::names::{SERVICES, place};
use crate::segment::{Kind, Segment};
use std::path::Path;
use std::sync::Arc;

/// Places for services.
pub const SERVICES_MAX: usize = 16;
/// Places for counters in a service block.
pub const COUNTERS_MAX: usize = 64;
/// Places for histograms in a service block.
pub const HISTOGRAMS_MAX: usize = 16;
/// Line block: where it begins.
pub(crate) const AT_LINE: usize = AT_DATA;
/// Service blocks: where the first begins.
pub(crate) const AT_SERVICES: usize = AT_DATA + 512;
/// Bytes of one service block.
pub(crate) const SERVICE_BYTES: usize = 290_816;
/// Bytes of the whole segment.
pub const BYTES: usize = AT_SERVICES + SERVICES_MAX * SERVICE_BYTES;

/// The opened control segment.
#[derive(Clone)]
pub struct Control {
    segment: Arc<Segment>,
}

impl Control {
    /// Opens the control segment of a line to write to it.
    pub fn open(path: impl AsRef<Path>) -> Result<Control, SegmentError> {
        Control::new(Arc::new(Segment::open(path)?))
    }

    /// Opens it to look at.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Control, SegmentError> {
        Control::new(Arc::new(Segment::open_read_only(path)?))
    }

    /// Over a segment that is mapped already.
    pub fn new(segment: Arc<Segment>) -> Result<Control, SegmentError> {
        segment.require(Kind::Control, false)?;
        Ok(Control { segment })
    }

    /// The line's block.
    pub fn line(&self) -> LineBlock {
        LineBlock::new(self.segment.clone())
    }

    /// The block in a place, 0 to 15; `None` past the end.
    pub fn service_at(&self, place: usize) -> Option<ServiceBlock> {
        (place < SERVICES_MAX)
            .then(|| ServiceBlock::new(self.segment.clone(), AT_SERVICES + place * SERVICE_BYTES))
    }

    /// The block of a service by its name in `names::SERVICES`.
    pub fn service(&self, name: &str) -> Option<ServiceBlock> {
        self.service_at(place(&SERVICES, name)?)
    }
}
