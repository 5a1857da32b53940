//! MoldUDP64: packets of sequenced messages, heartbeats, end of session, re-requests. Big-endian.
//!
//! Source: Nasdaq MoldUDP64 protocol specification 1.00: header = session 10, sequence 8, count 2; then `count` blocks
//! of length 2 + payload. Sequence numbers start at 1.

/// Bytes of the header; a request packet is a header alone.
pub const HEADER_BYTES: usize = 20;

/// Count of a packet that ends the session; its sequence is the next that would have come.
pub const END_OF_SESSION: u16 = 0xFFFF;

/// Name of a session: 10 characters, padded with spaces (left or right, as the sender likes).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Session(pub [u8; 10]);

impl Session {
    /// The name without padding; bytes that do not print show as `?`.
    pub fn text(&self) -> String {
        let shown: String =
            self.0.iter().map(|&b| if b == b' ' || b.is_ascii_graphic() { b as char } else { '?' }).collect();
        shown.trim().to_owned()
    }
}

impl core::fmt::Debug for Session {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.text())
    }
}

/// What every packet starts with, and all there is of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The session.
    pub session: Session,
    /// Sequence number of the first message; of the next one when the packet carries none; of the first one wanted in
    /// a request.
    pub sequence: u64,
    /// Number of messages; 0 is a heartbeat, `END_OF_SESSION` the end.
    pub count: u16,
}

impl Header {
    /// From the first 20 bytes; `None` if there are fewer.
    #[inline]
    pub fn parse(payload: &[u8]) -> Option<Header> {
        let bytes: &[u8; HEADER_BYTES] = payload.first_chunk()?;
        Some(Header {
            session: Session(bytes[..10].try_into().ok()?),
            sequence: u64::from_be_bytes(bytes[10..18].try_into().ok()?),
            count: u16::from_be_bytes([bytes[18], bytes[19]]),
        })
    }

    /// The 20 bytes: a heartbeat, an end of session, or a request for `count` messages from `sequence` on.
    #[inline]
    pub fn bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..10].copy_from_slice(&self.session.0);
        bytes[10..18].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[18..].copy_from_slice(&self.count.to_be_bytes());
        bytes
    }
}

/// Why bytes are no MoldUDP64 packet. The whole packet is refused: what a damaged packet carried counts as lost, and the
/// other line or a re-request brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Malformed {
    /// Fewer than 20 bytes.
    Short,
    /// A block reaches beyond the end of the packet.
    Truncated {
        /// The block, from 0.
        block: u16,
    },
    /// Bytes are left after the last block.
    Trailing {
        /// How many.
        bytes: u16,
    },
    /// The last message's sequence number would not fit 64 bits.
    Sequence,
}

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Malformed::Short => write!(f, "shorter than a MoldUDP64 header of {HEADER_BYTES} bytes"),
            Malformed::Truncated { block } => write!(f, "message block {block} reaches beyond the packet"),
            Malformed::Trailing { bytes } => write!(f, "{bytes} bytes after the last message block"),
            Malformed::Sequence => write!(f, "sequence number too large"),
        }
    }
}

impl std::error::Error for Malformed {}

/// A whole packet whose blocks are known to fit.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Session, sequence, count.
    pub header: Header,
    blocks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Checks a UDP payload: header, every block's length, nothing after the last. Cost: about 1 ns per message.
    #[inline]
    pub fn parse(payload: &'a [u8]) -> Result<Packet<'a>, Malformed> {
        let header = Header::parse(payload).ok_or(Malformed::Short)?;
        let blocks = &payload[HEADER_BYTES..];
        let count = if header.count == END_OF_SESSION { 0 } else { header.count };
        if header.sequence.checked_add(u64::from(count)).is_none() {
            return Err(Malformed::Sequence);
        }
        let mut rest = blocks;
        for block in 0..count {
            rest = split(rest).ok_or(Malformed::Truncated { block })?.1;
        }
        if !rest.is_empty() {
            return Err(Malformed::Trailing { bytes: rest.len().min(usize::from(u16::MAX)) as u16 });
        }
        Ok(Packet { header, blocks })
    }

    /// Number of messages it carries: 0 for a heartbeat and for the end.
    #[inline]
    pub fn messages(&self) -> u16 {
        if self.is_end() { 0 } else { self.header.count }
    }

    /// True if the session ends with it.
    #[inline]
    pub fn is_end(&self) -> bool {
        self.header.count == END_OF_SESSION
    }

    /// The sequence number that follows this packet's messages.
    #[inline]
    pub fn next(&self) -> u64 {
        self.header.sequence + u64::from(self.messages())
    }

    /// The messages, without their lengths, in order.
    #[inline]
    pub fn blocks(&self) -> Blocks<'a> {
        Blocks { rest: self.blocks }
    }
}

/// Splits off the first block; `None` if it reaches beyond the end.
#[inline(always)]
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// The messages of a packet.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (block, rest) = split(self.rest)?;
        self.rest = rest;
        Some(block)
    }
}

/// Puts messages into one packet in a caller's buffer.
#[derive(Debug)]
pub struct Packer<'a> {
    bytes: &'a mut [u8],
    at: usize,
    header: Header,
}

impl<'a> Packer<'a> {
    /// An empty packet; `bytes` is the room for it, as large as the datagram may become.
    ///
    /// # Panics
    /// If `bytes` cannot hold a header: the caller's bug.
    #[inline]
    pub fn new(bytes: &'a mut [u8], session: Session, sequence: u64) -> Packer<'a> {
        assert!(bytes.len() >= HEADER_BYTES, "room for a header");
        Packer { bytes, at: HEADER_BYTES, header: Header { session, sequence, count: 0 } }
    }

    /// Adds a message; false, and nothing changed, if it does not fit any more.
    #[inline]
    pub fn push(&mut self, message: &[u8]) -> bool {
        let end = self.at + 2 + message.len();
        if end > self.bytes.len() || message.len() > 0xFFFF || self.header.count == END_OF_SESSION - 1 {
            return false;
        }
        self.bytes[self.at..self.at + 2].copy_from_slice(&(message.len() as u16).to_be_bytes());
        self.bytes[self.at + 2..end].copy_from_slice(message);
        self.at = end;
        self.header.count += 1;
        true
    }

    /// Messages added so far.
    #[inline]
    pub fn count(&self) -> u16 {
        self.header.count
    }

    /// Writes the header and returns the packet's length; with no message it is a heartbeat.
    #[inline]
    pub fn finish(self) -> usize {
        self.bytes[..HEADER_BYTES].copy_from_slice(&self.header.bytes());
        self.at
    }
}
