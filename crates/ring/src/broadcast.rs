//! Broadcast channel: one writer that never waits, any number of readers. A reader that falls a whole ring behind is lapped: it
//! learns how many records it lost and goes on at the newest.
//!
//! A record may be overwritten while it is read, so both sides move payloads through staging memory of their own, in atomic
//! words, and the reader validates its copy before anyone sees it: a handler never gets torn bytes.

use crate::error::{Corrupt, Refusal, SegmentError};
use crate::layout::*;
use crate::segment::{Kind, Segment};
use crate::slots::{Record, Slots};
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed};
use crate::sync::fence;
use std::sync::Arc;

/// The writing end.
pub struct Publisher {
    slots: Slots,
    next: u64,
    epoch: u32,
    staging: Box<[u64]>,
    /// Kind and length of the claimed record.
    claimed: Option<(u32, usize)>,
}

impl Publisher {
    /// Becomes the channel's writer, after every record committed so far; earlier writers are fenced off.
    pub fn attach(segment: Arc<Segment>) -> Result<Publisher, SegmentError> {
        segment.require(Kind::Broadcast, true)?;
        let epoch = segment.mapping.word(AT_EPOCH).fetch_add(1, AcqRel) + 1;
        let slots = Slots::new(segment);
        let next = slots.first_uncommitted(slots.load_sequence(AT_TAIL));
        slots.store_sequence(AT_TAIL, next);
        let staging = vec![0u64; slots.payload_max() / 8].into_boxed_slice();
        Ok(Publisher { slots, next, epoch, staging, claimed: None })
    }

    /// Memory for a payload of `length` bytes, to be filled and published with `commit`. Holds what was last written there.
    #[inline]
    pub fn claim(&mut self, kind: u32, length: usize) -> Result<&mut [u8], Refusal> {
        if length > self.slots.payload_max() {
            return Err(Refusal::TooLong);
        }
        if self.slots.mapping().word(AT_EPOCH).load(Relaxed) != self.epoch {
            return Err(Refusal::Fenced);
        }
        self.claimed = Some((kind, length));
        Ok(&mut as_bytes_mut(&mut self.staging)[..length])
    }

    /// Publishes what was claimed and returns its sequence; without a claim it does nothing and returns 0.
    #[inline]
    pub fn commit(&mut self, stamp_ns: u64) -> u64 {
        let Some((kind, length)) = self.claimed.take() else { return 0 };
        let sequence = self.next;
        let at = self.slots.at(sequence);
        self.slots.mark(at, sequence);
        self.slots.mapping().put(at + RECORD_PAYLOAD, &self.staging[..length.div_ceil(8)]);
        self.slots.commit(at, sequence, length, kind, self.epoch, stamp_ns);
        self.next = sequence + 1;
        self.slots.publish_sequence(AT_TAIL, self.next);
        // A ring larger than the caches has the next slot in memory: it comes while the readers are at work.
        self.slots.mapping().prefetch(self.slots.at(self.next), RECORD_PAYLOAD + length);
        sequence
    }

    /// Claims, copies and commits.
    #[inline]
    pub fn publish(&mut self, kind: u32, stamp_ns: u64, payload: &[u8]) -> Result<u64, Refusal> {
        self.claim(kind, payload.len())?.copy_from_slice(payload);
        Ok(self.commit(stamp_ns))
    }

    /// Sequence of the next record.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Which writer of the channel this is, from 1.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Largest payload in bytes.
    pub fn payload_max(&self) -> usize {
        self.slots.payload_max()
    }
}

/// Where a reader that joins late begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// At the next record to be published.
    Next,
    /// At the newest record already there, if any.
    Newest,
    /// At the oldest record still there.
    Oldest,
    /// At the record of this sequence; when it is gone, or about to be, at the oldest that leaves the writer an eighth of the ring.
    From(u64),
}

/// A reading end; there may be any number. It writes nothing to the segment, so a read-only one will do.
pub struct Subscriber {
    slots: Slots,
    next: u64,
    epoch: u32,
    lost: u64,
    staging: Box<[u64]>,
}

/// What a look at a slot found.
enum Look {
    /// The record, validated, is in staging.
    Whole { kind: u32, length: usize, epoch: u32, stamp_ns: u64 },
    /// Not committed yet.
    Waiting,
    /// Overwritten before or while it was read.
    Lapped,
}

