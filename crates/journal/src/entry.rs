// @hot
//! One entry: a `JournalBody`, its payload, zeros up to a multiple of eight bytes.

use crate::crc::crc32c;
use tickline_wire::flat::journal::JournalBody;
use zerocopy::{FromBytes, IntoBytes};

/// Bytes of an entry before its payload.
pub const HEAD_BYTES: usize = size_of::<JournalBody>();

/// Longest payload: the largest frame that a capture holds. A longer one is damage.
pub const PAYLOAD_BYTES_MAX: usize = 262_144;

/// Where the checksum lies in the head.
const CRC_AT: usize = 36;

/// An entry in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Its head.
    pub body: JournalBody,
    /// What it holds, `body.bytes` bytes.
    pub payload: &'a [u8],
}

/// Why bytes are no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// They end before the entry does.
    Short,
    /// The head claims a longer payload than there may be.
    Length(u32),
    /// The checksum does not fit.
    Crc {
        /// As written.
        stored: u32,
        /// As computed.
        found: u32,
    },
    /// Bytes after the payload that are not zero.
    Padding,
}

/// Bytes of an entry whose payload has `payload` bytes; a multiple of 8.
#[inline]
pub const fn stored_bytes(payload: usize) -> usize {
    HEAD_BYTES + payload.next_multiple_of(8)
}

/// Writes an entry to the beginning of `into`; `bytes` and `crc` of the head are set here. Returns how many bytes it took, or `None`,
/// having written nothing, when `into` is too short or the payload too long.
#[inline]
pub fn put(into: &mut [u8], body: &JournalBody, payload: &[u8]) -> Option<usize> {
    let length = stored_bytes(payload.len());
    if payload.len() > PAYLOAD_BYTES_MAX {
        return None;
    }
    let (head, rest) = into.get_mut(..length)?.split_at_mut(HEAD_BYTES);
    let mut body = JournalBody { bytes: payload.len() as u32, crc: 0, ..*body };
    body.crc = crc32c(crc32c(0, body.as_bytes()), payload);
    head.copy_from_slice(body.as_bytes());
    let (taken, padding) = rest.split_at_mut(payload.len());
    taken.copy_from_slice(payload);
    padding.fill(0);
    Some(length)
}

/// The entry at the beginning of `bytes`, checked whole; what follows it is not looked at.
#[inline]
pub fn take(bytes: &[u8]) -> Result<Entry<'_>, Unsound> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES).ok_or(Unsound::Short)?;
    let body = JournalBody::read_from_bytes(head).map_err(|_| Unsound::Short)?;
    let length = body.bytes as usize;
    if length > PAYLOAD_BYTES_MAX {
        return Err(Unsound::Length(body.bytes));
    }
    let stored = rest.get(..length.next_multiple_of(8)).ok_or(Unsound::Short)?;
    let (payload, padding) = stored.split_at(length);
    let blank = crc32c(crc32c(0, &head[..CRC_AT]), &[0; HEAD_BYTES - CRC_AT]);
    let found = crc32c(blank, payload);
    if found != body.crc {
        return Err(Unsound::Crc { stored: body.crc, found });
    }
    if padding.iter().any(|&byte| byte != 0) {
        return Err(Unsound::Padding);
    }
    Ok(Entry { body, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_every_length_comes_back_and_every_flipped_bit_is_seen() {
        for length in 0..40 {
            let payload: Vec<u8> = (0..length).map(|n| n as u8 ^ 0xA5).collect();
            let body = JournalBody {
                seq: 7,
                time_ns: 8,
                stamp_ns: 9,
                epoch: 10,
                kind: 1,
                source: 1,
                ..Default::default()
            };
            let mut bytes = vec![0xEE; stored_bytes(length)];
            assert_eq!(put(&mut bytes, &body, &payload), Some(bytes.len()));
            let found = take(&bytes).map(|entry| (entry.body.seq, entry.payload.to_vec()));
            assert_eq!(found, Ok((7, payload)));
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert!(take(&bytes).is_err(), "bit {bit} of an entry of {length}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            for cut in 0..bytes.len() {
                assert_eq!(take(&bytes[..cut]), Err(Unsound::Short));
            }
        }
    }

    #[test]
    fn a_payload_that_is_too_long_or_has_no_room_is_not_written() {
        let body = JournalBody::default();
        let mut room = vec![1; stored_bytes(PAYLOAD_BYTES_MAX) + 8];
        assert_eq!(put(&mut room, &body, &vec![0; PAYLOAD_BYTES_MAX + 1]), None);
        assert_eq!(put(&mut room, &body, &vec![0; PAYLOAD_BYTES_MAX]), Some(stored_bytes(PAYLOAD_BYTES_MAX)));
        assert_eq!(put(&mut [1; 47], &body, &[0; 1]), None);
    }
}
