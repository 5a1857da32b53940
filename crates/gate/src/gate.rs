// @hot
//! The gate: the list of limits with what it has to remember.

use crate::{
    Decisions, KIND_CANCEL, LimitError, LineState, Order, Rate, Refusal, SessionLimits, SessionState,
    TokenImage, Used, check,
};
use tickline_units::Nanos;

/// The witness that an order has passed the gate and its budget is taken. Only the gate makes it, nothing copies it, and the
/// order session's encoder consumes it: one pass, one message.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "its budget is taken: send it"]
pub struct Passed {
    order: Order,
}

impl Passed {
    /// The order that passed.
    #[inline]
    pub const fn order(&self) -> &Order {
        &self.order
    }
}

/// The last gate before the socket. Allocates only in [`new`](Gate::new).
#[derive(Debug)]
pub struct Gate {
    limits: SessionLimits,
    epoch: u32,
    used: Box<[Used]>,
    decisions: Decisions,
    rate: Rate,
}

impl Gate {
    /// A gate over a table of `slots` tokens, for the line's epoch at the start.
    ///
    /// # Errors
    /// [`LimitError`] when a session limit cannot be meant.
    pub fn new(limits: SessionLimits, slots: usize, epoch: u32) -> Result<Gate, LimitError> {
        let limits = limits.checked()?;
        let used = vec![Used::default(); slots].into_boxed_slice();
        let rate = Rate::new(limits.messages_per_second);
        Ok(Gate { limits, epoch, used, decisions: Decisions::default(), rate })
    }

    /// Checks an order and takes its budget. `session.rate` and `session.decision` are the gate's own to know: what the
    /// caller put there is not looked at.
    ///
    /// # Errors
    /// The first limit that does not hold; nothing is taken then.
    #[inline]
    pub fn admit(
        &mut self,
        order: &Order,
        image: &TokenImage,
        session: &SessionState,
        line: &LineState,
        now: Nanos,
    ) -> Result<Passed, Refusal> {
        if line.epoch != self.epoch {
            self.begin_epoch(line.epoch)?;
        }
        let used = self.used.get_mut(order.token as usize).ok_or(Refusal::TokenSlot)?;
        let decision = self.decisions.seen(order.decision);
        let session = SessionState { rate: self.rate.allows(now), decision, ..*session };
        check(order, image, used, &self.limits, &session, line, now)?;
        used.messages += 1;
        self.rate.count(now);
        if order.kind != KIND_CANCEL {
            used.qty += u64::from(order.qty);
            used.notional += order.notional();
            self.decisions.mark(order.decision);
        }
        Ok(Passed { order: *order })
    }

    /// Budgets count from the start of an epoch, and epochs only grow.
    #[cold]
    fn begin_epoch(&mut self, epoch: u32) -> Result<(), Refusal> {
        if epoch < self.epoch {
            return Err(Refusal::Epoch);
        }
        self.epoch = epoch;
        self.used.fill(Used::default());
        self.decisions.clear();
        Ok(())
    }

    /// The epoch that budgets count from.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Slots of the token table.
    pub const fn slots(&self) -> usize {
        self.used.len()
    }

    /// What has been let through on a slot since the epoch began; zero for a slot outside the table.
    #[inline]
    pub fn used(&self, slot: u32) -> Used {
        self.used.get(slot as usize).copied().unwrap_or_default()
    }

    /// Takes over what an earlier gate of the same epoch let through on a slot. Totals only grow.
    pub fn restore_used(&mut self, slot: u32, epoch: u32, used: Used) {
        let Some(mine) = self.used.get_mut(slot as usize) else { return };
        if epoch == self.epoch {
            mine.qty = mine.qty.max(used.qty);
            mine.notional = mine.notional.max(used.notional);
            mine.messages = mine.messages.max(used.messages);
        }
    }

    /// Takes over a decision that the venue shows was sent; those of other epochs do not matter.
    pub fn restore_decision(&mut self, epoch: u32, decision: u64) {
        if epoch == self.epoch {
            self.decisions.mark(decision);
        }
    }
}
