//! The last line that the process prints.

use serde::Serialize;
use tickline_venue::Venue;

/// What happened in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// ITCH messages published, or in a replay played.
    pub messages: u64,
    /// Packets sent, both lines.
    pub packets: u64,
    /// Packets that the system did not take.
    pub packets_dropped: u64,
    /// Connections accepted on the order port.
    pub connections: u64,
    /// OUCH messages received.
    pub orders: u64,
    /// Orders accepted, replacements included.
    pub accepted: u64,
    /// Requests rejected.
    pub rejects: u64,
    /// Requests ignored as repeated or about orders no longer live.
    pub ignored: u64,
    /// Executions told to users.
    pub fills: u64,
    /// Shares of those.
    pub shares: u64,
    /// Trades of a user with itself that were prevented.
    pub self_trades_prevented: u64,
    /// Replay: orders that came after the time at which they should have been in the book. 0 in a sound replay.
    pub late_orders: u64,
    /// Hash of the books at the end.
    pub book_hash: u64,
}

impl Summary {
    /// What the venue itself knows.
    pub fn of(venue: &Venue) -> Summary {
        let counts = venue.port.counts();
        Summary {
            accepted: counts.accepted,
            rejects: counts.rejected,
            ignored: counts.ignored,
            fills: counts.fills,
            shares: counts.shares,
            self_trades_prevented: venue.engine.self_trades_prevented(),
            book_hash: venue.engine.hash(),
            ..Summary::default()
        }
    }
}
