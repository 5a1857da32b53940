//! The hard limits every order passes.
//!
//! [`check`] is the whole rule: a flat list of what must hold. [`Gate`] keeps what the list needs to know (budgets used,
//! decisions seen, message times) and is the only maker of [`Passed`], the witness that the order session's encoder asks
//! for. So an order that has not passed cannot be written to a socket: it does not compile.
//!
//! All values are integers; every limit is written as what must hold, so anything unexpected refuses.
#![forbid(unsafe_code)]

mod check;
mod decisions;
mod gate;
mod limits;
mod order;
mod rate;
mod refusal;
mod token;

pub use check::{LineState, SessionState, check};
pub use decisions::{Decisions, Seen};
pub use gate::{Gate, Passed};
pub use limits::{LimitError, SessionLimits};
pub use order::{KIND_CANCEL, KIND_ENTER, KIND_REPLACE, LANE_NORMAL, LANE_PRIORITY, Order, TIF_DAY, TIF_IOC};
pub use rate::Rate;
pub use refusal::Refusal;
pub use token::{
    TOKEN_AT_USED, TOKEN_BYTES, TOKEN_MAGIC, TOKEN_WORDS, Token, TokenImage, Used, WORD_EPOCH, WORD_USED,
};

/// The armed word that lets orders pass: `ARMD`. Any other value refuses.
pub const ARMED: u32 = 0x4152_4D44;
