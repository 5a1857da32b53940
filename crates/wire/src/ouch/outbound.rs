// @hot
//! Messages from the venue. Source: OUCH 5.0, section 3.
//!
//! `time_ns` is nanoseconds since midnight on a real venue; the simulated venue writes line time in a replay.

use super::message::{direction, message};
use super::{Appendage, OuchError};

message! {
    /// System Event: 10 bytes; the only message without an appendage length on the wire.
    SystemEvent, "System Event", b'S', tail 0 {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// `S` start of day, `E` end of day.
        event as event_code: u8,
    }
}

message! {
    /// Order Accepted: 64 bytes with the appendage length.
    OrderAccepted, "Order Accepted", b'A' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
        /// Letter, as on Enter Order.
        side: u8,
        /// Shares accepted.
        qty as quantity: u32,
        /// Stock symbol.
        symbol: [u8; 8],
        /// Price accepted, 1/10,000 dollar.
        price: u64,
        /// Letter, as on Enter Order.
        tif as time_in_force: u8,
        /// Letter, as on Enter Order.
        display: u8,
        /// The venue's day-unique number, the one ITCH shows.
        order_ref as order_reference_number: u64,
        /// Letter, as on Enter Order.
        capacity: u8,
        /// Letter, as on Enter Order.
        sweep as inter_market_sweep_eligibility: u8,
        /// Letter, as on Enter Order.
        cross as cross_type: u8,
        /// `L` live, `D` dead on arrival.
        state as order_state: u8,
        /// As entered.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Order Replaced: 68 bytes with the appendage length.
    OrderReplaced, "Order Replaced", b'U' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order that is gone.
        original_user_ref as orig_user_ref_num: u32,
        /// The order that takes its place.
        user_ref as user_ref_num: u32,
        /// Letter, as on Enter Order.
        side: u8,
        /// Shares working now.
        qty as quantity: u32,
        /// Stock symbol.
        symbol: [u8; 8],
        /// 1/10,000 dollar.
        price: u64,
        /// Letter, as on Enter Order.
        tif as time_in_force: u8,
        /// Letter, as on Enter Order.
        display: u8,
        /// The venue's number of the new order.
        order_ref as order_reference_number: u64,
        /// Letter, as on Enter Order.
        capacity: u8,
        /// Letter, as on Enter Order.
        sweep as inter_market_sweep_eligibility: u8,
        /// Letter, as on Enter Order.
        cross as cross_type: u8,
        /// `L` live, `D` dead.
        state as order_state: u8,
        /// As entered on the replace.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Order Canceled: 20 bytes with the appendage length, 18 in the short form.
    Canceled, "Order Canceled", b'C' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
        /// Shares just canceled, not cumulative.
        qty as quantity: u32,
        /// `U` user, `I` immediate or cancel, `T` timeout, `S` supervisory, `D` regulatory, `Q` self match and others.
        reason as cancel_order_reason: u8,
    }
}

message! {
    /// AIQ Canceled: shares taken off to prevent a self-trade; 34 bytes with the appendage length.
    AiqCanceled, "AIQ Canceled", b'D' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
        /// Shares just taken off.
        qty as decrement_shares: u32,
        /// Letter, as on Order Canceled.
        reason as cancel_order_reason: u8,
        /// Shares that would have traded.
        prevented_qty as quantity_prevented_from_trading: u32,
        /// The price they would have traded at.
        price as execution_price: u64,
        /// Liquidity flag they would have had.
        liquidity as liquidity_flag: u8,
        /// The strategy that was applied.
        strategy as aiq_strategy: u8,
    }
}

message! {
    /// Order Executed: 36 bytes with the appendage length.
    Executed, "Order Executed", b'E' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
        /// Shares just executed, not cumulative.
        qty as quantity: u32,
        /// Execution price, 1/10,000 dollar.
        price: u64,
        /// `A` added, `R` removed liquidity and others.
        liquidity as liquidity_flag: u8,
        /// Day-unique match number.
        match_number: u64,
    }
}

message! {
    /// Broken Trade: 38 bytes with the appendage length.
    BrokenTrade, "Broken Trade", b'B' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
        /// The execution that is undone.
        match_number: u64,
        /// `E` erroneous, `C` consent, `S` supervisory, `X` external.
        reason as broken_trade_reason: u8,
        /// As entered.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Rejected: 31 bytes with the appendage length.
    Rejected, "Rejected", b'J' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order, or another numbered message.
        user_ref as user_ref_num: u32,
        /// Why, a number of the venue's list.
        reason as rejected_order_reason: u16,
        /// As entered.
        cl_ord_id: [u8; 14],
    }
}

message! {
    /// Cancel Pending: the cancel waits for a cross; 15 bytes with the appendage length.
    CancelPending, "Cancel Pending", b'P' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
    }
}

message! {
    /// Cancel Reject: the order cannot be canceled now; 15 bytes with the appendage length.
    CancelReject, "Cancel Reject", b'I' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
    }
}

message! {
    /// Order Priority Update: 32 bytes with the appendage length.
    PriorityUpdate, "Order Priority Update", b'T' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
        /// New price, 1/10,000 dollar.
        price: u64,
        /// New display letter.
        display: u8,
        /// New venue number.
        order_ref as order_reference_number: u64,
    }
}

message! {
    /// Order Modified: 20 bytes with the appendage length.
    Modified, "Order Modified", b'M' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
        /// New side letter.
        side: u8,
        /// Shares still working.
        qty as quantity: u32,
    }
}

message! {
    /// Order Restated: what changed is in the appendage; 16 bytes with the appendage length.
    Restated, "Order Restated", b'R' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The order.
        user_ref as user_ref_num: u32,
        /// `R` refresh of a reserve, `P` new display price.
        reason as order_restated_reason: u8,
    }
}

message! {
    /// Mass Cancel Response: 27 bytes with the appendage length.
    MassCancelResponse, "Mass Cancel Response", b'X' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// Of the request.
        user_ref as user_ref_num: u32,
        /// Of the request.
        firm: [u8; 4],
        /// Of the request.
        symbol: [u8; 8],
    }
}

message! {
    /// Disable Order Entry Response: 19 bytes with the appendage length.
    DisableResponse, "Disable Order Entry Response", b'G' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// Of the request.
        user_ref as user_ref_num: u32,
        /// Of the request.
        firm: [u8; 4],
    }
}

message! {
    /// Enable Order Entry Response: 19 bytes with the appendage length.
    EnableResponse, "Enable Order Entry Response", b'K' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// Of the request.
        user_ref as user_ref_num: u32,
        /// Of the request.
        firm: [u8; 4],
    }
}

message! {
    /// Account Query Response: 15 bytes with the appendage length.
    AccountQueryResponse, "Account Query Response", b'Q' {
        /// When, see the module.
        time_ns as timestamp: u64,
        /// The least number that the next order may have.
        next_user_ref as next_user_ref_num: u32,
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
