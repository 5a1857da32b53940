//! What one message did to the books.

use tickline_units::{Price, Qty, Side};

/// A book's place in `Books`, in order of first appearance; stable for the life of `Books`, across days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct BookId(pub u32);

impl BookId {
    /// No book: the message concerns none, or one that is not known.
    pub const NONE: BookId = BookId(u32::MAX);
}

/// Shares that entered or left a book at one price; nothing when `qty` is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Price of the level.
    pub price: Price,
    /// Shares.
    pub qty: Qty,
}

/// Where a trade came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An order in the book (`E`, `C`).
    Displayed,
    /// A hidden order (`P`); the book is not touched.
    Hidden,
    /// A cross (`Q`); the book is not touched.
    Cross,
}

/// A printed trade: counts as volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Price of the trade: of the book for `E`, of the message for `C`, `P`, `Q`.
    pub price: Price,
    /// Shares; crosses can exceed 32 bits.
    pub qty: u64,
    /// Where it came from.
    pub origin: Origin,
    /// Side of the resting order as the message or the book says; nobody's for a cross. The exchange sends `B` in every `P`
    /// regardless of the hidden order's side, so take it from there at your own risk.
    pub resting: Option<Side>,
}

/// Which check a message failed; the books are as if it had not come, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Anomaly {
    /// `E`, `C`, `X`, `D`, `U` for an order that does not rest.
    UnknownReference = 0,
    /// A new order under the reference of one that rests. For `U` the replaced order is gone nevertheless.
    DuplicateReference = 1,
    /// `E`, `C`, `X` for more shares than the order has: the order is removed, with what it had.
    OverExecution = 2,
    /// The locate code is not the one of the order's or symbol's book, or unknown.
    LocateMismatch = 3,
    /// 0 shares or price 0 where there must be some. For `U` the replaced order is gone nevertheless.
    Invalid = 4,
}

/// Counts per `Anomaly`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anomalies(pub(crate) [u64; 5]);

impl Anomalies {
    /// How often this one was met.
    pub const fn count(&self, anomaly: Anomaly) -> u64 {
        self.0[anomaly as usize]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// What one message did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The book it concerns, or `BookId::NONE`.
    pub book: BookId,
    /// Side of the levels that changed; `Buy` when none did.
    pub side: Side,
    /// Shares that left a level: executed, cancelled, deleted, replaced.
    pub left: Shares,
    /// Shares that entered a level: added, replacing.
    pub entered: Shares,
    /// A printed trade.
    pub trade: Option<Trade>,
    /// Why the message was refused or cut down.
    pub anomaly: Option<Anomaly>,
}

impl Change {
    /// No change to any book.
    pub const NONE: Change = Change {
        book: BookId::NONE,
        side: Side::Buy,
        left: Shares { price: Price(0), qty: Qty(0) },
        entered: Shares { price: Price(0), qty: Qty(0) },
        trade: None,
        anomaly: None,
    };

    /// True when the book's levels or its trades changed: worth a new row of features.
    #[inline]
    pub const fn touches(&self) -> bool {
        self.left.qty.0 != 0 || self.entered.qty.0 != 0 || self.trade.is_some()
    }

    /// True when resting orders changed; a change of queue order at one price counts.
    #[inline]
    pub const fn moves_book(&self) -> bool {
        self.left.qty.0 != 0 || self.entered.qty.0 != 0
    }
}
