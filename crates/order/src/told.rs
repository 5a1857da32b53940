//! From the venue's words to Fill messages: the parts that every word shares.

use crate::{ClOrdId, Counts, Execution, OrderRecord, Positions, SessionError};
use tickline_wire::flat::fill::{FillBody, fill_kind};

/// The common part of every Fill that a word makes.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) venue_ns: u64,
    pub(crate) received_ns: u64,
    pub(crate) recovered: bool,
}

impl Stamp {
    /// The Fill with these stamps.
    pub(crate) fn on(self, fill: FillBody) -> FillBody {
        FillBody {
            venue_ns: self.venue_ns,
            received_ns: self.received_ns,
            recovered: u8::from(self.recovered),
            ..fill
        }
    }
}

/// Takes epoch and decision from the name of an order that an earlier process sent.
pub(crate) fn name(record: &mut OrderRecord, cl_ord_id: &[u8; 14]) {
    if let Some(id) = ClOrdId::decode(cl_ord_id) {
        record.epoch = id.epoch;
        record.decision = id.decision;
    }
}

/// A Fill of what the record knows.
pub(crate) fn fill_of(record: &OrderRecord, user_ref: u32, kind: u8) -> FillBody {
    FillBody {
        decision: record.decision,
        sent_ns: record.sent_ns,
        epoch: record.epoch,
        user_ref,
        token: record.token,
        price: record.price,
        leaves: record.leaves(),
        instrument: record.instrument,
        strategy: record.strategy,
        side: record.side as u8,
        lane: record.lane,
        kind,
        ..FillBody::default()
    }
}

/// A price of the venue in our 32 bits.
pub(crate) fn price_of(user_ref: u32, price: u64) -> Result<u32, SessionError> {
    u32::try_from(price).map_err(|_| SessionError::Price { user_ref, price })
}

/// Counts an execution, and takes it back at once when the venue has broken it already.
pub(crate) fn count(
    positions: &mut Positions,
    counts: &mut Counts,
    record: &OrderRecord,
    execution: &Execution,
    stamp: Stamp,
    sink: &mut impl FnMut(FillBody),
) {
    let Execution { match_number: exec_id, user_ref, qty, price, broken, .. } = *execution;
    positions.executed(record.instrument, record.side, qty, price, exec_id);
    counts.executed += 1;
    counts.shares += u64::from(qty);
    sink(stamp.on(FillBody { exec_id, qty, price, ..fill_of(record, user_ref, fill_kind::EXECUTED) }));
    if broken {
        positions.broken(record.instrument, record.side, qty, price);
        sink(stamp.on(FillBody { exec_id, qty, price, ..fill_of(record, user_ref, fill_kind::BROKEN) }));
    }
}
