//! The classic pcap format: a 24-byte file header, then records of a 16-byte header and a frame.
//!
//! Source: draft-ietf-opsawg-pcap. Magic 0xA1B2C3D4 counts microseconds, 0xA1B23C4D nanoseconds, in the writer's byte order.

use super::fault::Cause;
use super::recording::{FRAME_BYTES_MAX, Index, Place, Tail};
use tickline_units::Nanos;

const MICROS: u32 = 0xA1B2_C3D4;
const NANOS: u32 = 0xA1B2_3C4D;
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const ETHERNET: u32 = 1;

/// True if the first four bytes are one of the four magic numbers.
pub(super) fn knows(magic: [u8; 4]) -> bool {
    [u32::from_le_bytes(magic), u32::from_be_bytes(magic)].iter().any(|&m| m == MICROS || m == NANOS)
}

/// Finds every frame. A cut-off last record ends the list; a record of an impossible length is an error.
pub(super) fn index(bytes: &[u8]) -> Result<Index, Cause> {
    let magic = [bytes[0], bytes[1], bytes[2], bytes[3]];
    let little = [MICROS, NANOS].contains(&u32::from_le_bytes(magic));
    let word = |at: usize| {
        let raw = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) }
    };
    if bytes.len() < FILE_HEADER {
        return Err(Cause::Damaged {
            offset: bytes.len() as u64,
            what: "the file ends inside the file header",
        });
    }
    let unit = if word(0) == NANOS { 1 } else { 1_000 };
    // The upper bits of the link type word describe the frame check sequence.
    let link = word(20) & 0xFFFF;
    let mut index = Index::default();
    let mut at = FILE_HEADER;
    while at < bytes.len() {
        let left = bytes.len() - at;
        let length = if left < RECORD_HEADER { 0 } else { word(at + 8) };
        if length > FRAME_BYTES_MAX {
            return Err(Cause::Damaged {
                offset: at as u64,
                what: "a record claims more than 262,144 bytes",
            });
        }
        if left < RECORD_HEADER + length as usize {
            index.tail = Some(Tail { offset: at as u64, bytes: left as u64 });
            break;
        }
        let time = u64::from(word(at)) * 1_000_000_000 + u64::from(word(at + 4)) * unit;
        at += RECORD_HEADER;
        if link == ETHERNET {
            index.places.push(Place { time: Nanos(time), at, bytes: length });
        } else {
            index.foreign += 1;
        }
        at += length as usize;
    }
    if link != ETHERNET {
        index.foreign_link = Some(link);
    }
    Ok(index)
}
