//! Nasdaq TotalView-ITCH 5.0: bytes <-> `Update`. All 23 types, big-endian, no allocation.

mod field;
mod message;

pub use field::{Letter, Price8, Value};
pub use message::{
    Add, AddMpid, Body, Broken, Cancel, CapitalRaise, Cross, Delete, Executed, ExecutedPrice, HEADER_BYTES,
    Header, Imbalance, IpoQuoting, LETTERS, LuldCollar, MwcbBreach, MwcbLevels, OperationalHalt,
    ParticipantPosition, RegSho, Replace, RetailInterest, StockDirectory, SystemEvent, Trade, TradingAction,
    Update, length_of,
};

/// The longest message, in bytes: a buffer of this size takes any encoded `Update`.
pub const BYTES_MAX: usize = 50;

/// Why bytes are no message of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No bytes at all.
    Empty,
    /// A type letter that ITCH 5.0 does not have: skip and count, never fatal.
    Unknown,
    /// A known type with another length than the specification's; `offset` is the length found.
    Length,
    /// A field whose bytes are no value of its type (a side other than B or S); `offset` says where.
    Value,
}

/// Bytes that are no message, and where they stop making sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Malformed {
    /// What is wrong.
    pub kind: Kind,
    /// The type letter found (0 when there is none).
    pub letter: u8,
    /// Byte offset of the fault in the message; for `Kind::Length` the length found.
    pub offset: u16,
}

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let letter = self.letter.escape_ascii();
        match self.kind {
            Kind::Empty => write!(f, "an empty message block"),
            Kind::Unknown => write!(f, "unknown message type '{letter}'"),
            Kind::Length => write!(
                f,
                "message '{letter}' of {} bytes, the specification says {}",
                self.offset,
                length_of(self.letter)
            ),
            Kind::Value => write!(f, "message '{letter}': no valid value at byte {}", self.offset),
        }
    }
}

impl std::error::Error for Malformed {}

/// Decodes one message, type letter first, of exactly its own length (a MoldUDP64 block without its length).
/// About 20 instructions per message; no allocation, no panic on any input.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Update, Malformed> {
    message::decode(bytes)
}

/// Encodes one message at the start of `bytes` and returns its length (at most `BYTES_MAX`).
///
/// # Panics
/// If `bytes` is shorter than the message: the caller's bug.
#[inline]
pub fn encode(update: &Update, bytes: &mut [u8]) -> usize {
    message::encode(update, bytes)
}
