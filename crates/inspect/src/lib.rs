//! What a capture holds: counts, books row by row, messages field by field. A pure reader: capture in, text out.
#![forbid(unsafe_code)]

mod book;
mod fault;
mod last;
mod messages;
mod number;
mod report;
mod stream;
mod summary;

pub use book::{BookRun, Row, rows};
pub use fault::Fault;
pub use last::{LastBook, LevelSummary, last_book};
pub use messages::{Format, messages};
pub use report::{GapSummary, LineSummary, SessionSummary, SkippedSummary, Summary};
pub use stream::{Options, Stream};
pub use summary::summary;
