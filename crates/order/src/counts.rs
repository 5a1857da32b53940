//! What a session has seen, in numbers.

/// What has happened since the start; for counters and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Orders accepted.
    pub accepted: u64,
    /// Executions counted.
    pub executed: u64,
    /// Shares executed.
    pub shares: u64,
    /// Cancels counted.
    pub canceled: u64,
    /// Orders rejected.
    pub rejected: u64,
    /// Words that repeated what was known.
    pub repeated: u64,
    /// Orders seen of instruments outside the line's configuration.
    pub foreign: u64,
    /// Messages of types that are not known; skipped.
    pub unknown: u64,
}
