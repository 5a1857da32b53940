//! The port's part of execution's service block, and the blocks it looks at.

use tickline_ring::SegmentError;
use tickline_ring::control::{Control, Histogram, LineBlock, ServiceBlock};
use tickline_ring::names::{counter, hop, service};

/// Handles into the control block, looked up once.
pub(crate) struct Gauges {
    pub(crate) line: LineBlock,
    pub(crate) own: ServiceBlock,
    pub(crate) venue: ServiceBlock,
    pub(crate) gate: Histogram,
    pub(crate) send: Histogram,
    pub(crate) wire: Histogram,
    pub(crate) whole: Histogram,
    pub(crate) ack: Histogram,
}

pub(crate) const SENT: usize = counter("sent");
pub(crate) const REFUSED: usize = counter("refused_by_gate");
pub(crate) const DUPLICATE: usize = counter("refused_duplicate");
pub(crate) const ACCEPTED: usize = counter("accepted");
pub(crate) const EXECUTED: usize = counter("executed");
pub(crate) const CANCELED: usize = counter("canceled");
pub(crate) const REJECTED: usize = counter("rejected");
pub(crate) const SHARES: usize = counter("fills_shares");
pub(crate) const BYTES_IN: usize = counter("bytes_in");
pub(crate) const BYTES_OUT: usize = counter("bytes_out");
pub(crate) const RECONNECTS: usize = counter("reconnects");

impl Gauges {
    pub(crate) fn new(control: &Control) -> Result<Gauges, SegmentError> {
        let block = |place| control.service_at(place).expect("every listed service has a block");
        let own = block(service("execution"));
        Ok(Gauges {
            line: control.line(),
            venue: block(service("exchange")),
            gate: own.histogram(hop("gate")),
            send: own.histogram(hop("send")),
            wire: own.histogram(hop("wire")),
            whole: own.histogram(hop("line")),
            ack: own.histogram(hop("ack")),
            own,
        })
    }
}
