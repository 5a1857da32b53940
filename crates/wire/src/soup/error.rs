//! What can be wrong with a SoupBinTCP packet.

use core::fmt;

/// A SoupBinTCP packet that cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoupError {
    /// A packet's length field is 0, so it has no type.
    Empty,
    /// A packet is longer than the reader allows.
    TooLong {
        /// Bytes of the packet with its length field.
        bytes: usize,
        /// Bytes allowed.
        most: usize,
    },
    /// A type letter that this side never sends.
    UnknownType {
        /// The letter.
        kind: u8,
    },
    /// A payload of the wrong length for its type.
    Length {
        /// The packet's type letter.
        kind: u8,
        /// Bytes its payload should have.
        expected: usize,
        /// Bytes it has.
        found: usize,
    },
    /// A field that should be a decimal number padded with spaces.
    Number {
        /// The field's name.
        field: &'static str,
    },
    /// A field that should be printable ASCII.
    Text {
        /// The field's name.
        field: &'static str,
    },
    /// A login rejection of an unknown reason.
    Reason {
        /// The letter.
        letter: u8,
    },
    /// The output is too short, or the payload too long for a packet.
    NoRoom {
        /// Bytes needed.
        need: usize,
        /// Bytes there.
        have: usize,
    },
}

impl SoupError {
    /// The error's stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            SoupError::Empty => "SOUP_EMPTY",
            SoupError::TooLong { .. } => "SOUP_TOO_LONG",
            SoupError::UnknownType { .. } => "SOUP_UNKNOWN_TYPE",
            SoupError::Length { .. } => "SOUP_LENGTH",
            SoupError::Number { .. } => "SOUP_NUMBER",
            SoupError::Text { .. } => "SOUP_TEXT",
            SoupError::Reason { .. } => "SOUP_REASON",
            SoupError::NoRoom { .. } => "SOUP_NO_ROOM",
        }
    }
}

impl fmt::Display for SoupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match *self {
            SoupError::Empty => {
                f.write_str("a packet of length 0 has no type; the peer does not speak SoupBinTCP")
            }
            SoupError::TooLong { bytes, most } => {
                write!(f, "a packet of {bytes} bytes, at most {most} are allowed")
            }
            SoupError::UnknownType { kind } => write!(f, "packet type 0x{kind:02x} is none of this side's"),
            SoupError::Length { kind, expected, found } => {
                write!(f, "packet `{}` has {found} payload bytes instead of {expected}", kind as char)
            }
            SoupError::Number { field } => {
                write!(f, "field {field} is not a decimal number padded with spaces")
            }
            SoupError::Text { field } => write!(f, "field {field} is not printable ASCII of its width"),
            SoupError::Reason { letter } => {
                write!(f, "login rejected with reason 0x{letter:02x}, expected `A` or `S`")
            }
            SoupError::NoRoom { need, have } => write!(f, "a packet needs {need} bytes, {have} are there"),
        }
    }
}

impl core::error::Error for SoupError {}
