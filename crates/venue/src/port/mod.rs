//! The venue's side of the order port: OUCH 5.0 requests in, the sequenced stream of each user out.
//!
//! What a user may ask and what comes back is here; matching is the engine's. Each user's stream is kept whole, so that a
//! session can be replayed from any number. A drop copy would be another reader of `OrderPort::message`.

mod reject;
mod request;
mod route;
mod user;

pub use reject::Reject;
pub use user::Account;

use crate::engine::{Engine, Event, Gone, Owner, Ref};
use tickline_units::{Nanos, Symbol};
use tickline_wire::ouch::{self, OuchError};
use user::{User, Working};

/// Most shares of one order (OUCH 5.0, Enter Order: less than 1,000,000).
pub const SHARES_MAX: u32 = 999_999;

/// Highest limit price: 199,999.9900 dollars (OUCH 5.0, data types).
pub const PRICE_MAX: u64 = 1_999_999_900;

/// First reference of users' orders: above those of any flow, and exact in a double.
pub const FIRST_REF: u64 = 1 << 52;

/// What the port did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Orders accepted, replacements included.
    pub accepted: u64,
    /// Requests rejected.
    pub rejected: u64,
    /// Requests ignored: numbers already used, orders no longer live.
    pub ignored: u64,
    /// Executions told to users; a trade between two users counts twice.
    pub fills: u64,
    /// Shares of those.
    pub shares: u64,
}

/// A symbol that users may trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tradable {
    /// Its name.
    pub symbol: Symbol,
    /// Smallest price step in 1/10,000 dollar.
    pub tick: u32,
}

/// A user who has logged in: the number that the port knows the user by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserId(usize);

impl UserId {
    /// The owner of this user's orders.
    pub fn owner(self) -> Owner {
        Owner(self.0 as u16 + 1)
    }
}

/// The order port of all users.
pub struct OrderPort {
    users: Vec<User>,
    symbols: Vec<Tradable>,
    /// All users' orders; the order with reference `FIRST_REF + i` is at `i`.
    orders: Vec<Working>,
    counts: Counts,
}

impl OrderPort {
    /// A port for `accounts`, trading `symbols` in the engine's order.
    pub fn new(accounts: &[Account], symbols: Vec<Tradable>) -> OrderPort {
        let users = accounts.iter().map(|&account| User::new(account)).collect();
        OrderPort { users, symbols, orders: Vec::with_capacity(4096), counts: Counts::default() }
    }

    /// The user with this name and password.
    pub fn login(&self, user: &[u8; 6], password: &[u8; 10]) -> Option<UserId> {
        self.users
            .iter()
            .position(|known| known.account.user == *user && known.account.password == *password)
            .map(UserId)
    }

    /// Users in the order of the accounts.
    pub fn users(&self) -> impl Iterator<Item = UserId> + use<> {
        (0..self.users.len()).map(UserId)
    }

    /// Number that the user's next sequenced message will get, from 1.
    pub fn next(&self, user: UserId) -> u64 {
        self.users[user.0].stream.next()
    }

    /// The user's sequenced message with this number, if it has been sent.
    pub fn message(&self, user: UserId, sequence: u64) -> Option<&[u8]> {
        self.users[user.0].stream.get(sequence)
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Does what a message of a user asks; the engine's events are appended to `events` and users told.
    ///
    /// # Errors
    /// The bytes are no OUCH 5.0 message; nothing happened. The connection cannot be trusted any more.
    pub fn receive(
        &mut self,
        user: UserId,
        bytes: &[u8],
        time: Nanos,
        engine: &mut Engine,
        events: &mut Vec<Event>,
    ) -> Result<(), OuchError> {
        let message = ouch::Inbound::decode(bytes)?;
        let before = events.len();
        self.request(user, &message, time, engine, events);
        self.route(time, &events[before..], engine);
        Ok(())
    }

    /// The user's connection ended: all its orders go.
    pub fn disconnect(&mut self, user: UserId, time: Nanos, engine: &mut Engine, events: &mut Vec<Event>) {
        let before = events.len();
        engine.mass_cancel(user.owner(), None, None, Gone::Disconnected, events);
        self.route(time, &events[before..], engine);
    }

    /// Tells every user that the day started (`S`) or ended (`E`).
    pub fn system(&mut self, time: Nanos, event: u8) {
        for user in &mut self.users {
            let message = ouch::SystemEvent { time_ns: time.0, event };
            user.tell(|to| message.encode(ouch::Appendage::NONE, to));
        }
    }

    fn place(&self, symbol: &[u8; 8]) -> Option<u16> {
        self.symbols.iter().position(|listed| listed.symbol.0 == *symbol).map(|at| at as u16)
    }

    fn order(&self, order: Ref) -> Option<&Working> {
        self.orders.get(order.0.checked_sub(FIRST_REF)? as usize)
    }

    fn order_mut(&mut self, order: Ref) -> Option<&mut Working> {
        self.orders.get_mut(order.0.checked_sub(FIRST_REF)? as usize)
    }

    /// The user's live order with this number.
    fn live(&self, user: UserId, user_ref: u32) -> Option<(Ref, Working)> {
        let order = *self.users[user.0].orders.get(&user_ref)?;
        self.order(order).filter(|working| working.live).map(|working| (order, *working))
    }
}