impl Subscriber {
    /// Joins the channel.
    pub fn attach(segment: Arc<Segment>, join: Join) -> Result<Subscriber, SegmentError> {
        segment.require(Kind::Broadcast, false)?;
        let slots = Slots::new(segment);
        let tail = slots.first_uncommitted(slots.load_sequence(AT_TAIL));
        let next = match join {
            Join::Next => tail,
            Join::Newest => tail.saturating_sub(1).max(1),
            // The slot after the tail is the one that the writer takes next; leave it a little room.
            Join::Oldest => (tail + 1).saturating_sub(slots.count() as u64).max(1),
            Join::From(sequence) => {
                let kept = (slots.count() - slots.count().div_ceil(8)) as u64;
                sequence.clamp(tail.saturating_sub(kept).max(1), tail)
            }
        };
        let staging = vec![0u64; slots.payload_max() / 8].into_boxed_slice();
        Ok(Subscriber { slots, next, epoch: 0, lost: 0, staging })
    }

    /// Hands at most `limit` records to `handler` and returns how many. Lost records are counted in `lost`.
    #[inline]
    pub fn poll(&mut self, mut handler: impl FnMut(&Record<'_>), limit: usize) -> Result<usize, Corrupt> {
        let mut handled = 0;
        while handled < limit {
            match self.look()? {
                Look::Waiting => break,
                Look::Lapped => self.resync(),
                Look::Whole { kind, length, epoch, stamp_ns } => {
                    let sequence = self.next;
                    self.epoch = epoch;
                    self.next = sequence + 1;
                    let payload = &as_bytes(&self.staging)[..length];
                    handler(&Record { kind, sequence, epoch, stamp_ns, payload });
                    handled += 1;
                }
            }
        }
        Ok(handled)
    }

    #[inline]
    fn look(&mut self) -> Result<Look, Corrupt> {
        let at = self.slots.at(self.next);
        let expected = self.next as u32;
        // SYNC: pairs with the release store in `Slots::commit`.
        let word = self.slots.commit_word(at, Acquire);
        if word != expected {
            return Ok(self.missed(word));
        }
        let m = self.slots.mapping();
        let length = m.word(at + RECORD_LENGTH).load(Relaxed) as usize;
        let kind = m.word(at + RECORD_KIND).load(Relaxed);
        let high = m.word(at + RECORD_SEQUENCE + 4).load(Relaxed);
        let epoch = m.word(at + RECORD_EPOCH).load(Relaxed);
        let stamp_ns = m.word64(at + RECORD_STAMP).load(Relaxed);
        let words = length.div_ceil(8).min(self.staging.len());
        m.get(at + RECORD_PAYLOAD, &mut self.staging[..words]);
        // SYNC: pairs with the release fence in `Slots::mark`: had any of the loads above seen a later record's bytes, the
        // commit word below would show that record.
        fence(Acquire);
        if self.slots.commit_word(at, Relaxed) != expected {
            return Ok(Look::Lapped);
        }
        let impossible = if length > self.slots.payload_max() {
            "length"
        } else if high != (self.next >> 32) as u32 {
            "sequence"
        } else if epoch < self.epoch {
            "epoch"
        } else {
            return Ok(Look::Whole { kind, length, epoch, stamp_ns });
        };
        Err(Corrupt { sequence: self.next, offset: at, field: impossible })
    }

    /// Tells a slot that is still behind from one that has gone ahead. A committed word belongs to this slot; a word of a record
    /// being written is its complement, which never does.
    fn missed(&self, word: u32) -> Look {
        let mask = self.slots.count() - 1;
        let expected = self.next as u32;
        let sequence = if word & mask == expected & mask { word } else { !word };
        if (sequence.wrapping_sub(expected) as i32) > 0 { Look::Lapped } else { Look::Waiting }
    }

    /// Goes on at the newest record and counts what was skipped.
    #[cold]
    fn resync(&mut self) {
        // SYNC: pairs with the release store in `Slots::publish_sequence`. The low half is enough: the tail is ahead of this reader.
        let newest = self.slots.mapping().word(AT_TAIL).load(Acquire).wrapping_sub(1);
        let skipped = newest.wrapping_sub(self.next as u32) as i32;
        let next = self.next + skipped.max(1) as u64;
        self.lost += next - self.next;
        self.next = next;
    }

    /// Records lost to lapping since it joined.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Sequence of the next record.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Epoch of the writer of the last record read; 0 before the first.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// True when a record waits (or the reader was lapped); for the check after arming a bell.
    #[inline]
    pub fn ready(&self) -> bool {
        let word = self.slots.commit_word(self.slots.at(self.next), Acquire);
        word == self.next as u32 || matches!(self.missed(word), Look::Lapped)
    }
}

/// The bytes of staging memory.
#[inline(always)]
fn as_bytes(words: &[u64]) -> &[u8] {
    // SAFETY: any u64 is eight valid bytes; the slice keeps its bounds and its borrow.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), words.len() * 8) }
}

/// The bytes of staging memory, to be filled.
#[inline(always)]
fn as_bytes_mut(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: as above, and the borrow is exclusive.
    unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 8) }
}
