//! Events of the engine, told to the users whose orders they concern. Source: OUCH 5.0, section 3.

use super::{OrderPort, UserId};
use crate::engine::{Engine, Event, Gone, Owner, Ref, Trade};
use tickline_units::{Nanos, Qty, Side};
use tickline_wire::ouch::{self, Appendage};

const NONE: Appendage<'static> = Appendage::NONE;

/// Liquidity flags: the order rested, or it came.
const ADDED: u8 = b'A';
const REMOVED: u8 = b'R';

impl OrderPort {
    /// Tells users what happened to their orders. `engine` is the book after the events.
    pub fn route(&mut self, time: Nanos, events: &[Event], engine: &Engine) {
        for event in events {
            match *event {
                Event::Traded(trade) => self.traded(time, &trade),
                Event::Reduced { order, by, owner, .. } => self.reduced(time, order, by, owner),
                Event::Removed { order, qty, owner, why, .. }
                | Event::Lapsed { order, qty, owner, why, .. } => {
                    self.gone(time, order, qty, owner, why, engine);
                }
                Event::Added { .. }
                | Event::Replaced { .. }
                | Event::Printed { .. }
                | Event::Refused { .. } => {}
            }
        }
    }

    fn traded(&mut self, time: Nanos, trade: &Trade) {
        self.executed(time, trade, trade.resting, trade.resting_owner, ADDED);
        self.executed(time, trade, trade.incoming, trade.incoming_owner, REMOVED);
    }

    fn executed(&mut self, time: Nanos, trade: &Trade, order: Ref, owner: Owner, liquidity: u8) {
        let Some(user) = user(owner) else { return };
        let Some(working) = self.order_mut(order) else { return };
        working.executed += trade.qty.0;
        working.live = working.leaves() > 0;
        let message = ouch::Executed {
            time_ns: time.0,
            user_ref: working.user_ref,
            qty: trade.qty.0,
            price: trade.price.0 as u64,
            liquidity,
            match_number: trade.match_id,
        };
        self.counts.fills += 1;
        self.counts.shares += trade.qty.0 as u64;
        self.users[user.0].tell(|to| message.encode(NONE, to));
    }

    /// Part of an order went. A modification has told its user already and set the new size.
    fn reduced(&mut self, time: Nanos, order: Ref, by: Qty, owner: Owner) {
        let Some(user) = user(owner) else { return };
        let Some(working) = self.order_mut(order) else { return };
        if working.modified {
            working.modified = false;
            return;
        }
        working.qty -= by.0;
        let message = ouch::Canceled { time_ns: time.0, user_ref: working.user_ref, qty: by.0, reason: b'U' };
        self.users[user.0].tell(|to| message.encode(NONE, to));
    }

    /// What was left of an order went.
    fn gone(&mut self, time: Nanos, order: Ref, qty: Qty, owner: Owner, why: Gone, engine: &Engine) {
        let Some(user) = user(owner) else { return };
        let reason = match why {
            // The replacement has been told when it was accepted.
            Gone::Replaced => return,
            Gone::Cancelled | Gone::MassCancelled => b'U',
            Gone::Disconnected => b'Z',
            Gone::Unfilled => b'I',
            Gone::SelfTrade => b'Q',
        };
        let Some(working) = self.order_mut(order) else { return };
        working.live = false;
        let working = *working;
        let (time_ns, user_ref) = (time.0, working.user_ref);
        if why != Gone::SelfTrade {
            let message = ouch::Canceled { time_ns, user_ref, qty: qty.0, reason };
            return self.users[user.0].tell(|to| message.encode(NONE, to));
        }
        // The order it would have met still leads the other side when the newest goes.
        let other = Side::from_letter(working.side).unwrap_or(Side::Buy).opposite();
        let price = engine.best(working.symbol, other).map_or(working.price, |best| best.price.0 as u64);
        let message = ouch::AiqCanceled {
            time_ns,
            user_ref,
            qty: qty.0,
            reason,
            prevented_qty: qty.0,
            price,
            liquidity: REMOVED,
            strategy: b'N',
        };
        self.users[user.0].tell(|to| message.encode(NONE, to));
    }
}

fn user(owner: Owner) -> Option<UserId> {
    (owner.0 as usize).checked_sub(1).map(UserId)
}
