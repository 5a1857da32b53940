// @hot
//! Counts of one line, so that a bad cable shows although the other line hides it.

use tickline_units::Nanos;
use tickline_wire::mold::Packet;

/// What one line brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Sound packets, heartbeats included.
    pub packets: u64,
    /// Heartbeats.
    pub heartbeats: u64,
    /// Ends of session.
    pub ends: u64,
    /// Packets refused.
    pub malformed: u64,
    /// Messages that this line brought first.
    pub first: u64,
    /// Messages that were known or given up already.
    pub duplicates: u64,
    /// Messages this line skipped, whether or not the other brought them.
    pub lost: u64,
    /// Packets whose first message lies before one this line brought already.
    pub backward: u64,
    /// Line time of the last sound packet.
    pub last: Nanos,
}

/// A line's counts and its own place in the stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    counts: LineCounts,
    next: Option<u64>,
}

impl Line {
    #[inline]
    pub(super) fn packet(&mut self, packet: &Packet<'_>, now: Nanos) {
        self.counts.packets += 1;
        self.counts.last = now;
        if packet.is_end() {
            self.counts.ends += 1;
        } else if packet.messages() == 0 {
            self.counts.heartbeats += 1;
        }
    }

    /// Follows the line's own numbers; only for packets whose session and number are believed.
    #[inline]
    pub(super) fn track(&mut self, packet: &Packet<'_>) {
        let first = packet.header.sequence;
        match self.next {
            Some(next) if first > next => self.counts.lost += first - next,
            Some(next) if first < next => self.counts.backward += 1,
            _ => {}
        }
        self.next = Some(self.next.unwrap_or(0).max(packet.next()));
    }

    #[inline]
    pub(super) fn malformed(&mut self) {
        self.counts.malformed += 1;
    }

    #[inline]
    pub(super) fn first(&mut self, messages: u64) {
        self.counts.first += messages;
    }

    #[inline]
    pub(super) fn duplicate(&mut self) {
        self.counts.duplicates += 1;
    }

    /// A new session: numbers start over, counts go on.
    pub(super) fn restart(&mut self) {
        self.next = None;
    }

    pub(super) fn counts(&self) -> LineCounts {
        self.counts
    }
}
