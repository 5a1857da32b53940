//! What can be asked of the engine.

use tickline_units::{Price, Qty, Side};

/// Order reference number, unique for a session; 0 means "no order".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Ref(pub u64);

/// Whose order it is. `PUBLIC` is the anonymous crowd of the background flow; others are users of the order port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Owner(pub u16);

impl Owner {
    /// The background flow: many participants under one number, so its orders may trade with each other.
    pub const PUBLIC: Owner = Owner(0);

    /// True for a user of the order port.
    #[inline]
    pub const fn is_user(self) -> bool {
        self.0 != 0
    }
}

/// The price that means "at any price" (OUCH 5.0, data types): such an order never rests.
pub const MARKET: Price = Price(0x7FFF_FFFF);

/// How long an order lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    /// Rests until executed or cancelled.
    #[default]
    Day,
    /// Executes what it can at once; the remainder lapses.
    Ioc,
}

/// A new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enter {
    /// Its reference; must be unused and not 0.
    pub order: Ref,
    /// Place of the symbol, from 0.
    pub symbol: u16,
    /// Whose it is.
    pub owner: Owner,
    /// Buys or sells.
    pub side: Side,
    /// Limit price, or [`MARKET`]. Must not be 0 and must be at most [`MARKET`].
    pub price: Price,
    /// Shares, at least 1.
    pub qty: Qty,
    /// Day or immediate-or-cancel.
    pub life: Life,
    /// Participant shown with it (ITCH `F`), four letters as big-endian bytes; 0 shows none (ITCH `A`).
    pub mpid: u32,
}

/// One command; [`crate::engine::Engine::apply`] does exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// A new order meets the book and rests with what is left.
    Enter(Enter),
    /// The whole order goes.
    Cancel {
        /// Which.
        order: Ref,
    },
    /// `by` shares of the order go; it keeps its priority. All or more than all: the whole order goes.
    Reduce {
        /// Which.
        order: Ref,
        /// Shares to take away, at least 1.
        by: Qty,
    },
    /// A new reference, price and quantity for the order; it loses its priority and may trade.
    Replace {
        /// The order that goes.
        old: Ref,
        /// The reference of the order that comes.
        new: Ref,
        /// Its limit price.
        price: Price,
        /// Its shares.
        qty: Qty,
        /// Its life.
        life: Life,
    },
    /// Every order of a user, oldest first, optionally of one symbol or side only.
    MassCancel {
        /// The user; the public flow has no mass cancel.
        owner: Owner,
        /// Only this symbol.
        symbol: Option<u16>,
        /// Only this side.
        side: Option<Side>,
    },
    /// A trade between orders nobody sees (ITCH `P`): printed, the book is not touched.
    Print {
        /// Place of the symbol.
        symbol: u16,
        /// Side of the hidden resting order.
        side: Side,
        /// Price.
        price: Price,
        /// Shares.
        qty: Qty,
    },
}
