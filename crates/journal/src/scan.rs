//! Walking through the bytes of one segment: entries in order, then the end, a torn tail, or one precise damage.
//!
//! A writer that dies leaves a last entry that is not whole: the tail of the last segment is torn where no sound entry follows. Unsound
//! bytes before a sound entry, or in a segment after which another one was begun, cannot come from that: they are damage.

use crate::entry::{Entry, HEAD_BYTES, PAYLOAD_BYTES_MAX, Unsound, stored_bytes, take};
use crate::kind;
use tickline_wire::flat::PREFIX_BYTES;
use tickline_wire::flat::journal::JOURNAL_PREFIX;

/// Bytes after the last whole entry of the last segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Byte offset at which they begin.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
}

/// What is wrong at an offset of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The file does not begin as a segment does.
    Foreign,
    /// An entry claims a payload longer than there may be.
    Length(u32),
    /// The checksum of an entry does not fit.
    Crc {
        /// As written.
        stored: u32,
        /// As computed.
        found: u32,
    },
    /// Bytes between a payload and the next entry that are not zero.
    Padding,
    /// The segment ends inside an entry, although another segment follows.
    CutShort,
    /// An entry with another sequence number than the next.
    Hole {
        /// The next.
        expected: u64,
        /// The one there.
        found: u64,
    },
    /// The first entry is no run header, or none that can be read; in words.
    Header(String),
}

/// What lies at an offset.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<'a> {
    /// An entry, and the offset after it.
    Entry {
        /// The entry.
        entry: Entry<'a>,
        /// Offset after it.
        end: usize,
    },
    /// The end of the segment.
    End,
    /// The torn tail of the last segment.
    Torn(Torn),
}

/// Offset of the first entry of a segment; `None` when a last segment has none because it was torn inside its first bytes.
///
/// # Errors
/// [`Damage::Foreign`] when it begins with other bytes.
pub fn begin(bytes: &[u8], last: bool) -> Result<Option<usize>, Damage> {
    if bytes.len() <= PREFIX_BYTES && JOURNAL_PREFIX.starts_with(bytes) {
        return if last { Ok(None) } else { Err(Damage::CutShort) };
    }
    if bytes.starts_with(&JOURNAL_PREFIX) { Ok(Some(PREFIX_BYTES)) } else { Err(Damage::Foreign) }
}

/// What lies at offset `at`, where the entry of sequence `expected` should be; `last` for the last segment of a journal.
///
/// # Errors
/// The damage at `at`.
pub fn step(bytes: &[u8], at: usize, expected: u64, last: bool) -> Result<Step<'_>, Damage> {
    let rest = &bytes[at.min(bytes.len())..];
    if rest.is_empty() {
        return Ok(Step::End);
    }
    match take(rest) {
        Ok(entry) if entry.body.seq != expected => Err(Damage::Hole { expected, found: entry.body.seq }),
        Ok(entry) => {
            // The first entry of a segment says what it is a part of.
            if at == PREFIX_BYTES && entry.body.kind != kind::RUN_HEADER {
                return Err(Damage::Header(format!("it begins with an entry of kind {}", entry.body.kind)));
            }
            Ok(Step::Entry { entry, end: at + stored_bytes(entry.payload.len()) })
        }
        Err(_) if last && !sound_follows(rest, expected) => {
            Ok(Step::Torn(Torn { offset: at as u64, bytes: rest.len() as u64 }))
        }
        Err(unsound) => Err(match unsound {
            Unsound::Short if last => Damage::Length(claimed(rest)),
            Unsound::Short => Damage::CutShort,
            Unsound::Length(bytes) => Damage::Length(bytes),
            Unsound::Crc { stored, found } => Damage::Crc { stored, found },
            Unsound::Padding => Damage::Padding,
        }),
    }
}

/// Length that the head at the beginning claims for its payload.
fn claimed(rest: &[u8]) -> u32 {
    rest.get(32..36).map_or(0, |raw| u32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]))
}

/// True when an entry that belongs behind `expected` lies somewhere in the bytes. Its number can be no larger than what they have room
/// for, so what other bytes look like is decided by the number first, and the checksum is computed of few.
fn sound_follows(rest: &[u8], expected: u64) -> bool {
    let room = (rest.len() / HEAD_BYTES) as u64;
    (8..rest.len().saturating_sub(HEAD_BYTES - 1)).step_by(8).any(|at| {
        let Some((seq, _)) = rest[at..].split_first_chunk::<8>() else { return false };
        let ahead = u64::from_le_bytes(*seq).wrapping_sub(expected);
        let near = ahead > 0 && ahead <= room;
        near && claimed(&rest[at..]) as usize <= PAYLOAD_BYTES_MAX && take(&rest[at..]).is_ok()
    })
}
