//! Where things lie in the segment's data; see the crate's documentation.
use crate::error::WeightsError;
use std::sync::Arc;
use tickline_model::{Line, Program};
use tickline_ring::layout::AT_DATA;
use tickline_ring::{Kind, Segment};

const MAGIC: u64 = u64::from_le_bytes(*b"TLWEIGHT");
const AT_MAGIC: usize = AT_DATA + 128;
const AT_FINGERPRINT: usize = AT_DATA + 136;
const AT_LINES: usize = AT_DATA + 144;
const AT_PLACES: usize = AT_DATA + 192;
const AT_COPIES: usize = AT_DATA + 512;

/// Bytes of data a segment needs for three copies of a program's weights.
pub fn segment_bytes(program: &Program) -> usize {
    AT_COPIES - AT_DATA + 3 * program.weights_lines() * size_of::<Line>()
}

/// A checked view of the segment for one program.
pub(crate) struct Layout {
    pub(crate) segment: Arc<Segment>,
    lines: usize,
}

impl Layout {
    /// Checks that the segment is plain, writable and large enough for the program.
    pub(crate) fn new(segment: Arc<Segment>, program: &Program) -> Result<Layout, WeightsError> {
        // The holder refuses other kinds and read-only segments with the ring's own error.
        tickline_ring::hold::Publisher::attach(segment.clone())?;
        debug_assert_eq!(segment.kind(), Kind::Plain);
        let (given, needed) = (segment.bytes() - AT_DATA, segment_bytes(program));
        if needed > given {
            return Err(WeightsError::Room { given, needed });
        }
        Ok(Layout { segment, lines: program.weights_lines() })
    }

    fn word(&self, at: usize) -> *mut u64 {
        debug_assert!(at.is_multiple_of(8) && at + 8 <= self.segment.bytes());
        // SAFETY: `at` is one of the constants above, and `new` checked that the segment reaches past all of them.
        unsafe { self.segment.base().add(at).cast::<u64>() }
    }

    /// True once some writer has laid out the segment.
    pub(crate) fn is_laid_out(&self) -> bool {
        // SAFETY: W1; called under the writers' lock, or after the word was seen set.
        unsafe { self.word(AT_MAGIC).read_volatile() == MAGIC }
    }

    /// Writes the layout; under the writers' lock, before anything is published.
    pub(crate) fn lay_out(&self, program: &Program) {
        // SAFETY: W1.
        unsafe {
            self.word(AT_FINGERPRINT).write_volatile(program.fingerprint());
            self.word(AT_LINES).write_volatile(self.lines as u64);
            self.word(AT_MAGIC).write_volatile(MAGIC);
        }
    }

    /// Checks that what is laid out is for this program.
    pub(crate) fn require(&self, program: &Program) -> Result<(), WeightsError> {
        // SAFETY: W1.
        let (found, lines) =
            unsafe { (self.word(AT_FINGERPRINT).read_volatile(), self.word(AT_LINES).read_volatile()) };
        if self.is_laid_out() && found == program.fingerprint() && lines == self.lines as u64 {
            return Ok(());
        }
        Err(WeightsError::Foreign { found, expected: program.fingerprint() })
    }

    fn copy_at(&self, place: usize) -> *mut Line {
        assert!(place < tickline_ring::hold::PLACES as usize);
        let at = AT_COPIES + place * self.lines * size_of::<Line>();
        debug_assert!(at.is_multiple_of(64));
        // SAFETY: `new` checked that three copies fit.
        unsafe { self.segment.base().add(at).cast::<Line>() }
    }

    /// The lines and the model hash of a place that the reader holds.
    ///
    /// # Safety
    /// W3: the place is held for as long as the result is used.
    #[inline]
    pub(crate) unsafe fn held(&self, place: usize) -> (&[Line], u64) {
        // SAFETY: in bounds and aligned by `copy_at`; nobody writes it by the caller's promise and W2.
        unsafe {
            let lines = std::slice::from_raw_parts(self.copy_at(place), self.lines);
            (lines, self.word(AT_PLACES + 64 * place).read())
        }
    }

    /// The lines of a free place, to be written, and the word for its model hash.
    ///
    /// # Safety
    /// W2: the place came from `Publisher::free`, the caller has the writers' lock, and publishes before it asks again.
    pub(crate) unsafe fn free(&mut self, place: usize) -> (&mut [Line], &mut u64) {
        // SAFETY: in bounds and aligned by `copy_at`; nobody else looks at it by the caller's promise.
        unsafe {
            let lines = std::slice::from_raw_parts_mut(self.copy_at(place), self.lines);
            (lines, &mut *self.word(AT_PLACES + 64 * place))
        }
    }
}
