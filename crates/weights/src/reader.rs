//! The reading end: the inference service.
use crate::error::WeightsError;
use crate::layout::Layout;
use std::sync::Arc;
use tickline_model::{Program, Weights};
use tickline_ring::Segment;
use tickline_ring::hold::Holder;

/// Looks at the newest weights, once a tick.
pub struct Reader {
    layout: Layout,
    holder: Holder,
}

impl Reader {
    /// Becomes the segment's one reader. Some writer has published before.
    ///
    /// # Errors
    /// A segment of another kind, size or architecture.
    pub fn attach(segment: Arc<Segment>, program: &Program) -> Result<Reader, WeightsError> {
        let layout = Layout::new(segment.clone(), program)?;
        layout.require(program)?;
        Ok(Reader { layout, holder: Holder::attach(segment)? })
    }

    /// The newest weights, unchanging until the next call; `None` before the first publication. Cost: one load while nothing changes.
    #[inline]
    pub fn newest(&mut self) -> Option<Weights<'_>> {
        let (place, _) = self.holder.hold()?;
        // SAFETY: W3: the result borrows `self`, so it is gone before the holder can move on.
        let (lines, version) = unsafe { self.layout.held(place) };
        Some(Weights { lines, version })
    }
}
