//! When orders left: the kernel's transmit stamps, matched with the orders that were written.
//!
//! The kernel stamps a segment as it hands it to the device. That is the last moment software sees, and the end of the line's
//! latency. The return of `send` is later: on loopback the kernel runs the receiver's half of TCP inside that call.

use crate::Socket;
use std::collections::VecDeque;
use tickline_clock::{monotonic, wall};

/// Orders whose stamp may be awaited at once; beyond it the oldest go unmeasured.
const WAITING_MAX: usize = 4096;
/// A stamp that has not come after this time never does.
const PATIENCE_NS: u64 = 1_000_000_000;
/// Stamps are looked for when the last order is this old: taking one takes microseconds, and the next frame is often near.
const LULL_NS: u64 = 20_000;

/// An order that was written to the socket.
#[derive(Clone, Copy, Debug)]
pub struct Departure {
    /// When the frame behind it was due, monotonic ns.
    pub due_ns: u64,
    /// When the gate let it pass, monotonic ns.
    pub passed_ns: u64,
}

/// Matches stamps with orders by the stream's bytes, as the kernel counts them from the connection's first.
pub struct Departures {
    waiting: VecDeque<(u32, Departure)>,
    /// Bytes written on this connection, modulo 2^32.
    written: u32,
    /// Writes whose stamp has not come, the session's own among them.
    stamps: u32,
    last_ns: u64,
}

impl Departures {
    /// Nothing is awaited.
    pub fn new() -> Departures {
        Departures { waiting: VecDeque::with_capacity(WAITING_MAX), written: 0, stamps: 0, last_ns: 0 }
    }

    /// A connection begins.
    pub fn connected(&mut self) {
        self.waiting.clear();
        (self.written, self.stamps) = (0, 0);
    }

    /// The kernel took `count` bytes in one write.
    #[inline]
    pub fn wrote(&mut self, count: usize) {
        self.written = self.written.wrapping_add(count as u32);
        self.stamps += 1;
    }

    /// The order just written leaves with the bytes up to here.
    #[inline]
    pub fn await_stamp(&mut self, order: Departure, now_ns: u64) {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back((self.written, order));
        self.last_ns = now_ns;
    }

    /// Whether stamps may be there, and no order was written just now.
    #[inline]
    pub fn due(&self, now_ns: u64) -> bool {
        self.stamps > 0 && now_ns.saturating_sub(self.last_ns) >= LULL_NS
    }

    /// Takes the stamps that have come and tells each order's, in monotonic ns. `now_ns` is the time of the call.
    #[inline]
    pub fn collect(&mut self, socket: &Socket, now_ns: u64, mut tell: impl FnMut(Departure, u64)) {
        while self.stamps > 0 {
            let Some((last_byte, stamp_ns)) = socket.departure() else {
                if now_ns.saturating_sub(self.last_ns) > PATIENCE_NS {
                    self.stamps = 0;
                    self.waiting.clear();
                }
                return;
            };
            let end = last_byte.wrapping_add(1);
            // Writes that the kernel joined share the stamp of the last; nothing is owed once all bytes have theirs.
            self.stamps = if end == self.written { 0 } else { self.stamps - 1 };
            // The kernel stamps by the wall clock.
            let left_ns = stamp_ns.wrapping_sub(wall().0.wrapping_sub(monotonic().0));
            while let Some(&(until, order)) = self.waiting.front()
                && end.wrapping_sub(until) as i32 >= 0
            {
                self.waiting.pop_front();
                tell(order, left_ns);
            }
        }
    }
}

impl Default for Departures {
    fn default() -> Departures {
        Departures::new()
    }
}
