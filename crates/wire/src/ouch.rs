//! OUCH 5.0: orders to the venue and its answers.
//!
//! Every message is a type letter, fixed fields in big-endian, a 2-byte appendage length and the appendage. Senders of
//! short forms leave the appendage length out; then the enclosing SoupBinTCP packet's length is what tells. The letters
//! mean different messages in the two directions, so the directions are two enums.
//! Source: Nasdaq OUCH 5.0, sections 2 (inbound) and 3 (outbound).
//!
//! Fields that hold a letter stay letters here: which of them a venue accepts is the venue's rule, not the codec's.

mod appendage;
mod error;
mod inbound;
mod message;
mod outbound;

pub use appendage::{Appendage, Element, Elements, tag};
pub use error::OuchError;
pub use inbound::{
    AccountQuery, CancelOrder, DisableOrderEntry, EnableOrderEntry, EnterOrder, Inbound, MassCancel,
    ModifyOrder, ReplaceOrder,
};
pub use message::Value;
pub use outbound::{
    AccountQueryResponse, AiqCanceled, BrokenTrade, CancelPending, CancelReject, Canceled, DisableResponse,
    EnableResponse, Executed, MassCancelResponse, Modified, OrderAccepted, OrderReplaced, Outbound,
    PriorityUpdate, Rejected, Restated, SystemEvent,
};

/// Bytes of the longest fixed part, appendage length included (order replaced).
pub const FIXED_BYTES_MAX: usize = 68;

/// The price of a market order.
pub const PRICE_MARKET: u64 = 0x7FFF_FFFF;

/// Time in force `0`: until the end of market hours.
pub const TIF_DAY: u8 = b'0';

/// Time in force `3`: what does not execute at once is canceled.
pub const TIF_IOC: u8 = b'3';
