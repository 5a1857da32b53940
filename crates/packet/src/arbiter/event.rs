//! What goes into an arbiter beside frames, and what comes out.

use tickline_units::Nanos;
use tickline_wire::mold::Session;

/// Where the first session starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// At message 1: whatever came before the first packet is a gap.
    Beginning,
    /// At the first packet seen, as when joining a running session.
    Anywhere,
}

/// Sizes and limits of an arbiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Messages ahead of the next one that can be held back; a power of two. Memory: 80 bytes each.
    pub window: usize,
    /// How long a missing message is waited for.
    pub patience: Nanos,
    /// Where the first session starts; a session that follows another starts at 1.
    pub join: Join,
}

impl Default for Config {
    /// 16,384 messages (1.3 MB), 1 ms, from anywhere.
    fn default() -> Config {
        Config { window: 1 << 14, patience: Nanos(1_000_000), join: Join::Anywhere }
    }
}

/// Longest message that can be held back; a longer one counts as missing unless it comes in order. ITCH has 50 at most.
pub const HELD_BYTES_MAX: usize = 62;

/// Messages that no line brought in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Sequence number of the first.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Line time at which they were given up.
    pub time: Nanos,
}

/// What the stream says, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A session starts; `next` is the sequence number expected first.
    Session {
        /// Its name.
        session: Session,
        /// First sequence number expected.
        next: u64,
    },
    /// The next message.
    Message {
        /// Its sequence number.
        sequence: u64,
        /// Its bytes, type letter first.
        bytes: &'a [u8],
    },
    /// Messages are lost for good: books are wrong from here on until they are rebuilt.
    Gap(Gap),
    /// The session is over; every message of it was delivered or declared lost.
    End {
        /// The number the next message would have had.
        next: u64,
    },
}

/// Packets that were dropped, by reason; beside the per-line counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Of a session that is not the current one.
    pub session: u64,
    /// So far ahead that a second packet must confirm it.
    pub far: u64,
    /// Messages too long to be held back.
    pub oversize: u64,
}
