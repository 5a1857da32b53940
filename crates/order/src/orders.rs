// @hot
//! The state of every order of the day, found by its user reference number.

use crate::{NO_INSTRUMENT, NO_TOKEN};
use tickline_units::Side;

/// Where an order stands. Only the venue's word moves it: silence changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderState {
    /// No order of ours has this number yet.
    #[default]
    Unused,
    /// Executions came before anything said what the order is (only when an earlier process sent it).
    Unnamed,
    /// Sent; the venue has not spoken.
    Pending,
    /// Accepted and working.
    Live,
    /// Nothing of it works any more.
    Done,
    /// The venue did not take it.
    Rejected,
}

/// What is known of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// Decision it comes from.
    pub decision: u64,
    /// Monotonic time when its bytes were handed to the socket; 0 when an earlier process did.
    pub sent_ns: u64,
    /// Venue time of the last cancel that was counted; tells a repeated message from a second cancel.
    pub cancel_ns: u64,
    /// Line epoch of the decision.
    pub epoch: u32,
    /// Slot of the token it was sent on, or [`NO_TOKEN`].
    pub token: u32,
    /// Limit, 1/10,000 dollar.
    pub price: u32,
    /// Shares asked for.
    pub qty: u32,
    /// Shares executed.
    pub executed: u32,
    /// Shares canceled.
    pub canceled: u32,
    /// Order it replaces; 0 when none.
    pub replaces: u32,
    /// Place in the line's configuration, or [`NO_INSTRUMENT`].
    pub instrument: u16,
    /// Place in the line's configuration; all ones when an earlier process sent it.
    pub strategy: u16,
    /// Buy or sell.
    pub side: Side,
    /// Lane of its token.
    pub lane: u8,
    /// Where it stands.
    pub state: OrderState,
    /// An accept has been reported, so another one is a repetition.
    pub accepted: bool,
    /// A cancel was sent, or the venue says that one waits.
    pub canceling: bool,
}

impl Default for OrderRecord {
    fn default() -> Self {
        OrderRecord {
            decision: 0,
            sent_ns: 0,
            cancel_ns: 0,
            epoch: 0,
            token: NO_TOKEN,
            price: 0,
            qty: 0,
            executed: 0,
            canceled: 0,
            replaces: 0,
            instrument: NO_INSTRUMENT,
            strategy: u16::MAX,
            side: Side::Buy,
            lane: 0,
            state: OrderState::Unused,
            accepted: false,
            canceling: false,
        }
    }
}

impl OrderRecord {
    /// Shares that may still execute.
    #[inline]
    pub fn leaves(&self) -> u32 {
        match self.state {
            OrderState::Pending | OrderState::Live => {
                self.qty.saturating_sub(self.executed).saturating_sub(self.canceled)
            }
            _ => 0,
        }
    }

    /// May it still execute?
    #[inline]
    pub fn working(&self) -> bool {
        matches!(self.state, OrderState::Pending | OrderState::Live)
    }
}

/// Every order of the day. Numbers start at 1; allocates once.
#[derive(Debug)]
pub struct Orders {
    records: Box<[OrderRecord]>,
    next: u32,
    working: u32,
}

impl Orders {
    /// Places for the numbers 1 to `most`.
    pub fn new(most: u32) -> Orders {
        let records = vec![OrderRecord::default(); most as usize + 1].into_boxed_slice();
        Orders { records, next: 1, working: 0 }
    }

    /// The number that the next order gets.
    #[inline]
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Numbers that may still be given.
    #[inline]
    pub fn left(&self) -> u32 {
        (self.records.len() as u32).saturating_sub(self.next)
    }

    /// Orders that may still execute.
    #[inline]
    pub fn working(&self) -> u32 {
        self.working
    }

    /// The order of a number, `None` when no order has it.
    #[inline]
    pub fn get(&self, user_ref: u32) -> Option<&OrderRecord> {
        self.records.get(user_ref as usize).filter(|record| record.state != OrderState::Unused)
    }

    /// Adds an order under the next number.
    ///
    /// # Panics
    /// When no number is left: the gate refuses before.
    #[inline]
    pub fn add(&mut self, record: OrderRecord) -> u32 {
        let user_ref = self.next;
        self.next += 1;
        self.working += u32::from(record.working());
        self.records[user_ref as usize] = record;
        user_ref
    }

    /// Changes an order and keeps the count of working orders; `None` when the number is outside the table. Numbers that the
    /// venue shows are never given again.
    pub fn change<T>(&mut self, user_ref: u32, change: impl FnOnce(&mut OrderRecord) -> T) -> Option<T> {
        let record = self.records.get_mut(user_ref as usize).filter(|_| user_ref != 0)?;
        let before = record.working();
        let outcome = change(record);
        let after = record.working();
        self.working = self.working + u32::from(after) - u32::from(before);
        self.skip_to(user_ref + 1);
        Some(outcome)
    }

    /// Forgets every order; numbers begin at 1 again.
    pub fn clear(&mut self) {
        self.records.fill(OrderRecord::default());
        (self.next, self.working) = (1, 0);
    }

    /// Gives no number below `user_ref` any more.
    pub fn skip_to(&mut self, user_ref: u32) {
        self.next = self.next.max(user_ref);
    }
}
