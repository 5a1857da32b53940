//! What a capture needs beyond matching: its own orders rest where history says they rested and never trade with each
//! other, while orders of users meet them by price and time.

use super::command::{Enter, Owner, Ref};
use super::event::{Event, Gone, Refused};
use super::ladder::Key;
use super::store::NONE;
use super::{Engine, Incoming, Slot};
use tickline_units::{Price, Qty, Side};

/// One execution of history: somebody came and took `qty` of `order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The order that history says was hit.
    pub order: Ref,
    /// Place of the symbol.
    pub symbol: u16,
    /// Side of that order.
    pub side: Side,
    /// Price it rests at.
    pub shown: Price,
    /// Price of the execution.
    pub price: Price,
    /// Shares.
    pub qty: Qty,
    /// False: the execution's volume is not to be counted.
    pub printable: bool,
}

impl Engine {
    /// An order of the capture: it trades with users' orders that it meets, and what is left rests, even where that
    /// crosses other orders of the capture. Life is `Day`.
    pub fn insert(&mut self, enter: &Enter, out: &mut Vec<Event>) {
        if let Some(why) = self.refusal(enter.order, enter.symbol, enter.price, enter.qty) {
            out.push(Event::Refused { order: enter.order, why });
            return;
        }
        let Enter { order, symbol, owner, side, price, qty, mpid, .. } = *enter;
        let mut incoming = Incoming { order, owner, symbol, side, price, left: qty.0 };
        self.sweep_users(&mut incoming, NONE, out);
        if incoming.left > 0 {
            let qty = Qty(incoming.left);
            self.store.rest(order, owner, symbol, side, price, qty);
            out.push(Event::Added { order, price, qty, mpid, symbol, owner, side });
        }
    }

    /// A replacement of history: the old order, if it is there, goes; the new one is inserted. Shown as one
    /// replacement when nothing trades.
    pub fn supersede(&mut self, old: Ref, enter: &Enter, out: &mut Vec<Event>) {
        if let Some(why) = self.refusal(enter.order, enter.symbol, enter.price, enter.qty) {
            out.push(Event::Refused { order: enter.order, why });
            return;
        }
        let Enter { order: new, symbol, owner, side, price, qty, .. } = *enter;
        let Some(slot) = self.store.refs.get(old.0) else { return self.insert(enter, out) };
        let limit = Key::of(side.opposite(), price);
        let ladder = self.store.ladder(symbol, side.opposite());
        if ladder.owned > 0 && ladder.best().is_some_and(|best| best.key >= limit) {
            self.remove(slot, Gone::Replaced, out);
            self.insert(enter, out);
            return;
        }
        let left = self.store.slots[slot as usize].qty;
        self.store.shrink(slot, left);
        self.store.rest(new, owner, symbol, side, price, qty);
        out.push(Event::Replaced { old, new, price, qty, symbol, owner, side });
    }

    /// An execution of history as an incoming order: users' orders ahead in price and time are filled first, then the
    /// order that was hit, then users' orders behind it at prices that still meet.
    pub fn hit(&mut self, hit: &Hit, out: &mut Vec<Event>) {
        if hit.symbol >= self.symbols() {
            out.push(Event::Refused { order: hit.order, why: Refused::Symbol });
            return;
        }
        let mut incoming = Incoming {
            order: Ref::default(),
            owner: Owner::PUBLIC,
            symbol: hit.symbol,
            side: hit.side.opposite(),
            price: hit.price,
            left: hit.qty.0,
        };
        let target = self.store.refs.get(hit.order.0);
        if let Some(slot) = target {
            self.sweep_users(&mut incoming, slot, out);
            if incoming.left > 0 {
                self.fill(slot, &mut incoming, Some(hit.price), hit.printable, out);
            }
        }
        // The order that was hit may be gone or smaller because users took from it; what history still wants trades on.
        self.sweep_users(&mut incoming, NONE, out);
    }

    /// The order of history is cut to at most `qty` shares, the quantity history says it has.
    pub fn clamp(&mut self, order: Ref, qty: Qty, out: &mut Vec<Event>) {
        let Some(slot) = self.store.refs.get(order.0) else { return };
        let Slot { qty: has, level, owner, .. } = self.store.slots[slot as usize];
        if has <= qty.0 {
            return;
        }
        if qty.0 == 0 {
            self.remove(slot, Gone::Cancelled, out);
            return;
        }
        let symbol = self.store.levels[level as usize].symbol;
        let by = Qty(has - qty.0);
        let left = Qty(self.store.shrink(slot, by.0));
        out.push(Event::Reduced { order, by, left, symbol, owner, why: Gone::Cancelled });
    }

    /// Trades `incoming` with users' orders only, in price-time order, up to the order in slot `stop`.
    fn sweep_users(&mut self, incoming: &mut Incoming, stop: u32, out: &mut Vec<Event>) {
        let other = incoming.side.opposite();
        let last = match self.store.slots.get(stop as usize) {
            Some(slot) => Key::of(other, self.store.levels[slot.level as usize].price).max(incoming.limit()),
            None => incoming.limit(),
        };
        while incoming.left > 0 {
            let Some(slot) = self.next_user(incoming.symbol, other, last, stop) else { return };
            self.fill(slot, incoming, None, true, out);
        }
    }

    /// The first user's order in price-time order on a side, at keys not below `last` and not behind slot `stop`.
    fn next_user(&self, symbol: u16, side: Side, last: Key, stop: u32) -> Option<u32> {
        let ladder = self.store.ladder(symbol, side);
        if ladder.owned == 0 {
            return None;
        }
        for rung in ladder.iter().take_while(|rung| rung.key >= last) {
            if self.store.levels[rung.level as usize].owned == 0 {
                continue;
            }
            for slot in self.store.queue(rung.level) {
                if slot == stop {
                    return None;
                }
                if self.store.slots[slot as usize].owner.is_user() {
                    return Some(slot);
                }
            }
        }
        None
    }
}
