//! Frames as they came, into the broadcast ring that the recorder reads. A line without one pays a branch a frame.

use std::path::Path;
use std::sync::Arc;
use tickline_packet::Frame;
use tickline_ring::broadcast::Publisher;
use tickline_ring::control::{Control, ServiceBlock};
use tickline_ring::{Segment, SegmentError};
use tickline_units::Nanos;
use tickline_wire::flat::journal::{self, JOURNAL_BYTES, JOURNAL_ID, entry_kind};

/// Type of a record: the schema's file identifier.
const KIND: u32 = u32::from_le_bytes(JOURNAL_ID);
/// A replay waits this long for a recorder that takes nothing: one that has died is back by then, or does not come back.
const PATIENCE: Nanos = Nanos(2_000_000_000);

/// The ring's writing end, where there is a ring.
pub(super) struct FrameTap {
    ring: Option<Box<Ring>>,
}

struct Ring {
    publisher: Publisher,
    recorder: ServiceBlock,
    /// Frames that may be ahead of the journal in a replay: half the ring.
    room: u64,
    /// Frames that were in the journal at the last look, and since when there are no more.
    kept: u64,
    since: Option<Nanos>,
}

impl FrameTap {
    /// Becomes the ring's writer.
    pub(super) fn open(path: Option<&Path>, control: &Control) -> Result<FrameTap, SegmentError> {
        let (Some(path), Some(recorder)) = (path, control.service("recorder")) else {
            return Ok(FrameTap { ring: None });
        };
        let segment = Segment::open(path)?;
        let room = u64::from(segment.slots() / 2);
        let publisher = Publisher::attach(Arc::new(segment))?;
        Ok(FrameTap { ring: Some(Box::new(Ring { publisher, recorder, room, kept: 0, since: None })) })
    }

    /// Publishes a frame as a `Journal` message: line, line time, due time, bytes. Called behind the frame's rows.
    #[inline]
    pub(super) fn take(&mut self, frame: &Frame<'_>) {
        if let Some(ring) = &mut self.ring {
            publish(&mut ring.publisher, frame);
        }
    }

    /// True while a replay should not play on, since half a ring of frames is not in the journal yet: its time can stand still, so that
    /// its journal is whole at any speed. The live line never asks.
    #[inline]
    pub(super) fn waits(&mut self, now: Nanos) -> bool {
        self.ring
            .as_mut()
            .is_some_and(|ring| ring.publisher.next() - ring.kept > ring.room && ring.waits(now))
    }
}

impl Ring {
    #[cold]
    fn waits(&mut self, now: Nanos) -> bool {
        if self.recorder.epoch() == 0 {
            // A line that only practises has the ring and no recorder.
            return false;
        }
        let kept = self.recorder.progress();
        if kept != self.kept {
            (self.kept, self.since) = (kept, None);
        }
        let since = *self.since.get_or_insert(now);
        self.publisher.next() - kept > self.room && now.0.saturating_sub(since.0) < PATIENCE.0
    }
}

/// A frame longer than a record leaves its length alone, which the recorder declares as missed. A feed that was replaced publishes
/// nothing more; the features ring, which tells it so, ends it.
#[inline(never)]
fn publish(ring: &mut Publisher, frame: &Frame<'_>) {
    let fits = JOURNAL_BYTES + frame.payload.len() <= ring.payload_max();
    let payload = if fits { frame.payload } else { &[] };
    let Ok(record) = ring.claim(KIND, JOURNAL_BYTES + payload.len()) else { return };
    let Some(body) = journal::place(record) else { return };
    (body.seq, body.epoch, body.crc) = (0, 0, 0);
    (body.time_ns, body.stamp_ns) = (frame.time.0, frame.due.0);
    (body.kind, body.source) = (entry_kind::FRAME, u16::from(frame.line));
    body.bytes = frame.payload.len() as u32;
    record[JOURNAL_BYTES..].copy_from_slice(payload);
    ring.commit(frame.due.0);
}
