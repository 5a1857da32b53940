//! The venue's block in the line's control segment; without a segment nothing is written.

use std::path::Path;
use tickline_clock::monotonic;
use tickline_ring::SegmentError;
use tickline_ring::control::{Control, ServiceBlock, State};
use tickline_ring::names::counter;
use tickline_venue::port::Counts;

const MESSAGES: usize = counter("messages");
const ORDERS: usize = counter("orders");
const ACCEPTED: usize = counter("accepted");
const REJECTED: usize = counter("rejected");
const EXECUTED: usize = counter("executed");
const SHARES: usize = counter("fills_shares");
const PACKETS: usize = counter("packets_out");
const CYCLES: usize = counter("duty_cycles");
const IDLE: usize = counter("idle_cycles");

/// Totals that the block shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// ITCH messages published, or in a replay played.
    pub messages: u64,
    /// Packets sent, both lines.
    pub packets: u64,
    /// OUCH messages received.
    pub orders: u64,
    /// What the order port did.
    pub port: Counts,
}

/// Writes the venue's block, if there is one.
#[derive(Clone)]
pub struct Status {
    control: Option<Control>,
    block: Option<ServiceBlock>,
    shown: Totals,
}

impl Status {
    /// Attaches and says `Starting`.
    ///
    /// # Errors
    /// The segment is missing, truncated or of another layout.
    pub fn attach(path: Option<&Path>) -> Result<Status, SegmentError> {
        let control = path.map(Control::open).transpose()?;
        let block = control.as_ref().and_then(|control| control.service("exchange"));
        if let Some(block) = &block {
            block.begin("exchange", std::process::id());
            block.set_heartbeat(monotonic().0);
        }
        Ok(Status { control, block, shown: Totals::default() })
    }

    /// Another service's block.
    pub fn peer(&self, name: &str) -> Option<ServiceBlock> {
        self.control.as_ref()?.service(name)
    }

    /// Says where the venue stands.
    pub fn state(&self, state: State) {
        if let Some(block) = &self.block {
            block.set_state(state);
        }
    }

    /// One duty cycle at `now` (monotonic).
    pub fn beat(&self, now: u64, busy: bool) {
        if let Some(block) = &self.block {
            block.set_heartbeat(now);
            block.add(if busy { CYCLES } else { IDLE }, 1);
        }
    }

    /// Everything before `horizon` is handled, and `sent` sequenced messages say what came of it.
    pub fn horizon(&self, sent: u64, horizon: u64) {
        if let Some(block) = &self.block {
            block.set_sent(sent);
            block.set_horizon(horizon);
        }
    }

    /// Shows totals in the counters.
    pub fn totals(&mut self, now: &Totals) {
        let Some(block) = &self.block else { return };
        let was = self.shown;
        if *now == was {
            return;
        }
        block.add(MESSAGES, now.messages - was.messages);
        block.add(PACKETS, now.packets - was.packets);
        block.add(ORDERS, now.orders - was.orders);
        block.add(ACCEPTED, now.port.accepted - was.port.accepted);
        block.add(REJECTED, now.port.rejected - was.port.rejected);
        block.add(EXECUTED, now.port.fills - was.port.fills);
        block.add(SHARES, now.port.shares - was.port.shares);
        block.set_progress(now.messages);
        self.shown = *now;
    }

    /// Leaves an error for whoever asks why.
    pub fn fail(&self, error: &str) {
        if let Some(block) = &self.block {
            block.set_error(error);
            block.set_state(State::Failed);
        }
    }
}
