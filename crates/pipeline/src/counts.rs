//! What went through a pipeline.

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames taken, sound or not.
    pub frames: u64,
    /// Messages delivered in order.
    pub messages: u64,
    /// Messages that changed a book.
    pub updates: u64,
    /// Rows of features published.
    pub rows: u64,
    /// Packets that are no MoldUDP64 packet, and messages of a known type with a wrong length or value.
    pub malformed: u64,
    /// Messages of an unknown type: skipped.
    pub unknown: u64,
    /// Gaps that nothing filled.
    pub gaps: u64,
    /// Messages in them.
    pub gap_messages: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// Times that messages asked for again caught up with later ones.
    pub caught_up: u64,
}
