//! The shape of a capture's counts: as JSON for programs, as a table for people.

use serde::Serialize;
use std::collections::BTreeMap;
use tickline_packet::arbiter::{Dropped, Gap, LineCounts};
use tickline_packet::pcap::Skipped;

/// Messages lost on every line.
#[derive(Clone, Debug, Serialize)]
pub struct GapSummary {
    /// Sequence number of the first.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Capture time at which they were given up.
    pub time_ns: u64,
}

impl GapSummary {
    pub(crate) fn of(gap: &Gap) -> GapSummary {
        GapSummary { first: gap.first, count: gap.count, time_ns: gap.time.0 }
    }
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub struct LineSummary {
    /// `A` or `B`.
    pub line: &'static str,
    /// Destination group and port.
    pub destination: String,
    /// Sound packets.
    pub packets: u64,
    /// Heartbeats among them.
    pub heartbeats: u64,
    /// Ends of session among them.
    pub ends: u64,
    /// Packets refused.
    pub malformed: u64,
    /// Messages it brought first.
    pub first: u64,
    /// Messages known already.
    pub duplicates: u64,
    /// Messages it skipped.
    pub lost: u64,
    /// Packets out of order.
    pub backward: u64,
}

/// A session and where it was joined and left.
#[derive(Clone, Debug, Serialize)]
pub struct SessionSummary {
    /// Its name.
    pub session: String,
    /// First sequence number.
    pub first: u64,
    /// The number after the last message.
    pub next: u64,
    /// True if its end was seen.
    pub ended: bool,
}

/// Everything that was counted.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The capture.
    pub file: String,
    /// Frames of the market data lines.
    pub packets: u64,
    /// Messages delivered, each once.
    pub messages: u64,
    /// The same by type letter.
    pub by_type: BTreeMap<String, u64>,
    /// Ranges that no line brought.
    pub gaps: Vec<GapSummary>,
    /// Ranges that no line brought and another capture filled.
    pub filled: Vec<GapSummary>,
    /// Messages in the gaps.
    pub losses: u64,
    /// Heartbeats, all lines.
    pub heartbeats: u64,
    /// Messages of a type that ITCH 5.0 does not have.
    pub unknown: u64,
    /// Packets and messages refused.
    pub malformed: u64,
    /// Per line.
    pub lines: Vec<LineSummary>,
    /// Per session.
    pub sessions: Vec<SessionSummary>,
    /// Symbols seen.
    pub symbols: Vec<String>,
    /// Messages that did not fit the books.
    pub anomalies: u64,
    /// Capture time of the first and the last frame.
    pub capture_ns: [u64; 2],
    /// Other traffic.
    pub skipped: SkippedSummary,
    /// Byte offset of a last record that was cut off.
    pub truncated_at: Option<u64>,
}

/// Frames that are not market data of the two lines.
#[derive(Clone, Debug, Serialize)]
pub struct SkippedSummary {
    /// Not IPv4, fragments, cut off, neither UDP nor TCP.
    pub refused: u64,
    /// TCP.
    pub tcp: u64,
    /// UDP to other places.
    pub other_udp: u64,
    /// Of interfaces that are not Ethernet.
    pub foreign: u64,
    /// MoldUDP64 packets of another session, or too far ahead to be believed.
    pub unbelieved: u64,
}

impl LineSummary {
    pub(crate) fn of(line: &'static str, destination: String, counts: LineCounts) -> LineSummary {
        LineSummary {
            line,
            destination,
            packets: counts.packets,
            heartbeats: counts.heartbeats,
            ends: counts.ends,
            malformed: counts.malformed,
            first: counts.first,
            duplicates: counts.duplicates,
            lost: counts.lost,
            backward: counts.backward,
        }
    }
}

impl SkippedSummary {
    pub(crate) fn of(skipped: Skipped, dropped: Dropped) -> SkippedSummary {
        SkippedSummary {
            refused: skipped.refused,
            tcp: skipped.tcp,
            other_udp: skipped.other_udp,
            foreign: skipped.foreign,
            unbelieved: dropped.session + dropped.far,
        }
    }
}

impl Summary {
    /// The table people read.
    pub fn table(&self) -> String {
        let mut out = String::new();
        let mut row = |name: &str, value: String| out.push_str(&format!("{name:<12} {value}\n"));
        row("capture", self.file.clone());
        row("packets", self.packets.to_string());
        for session in &self.sessions {
            let end = if session.ended { "ended" } else { "open" };
            let SessionSummary { session, first, next, .. } = session;
            row("session", format!("{session}: messages {first} to {}, {end}", next.saturating_sub(1)));
        }
        for line in &self.lines {
            row(
                &format!("line {}", line.line),
                format!(
                    "{}: {} packets, {} heartbeats, first with {}, {} duplicates, {} lost, {} malformed",
                    line.destination,
                    line.packets,
                    line.heartbeats,
                    line.first,
                    line.duplicates,
                    line.lost,
                    line.malformed
                ),
            );
        }
        let types: Vec<_> = self.by_type.iter().map(|(letter, count)| format!("{letter} {count}")).collect();
        row("messages", format!("{} ({})", self.messages, types.join(", ")));
        row("unknown", self.unknown.to_string());
        row("malformed", self.malformed.to_string());
        row("losses", format!("{} messages in {} gaps", self.losses, self.gaps.len()));
        for gap in &self.gaps {
            row("  gap", format!("{} messages from {}", gap.count, gap.first));
        }
        row(
            "symbols",
            format!("{} ({})", self.symbols.len(), self.symbols[..self.symbols.len().min(12)].join(" ")),
        );
        row("anomalies", self.anomalies.to_string());
        let seconds = (self.capture_ns[1] - self.capture_ns[0]) as f64 / 1e9;
        row("duration", format!("{seconds:.6} s"));
        let skipped = &self.skipped;
        let other = skipped.refused + skipped.tcp + skipped.other_udp + skipped.foreign;
        row("other", format!("{other} frames, {} packets not believed", skipped.unbelieved));
        if let Some(offset) = self.truncated_at {
            row("truncated", format!("the last record, at byte {offset}, is cut off"));
        }
        out
    }
}
