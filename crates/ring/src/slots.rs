//! The record layout that lossless and broadcast channels share: where slot `n` lies and how a record is begun and committed.

use crate::layout::*;
use crate::mapping::Mapping;
use crate::segment::Segment;
use crate::sync::Ordering::{Relaxed, Release};
use crate::sync::fence;
use std::sync::Arc;

/// A record as a reader sees it; valid during the handler's call only.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Kind of message, as the writer gave it.
    pub kind: u32,
    /// Place in the channel, from 1, without gaps.
    pub sequence: u64,
    /// Epoch of the writer: counts the writers that have attached.
    pub epoch: u32,
    /// The writer's time stamp in ns; 0 when it gave none.
    pub stamp_ns: u64,
    /// The message.
    pub payload: &'a [u8],
}

/// The slots of one channel.
pub(crate) struct Slots {
    pub(crate) segment: Arc<Segment>,
    count: u32,
    stride: usize,
}

impl Slots {
    pub(crate) fn new(segment: Arc<Segment>) -> Slots {
        Slots { count: segment.slots(), stride: segment.stride(), segment }
    }

    #[inline(always)]
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.segment.mapping
    }

    /// Number of slots, a power of two.
    #[inline(always)]
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Largest payload in bytes.
    #[inline(always)]
    pub(crate) fn payload_max(&self) -> usize {
        self.stride - RECORD_PAYLOAD
    }

    /// Byte offset of the slot of `sequence`; inside the segment for every sequence.
    #[inline(always)]
    pub(crate) fn at(&self, sequence: u64) -> usize {
        AT_DATA + (sequence as u32 & (self.count - 1)) as usize * self.stride
    }

    /// Marks the slot of a broadcast channel as being written, so that who is reading the record it held finds out. A lossless channel
    /// needs no mark: nobody looks at a free slot, and until the commit its word is that of an earlier lap.
    #[inline(always)]
    pub(crate) fn mark(&self, at: usize, sequence: u64) {
        self.mapping().word(at + RECORD_SEQUENCE).store(!(sequence as u32), Relaxed);
        // SYNC: pairs with the acquire fence of `broadcast::Subscriber::poll`: who sees any later store sees the mark.
        fence(Release);
    }

    /// Stores to every line that a record of `length` bytes takes in a free slot. Its writer does so as soon as it has committed the record
    /// before, while the reader is busy with that and looks at none of them: what it stores there later need not wait for the reader's cache.
    #[inline(always)]
    pub(crate) fn take(&self, sequence: u64, length: usize) {
        let (at, m) = (self.at(sequence), self.mapping());
        m.word(at + RECORD_LENGTH).store(length as u32, Relaxed);
        for line in (at + LINE..at + RECORD_PAYLOAD + length).step_by(LINE) {
            m.word64(line).store(0, Relaxed);
        }
    }

    /// Fills the header and publishes the record.
    #[inline(always)]
    pub(crate) fn commit(
        &self,
        at: usize,
        sequence: u64,
        length: usize,
        kind: u32,
        epoch: u32,
        stamp_ns: u64,
    ) {
        let m = self.mapping();
        m.word(at + RECORD_KIND).store(kind, Relaxed);
        m.word(at + RECORD_SEQUENCE + 4).store((sequence >> 32) as u32, Relaxed);
        m.word(at + RECORD_EPOCH).store(epoch, Relaxed);
        m.word64(at + RECORD_STAMP).store(stamp_ns, Relaxed);
        m.word(at + RECORD_LENGTH).store(length as u32, Relaxed);
        // SYNC: pairs with the readers' acquire load of the commit word.
        m.word(at + RECORD_SEQUENCE).store(sequence as u32, Release);
    }

    /// Low half of the sequence committed in this slot; its complement while a broadcast writer is at it.
    #[inline(always)]
    pub(crate) fn commit_word(&self, at: usize, order: crate::sync::Ordering) -> u32 {
        self.mapping().word(at + RECORD_SEQUENCE).load(order)
    }

    /// The whole sequence in the record's header.
    #[inline(always)]
    pub(crate) fn sequence(&self, at: usize) -> u64 {
        let m = self.mapping();
        let low = m.word(at + RECORD_SEQUENCE).load(Relaxed) as u64;
        let high = m.word(at + RECORD_SEQUENCE + 4).load(Relaxed) as u64;
        high << 32 | low
    }

    /// Stores a head or tail one above the one before: usually one store. The number of half turns goes first, so that the owner can die
    /// between the two: `load_sequence` then sees that they do not belong together.
    #[inline(always)]
    pub(crate) fn publish_sequence(&self, at: usize, sequence: u64) {
        let m = self.mapping();
        if (sequence as u32).trailing_zeros() >= 31 {
            m.word(at + 4).store((sequence >> 31) as u32, Release);
        }
        // SYNC: pairs with the writer's acquire load of the head (slots are free) and the readers' of the tail.
        m.word(at).store(sequence as u32, Release);
    }

    /// Stores a head or tail at start-up, both words; not below the one before and less than half a turn above it.
    pub(crate) fn store_sequence(&self, at: usize, sequence: u64) {
        let m = self.mapping();
        m.word(at + 4).store((sequence >> 31) as u32, Release);
        m.word(at).store(sequence as u32, Release);
    }

    /// Reads a head or tail that its owner may be storing, or may have died storing.
    pub(crate) fn load_sequence(&self, at: usize) -> u64 {
        use crate::sync::Ordering::Acquire;
        let m = self.mapping();
        loop {
            // SYNC: pairs with the stores in `publish_sequence`: a new low word is not seen with an old number of half turns twice.
            let turns = m.word(at + 4).load(Acquire);
            let low = m.word(at).load(Acquire);
            if m.word(at + 4).load(Acquire) == turns {
                // The top bit of the low word is the last bit of the number of half turns, unless that is one ahead.
                let turns = turns.wrapping_sub((turns ^ low >> 31) & 1);
                return u64::from(turns >> 1) << 32 | u64::from(low);
            }
            crate::sync::spin_loop();
        }
    }

    /// First sequence from `from` on that is not committed: where a writer goes on after the death of the one before. What that
    /// one had begun there is overwritten; nobody has seen it.
    pub(crate) fn first_uncommitted(&self, from: u64) -> u64 {
        use crate::sync::Ordering::Acquire;
        let mut next = from;
        for _ in 0..self.count {
            let at = self.at(next);
            if self.commit_word(at, Acquire) != next as u32 || self.sequence(at) != next {
                break;
            }
            next += 1;
        }
        next
    }
}
