//! Messages to the venue. Source: OUCH 5.0, section 2.

use super::message::{direction, message};
use super::{Appendage, OuchError};

message! {
    /// Enter Order: 47 bytes with the appendage length.
    EnterOrder, "Enter Order", b'O' {
        /// Strictly increasing per day and port.
        user_ref as user_ref_num: u32,
        /// `B` buy, `S` sell, `T` sell short, `E` sell short exempt.
        side: u8,
        /// Shares.
        qty as quantity: u32,
        /// Stock symbol, padded with spaces.
        symbol: [u8; 8],
        /// 1/10,000 dollar; [`super::PRICE_MARKET`] for a market order.
        price: u64,
        /// `0` day, `3` immediate or cancel, `5` extended hours, `6` with an expire time, `E` after hours.
        tif as time_in_force: u8,
        /// `Y` visible, `N` hidden, `A` attributable.
        display: u8,
        /// `A` agency, `P` principal, `R` riskless, `O` other.
        capacity: u8,
        /// Intermarket sweep: `Y` or `N`.
        sweep as inter_market_sweep_eligibility: u8,
        /// `N` continuous market, `O` opening, `C` closing and others.
        cross as cross_type: u8,
        /// The client's own name for the order.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Replace Order: 40 bytes with the appendage length.
    ReplaceOrder, "Replace Order Request", b'U' {
        /// The order to replace.
        original_user_ref as orig_user_ref_num: u32,
        /// The new order's number, strictly increasing.
        user_ref as user_ref_num: u32,
        /// Shares, those already executed included.
        qty as quantity: u32,
        /// 1/10,000 dollar.
        price: u64,
        /// As on Enter Order.
        tif as time_in_force: u8,
        /// As on Enter Order.
        display: u8,
        /// Intermarket sweep: `Y` or `N`.
        sweep as inter_market_sweep_eligibility: u8,
        /// The client's own name for the new order.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Cancel Order: 11 bytes with the appendage length, 9 in the short form.
    CancelOrder, "Cancel Order Request", b'X' {
        /// The order.
        user_ref as user_ref_num: u32,
        /// Shares that shall stay; 0 cancels all.
        qty as quantity: u32,
    }
}

message! {
    /// Modify Order: 12 bytes with the appendage length.
    ModifyOrder, "Modify Order Request", b'M' {
        /// The order.
        user_ref as user_ref_num: u32,
        /// The new sell letter; buy and sell cannot be swapped.
        side: u8,
        /// Shares, those already executed included; never more than before.
        qty as quantity: u32,
    }
}

message! {
    /// Mass Cancel: 19 bytes with the appendage length.
    MassCancel, "Mass Cancel Request", b'C' {
        /// Strictly increasing, as for an order.
        user_ref as user_ref_num: u32,
        /// Firm, 4 letters.
        firm: [u8; 4],
        /// Stock symbol; spaces mean all.
        symbol: [u8; 8],
    }
}

message! {
    /// Disable Order Entry: 11 bytes with the appendage length.
    DisableOrderEntry, "Disable Order Entry Request", b'D' {
        /// Strictly increasing, as for an order.
        user_ref as user_ref_num: u32,
        /// Firm, 4 letters.
        firm: [u8; 4],
    }
}

message! {
    /// Enable Order Entry: 11 bytes with the appendage length.
    EnableOrderEntry, "Enable Order Entry Request", b'E' {
        /// Strictly increasing, as for an order.
        user_ref as user_ref_num: u32,
        /// Firm, 4 letters.
        firm: [u8; 4],
    }
}

message! {
    /// Account Query: 3 bytes with the appendage length, 1 in the short form.
    AccountQuery, "Account Query Request", b'Q' {}
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
