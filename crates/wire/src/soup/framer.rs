// @hot
//! Packets out of a byte stream whose segments split and merge them at will.

use super::{HEADER_BYTES, SoupError};

/// One packet: its type letter and payload, borrowed from the framer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The type letter; its meaning depends on who sent it.
    pub kind: u8,
    /// What follows the type.
    pub payload: &'a [u8],
}

impl Packet<'_> {
    /// Checks that a packet of this type carries nothing.
    pub(super) fn empty(&self) -> Result<(), SoupError> {
        match self.payload {
            [] => Ok(()),
            _ => Err(SoupError::Length { kind: self.kind, expected: 0, found: self.payload.len() }),
        }
    }
}

/// Cuts a TCP byte stream into packets. Read from the socket into [`space`](Framer::space), say how much came with
/// [`filled`](Framer::filled), then take packets with [`next`](Framer::next) until there are none.
/// Allocates once, in [`new`](Framer::new).
pub struct Framer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    packet_bytes_max: usize,
}

impl Framer {
    /// A framer that accepts packets of at most `packet_bytes_max` bytes, length field included. It holds room for
    /// four of them, so that one read takes several.
    pub fn new(packet_bytes_max: usize) -> Framer {
        let packet_bytes_max = packet_bytes_max.max(HEADER_BYTES);
        Framer { bytes: vec![0; packet_bytes_max * 4].into_boxed_slice(), start: 0, end: 0, packet_bytes_max }
    }

    /// Where to read the next bytes to; never empty once [`next`](Framer::next) has returned `None`.
    #[inline]
    pub fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        } else if self.bytes.len() - self.start < self.packet_bytes_max {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.bytes[self.end..]
    }

    /// Tells that `count` bytes were read into the start of [`space`](Framer::space).
    ///
    /// # Panics
    /// When `count` is more than the space there was: a caller's bug.
    #[inline]
    pub fn filled(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.end, "more bytes filled than there was space");
        self.end += count;
    }

    /// The next whole packet, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`SoupError::Empty`] or [`SoupError::TooLong`]: the stream cannot be trusted any more, close it.
    #[inline]
    #[allow(clippy::should_implement_trait)] // a lending iterator: the packet borrows the framer
    pub fn next(&mut self) -> Result<Option<Packet<'_>>, SoupError> {
        let held = &self.bytes[self.start..self.end];
        let &[high, low, ..] = held else { return Ok(None) };
        let bytes = usize::from(u16::from_be_bytes([high, low])) + 2;
        if bytes < HEADER_BYTES {
            return Err(SoupError::Empty);
        }
        if bytes > self.packet_bytes_max {
            return Err(SoupError::TooLong { bytes, most: self.packet_bytes_max });
        }
        if held.len() < bytes {
            return Ok(None);
        }
        self.start += bytes;
        Ok(Some(Packet { kind: held[2], payload: &held[HEADER_BYTES..bytes] }))
    }

    /// Bytes held that no packet has been made of yet.
    pub fn pending(&self) -> usize {
        self.end - self.start
    }

    /// Forgets everything, for a new connection.
    pub fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }
}
