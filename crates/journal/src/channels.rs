//! The streams that a journal is made of, and how far each was taken.

use crate::kind;
use serde::{Deserialize, Serialize};

/// Streams: frames, signals, orders, fills. Their kinds are 1 to 4.
pub const CHANNELS: usize = 4;

/// Names of the streams, in the order of their kinds.
pub const NAMES: [&str; CHANNELS] = ["frame", "signal", "order", "fill"];

/// A number for each stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channels {
    /// Frames.
    pub frame: u64,
    /// Signals.
    pub signal: u64,
    /// Orders.
    pub order: u64,
    /// Fills.
    pub fill: u64,
}

impl Channels {
    /// The number of a kind; `None` for kinds that are no stream.
    pub fn of(&mut self, kind: u16) -> Option<&mut u64> {
        match kind {
            kind::FRAME => Some(&mut self.frame),
            kind::SIGNAL => Some(&mut self.signal),
            kind::ORDER => Some(&mut self.order),
            kind::FILL => Some(&mut self.fill),
            _ => None,
        }
    }

    /// All of them, in the order of their kinds.
    pub fn all(&self) -> [u64; CHANNELS] {
        [self.frame, self.signal, self.order, self.fill]
    }

    /// From all of them, in the order of their kinds.
    pub fn from_all([frame, signal, order, fill]: [u64; CHANNELS]) -> Channels {
        Channels { frame, signal, order, fill }
    }
}

/// What a kind is called in tables; `None` when it is not known here.
pub const fn kind_name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        kind::FRAME => NAMES[0],
        kind::SIGNAL => NAMES[1],
        kind::ORDER => NAMES[2],
        kind::FILL => NAMES[3],
        kind::CONTROL => "control",
        kind::TIMER => "timer",
        kind::RUN_HEADER => "header",
        kind::GAP => "gap",
        _ => return None,
    })
}
