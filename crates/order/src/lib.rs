//! The client side of the order session, sans I/O: bytes in, bytes out, time as an argument.
//!
//! [`Client`] speaks SoupBinTCP and OUCH 5.0, keeps the state of every order and the positions that follow from
//! executions. Orders are written only for a [`tickline_gate::Passed`]. All tables are allocated at the start.
#![forbid(unsafe_code)]

mod cl_ord_id;
mod client;
mod config;
mod counts;
mod error;
mod executions;
mod hash;
mod ledger;
mod login;
mod orders;
mod outbox;
mod positions;
mod told;

pub use cl_ord_id::{ClOrdId, DECISION_MAX, EPOCH_MAX};
pub use client::Client;
pub use config::ClientConfig;
pub use counts::Counts;
pub use error::{ConfigError, SessionError};
pub use executions::{Execution, Executions, Noted};
pub use hash::OrderHash;
pub use ledger::Ledger;
pub use login::{Login, Phase};
pub use orders::{OrderRecord, OrderState, Orders};
pub use outbox::Outbox;
pub use positions::{Position, Positions};

/// Instrument of an order whose symbol is not in the line's configuration.
pub const NO_INSTRUMENT: u16 = u16::MAX;

/// Token slot of an order that an earlier process sent: the venue does not know slots.
pub const NO_TOKEN: u32 = u32::MAX;
