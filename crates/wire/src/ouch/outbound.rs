// @hot
//! Messages from the venue. Source: OUCH 5.0, section 3.
//!
//! `time_ns` is nanoseconds since midnight on a real venue; the simulated venue writes line time in a replay.

use super::message::{direction, message};
use super::{Appendage, OuchError};

message! {
    /// System Event: 10 bytes; the only message without an appendage length on the wire.
    SystemEvent, b'S', tail 0 {
        /// When, see the module.
        time_ns: u64,
        /// `S` start of day, `E` end of day.
        event: u8,
    }
}

message! {
    /// Order Accepted: 64 bytes with the appendage length.
    OrderAccepted, b'A' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
        /// Letter, as on Enter Order.
        side: u8,
        /// Shares accepted.
        qty: u32,
        /// Stock symbol.
        symbol: [u8; 8],
        /// Price accepted, 1/10,000 dollar.
        price: u64,
        /// Letter, as on Enter Order.
        tif: u8,
        /// Letter, as on Enter Order.
        display: u8,
        /// The venue's day-unique number, the one ITCH shows.
        order_ref: u64,
        /// Letter, as on Enter Order.
        capacity: u8,
        /// Letter, as on Enter Order.
        sweep: u8,
        /// Letter, as on Enter Order.
        cross: u8,
        /// `L` live, `D` dead on arrival.
        state: u8,
        /// As entered.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Order Replaced: 68 bytes with the appendage length.
    OrderReplaced, b'U' {
        /// When, see the module.
        time_ns: u64,
        /// The order that is gone.
        original_user_ref: u32,
        /// The order that takes its place.
        user_ref: u32,
        /// Letter, as on Enter Order.
        side: u8,
        /// Shares working now.
        qty: u32,
        /// Stock symbol.
        symbol: [u8; 8],
        /// 1/10,000 dollar.
        price: u64,
        /// Letter, as on Enter Order.
        tif: u8,
        /// Letter, as on Enter Order.
        display: u8,
        /// The venue's number of the new order.
        order_ref: u64,
        /// Letter, as on Enter Order.
        capacity: u8,
        /// Letter, as on Enter Order.
        sweep: u8,
        /// Letter, as on Enter Order.
        cross: u8,
        /// `L` live, `D` dead.
        state: u8,
        /// As entered on the replace.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Order Canceled: 20 bytes with the appendage length, 18 in the short form.
    Canceled, b'C' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
        /// Shares just canceled, not cumulative.
        qty: u32,
        /// `U` user, `I` immediate or cancel, `T` timeout, `S` supervisory, `D` regulatory, `Q` self match and others.
        reason: u8,
    }
}

message! {
    /// AIQ Canceled: shares taken off to prevent a self-trade; 34 bytes with the appendage length.
    AiqCanceled, b'D' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
        /// Shares just taken off.
        qty: u32,
        /// Letter, as on Order Canceled.
        reason: u8,
        /// Shares that would have traded.
        prevented_qty: u32,
        /// The price they would have traded at.
        price: u64,
        /// Liquidity flag they would have had.
        liquidity: u8,
        /// The strategy that was applied.
        strategy: u8,
    }
}

message! {
    /// Order Executed: 36 bytes with the appendage length.
    Executed, b'E' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
        /// Shares just executed, not cumulative.
        qty: u32,
        /// Execution price, 1/10,000 dollar.
        price: u64,
        /// `A` added, `R` removed liquidity and others.
        liquidity: u8,
        /// Day-unique match number.
        match_number: u64,
    }
}

message! {
    /// Broken Trade: 38 bytes with the appendage length.
    BrokenTrade, b'B' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
        /// The execution that is undone.
        match_number: u64,
        /// `E` erroneous, `C` consent, `S` supervisory, `X` external.
        reason: u8,
        /// As entered.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Rejected: 31 bytes with the appendage length.
    Rejected, b'J' {
        /// When, see the module.
        time_ns: u64,
        /// The order, or another numbered message.
        user_ref: u32,
        /// Why, a number of the venue's list.
        reason: u16,
        /// As entered.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Cancel Pending: the cancel waits for a cross; 15 bytes with the appendage length.
    CancelPending, b'P' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
    }
}

message! {
    /// Cancel Reject: the order cannot be canceled now; 15 bytes with the appendage length.
    CancelReject, b'I' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
    }
}

message! {
    /// Order Priority Update: 32 bytes with the appendage length.
    PriorityUpdate, b'T' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
        /// New price, 1/10,000 dollar.
        price: u64,
        /// New display letter.
        display: u8,
        /// New venue number.
        order_ref: u64,
    }
}

message! {
    /// Order Modified: 20 bytes with the appendage length.
    Modified, b'M' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
        /// New side letter.
        side: u8,
        /// Shares still working.
        qty: u32,
    }
}

message! {
    /// Order Restated: what changed is in the appendage; 16 bytes with the appendage length.
    Restated, b'R' {
        /// When, see the module.
        time_ns: u64,
        /// The order.
        user_ref: u32,
        /// `R` refresh of a reserve, `P` new display price.
        reason: u8,
    }
}

message! {
    /// Mass Cancel Response: 27 bytes with the appendage length.
    MassCancelResponse, b'X' {
        /// When, see the module.
        time_ns: u64,
        /// Of the request.
        user_ref: u32,
        /// Of the request.
        firm: [u8; 4],
        /// Of the request.
        symbol: [u8; 8],
    }
}

message! {
    /// Disable Order Entry Response: 19 bytes with the appendage length.
    DisableResponse, b'G' {
        /// When, see the module.
        time_ns: u64,
        /// Of the request.
        user_ref: u32,
        /// Of the request.
        firm: [u8; 4],
    }
}

message! {
    /// Enable Order Entry Response: 19 bytes with the appendage length.
    EnableResponse, b'K' {
        /// When, see the module.
        time_ns: u64,
        /// Of the request.
        user_ref: u32,
        /// Of the request.
        firm: [u8; 4],
    }
}

message! {
    /// Account Query Response: 15 bytes with the appendage length.
    AccountQueryResponse, b'Q' {
        /// When, see the module.
        time_ns: u64,
        /// The least number that the next order may have.
        next_user_ref: u32,
    }
}

direction! {
    /// A message from the venue, with its optional fields.
    Outbound {
        /// System Event.
        SystemEvent,
        /// Order Accepted.
        OrderAccepted,
        /// Order Replaced.
        OrderReplaced,
        /// Order Canceled.
        Canceled,
        /// AIQ Canceled.
        AiqCanceled,
        /// Order Executed.
        Executed,
        /// Broken Trade.
        BrokenTrade,
        /// Rejected.
        Rejected,
        /// Cancel Pending.
        CancelPending,
        /// Cancel Reject.
        CancelReject,
        /// Order Priority Update.
        PriorityUpdate,
        /// Order Modified.
        Modified,
        /// Order Restated.
        Restated,
        /// Mass Cancel Response.
        MassCancelResponse,
        /// Disable Order Entry Response.
        DisableResponse,
        /// Enable Order Entry Response.
        EnableResponse,
        /// Account Query Response.
        AccountQueryResponse,
    }
}
