//! What can be wrong with an OUCH message.

use core::fmt;

/// An OUCH message that cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OuchError {
    /// No bytes at all.
    Empty,
    /// A type letter that this direction does not have.
    UnknownType {
        /// The letter.
        kind: u8,
    },
    /// Fewer bytes than the fixed fields of the type, or one byte of the appendage length.
    Length {
        /// The message's type letter.
        kind: u8,
        /// Bytes of its fixed fields without the appendage length.
        fixed: usize,
        /// Bytes found.
        found: usize,
    },
    /// The appendage length differs from the bytes that follow it.
    AppendageLength {
        /// The message's type letter.
        kind: u8,
        /// The length it states.
        stated: usize,
        /// The bytes that follow.
        found: usize,
    },
    /// An element of the appendage that is empty or runs past its end.
    Element {
        /// Offset of the element in the appendage.
        at: usize,
    },
    /// The output is too short, or the appendage too long for its length field.
    NoRoom {
        /// Bytes needed.
        need: usize,
        /// Bytes there.
        have: usize,
    },
}

impl OuchError {
    /// The error's stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            OuchError::Empty => "OUCH_EMPTY",
            OuchError::UnknownType { .. } => "OUCH_UNKNOWN_TYPE",
            OuchError::Length { .. } => "OUCH_LENGTH",
            OuchError::AppendageLength { .. } => "OUCH_APPENDAGE_LENGTH",
            OuchError::Element { .. } => "OUCH_ELEMENT",
            OuchError::NoRoom { .. } => "OUCH_NO_ROOM",
        }
    }
}

impl fmt::Display for OuchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match *self {
            OuchError::Empty => f.write_str("an empty message has no type"),
            OuchError::UnknownType { kind } => {
                write!(f, "message type 0x{kind:02x} is none of this direction's")
            }
            OuchError::Length { kind, fixed, found } => {
                write!(f, "message `{}` has {found} bytes, its fixed fields need {fixed}", kind as char)
            }
            OuchError::AppendageLength { kind, stated, found } => {
                write!(f, "message `{}` states an appendage of {stated} bytes, {found} follow", kind as char)
            }
            OuchError::Element { at } => {
                write!(f, "the appendage's element at byte {at} is empty or cut off")
            }
            OuchError::NoRoom { need, have } => write!(f, "a message needs {need} bytes, {have} are there"),
        }
    }
}

impl core::error::Error for OuchError {}
