//! What the engine says happened, in order.

use super::command::{Owner, Ref};
use tickline_units::{Price, Qty, Side};

/// Why an order, or a part of it, went without trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Its owner cancelled it (whole or in part).
    Cancelled,
    /// Its owner's mass cancel.
    MassCancelled,
    /// Its owner's connection ended.
    Disconnected,
    /// A replacement took its place and was marketable.
    Replaced,
    /// Immediate-or-cancel, or a market order: what did not trade at once.
    Unfilled,
    /// It would have traded with an order of the same user.
    SelfTrade,
}

/// Why a command did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The reference is 0 or in use.
    Ref,
    /// No such symbol.
    Symbol,
    /// Price 0 or above [`super::command::MARKET`].
    Price,
    /// Quantity 0.
    Qty,
    /// No such order is in the book.
    Unknown,
}

/// One trade: an incoming order met a resting one at the resting one's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Number of the match, from 1, increasing by 1.
    pub match_id: u64,
    /// The order that rested.
    pub resting: Ref,
    /// The order that came; 0 when background flow from a capture has none.
    pub incoming: Ref,
    /// Price of the trade.
    pub price: Price,
    /// Price the resting order is shown at; differs from `price` only for a capture's executions with price.
    pub shown: Price,
    /// Shares.
    pub qty: Qty,
    /// Shares left of the resting order.
    pub resting_left: Qty,
    /// Shares left of the incoming order.
    pub incoming_left: Qty,
    /// Place of the symbol.
    pub symbol: u16,
    /// Whose the resting order is.
    pub resting_owner: Owner,
    /// Whose the incoming order is.
    pub incoming_owner: Owner,
    /// Side of the resting order.
    pub side: Side,
    /// False for a capture's non-printable execution: its volume must not be counted.
    pub printable: bool,
}

/// One event. Everything public in it is what ITCH would show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An order rests (new, or the rest of one that traded first).
    Added {
        /// Which.
        order: Ref,
        /// Price.
        price: Price,
        /// Shares that rest.
        qty: Qty,
        /// Participant shown, or 0.
        mpid: u32,
        /// Place of the symbol.
        symbol: u16,
        /// Whose.
        owner: Owner,
        /// Side.
        side: Side,
    },
    /// Two orders traded.
    Traded(Trade),
    /// A resting order lost shares and stays, with its priority.
    Reduced {
        /// Which.
        order: Ref,
        /// Shares that went.
        by: Qty,
        /// Shares that stay.
        left: Qty,
        /// Place of the symbol.
        symbol: u16,
        /// Whose.
        owner: Owner,
        /// Why.
        why: Gone,
    },
    /// A resting order left the book without trading.
    Removed {
        /// Which.
        order: Ref,
        /// Shares that went.
        qty: Qty,
        /// Place of the symbol.
        symbol: u16,
        /// Whose.
        owner: Owner,
        /// Why.
        why: Gone,
    },
    /// A resting order changed reference, price and quantity at once, without trading.
    Replaced {
        /// The order that went.
        old: Ref,
        /// The order that came.
        new: Ref,
        /// Its price.
        price: Price,
        /// Its shares.
        qty: Qty,
        /// Place of the symbol.
        symbol: u16,
        /// Whose.
        owner: Owner,
        /// Side.
        side: Side,
    },
    /// What was left of an incoming order went without ever resting.
    Lapsed {
        /// Which.
        order: Ref,
        /// Shares that went.
        qty: Qty,
        /// Place of the symbol.
        symbol: u16,
        /// Whose.
        owner: Owner,
        /// Why.
        why: Gone,
    },
    /// A trade of hidden orders was printed.
    Printed {
        /// Number of the match.
        match_id: u64,
        /// Price.
        price: Price,
        /// Shares.
        qty: Qty,
        /// Place of the symbol.
        symbol: u16,
        /// Side of the resting order.
        side: Side,
    },
    /// The command did nothing.
    Refused {
        /// The order it named.
        order: Ref,
        /// Why.
        why: Refused,
    },
}
