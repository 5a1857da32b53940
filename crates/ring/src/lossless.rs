// @hot
//! Lossless channel: one writer, one reader, every record exactly once in order; a full channel refuses.
//!
//! Wait-free on both sides; nothing allocates after attaching. The writer's cost is one cache line moved per record line: the
//! reader polls the record itself, not a shared tail.

use crate::error::{Corrupt, Refusal, SegmentError};
use crate::layout::*;
use crate::segment::{Kind, Segment};
use crate::slots::{Record, Slots};
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::Arc;

/// The writing end.
pub struct Producer {
    slots: Slots,
    /// Sequence of the next record; exact.
    next: u64,
    /// Sequence the reader will read next; may be stale, never ahead of the truth.
    head: u64,
    epoch: u32,
}

/// A slot being written. Dropping it without `commit` gives it back; readers never see it.
pub struct Claim<'a> {
    producer: &'a mut Producer,
    at: usize,
    length: usize,
    kind: u32,
}

impl Producer {
    /// Becomes the channel's writer, after every record committed so far. The caller must know that no other writer runs (its
    /// process is dead, or it has closed): one that still runs is fenced off at its next claim.
    pub fn attach(segment: Arc<Segment>) -> Result<Producer, SegmentError> {
        segment.require(Kind::Lossless, true)?;
        let epoch = segment.mapping.word(AT_EPOCH).fetch_add(1, AcqRel) + 1;
        let slots = Slots::new(segment);
        let head = slots.load_sequence(AT_HEAD);
        let next = slots.first_uncommitted(head);
        slots.store_sequence(AT_TAIL, next);
        Ok(Producer { slots, next, head, epoch })
    }

    /// Claims room for `length` payload bytes; the bytes hold whatever an earlier record left there.
    #[inline]
    pub fn try_claim(&mut self, kind: u32, length: usize) -> Result<Claim<'_>, Refusal> {
        if length > self.slots.payload_max() {
            return Err(Refusal::TooLong);
        }
        if self.next - self.head >= self.slots.count() as u64 {
            self.refresh_head();
            if self.next - self.head >= self.slots.count() as u64 {
                return Err(Refusal::Full);
            }
        }
        if self.slots.mapping().word(AT_EPOCH).load(Relaxed) != self.epoch {
            return Err(Refusal::Fenced);
        }
        let at = self.slots.at(self.next);
        Ok(Claim { producer: self, at, length, kind })
    }

    /// Claims, copies and commits.
    #[inline]
    pub fn send(&mut self, kind: u32, stamp_ns: u64, payload: &[u8]) -> Result<u64, Refusal> {
        let mut claim = self.try_claim(kind, payload.len())?;
        claim.copy_from(payload);
        Ok(claim.commit(stamp_ns))
    }

    #[inline]
    fn refresh_head(&mut self) {
        // SYNC: pairs with the release store in `Consumer::free`: the reader is done with the slots before it.
        let low = self.slots.mapping().word(AT_HEAD).load(Acquire);
        self.head = self.next.saturating_sub((self.next as u32).wrapping_sub(low) as u64);
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

impl Claim<'_> {
    /// The payload's bytes, to be filled.
    #[cfg(not(loom))]
    #[inline]
    pub fn payload(&mut self) -> &mut [u8] {
        let bytes = self.producer.slots.mapping().plain(self.at + RECORD_PAYLOAD, self.length);
        // SAFETY: mapping I1 and I3: the slot is free (the reader's head is past it) and claimed by the only writer, for as
        // long as the claim is borrowed.
        unsafe { core::slice::from_raw_parts_mut(bytes, self.length) }
    }

    /// Sets the payload; `bytes` has the claimed length.
    #[cfg(not(loom))]
    #[inline]
    pub fn copy_from(&mut self, bytes: &[u8]) {
        self.payload().copy_from_slice(bytes);
    }

    /// Sets the payload, whole words.
    #[cfg(loom)]
    pub fn copy_from(&mut self, bytes: &[u8]) {
        crate::payload::store(self.producer.slots.mapping(), self.at + RECORD_PAYLOAD, bytes);
    }

    /// Sequence it will have.
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.producer.next
    }

    /// Publishes the record with the writer's time and returns its sequence.
    #[inline]
    pub fn commit(self, stamp_ns: u64) -> u64 {
        let Claim { producer, at, length, kind } = self;
        let sequence = producer.next;
        producer.slots.commit(at, sequence, length, kind, producer.epoch, stamp_ns);
        producer.next = sequence + 1;
        producer.slots.publish_sequence(AT_TAIL, sequence + 1);
        if producer.next - producer.head < producer.slots.count() as u64 {
            producer.slots.take(producer.next, length);
        }
        sequence
    }
}

