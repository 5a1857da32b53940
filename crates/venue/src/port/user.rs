//! One user of the order port: the account, its sequenced stream, its orders by their numbers.

use crate::engine::Ref;
use crate::log::MessageLog;
use std::collections::HashMap;
use tickline_wire::ouch::{FIXED_BYTES_MAX, OuchError};

/// Who may log in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// User name, padded with spaces.
    pub user: [u8; 6],
    /// Password, padded with spaces.
    pub password: [u8; 10],
}

/// An order as its user knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Working {
    pub(super) user_ref: u32,
    pub(super) symbol: u16,
    pub(super) side: u8,
    /// Shares wanted, those executed included.
    pub(super) qty: u32,
    /// Shares executed, those of the orders it replaced included.
    pub(super) executed: u32,
    pub(super) price: u64,
    pub(super) capacity: u8,
    pub(super) live: bool,
    /// A modification took shares away; the engine's event about it is still to come and says nothing new.
    pub(super) modified: bool,
}

impl Working {
    pub(super) fn leaves(&self) -> u32 {
        self.qty - self.executed
    }
}

pub(super) struct User {
    pub(super) account: Account,
    pub(super) stream: MessageLog,
    /// The highest number used; the next must be higher.
    pub(super) last: u32,
    pub(super) enabled: bool,
    /// Reference of each numbered order; looked up, never walked, so its order does not matter.
    pub(super) orders: HashMap<u32, Ref>,
}

impl User {
    pub(super) fn new(account: Account) -> User {
        User { account, stream: MessageLog::default(), last: 0, enabled: true, orders: HashMap::new() }
    }

    /// Appends a message to the stream; `encode` writes it, with an empty appendage, into the buffer it is given.
    pub(super) fn tell(&mut self, encode: impl FnOnce(&mut [u8]) -> Result<usize, OuchError>) {
        self.stream.append::<FIXED_BYTES_MAX>(|to| match encode(to) {
            Ok(length) => length,
            Err(error) => panic!("the longest message without appendage has room: {error:?}"),
        });
    }
}
