// @hot
//! The venue's words applied: order states, executions, positions, and the Fill messages that follow.
//!
//! Words may come twice, late or in another order than they were meant; every handler starts from what is known and changes
//! only what the word adds. Positions move on executions alone, whatever state the order is in.

use crate::told::{Stamp, count, fill_of, name, price_of};
use crate::{
    Counts, Execution, Executions, NO_INSTRUMENT, Noted, OrderRecord, OrderState, Orders, Positions,
    SessionError,
};
use tickline_units::{Side, Symbol};
use tickline_wire::flat::fill::{FillBody, fill_kind};
use tickline_wire::ouch::{self, Outbound};

/// Orders, executions and positions of the session.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) orders: Orders,
    pub(crate) executions: Executions,
    pub(crate) positions: Positions,
    pub(crate) counts: Counts,
    symbols: Box<[Symbol]>,
    /// Words come from before this process started.
    pub(crate) recovering: bool,
}

/// What a word says of the order it names; the common part of accepted and replaced.
struct Named {
    user_ref: u32,
    side: u8,
    qty: u32,
    symbol: [u8; 8],
    price: u64,
    dead: bool,
    cl_ord_id: [u8; 14],
}

impl Ledger {
    /// Empty tables of these sizes.
    pub fn new(symbols: &[Symbol], orders_max: u32, executions_max: u32) -> Ledger {
        Ledger {
            orders: Orders::new(orders_max),
            executions: Executions::new(executions_max),
            positions: Positions::new(symbols.len()),
            counts: Counts::default(),
            symbols: symbols.into(),
            recovering: true,
        }
    }

    /// The orders.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// The positions.
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// What has happened.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The symbol of an instrument.
    pub fn symbol(&self, instrument: u16) -> Option<Symbol> {
        self.symbols.get(usize::from(instrument)).copied()
    }

    /// Applies one word and hands what follows to `sink`: at most two Fills, but all executions at once of an order that is
    /// named after them. `due_ns` is left 0.
    ///
    /// # Errors
    /// [`SessionError::Full`] or [`SessionError::Price`]: positions could not be kept, so nothing more may be sent.
    pub fn apply(
        &mut self,
        word: &Outbound<'_>,
        received_ns: u64,
        sink: &mut impl FnMut(FillBody),
    ) -> Result<(), SessionError> {
        let recovered = self.recovering;
        let stamp = |venue_ns| Stamp { venue_ns, received_ns, recovered };
        match word {
            Outbound::Executed(m, _) => self.executed(m, stamp(m.time_ns), sink),
            Outbound::OrderAccepted(m, _) => {
                let dead = m.state == b'D';
                let named = Named {
                    user_ref: m.user_ref,
                    side: m.side,
                    qty: m.qty,
                    symbol: m.symbol,
                    price: m.price,
                    dead,
                    cl_ord_id: m.cl_ord_id,
                };
                self.named(&named, fill_kind::ACCEPTED, stamp(m.time_ns), sink)
            }
            Outbound::Canceled(m, _) => self.canceled(m.user_ref, m.qty, m.reason, stamp(m.time_ns), sink),
            Outbound::AiqCanceled(m, _) => self.canceled(m.user_ref, m.qty, m.reason, stamp(m.time_ns), sink),
            Outbound::OrderReplaced(m, _) => self.replaced(m, stamp(m.time_ns), sink),
            Outbound::Rejected(m, _) => self.rejected(m, stamp(m.time_ns), sink),
            Outbound::BrokenTrade(m, _) => self.broken(m, stamp(m.time_ns), sink),
            Outbound::CancelPending(m, _) => self.note(m.user_ref, |record| record.canceling = true),
            Outbound::CancelReject(m, _) => self.note(m.user_ref, |record| record.canceling = false),
            Outbound::PriorityUpdate(m, _) => {
                let price = price_of(m.user_ref, m.price)?;
                self.note(m.user_ref, |record| record.price = price)
            }
            Outbound::Modified(m, _) => self.note(m.user_ref, |record| {
                record.qty = record.executed.saturating_add(record.canceled).saturating_add(m.qty);
                if record.working() && m.qty == 0 {
                    record.state = OrderState::Done;
                }
            }),
            Outbound::SystemEvent(..)
            | Outbound::Restated(..)
            | Outbound::MassCancelResponse(..)
            | Outbound::DisableResponse(..)
            | Outbound::EnableResponse(..)
            | Outbound::AccountQueryResponse(..) => Ok(()),
        }
    }

