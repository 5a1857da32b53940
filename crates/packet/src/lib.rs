//! Frame sources and line arbitration: from bytes to an ordered message stream.
//!
//! `pcap::Capture` and `pcap::Player` play a file or a line's journal, `socket::UdpSource` listens to the network, and `arbiter::Arbiter` makes one
//! ordered stream of what the two lines bring. `rerequest::Client` asks for what neither brought.
#![deny(unsafe_code)]

pub mod arbiter;
mod journal;
pub mod pcap;
pub mod rerequest;
pub mod socket;

use tickline_units::Nanos;

/// Line A, line B and the re-request server's answers, as indices.
pub const LINES: usize = 3;

/// Line of messages that were asked for again.
pub const RECOVERY: u8 = 2;

/// One UDP payload as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// 0 = A, 1 = B, 2 = recovery.
    pub line: u8,
    /// Line time: capture time in replay, monotonic when live.
    pub time: Nanos,
    /// Monotonic time at which it was due: the pacing's deadline in replay, the time of receipt when live.
    pub due: Nanos,
    /// A MoldUDP64 packet, not yet checked.
    pub payload: &'a [u8],
}
