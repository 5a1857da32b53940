//! What ends a session, and what a configuration can have wrong.

use core::fmt;
use tickline_wire::{ouch::OuchError, soup::RejectReason, soup::SoupError};

/// Why the connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// The byte stream is not SoupBinTCP.
    Soup(SoupError),
    /// A message that must be understood is not.
    Ouch(OuchError),
    /// The venue rejected the login.
    Rejected(RejectReason),
    /// Nothing came for the dead-peer time.
    Dead {
        /// Nanoseconds since the last byte.
        silent_ns: u64,
    },
    /// The venue ended its session for the day.
    Ended,
    /// The connection broke in a replay, whose order of events does not outlive it.
    Lost,
    /// A login was accepted that nobody asked for, or a message came before it.
    Unexpected {
        /// The packet's letter.
        kind: u8,
    },
    /// The venue starts at another message than the one asked for: its history is not ours.
    Sequence {
        /// Number asked for.
        wanted: u64,
        /// Number it starts at.
        got: u64,
    },
    /// A price that no order of ours can have.
    Price {
        /// The order.
        user_ref: u32,
        /// The price, 1/10,000 dollar.
        price: u64,
    },
    /// A table is full; sizes are fixed at the start.
    Full {
        /// Which.
        table: &'static str,
        /// Its size.
        size: usize,
    },
}

impl SessionError {
    /// The error's stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            SessionError::Soup(error) => error.code(),
            SessionError::Ouch(error) => error.code(),
            SessionError::Rejected(_) => "ORDER_LOGIN_REJECTED",
            SessionError::Dead { .. } => "ORDER_PEER_DEAD",
            SessionError::Ended => "ORDER_SESSION_ENDED",
            SessionError::Lost => "ORDER_SESSION_LOST",
            SessionError::Unexpected { .. } => "ORDER_UNEXPECTED",
            SessionError::Sequence { .. } => "ORDER_SEQUENCE",
            SessionError::Price { .. } => "ORDER_PRICE",
            SessionError::Full { .. } => "ORDER_TABLE_FULL",
        }
    }

    /// True when a new connection may help; otherwise a person must look.
    pub const fn retry(&self) -> bool {
        matches!(self, SessionError::Dead { .. } | SessionError::Ended | SessionError::Soup(_))
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            SessionError::Soup(error) => return error.fmt(f),
            SessionError::Ouch(error) => return error.fmt(f),
            _ => write!(f, "{}: ", self.code())?,
        }
        match *self {
            SessionError::Rejected(RejectReason::NotAuthorized) => f.write_str(
                "the venue does not know this user and password; see venue.ouch of the line's file",
            ),
            SessionError::Rejected(RejectReason::SessionNotAvailable) => {
                f.write_str("the venue no longer has the session; its history is lost, restart execution")
            }
            SessionError::Dead { silent_ns } => {
                write!(f, "nothing from the venue for {} ms", silent_ns / 1_000_000)
            }
            SessionError::Ended => f.write_str("the venue ended the session"),
            SessionError::Lost => {
                f.write_str("the connection to the venue broke; a replay needs every answer, so run it again")
            }
            SessionError::Unexpected { kind } => write!(f, "packet `{}` at a wrong time", kind as char),
            SessionError::Sequence { wanted, got } => {
                write!(f, "asked for message {wanted}, the venue starts at {got}; restart execution")
            }
            SessionError::Price { user_ref, price } => {
                write!(f, "order {user_ref} is said to trade at {price}, past 32 bits")
            }
            SessionError::Full { table, size } => {
                write!(f, "the table of {table} holds {size} and is full; restart with a larger one")
            }
            SessionError::Soup(_) | SessionError::Ouch(_) => Ok(()),
        }
    }
}

impl core::error::Error for SessionError {}

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it and how to mend it.
    pub problem: String,
}

impl ConfigError {
    /// The error's stable code.
    pub const CODE: &'static str = "ORDER_CONFIG";
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", ConfigError::CODE, self.field, self.problem)
    }
}

impl core::error::Error for ConfigError {}
