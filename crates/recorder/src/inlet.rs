// @hot
//! The reading end of one stream, and what its records are as entries.

use tickline_journal::kind;
use tickline_ring::Record;
use tickline_ring::broadcast::Subscriber;
use tickline_wire::flat::journal::{self, JOURNAL_BYTES, JournalBody};
use tickline_wire::flat::{fill, order, signal};

/// One stream.
pub(crate) struct Inlet {
    pub(crate) kind: u16,
    pub(crate) ring: Subscriber,
}

/// A record as an entry: head and payload; `None` for one that cannot be journaled, since its ring was too narrow for it or it is no
/// message of its stream.
#[inline]
pub(crate) fn entry_of<'a>(stream: u16, record: &Record<'a>, epoch: u32) -> Option<(JournalBody, &'a [u8])> {
    let payload = record.payload;
    if stream == kind::FRAME {
        let (time_ns, stamp_ns, source, bytes) = frame_head(payload)?;
        let bytes = payload.get(JOURNAL_BYTES..JOURNAL_BYTES + bytes)?;
        return Some((JournalBody { time_ns, stamp_ns, epoch, kind: stream, source, ..blank() }, bytes));
    }
    let (time_ns, epoch) = match stream {
        kind::SIGNAL => (signal::read_copy(payload)?.time_ns, epoch),
        kind::ORDER => order::read_copy(payload).map(|order| (order.time_ns, order.epoch))?,
        _ => {
            // Live, a fill takes effect when it comes.
            let fill = fill::read_copy(payload)?;
            (if fill.due_ns > 0 { fill.due_ns } else { fill.received_ns }, fill.epoch)
        }
    };
    Some((JournalBody { time_ns, stamp_ns: record.stamp_ns, epoch, kind: stream, ..blank() }, payload))
}

#[inline]
fn frame_head(payload: &[u8]) -> Option<(u64, u64, u16, usize)> {
    let body = journal::read(payload)?;
    Some((body.time_ns, body.stamp_ns, body.source, body.bytes as usize))
}

#[inline]
fn blank() -> JournalBody {
    JournalBody { seq: 0, time_ns: 0, stamp_ns: 0, epoch: 0, kind: 0, source: 0, bytes: 0, crc: 0 }
}
