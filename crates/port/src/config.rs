//! What a port is made with, and what can go wrong before it runs.

use core::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use tickline_gate::{LimitError, SessionLimits};
use tickline_order::{ClientConfig, ConfigError};
use tickline_ring::SegmentError;

/// Whom a port trades with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counterparty {
    /// The venue whose order port this is.
    Venue(SocketAddr),
    /// A [`Partner`](crate::Partner): every order goes out through the kernel and is rejected. The day never ends: numbers begin again.
    Partner,
    /// Nobody: no connection is ever opened, so every order is refused.
    Nobody,
}

/// Settings of a port, fixed for its life.
#[derive(Clone, Debug)]
pub struct PortConfig {
    /// Whom it trades with.
    pub counterparty: Counterparty,
    /// The session's settings.
    pub client: ClientConfig,
    /// Hard limits of the session.
    pub limits: SessionLimits,
    /// Folder of the run's segments: `control`, `tokens` and `positions` are opened there.
    pub run_dir: PathBuf,
    /// Line time is the order's own (replay) instead of the monotonic clock (live).
    pub replay: bool,
    /// Replay: simulated wire delay of an order, ns.
    pub delay_out_ns: u64,
    /// Replay: simulated wire delay of an answer, ns.
    pub delay_back_ns: u64,
}

impl PortConfig {
    /// Replay: simulated time from an order to its answer, ns.
    pub fn wire_ns(&self) -> u64 {
        self.delay_out_ns + self.delay_back_ns
    }
}

/// A port that cannot start.
#[derive(Debug)]
pub enum PortError {
    /// A segment is missing, foreign or too small.
    Segment(SegmentError),
    /// The session's settings.
    Config(ConfigError),
    /// There is no address to practise at.
    Partner(io::Error),
    /// The gate's limits.
    Limit(LimitError),
    /// A segment holds fewer bytes than the line needs.
    Small {
        /// Which.
        segment: &'static str,
        /// Bytes there.
        bytes: usize,
        /// Bytes needed.
        need: usize,
    },
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PortError::Segment(error) => error.fmt(f),
            PortError::Config(error) => error.fmt(f),
            PortError::Partner(error) => {
                write!(f, "PORT_PARTNER: no loopback address to practise at: {error}")
            }
            PortError::Limit(error) => error.fmt(f),
            PortError::Small { segment, bytes, need } => write!(
                f,
                "PORT_SEGMENT: segment {segment} has {bytes} bytes, the line's instruments need {need}; restart the line"
            ),
        }
    }
}

impl core::error::Error for PortError {}

impl From<SegmentError> for PortError {
    fn from(error: SegmentError) -> Self {
        PortError::Segment(error)
    }
}

impl From<ConfigError> for PortError {
    fn from(error: ConfigError) -> Self {
        PortError::Config(error)
    }
}

impl From<LimitError> for PortError {
    fn from(error: LimitError) -> Self {
        PortError::Limit(error)
    }
}
