//! The order port: the gate, the order session and its socket in one. The only thing that writes to an order socket.
//!
//! [`Port::submit`] takes an Order message, asks the gate, writes OUCH to the socket at once and stamps the way.
//! [`Port::poll`] reads the socket, runs the session's timers and hands out Fill messages. Nothing here blocks.

mod backoff;
mod config;
mod departures;
mod gauges;
mod pace;
mod partner;
mod port;
mod rows;
mod socket;
mod tokens;

pub use backoff::Backoff;
pub use config::{Counterparty, PortConfig, PortError};
pub use departures::{Departure, Departures};
pub use pace::Pace;
pub use partner::Partner;
pub use port::{Port, Status};
pub use rows::{POSITION_BYTES, PositionRow, PositionTable};
pub use socket::{Progress, Socket};
pub use tokens::TokenTable;
