//! Messages to the venue. Source: OUCH 5.0, section 2.

use super::message::{direction, message};
use super::{Appendage, OuchError};

message! {
    /// Enter Order: 47 bytes with the appendage length.
    EnterOrder, b'O' {
        /// Strictly increasing per day and port.
        user_ref: u32,
        /// `B` buy, `S` sell, `T` sell short, `E` sell short exempt.
        side: u8,
        /// Shares.
        qty: u32,
        /// Stock symbol, padded with spaces.
        symbol: [u8; 8],
        /// 1/10,000 dollar; [`super::PRICE_MARKET`] for a market order.
        price: u64,
        /// `0` day, `3` immediate or cancel, `5` extended hours, `6` with an expire time, `E` after hours.
        tif: u8,
        /// `Y` visible, `N` hidden, `A` attributable.
        display: u8,
        /// `A` agency, `P` principal, `R` riskless, `O` other.
        capacity: u8,
        /// Intermarket sweep: `Y` or `N`.
        sweep: u8,
        /// `N` continuous market, `O` opening, `C` closing and others.
        cross: u8,
        /// The client's own name for the order.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Replace Order: 40 bytes with the appendage length.
    ReplaceOrder, b'U' {
        /// The order to replace.
        original_user_ref: u32,
        /// The new order's number, strictly increasing.
        user_ref: u32,
        /// Shares, those already executed included.
        qty: u32,
        /// 1/10,000 dollar.
        price: u64,
        /// As on Enter Order.
        tif: u8,
        /// As on Enter Order.
        display: u8,
        /// Intermarket sweep: `Y` or `N`.
        sweep: u8,
        /// The client's own name for the new order.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Cancel Order: 11 bytes with the appendage length, 9 in the short form.
    CancelOrder, b'X' {
        /// The order.
        user_ref: u32,
        /// Shares that shall stay; 0 cancels all.
        qty: u32,
    }
}

message! {
    /// Modify Order: 12 bytes with the appendage length.
    ModifyOrder, b'M' {
        /// The order.
        user_ref: u32,
        /// The new sell letter; buy and sell cannot be swapped.
        side: u8,
        /// Shares, those already executed included; never more than before.
        qty: u32,
    }
}

message! {
    /// Mass Cancel: 19 bytes with the appendage length.
    MassCancel, b'C' {
        /// Strictly increasing, as for an order.
        user_ref: u32,
        /// Firm, 4 letters.
        firm: [u8; 4],
        /// Stock symbol; spaces mean all.
        symbol: [u8; 8],
    }
}

message! {
    /// Disable Order Entry: 11 bytes with the appendage length.
    DisableOrderEntry, b'D' {
        /// Strictly increasing, as for an order.
        user_ref: u32,
        /// Firm, 4 letters.
        firm: [u8; 4],
    }
}

message! {
    /// Enable Order Entry: 11 bytes with the appendage length.
    EnableOrderEntry, b'E' {
        /// Strictly increasing, as for an order.
        user_ref: u32,
        /// Firm, 4 letters.
        firm: [u8; 4],
    }
}

message! {
    /// Account Query: 3 bytes with the appendage length, 1 in the short form.
    AccountQuery, b'Q' {}
}

direction! {
    /// A message to the venue, with its optional fields.
    Inbound {
        /// Enter Order.
        EnterOrder,
        /// Replace Order.
        ReplaceOrder,
        /// Cancel Order.
        CancelOrder,
        /// Modify Order.
        ModifyOrder,
        /// Mass Cancel.
        MassCancel,
        /// Disable Order Entry.
        DisableOrderEntry,
        /// Enable Order Entry.
        EnableOrderEntry,
        /// Account Query.
        AccountQuery,
    }
}