/// The reading end.
pub struct Consumer {
    slots: Slots,
    /// Sequence of the next record; exact.
    next: u64,
    epoch: u32,
}

impl Consumer {
    /// Becomes the channel's reader, at the first record that no reader has finished: a record whose handler was running when
    /// the reader before died is delivered again.
    pub fn attach(segment: Arc<Segment>) -> Result<Consumer, SegmentError> {
        segment.require(Kind::Lossless, true)?;
        let slots = Slots::new(segment);
        let next = slots.load_sequence(AT_HEAD);
        Ok(Consumer { slots, next, epoch: 0 })
    }

    /// Hands at most `limit` records to `handler` and returns how many. Each is freed when its handler returns.
    #[inline]
    pub fn poll(&mut self, mut handler: impl FnMut(&Record<'_>), limit: usize) -> Result<usize, Corrupt> {
        let mut handled = 0;
        while handled < limit {
            let at = self.slots.at(self.next);
            // SYNC: pairs with the release store in `Slots::commit`.
            if self.slots.commit_word(at, Acquire) != self.next as u32 {
                break;
            }
            handler(&self.read(at)?);
            self.next += 1;
            self.slots.publish_sequence(AT_HEAD, self.next);
            handled += 1;
        }
        Ok(handled)
    }

    #[inline(always)]
    fn read(&mut self, at: usize) -> Result<Record<'_>, Corrupt> {
        let m = self.slots.mapping();
        let length = m.word(at + RECORD_LENGTH).load(Relaxed) as usize;
        let epoch = m.word(at + RECORD_EPOCH).load(Relaxed);
        let impossible = if length > self.slots.payload_max() {
            "length"
        } else if self.slots.sequence(at) != self.next {
            "sequence"
        } else if epoch < self.epoch {
            "epoch"
        } else {
            ""
        };
        if !impossible.is_empty() {
            return Err(Corrupt { sequence: self.next, offset: at, field: impossible });
        }
        self.epoch = epoch;
        Ok(Record {
            kind: m.word(at + RECORD_KIND).load(Relaxed),
            sequence: self.next,
            epoch,
            stamp_ns: m.word64(at + RECORD_STAMP).load(Relaxed),
            payload: payload_of(&self.slots, at, length),
        })
    }

    /// Sequence of the next record.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Epoch of the writer of the last record read; 0 before the first.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// True when a record waits; for the check after arming a bell.
    #[inline]
    pub fn ready(&self) -> bool {
        self.slots.commit_word(self.slots.at(self.next), Acquire) == self.next as u32
    }
}

#[cfg(not(loom))]
#[inline(always)]
fn payload_of(slots: &Slots, at: usize, length: usize) -> &[u8] {
    let bytes = slots.mapping().plain(at + RECORD_PAYLOAD, length);
    // SAFETY: mapping I1 and I3: committed (seen by the acquire load) and not freed before the handler has returned.
    unsafe { core::slice::from_raw_parts(bytes, length) }
}

#[cfg(loom)]
fn payload_of(slots: &Slots, at: usize, length: usize) -> &[u8] {
    crate::payload::load(slots.mapping(), at + RECORD_PAYLOAD, length)
}