    /// Ends the orders from `next_user_ref` on that still wait for the venue's first word: the venue says that it has never seen
    /// those numbers. Reported as canceled with reason 0.
    pub fn never_arrived(&mut self, next_user_ref: u32, received_ns: u64, sink: &mut impl FnMut(FillBody)) {
        for user_ref in next_user_ref.max(1)..self.orders.next() {
            let fill = self.orders.change(user_ref, |record| {
                if record.state != OrderState::Pending {
                    return None;
                }
                let qty = record.leaves();
                record.canceled += qty;
                record.state = OrderState::Done;
                Some(FillBody { qty, received_ns, ..fill_of(record, user_ref, fill_kind::CANCELED) })
            });
            if let Some(Some(fill)) = fill {
                sink(fill);
            }
        }
    }

    /// Changes an order that is known and says nothing.
    fn note(&mut self, user_ref: u32, change: impl FnOnce(&mut OrderRecord)) -> Result<(), SessionError> {
        if self.orders.get(user_ref).is_some() {
            self.orders.change(user_ref, change);
        }
        Ok(())
    }

    fn full(&self) -> SessionError {
        let size = (self.orders.next() as usize - 1) + self.orders.left() as usize;
        SessionError::Full { table: "orders", size }
    }

    /// Order accepted, or replaced by this one.
    fn named(
        &mut self,
        word: &Named,
        kind: u8,
        stamp: Stamp,
        sink: &mut impl FnMut(FillBody),
    ) -> Result<(), SessionError> {
        let price = price_of(word.user_ref, word.price)?;
        let instrument = self.symbols.iter().position(|symbol| symbol.0 == word.symbol);
        let instrument = instrument.map_or(NO_INSTRUMENT, |at| at as u16);
        let (before, first, fill) = self
            .orders
            .change(word.user_ref, |record| {
                let before = record.state;
                if matches!(before, OrderState::Unused | OrderState::Unnamed) {
                    name(record, &word.cl_ord_id);
                    record.instrument = instrument;
                    record.side = Side::from_letter(word.side).unwrap_or(Side::Buy);
                }
                if matches!(before, OrderState::Unused | OrderState::Unnamed | OrderState::Pending) {
                    record.qty = word.qty;
                    record.price = price;
                    record.state = OrderState::Live;
                }
                if record.working() && (word.dead || record.leaves() == 0) {
                    record.state = OrderState::Done;
                }
                let first = !record.accepted;
                record.accepted = true;
                (before, first, fill_of(record, word.user_ref, kind))
            })
            .ok_or_else(|| self.full())?;
        if !first {
            self.counts.repeated += 1;
            return Ok(());
        }
        self.counts.accepted += 1;
        self.counts.foreign += u64::from(instrument == NO_INSTRUMENT);
        sink(stamp.on(FillBody { qty: word.qty, ..fill }));
        if before == OrderState::Unnamed {
            self.count_held(word.user_ref, stamp, sink);
        }
        Ok(())
    }

    /// Counts the executions that came before their order was named.
    fn count_held(&mut self, user_ref: u32, stamp: Stamp, sink: &mut impl FnMut(FillBody)) {
        let Some(record) = self.orders.get(user_ref).copied() else { return };
        let Ledger { executions, positions, counts, .. } = self;
        for held in executions.of(user_ref).filter(|held| held.reported) {
            count(positions, counts, &record, held, stamp, sink);
        }
    }

    fn executed(
        &mut self,
        m: &ouch::Executed,
        stamp: Stamp,
        sink: &mut impl FnMut(FillBody),
    ) -> Result<(), SessionError> {
        let price = price_of(m.user_ref, m.price)?;
        if m.user_ref == 0
            || u64::from(m.user_ref) >= u64::from(self.orders.next()) + u64::from(self.orders.left())
        {
            return Err(self.full());
        }
        let execution = Execution {
            match_number: m.match_number,
            user_ref: m.user_ref,
            qty: m.qty,
            price,
            broken: false,
            reported: true,
        };
        let noted = self.executions.note(execution);
        match noted {
            Noted::New | Noted::Broken => {}
            Noted::Known => {
                self.counts.repeated += 1;
                return Ok(());
            }
            Noted::Full => {
                return Err(SessionError::Full { table: "executions", size: self.executions.capacity() });
            }
        }
        let record = self
            .orders
            .change(m.user_ref, |record| {
                record.executed = record.executed.saturating_add(m.qty);
                match record.state {
                    OrderState::Unused => record.state = OrderState::Unnamed,
                    OrderState::Pending => record.state = OrderState::Live,
                    _ => {}
                }
                if record.working() && record.leaves() == 0 {
                    record.state = OrderState::Done;
                }
                *record
            })
            .ok_or_else(|| self.full())?;
        if record.state == OrderState::Unnamed {
            return Ok(());
        }
        let execution = Execution { broken: noted == Noted::Broken, ..execution };
        count(&mut self.positions, &mut self.counts, &record, &execution, stamp, sink);
        Ok(())
    }

