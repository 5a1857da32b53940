//! Order-level books of every symbol seen.
//!
//! `Books::apply` takes one decoded ITCH message and says what it changed; `Books::book` reads a symbol's book: levels,
//! orders in price-time priority, a hash of the contents. A pure state machine: no clock, no socket, no log.
#![forbid(unsafe_code)]

mod apply;
mod books;
mod change;
mod hash;
mod level;
mod order;
mod slab;

pub use books::{Book, Books, Capacity, Resting};
pub use change::{Anomalies, Anomaly, BookId, Change, Origin, Shares, Trade};
pub use level::Level;
