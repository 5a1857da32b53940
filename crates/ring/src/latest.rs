//! Latest channel: one value, the newest. One writer that never waits; any number of readers, which write nothing.
//!
//! Three slots: the writer fills the one after the published one, then publishes it. A slot is filled again only two publications
//! later, so a reader's copy is whole if at most one publication happened while it was made.

use crate::error::SegmentError;
use crate::layout::*;
use crate::segment::{Kind, Segment};
use crate::sync::Ordering::{AcqRel, Acquire, Release};
use crate::sync::fence;
use core::marker::PhantomData;
use core::mem::{align_of, size_of};
use std::sync::Arc;

/// Number of slots.
pub const SLOTS: u32 = 3;

/// Publications are counted modulo this.
const COUNT_MASK: u32 = u32::MAX >> 2;

/// A value that is nothing but its bytes.
///
/// # Safety
/// The type is `repr(C)` or `repr(transparent)`, has no padding, accepts every bit pattern, holds no pointer, and its size is a
/// multiple of eight with an alignment of at most eight.
pub unsafe trait Plain: Copy + 'static {}

// SAFETY: eight bytes, no padding, any pattern.
unsafe impl Plain for u64 {}
// SAFETY: an array of plain values of eight bytes each.
unsafe impl<const N: usize> Plain for [u64; N] {}

/// Why a value does not fit: checked once, when attaching.
fn require_room<T: Plain>(segment: &Segment) -> Result<(), SegmentError> {
    const { assert!(size_of::<T>().is_multiple_of(8) && align_of::<T>() <= 8) };
    if size_of::<T>() <= segment.payload_max() {
        return Ok(());
    }
    Err(SegmentError::Header {
        path: segment.path().to_path_buf(),
        field: "stride",
        offset: AT_STRIDE,
        found: segment.stride() as u64,
        expected: stride_of(size_of::<T>()) as u64,
    })
}

fn value_at(slot: u32, stride: usize) -> usize {
    AT_DATA + slot as usize * stride + RECORD_PAYLOAD
}

/// The writing end.
pub struct Writer<T: Plain> {
    segment: Arc<Segment>,
    /// Publications so far, modulo 2^30.
    count: u32,
    slot: u32,
    staging: Box<[u64]>,
    value: PhantomData<T>,
}

impl<T: Plain> Writer<T> {
    /// Becomes the channel's writer. What a dead writer had begun was never published and is overwritten.
    pub fn attach(segment: Arc<Segment>) -> Result<Writer<T>, SegmentError> {
        segment.require(Kind::Latest, true)?;
        require_room::<T>(&segment)?;
        segment.mapping.word(AT_EPOCH).fetch_add(1, AcqRel);
        let published = segment.mapping.word(AT_PUBLISHED).load(Acquire);
        let staging = vec![0u64; size_of::<T>() / 8].into_boxed_slice();
        Ok(Writer { segment, count: published >> 2, slot: published & 3, staging, value: PhantomData })
    }

    /// Publishes a value.
    #[inline]
    pub fn write(&mut self, value: &T) {
        let slot = (self.slot + 1) % SLOTS;
        // SAFETY: `Plain` has no padding and a size of `staging.len()` words; the two do not overlap.
        unsafe {
            core::ptr::copy_nonoverlapping(
                (value as *const T).cast::<u8>(),
                self.staging.as_mut_ptr().cast::<u8>(),
                size_of::<T>(),
            );
        }
        // SYNC: pairs with the acquire fence in `Reader::read`: who sees a byte of this value sees the publication before it.
        fence(Release);
        self.segment.mapping.put(value_at(slot, self.segment.stride()), &self.staging);
        // Count 0 means "nothing yet", so it is skipped when the count wraps.
        let count = (self.count + 1) & COUNT_MASK;
        self.count = if count == 0 { 1 } else { count };
        self.slot = slot;
        // SYNC: pairs with the acquire load in `Reader::read`.
        self.segment.mapping.word(AT_PUBLISHED).store(self.count << 2 | slot, Release);
    }
}

/// A reading end.
pub struct Reader<T: Plain> {
    segment: Arc<Segment>,
    staging: Box<[u64]>,
    value: PhantomData<T>,
}

impl<T: Plain> Reader<T> {
    /// Joins the channel; a read-only segment will do.
    pub fn attach(segment: Arc<Segment>) -> Result<Reader<T>, SegmentError> {
        segment.require(Kind::Latest, false)?;
        require_room::<T>(&segment)?;
        let staging = vec![0u64; size_of::<T>() / 8].into_boxed_slice();
        Ok(Reader { segment, staging, value: PhantomData })
    }

    /// The newest value, or `None` before the first. Retries only while the writer publishes twice during one copy.
    #[inline]
    pub fn read(&mut self) -> Option<T> {
        let published = self.segment.mapping.word(AT_PUBLISHED);
        // SYNC: pairs with the release store in `Writer::write`.
        let mut seen = published.load(Acquire);
        loop {
            if seen == 0 {
                return None;
            }
            self.segment.mapping.get(value_at(seen & 3, self.segment.stride()), &mut self.staging);
            // SYNC: pairs with the release fence in `Writer::write`.
            fence(Acquire);
            let now = published.load(Acquire);
            if ((now >> 2).wrapping_sub(seen >> 2) & COUNT_MASK) < 2 {
                // SAFETY: `Plain` accepts any bytes, and staging holds `size_of::<T>()` of them, 8-aligned.
                return Some(unsafe { self.staging.as_ptr().cast::<T>().read() });
            }
            seen = now;
            crate::sync::spin_loop();
        }
    }

    /// Publication number (modulo 2^30) of the newest value; 0 before the first. Cheap to poll for change.
    #[inline]
    pub fn version(&self) -> u32 {
        self.segment.mapping.word(AT_PUBLISHED).load(Acquire) >> 2
    }
}