    fn canceled(
        &mut self,
        user_ref: u32,
        qty: u32,
        reason: u8,
        stamp: Stamp,
        sink: &mut impl FnMut(FillBody),
    ) -> Result<(), SessionError> {
        let fill = self
            .orders
            .change(user_ref, |record| {
                let repeated = record.canceled > 0 && record.cancel_ns == stamp.venue_ns;
                if repeated || matches!(record.state, OrderState::Rejected) {
                    return None;
                }
                let reported = qty.min(record.qty.saturating_sub(record.canceled));
                record.canceled = record.canceled.saturating_add(qty);
                record.cancel_ns = stamp.venue_ns;
                record.canceling = false;
                match record.state {
                    OrderState::Unused => record.state = OrderState::Unnamed,
                    OrderState::Pending => record.state = OrderState::Live,
                    _ => {}
                }
                if record.working() && record.leaves() == 0 {
                    record.state = OrderState::Done;
                }
                let fill = fill_of(record, user_ref, fill_kind::CANCELED);
                Some(FillBody { qty: reported, reason: u16::from(reason), ..fill })
            })
            .ok_or_else(|| self.full())?;
        let Some(fill) = fill else {
            self.counts.repeated += 1;
            return Ok(());
        };
        self.counts.canceled += 1;
        sink(stamp.on(fill));
        Ok(())
    }

    fn replaced(
        &mut self,
        m: &ouch::OrderReplaced,
        stamp: Stamp,
        sink: &mut impl FnMut(FillBody),
    ) -> Result<(), SessionError> {
        let original = m.original_user_ref;
        let gone = self
            .orders
            .change(original, |record| {
                if !record.working() {
                    return None;
                }
                let qty = record.leaves();
                record.canceled = record.canceled.saturating_add(qty);
                record.state = OrderState::Done;
                let fill = fill_of(record, original, fill_kind::CANCELED);
                Some(FillBody { qty, reason: u16::from(b'U'), ..fill })
            })
            .ok_or_else(|| self.full())?;
        if let Some(fill) = gone {
            sink(stamp.on(fill));
        }
        let named = Named {
            user_ref: m.user_ref,
            side: m.side,
            qty: m.qty,
            symbol: m.symbol,
            price: m.price,
            dead: m.state == b'D',
            cl_ord_id: m.cl_ord_id,
        };
        self.named(&named, fill_kind::REPLACED, stamp, sink)
    }

    fn rejected(
        &mut self,
        m: &ouch::Rejected,
        stamp: Stamp,
        sink: &mut impl FnMut(FillBody),
    ) -> Result<(), SessionError> {
        let fill = self
            .orders
            .change(m.user_ref, |record| {
                match record.state {
                    OrderState::Unused => name(record, &m.cl_ord_id),
                    OrderState::Pending => {}
                    _ => return None,
                }
                record.state = OrderState::Rejected;
                let fill = fill_of(record, m.user_ref, fill_kind::REJECTED);
                Some(FillBody { qty: record.qty, reason: m.reason, ..fill })
            })
            .ok_or_else(|| self.full())?;
        let Some(fill) = fill else {
            self.counts.repeated += 1;
            return Ok(());
        };
        self.counts.rejected += 1;
        sink(stamp.on(fill));
        Ok(())
    }

    fn broken(
        &mut self,
        m: &ouch::BrokenTrade,
        stamp: Stamp,
        sink: &mut impl FnMut(FillBody),
    ) -> Result<(), SessionError> {
        let (noted, execution) = self.executions.note_broken(m.match_number, m.user_ref);
        match noted {
            Noted::New => {}
            Noted::Known | Noted::Broken => {
                self.counts.repeated += 1;
                return Ok(());
            }
            Noted::Full => {
                return Err(SessionError::Full { table: "executions", size: self.executions.capacity() });
            }
        }
        let Some(record) = self.orders.get(m.user_ref).filter(|record| record.state != OrderState::Unnamed)
        else {
            return Ok(());
        };
        self.positions.broken(record.instrument, record.side, execution.qty, execution.price);
        let fill = fill_of(record, m.user_ref, fill_kind::BROKEN);
        let (qty, price) = (execution.qty, execution.price);
        sink(stamp.on(FillBody { exec_id: m.match_number, qty, price, reason: u16::from(m.reason), ..fill }));
        Ok(())
    }
}
